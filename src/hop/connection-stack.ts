/**
 * What one TCP connection carries: finds out (HTTP, WebSocket, TLS, something else) and drives the readers. In: tcp/ with octets in
 * order, gaps and TCP ACKs. Out: an ObservedConnection at the end; rows of the message table on the way. Only here is it known
 * which layer follows which.
 */

import type { OpeningHandshake } from '../http/opening-handshake.js';
import { Role, type RoleNumber } from '../message/profile.js';
import type { TcpConnection } from '../tcp/connection.js';
import type { GapKind, HalfStream, StreamConsumer } from '../tcp/half-stream.js';
import { startsWithRecord } from '../tls/record.js';
import { Opcode } from '../websocket/frame.js';
import { AgentName } from './agent-name.js';
import { Decrypted } from './decrypted.js';
import type { HopContext } from './hop-context.js';
import { HttpExchange } from './http-exchange.js';
import type { MessageOwner, MessageReader } from './message-reader.js';
import type { Protocol } from './observation.js';
import { isSshGreeting, opening, proxyHeaderLength } from './opening-octets.js';
import { PingPairs } from './ping-pairs.js';
import { Side } from './side.js';
import { socksLength } from './socks.js';
import { TlsLayer } from './tls-layer.js';
import { Upgrade } from './upgrade.js';

/** A direction that never showed a frame is given up after this many octets. */
const GIVE_UP_AFTER = 32 << 10;
/** A stream's first octets tell nothing before there are as many. */
const OPENING_OCTETS = 4;

/** What most connections never have takes no memory: replaced by the first one. */
const NONE: number[] = [];

export class ConnectionStack implements StreamConsumer, MessageOwner {
  protocol: Protocol = 'none';
  tls: TlsLayer | null = null;
  private decrypted: Decrypted | null = null;
  readonly sides: readonly [Side, Side];
  /** Made when it is asked for, dropped when WebSocket, or a tunnel, took over. */
  private exchange: HttpExchange | null = null;
  /** Packets of the opening handshake: request, response. */
  private openingRefs: number[] = NONE;
  readonly agent: AgentName;
  readonly pings = new PingPairs();
  handshake: OpeningHandshake | null = null;
  /** Sec-WebSocket-Accept of a 101 whose request was not captured. */
  accept: string | null = null;
  greetedAsSsh = false;
  /** Commands sent less CommandAcks: one that is offered again counts again, so it is rather too many. */
  waitingCommands = 0;
  /** Direction of the client by what it said: an HTTP request, or masked frames. */
  clientByContent: 0 | 1 | null = null;
  clientFrom: 'tls' | 'http' | 'masking' | null = null;

  constructor(
    readonly tcp: TcpConnection,
    readonly context: HopContext,
  ) {
    this.sides = [new Side(tcp.halves[0], this, context), new Side(tcp.halves[1], this, context)];
    this.agent = new AgentName(context.profile);
  }

  get http(): HttpExchange {
    this.exchange ??= new HttpExchange(this.context, new Upgrade(this));
    return this.exchange;
  }

  get handshakeRefs(): number[] {
    return this.exchange?.handshakeRefs ?? this.openingRefs;
  }

  /** Answered or not. */
  get askedHandshake(): OpeningHandshake | null {
    return this.handshake ?? this.exchange?.handshake ?? null;
  }

  /** The side of the client by what it said; A's while nothing told. */
  get client(): Side {
    return this.sides[this.clientByContent ?? 0];
  }

  get server(): Side {
    return this.sides[(this.clientByContent ?? 0) ^ 1];
  }

  get connection(): number {
    return this.tcp.index;
  }

  data(half: HalfStream, bytes: Uint8Array, start: number, end: number, offset: number): void {
    const side = this.sides[half.direction];
    if (this.tls !== null) this.encrypted(this.tls, side, bytes, start, end, offset);
    else this.octets(side, bytes, start, end, offset);
  }

