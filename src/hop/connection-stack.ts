/**
 * What one TCP connection carries: finds out (HTTP, WebSocket, TLS, something else) and drives the readers. In: tcp/ with octets in
 * order, gaps and TCP ACKs. Out: an ObservedConnection at the end; rows of the message table on the way. Only here is it known
 * which layer follows which.
 */

import type { MessageHead } from '../http/message-head.js';
import { deflateParameters, type OpeningHandshake } from '../http/opening-handshake.js';
import { Role, type RoleNumber } from '../message/profile.js';
import type { TcpConnection } from '../tcp/connection.js';
import type { GapKind, HalfStream, StreamConsumer } from '../tcp/half-stream.js';
import { startsWithRecord } from '../tls/record.js';
import type { LostPlaintext } from '../tls/session.js';
import { Opcode } from '../websocket/frame.js';
import { MessageInflater } from '../websocket/inflate.js';
import { AgentName } from './agent-name.js';
import type { HopContext } from './hop-context.js';
import { HttpExchange } from './http-exchange.js';
import type { MessageReader } from './message-reader.js';
import type { BlindSpan, Protocol } from './observation.js';
import { isSshGreeting, opening, proxyHeaderLength } from './opening-octets.js';
import { PingPairs } from './ping-pairs.js';
import { NOT_HELD, Side } from './side.js';
import { TlsLayer, type TlsOwner } from './tls-layer.js';

/** A direction that never showed a frame is given up after this many octets. */
const GIVE_UP_AFTER = 32 << 10;
const MAX_HELD = 256 << 10;
/** SHA-1 in base64 (RFC 6455 section 4.2.2). */
const ACCEPT_LENGTH = 28;
/** A stream's first octets tell nothing before there are as many. */
const OPENING_OCTETS = 4;

/** What most connections never have takes no memory: replaced by the first one. */
const NONE: number[] = [];
const NOTHING = new Uint8Array(0);