  /** Octets of the stream that HTTP and WebSocket stand in: TCP's, or decrypted ones. */
  octets(side: Side, bytes: Uint8Array, start: number, end: number, offset: number): void {
    if (side.mode === 'websocket') {
      if (this.isLateTls(side, bytes, start, end)) {
        this.startTls(side, bytes, start, end, offset);
        return;
      }
      side.frames.read(bytes, start, end, offset);
      if (side.half.ledger.crowded) side.needsAsRead();
      if (this.protocol !== 'websocket') this.reconsider(side);
    } else if (side.mode === 'http') this.readHttp(side, bytes, start, end, offset);
    else if (side.mode === 'undecided') this.decide(side, bytes, start, end, offset);
  }

  gap(half: HalfStream, from: number, to: number, kind: GapKind): void {
    const side = this.sides[half.direction];
    if (this.tls !== null) {
      this.tls.gap(half, from, to, kind);
      side.needsAsRead();
    } else {
      // A stream of which not even the first octets are there: TCP tells of it all the same.
      if (kind === 'cut' && side.mode === 'undecided') side.messages.sent.keepUnread(side.held?.from ?? from, to);
      this.octetsLost(side, from, to, true);
    }
  }

  octetsLost(side: Side, from: number, to: number, exact: boolean): void {
    if (side.mode === 'websocket') side.framesLost(from, to, exact);
    // It waits for the 101: whatever that says, what is held stands before the hole and the rest behind it.
    else if (side.mode === 'http' && side.held !== null) side.held.gap(to, exact);
    else if (side.mode === 'http') {
      const reader = side.half.direction === this.clientByContent ? this.http.requests : this.http.responses;
      if (!exact || !reader.gap(to - from, to)) side.mode = 'undecided';
    } else side.held = null;
    side.needsAsRead();
  }

  acked(half: HalfStream): void {
    const side = this.sides[half.direction];
    side.messages.sent.acked();
    this.tls?.acked(half);
    if (half.ledger.crowded) side.needsAsRead();
  }

  sentAgain(half: HalfStream, from: number, to: number): void {
    this.sides[half.direction].messages.sent.sentAgain(from, to);
  }

  /** No packet will come any more. */
  finish(): void {
    this.decrypted?.finish();
    for (const side of this.sides) {
      if (side.mode === 'websocket') {
        // The stream ends in a hole, and nothing was found behind it.
        if (side.frames.searching && side.frames.searched === 0)
          side.messages.sent.keepUnread(side.frames.needFrom, side.messages.sent.next);
        side.frames.finish();
        if (side.frames.frames > 0) this.foundFrames(side);
      } else if (this.exchange?.awaitsUpgrade && side.half.direction === this.clientByContent) {
        // Of a capture of one direction the 101 cannot be expected.
        side.release(this.isOneWay(side) ? this.exchange.upgradeFrom : Number.NaN);
        if (side.frames.frames > 0) this.foundFrames(side);
      }
      side.messages.finish();
    }
  }

  /** The capture holds nothing of the other direction, so far. */
  private isOneWay(side: Side): boolean {
    return this.sides[side.half.direction ^ 1].half.packets === 0;
  }

  /** The opening handshake is over, as far as it was captured. */
  opened(): void {
    this.openingRefs = this.handshakeRefs;
    this.exchange = null;
  }

  /** The client asked for a way to another server, and has it: what follows is a connection's beginning. */
  tunnelled(requestEnd: number, responseEnd: number): void {
    this.protocol = 'none';
    this.exchange = null;
    for (const side of this.sides) side.mode = 'undecided';
    this.client.opensAt = requestEnd;
    this.server.opensAt = responseEnd;
    this.readHeld(this.client);
  }

  /** What was held back is read as what it now is. */
  readHeld(side: Side): void {
    const { held } = side;
    side.held = null;
    held?.replay({
      octets: (bytes, offset) => this.octets(side, bytes, 0, bytes.length, offset),
      lost: (from, to, exact) => this.octetsLost(side, from, to, exact),
    });
  }

  // --- MessageOwner --------------------------------------------------------------------------------------------------

  spoken(role: RoleNumber): void {
    if (role === Role.command) this.waitingCommands++;
    else if (role === Role.commandAck && this.waitingCommands > 0) this.waitingCommands--;
  }

  wantsText(reader: MessageReader): boolean {
    return !this.agent.settled && reader.half.direction === this.clientDirection();
  }

  text(reader: MessageReader, bytes: Uint8Array, start: number, end: number, role: RoleNumber): void {
    if (!this.wantsText(reader)) return;
    this.agent.message(bytes, start, end, role, this.handshake !== null);
  }

  control(reader: MessageReader, opcode: number, digest: number, row: number): void {
    if (opcode === Opcode.ping) this.pings.sent(reader.half.direction, digest, row, this.context);
    else if (opcode === Opcode.pong) this.pings.answered(reader.half.direction, digest, row, this.context);
  }

  /** Direction of the TCP client as far as known now; masked frames are the client's. */
  clientDirection(): 0 | 1 {
    const known = this.tcp.clientDirection ?? this.clientByContent;
    if (known !== null) return known;
    const [a, b] = this.sides;
    if (a.maskedFrames !== b.maskedFrames) return a.maskedFrames > b.maskedFrames ? 0 : 1;
    return this.tcp.likelyClient;
  }

  // --- TLS -----------------------------------------------------------------------------------------------------------

  private startTls(side: Side, bytes: Uint8Array, start: number, end: number, offset: number): void {
    const { context, tcp } = this;
    const decrypted = new Decrypted(this);
    const tls = new TlsLayer(decrypted, context.keyLog, context.records, tcp.halves);
    this.decrypted = decrypted;
    this.tls = tls;
    const other = this.sides[side.half.direction ^ 1];
    for (const each of this.sides) {
      each.restart();
      each.messages.sent.records = tls.maps[each.half.direction];
    }
    // Its first octets were taken for something else, or are not known.
    if (other.half.next > 0) tls.search(other.half.direction, other.half.next);
    this.encrypted(tls, side, bytes, start, end, offset);
  }