export class ConnectionStack implements StreamConsumer, TlsOwner {
  protocol: Protocol = 'none';
  tls: TlsLayer | null = null;
  /** Spans that end with the stream: from a place on nothing could be decrypted. */
  private unreadFrom: { span: BlindSpan; side: Side; wireFrom: number }[] | null = null;
  readonly sides: readonly [Side, Side];
  /** Made when it is asked for, dropped when WebSocket took over. */
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
    this.exchange ??= new HttpExchange(this.context, this);
    return this.exchange;
  }

  get handshakeRefs(): number[] {
    return this.exchange?.handshakeRefs ?? this.openingRefs;
  }

  /** Answered or not. */
  get askedHandshake(): OpeningHandshake | null {
    return this.handshake ?? this.exchange?.handshake ?? null;
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
  private octets(side: Side, bytes: Uint8Array, start: number, end: number, offset: number): void {
    if (side.mode === 'websocket') {
      if (this.isLateTls(side, bytes, start, end)) {
        this.startTls(side, bytes, start, end, offset);
        return;
      }
      side.frames.read(bytes, start, end, offset);
      if (side.half.ledger.crowded) side.needs(side.messages.needFrom(side.frames.needFrom));
      if (this.protocol !== 'websocket') this.reconsider(side);
    } else if (side.mode === 'http') this.readHttp(side, bytes, start, end, offset);
    else if (side.mode === 'undecided') this.decide(side, bytes, start, end, offset);
  }

  gap(half: HalfStream, from: number, to: number, kind: GapKind): void {
    const side = this.sides[half.direction];
    if (this.tls !== null) {
      this.tls.gap(half, from, to, kind);
      side.needs(this.neededFrom(side));
    } else this.octetsLost(side, from, to, true);
  }

  private octetsLost(side: Side, from: number, to: number, exact: boolean): void {
    if (side.mode === 'websocket') {
      side.frames.gap(from, to);
      if (!exact && !side.frames.searching)
        side.frames.search(to, 'how many octets before it are missing is not certain');
    } else if (side.mode === 'http' && side.held.length > 0) {
      // It waits for the 101: whatever that says, what is held stands before the hole and the rest behind it.
      side.held.push({ bytes: NOTHING, offset: to, exact });
    } else if (side.mode === 'http') {
      const reader = side.half.direction === this.clientByContent ? this.http.requests : this.http.responses;
      if (!exact || !reader.gap(to - from, to)) side.mode = 'undecided';
    } else this.forgetHeld(side);
    side.needs(this.neededFrom(side));
  }

  private neededFrom(side: Side): number {
    if (side.mode === 'websocket') return side.messages.needFrom(side.frames.needFrom);
    return side.messages.needFrom(side.held[0]?.offset ?? side.messages.sent.next);
  }

  acked(half: HalfStream): void {
    const side = this.sides[half.direction];
    side.messages.sent.acked();
    this.tls?.acked(half);
    if (half.ledger.crowded) side.needs(this.neededFrom(side));
  }

  /** No packet will come any more. */
  finish(): void {
    this.tls?.finish();
    if (this.tls !== null && this.protocol === 'none') this.protocol = 'tls';
    // Nothing was decrypted: the stream's octets are TCP's.
    if (this.tls !== null && !this.tls.facts.decrypted)
      for (const side of this.sides) side.messages.sent.records = null;
    for (const { span, side, wireFrom } of this.unreadFrom ?? []) span.to = span.from + (side.half.next - wireFrom);
    for (const side of this.sides) {
      if (side.mode === 'websocket') {
        side.frames.finish();
        if (side.frames.frames > 0) this.foundFrames(side);
      } else if (this.exchange?.awaitsUpgrade && side.half.direction === this.clientByContent) {
        // Of a capture of one direction the 101 cannot be expected.
        const oneWay = this.sides[side.half.direction ^ 1].half.packets === 0;
        this.release(side, oneWay ? this.exchange.upgradeFrom : Number.NaN);
        if (side.frames.frames > 0) this.foundFrames(side);
      }
      side.messages.finish();
    }
  }

  // --- ExchangeOwner -------------------------------------------------------------------------------------------------

  upgraded(requestEnd: number, responseEnd: number, handshake: OpeningHandshake): void {
    this.protocol = 'websocket';
    this.handshake = handshake;
    this.agent.handshake(handshake, this.upgradeHead);
    const client = this.sides[this.clientByContent ?? 0];
    const server = this.sides[(this.clientByContent ?? 0) ^ 1];
    const isRead = client.mode === 'websocket';
    for (const side of this.sides) {
      side.mode = 'websocket';
      side.frames.reader.rsv1Allowed = handshake.deflate !== null || (handshake.extensions ?? '') !== '';
    }
    if (handshake.deflate !== null) {
      client.messages.inflater = new MessageInflater(handshake.deflate.clientNoContextTakeover);
      server.messages.inflater = new MessageInflater(handshake.deflate.serverNoContextTakeover);
    }
    server.webSocketFrom = responseEnd;
    server.frames.startAt(responseEnd);
    client.webSocketFrom = requestEnd;
    this.openingRefs = this.handshakeRefs;
    this.exchange = null;
    this.upgradeHead = null;
    if (!isRead) this.release(client, requestEnd);
  }

  upgradedUnasked(responseEnd: number, response: MessageHead): void {
    this.protocol = 'websocket';
    const extensions = response.fields.get('sec-websocket-extensions') ?? '';
    const deflate = deflateParameters(extensions);
    // No longer than it is, whatever else the head holds.
    this.accept = response.fields.get('sec-websocket-accept')?.slice(0, ACCEPT_LENGTH) ?? null;
    const client = this.sides[this.clientByContent ?? 0];
    const server = this.sides[(this.clientByContent ?? 0) ^ 1];
    server.mode = 'websocket';
    server.webSocketFrom = responseEnd;
    server.frames.startAt(responseEnd);
    server.frames.reader.rsv1Allowed = extensions !== '';
    if (deflate !== null) server.messages.inflater = new MessageInflater(deflate.serverNoContextTakeover);
    // Out of order, the request may still come.
    if (client.mode === 'websocket' || this.requestsWhole()) return;
    client.mode = 'websocket';
    client.frames.search(client.messages.sent.next, 'the request of the Upgrade was not captured');
  }

  upgradedBefore(requestEnd: number, handshake: OpeningHandshake): void {
    this.handshake = handshake;
    this.agent.handshake(handshake, this.upgradeHead);
    const client = this.sides[this.clientByContent ?? 0];
    const server = this.sides[(this.clientByContent ?? 0) ^ 1];
    client.mode = 'websocket';
    client.webSocketFrom = requestEnd;
    client.frames.startAt(requestEnd);
    for (const side of [client, server])
      side.frames.reader.rsv1Allowed = handshake.deflate !== null || (handshake.extensions ?? '') !== '';
    if (handshake.deflate === null) return;
    client.messages.inflater = new MessageInflater(handshake.deflate.clientNoContextTakeover);
    server.messages.inflater ??= new MessageInflater(handshake.deflate.serverNoContextTakeover);
  }

  requestsWhole(): boolean {
    const { half } = this.sides[this.clientByContent ?? 0];
    return half.initialSequence >= 0 && half.gaps.length === 0;
  }

  refused(handshake: OpeningHandshake): void {
    this.protocol = 'upgrade-refused';
    this.handshake = handshake;
    const client = this.sides[this.clientByContent ?? 0];
    const { held } = client;
    client.held = NOT_HELD;
    client.heldOctets = 0;
    let next = held[0]?.offset ?? 0;
    for (const { bytes, offset, exact } of held) {
      if (bytes.length > 0) this.octets(client, bytes, 0, bytes.length, offset);
      else this.octetsLost(client, next, offset, exact);
      next = offset + bytes.length;
    }
  }

  /** Head of the Upgrade request, for the agent's name. */
  upgradeHead: MessageHead | null = null;

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
    const tls = new TlsLayer(this, context.keyLog, context.records, tcp.halves);
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
    side.needs(this.neededFrom(side));
  }

  plaintext(direction: 0 | 1, bytes: Uint8Array, start: number, end: number, offset: number): void {
    const client = this.tls?.clientDirection ?? null;
    if (client !== null && this.clientByContent === null) {
      this.clientByContent = client;
      this.clientFrom = 'tls';
    }
    this.octets(this.sides[direction], bytes, start, end, offset);
  }

  unopened(direction: 0 | 1): void {
    const { timeNs, ref } = this.context.clock;
    this.sides[direction].closedSince = { timeNs, ref };
  }

  unread(direction: 0 | 1, lost: LostPlaintext): void {
    const side = this.sides[direction];
    // Where no frames are being read, nobody else would say so.
    if (lost.to === lost.from || side.mode !== 'websocket') side.closed(lost);
    this.octetsLost(this.sides[direction], lost.from, lost.to, lost.exact);
  }

  unreadable(why: string): void {
    if (!this.tls?.facts.decrypted) {
      // Its records are followed all the same: their sizes may tell which messages they carried.
      if (this.tls?.keepsSizes) this.protocol = 'tls';
      else this.ignore('tls');
      return;
    }
    const { timeNs, ref } = this.context.clock;
    for (const side of this.sides) {
      const { next } = side.messages.sent;
      if (side.mode === 'websocket') side.frames.gap(next, next + 1);
      const span = { from: next, to: next, fromNs: timeNs, toNs: Number.POSITIVE_INFINITY, why, ref };
      side.notRead(span);
      this.unreadFrom ??= [];
      this.unreadFrom.push({ span, side, wireFrom: side.half.next });
    }
  }

  // --- finding out what it is ----------------------------------------------------------------------------------------

  private decide(side: Side, bytes: Uint8Array, start: number, end: number, offset: number): void {
    if (side.half.direction !== this.clientByContent && (this.exchange?.requestsSeen ?? 0) > 0 && offset === 0) {
      side.mode = 'http';
      this.readHttp(side, bytes, start, end, offset);
      return;
    }
    if (side.held.length > 0) {
      const [{ offset: from }] = side.held;
      const parts = [...side.held.map((each) => each.bytes), bytes.subarray(start, end)];
      this.forgetHeld(side);
      this.decide(side, Uint8Array.from(Buffer.concat(parts)), 0, offset - from + (end - start), from);
      return;
    }
    if (end - start < OPENING_OCTETS && offset === 0 && side.half.initialSequence >= 0) {
      this.holdBack(side, bytes, start, end, offset);
      return;
    }
    const found = opening(bytes, start, end);
    if (found === 'proxy-header') {
      const length = proxyHeaderLength(bytes, start, end);
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

  private ignore(protocol: Protocol): void {
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
    side.needs(this.neededFrom(side));
    if (reader.state === 'failed') {
      if (this.protocol === 'http') this.ignore('other');
      return;
    }
    if (stopped >= end) return;
    if (!isClient || side.mode === 'websocket') {
      // The 101 was in this segment, and the first frames are too.
      side.frames.read(bytes, stopped, end, offset + (stopped - start));
      side.needs(side.messages.needFrom(side.frames.needFrom));
    } else if (this.exchange?.awaitsUpgrade) this.holdBack(side, bytes, stopped, end, offset + (stopped - start));
  }

  /** Frames that the client sent before the 101 was seen. */
  private holdBack(side: Side, bytes: Uint8Array, start: number, end: number, offset: number): void {
    if (side.heldOctets + end - start > MAX_HELD) {
      if (this.exchange === null || this.sides[side.half.direction ^ 1].half.packets > 0) return;
      // A capture of one direction: no 101 will come, or only in a file of its own.
      this.release(side, this.exchange.upgradeFrom);
      side.frames.read(bytes, start, end, offset);
      this.reconsider(side);
      return;
    }
    if (side.held === NOT_HELD) side.held = [];
    side.held.push({ bytes: bytes.slice(start, end), offset, exact: true });
    side.heldOctets += end - start;
    side.half.keepFrom = Math.min(side.half.keepFrom, side.messages.sent.wireStart(side.held[0].offset));
  }

  private forgetHeld(side: Side): void {
    side.held = NOT_HELD;
    side.heldOctets = 0;
  }

  private release(side: Side, startsAt: number): void {
    const { held } = side;
    this.forgetHeld(side);
    side.mode = 'websocket';
    if (startsAt >= 0) side.frames.startAt(startsAt);
    else side.frames.search(held[0]?.offset ?? side.messages.sent.next, 'the response to the Upgrade was not captured');
    let next = held[0]?.offset ?? 0;
    for (const { bytes, offset, exact } of held) {
      if (bytes.length > 0) side.frames.read(bytes, 0, bytes.length, offset);
      else this.octetsLost(side, next, offset, exact);
      next = offset + bytes.length;
    }
    if (!(startsAt >= 0)) side.frames.finish();
  }
}