  /** In mid-connection a segment may start within a record; a later one shows what it is. */
  private isLateTls(side: Side, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.tls !== null || this.protocol === 'websocket' || this.handshake !== null) return false;
    return side.frames.frames === 0 && startsWithRecord(bytes, start, end);
  }

  private encrypted(tls: TlsLayer, side: Side, bytes: Uint8Array, start: number, end: number, offset: number): void {
    if (side.mode === 'ignored') return;
    tls.data(side.half, bytes, start, end, offset);
    side.needsAsRead();
  }

  // --- finding out what it is ----------------------------------------------------------------------------------------

  private decide(side: Side, bytes: Uint8Array, start: number, end: number, offset: number): void {
    if (
      side.half.direction !== this.clientByContent &&
      (this.exchange?.requestsSeen ?? 0) > 0 &&
      offset === side.opensAt
    ) {
      side.mode = 'http';
      this.readHttp(side, bytes, start, end, offset);
      return;
    }
    const { held } = side;
    if (held !== null) {
      side.held = null;
      const all = held.followedBy(bytes, start, end);
      this.decide(side, all, 0, all.length, held.from);
      return;
    }
    if (end - start < OPENING_OCTETS && offset === side.opensAt && side.half.initialSequence >= 0) {
      side.hold(bytes, start, end, offset);
      return;
    }
    const socks = offset === 0 && this.tcp.clientDirection !== null ? this.socks(side, bytes, start, end) : 0;
    if (socks < 0) {
      side.hold(bytes, start, end, offset);
      return;
    }
    if (socks > 0) {
      side.opensAt = offset + socks;
      if (socks < end - start) this.decide(side, bytes, start + socks, end, offset + socks);
      return;
    }
    const found = opening(bytes, start, end);
    if (found === 'proxy-header') {
      const length = proxyHeaderLength(bytes, start, end);
      side.opensAt = offset + length;
      if (length > 0 && length < end - start) this.decide(side, bytes, start + length, end, offset + length);
      return;
    }
    if (found === 'request' || found === 'response') {
      const from = side.half.direction;
      this.clientByContent ??= found === 'request' ? from : ((from ^ 1) as 0 | 1);
      this.clientFrom ??= 'http';
      if (this.protocol === 'none') this.protocol = 'http';
      side.mode = 'http';
      this.readHttp(side, bytes, start, end, offset);
      return;
    }
    if (found === 'tls' && this.tls === null) {
      this.startTls(side, bytes, start, end, offset);
      return;
    }
    if (found === 'tls' || found === 'http2' || found === 'known-other') {
      this.greetedAsSsh ||= found === 'known-other' && isSshGreeting(bytes, start, end);
      this.ignore(found === 'http2' ? 'http2' : 'other');
      return;
    }
    side.mode = 'websocket';
    side.frames.search(offset, 'the capture starts in the middle of this connection');
    side.frames.read(bytes, start, end, offset);
    this.reconsider(side);
  }

  private socks(side: Side, bytes: Uint8Array, start: number, end: number): number {
    return socksLength(bytes, start, end, side.half.direction === this.tcp.clientDirection);
  }

  /** A side in search: frames make the connection WebSocket; HTTP may begin late; many octets without a frame end it. */
  private reconsider(side: Side): void {
    if (side.frames.frames > 0) {
      this.foundFrames(side);
      return;
    }
    if (this.protocol === 'websocket') return;
    side.searched = Math.max(side.searched, side.frames.searched);
    if (side.searched > GIVE_UP_AFTER && this.sides.every((each) => each.frames.frames === 0)) this.ignore('other');
  }

  private foundFrames(side: Side): void {
    if (this.protocol === 'websocket') return;
    this.protocol = 'websocket';
    const direction = this.tcp.clientDirection ?? this.clientByContent;
    if (direction === null && side.maskedFrames > 0) {
      this.clientByContent = side.half.direction;
      this.clientFrom = 'masking';
    }
  }

  ignore(protocol: Protocol): void {
    this.protocol = protocol;
    for (const side of this.sides) {
      side.mode = 'ignored';
      side.half.followed = false;
    }
  }

  private readHttp(side: Side, bytes: Uint8Array, start: number, end: number, offset: number): void {
    const isClient = side.half.direction === this.clientByContent;
    const reader = isClient ? this.http.requests : this.http.responses;
    const stopped = reader.read(bytes, start, end, offset);
    // Not the end of the stream: what is held back for the 101 is still to be answered for.
    side.needsAsRead();
    if (reader.state === 'failed') {
      if (this.protocol === 'http') this.ignore('other');
      return;
    }
    if (stopped >= end) return;
    if (side.mode === 'undecided') this.octets(side, bytes, stopped, end, offset + (stopped - start));
    else if (!isClient || side.mode === 'websocket') {
      // The 101 was in this segment, and the first frames are too.
      side.frames.read(bytes, stopped, end, offset + (stopped - start));
      side.needsAsRead();
    } else if (this.exchange?.awaitsUpgrade)
      this.awaitAnswer(this.exchange, side, bytes, stopped, end, offset + (stopped - start));
  }

  /** Frames that the client sent before the 101 was seen. */
  private awaitAnswer(
    exchange: HttpExchange,
    side: Side,
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
  ): void {
    if (!this.isOneWay(side) || side.held === null || side.held.takes(end - start)) {
      side.hold(bytes, start, end, offset);
      return;
    }
    // A capture of one direction: no 101 will come, or only in a file of its own.
    side.release(exchange.upgradeFrom);
    side.frames.read(bytes, start, end, offset);
    this.reconsider(side);
  }
}
