/**
 * Boils one hop's capture down to its observation: the stack of decoder, connection table and connection stacks.
 * In: packets from capture/ (it is a PacketSink). Out: HopObservation for path/ and delivery/. Memory follows the live
 * connections and the commands, not the size of the files.
 */

import type { PacketRecord } from '../capture/packet-record.js';
import type { TogetherSink } from '../capture/read-together.js';
import type { Profile } from '../message/profile.js';
import { formatAddress } from '../packet/address.js';
import { IpProtocol, PacketDecoder } from '../packet/decode.js';
import { Decoded } from '../packet/decode-result.js';
import { decodeIcmpError } from '../packet/icmp.js';
import { Segment } from '../packet/segment.js';
import { PAUSE_NS } from '../tcp/clock-steps.js';
import type { TcpConnection } from '../tcp/connection.js';
import { ConnectionTable } from '../tcp/connection-table.js';
import type { HalfStream } from '../tcp/half-stream.js';
import type { KeyLog } from '../tls/key-log.js';
import { ConnectionStack } from './connection-stack.js';
import { HopContext } from './hop-context.js';
import type { MessageTable } from './message-table.js';
import type {
  BlindSpan,
  ObservedConnection,
  ObservedHalf,
  ObservedRecords,
  ObservedTooBig,
  UnackedTail,
} from './observation.js';
import { seenElsewhere } from './partial-views.js';
import type { RowList } from './row-list.js';
import type { Side } from './side.js';
import { BACK_FROM_NS, SteadyClock } from './steady-clock.js';

const MAX_TOO_BIG = 1024;
/** Queues and interfaces hand packets over out of order by less: the clock was set back, or files were appended in the wrong order. */
const FAR_BACK_NS = 1e9;
const SOON_PACKETS = 64;

/** Of all connections without octets. */
const NONE = new Int32Array(0);
const NO_REFS: number[] = [];
const NO_NAMES: string[] = [];
const NO_SPANS: BlindSpan[] = [];
const NO_COUNTS = { text: 0, binary: 0, ping: 0, pong: 0, close: 0 };
const NO_PINGS = { sent: 0, tcpAcked: 0, answered: 0, roundTripsNs: NO_REFS };

/** Secrets Type of draft-ietf-opsawg-pcapng, section 4.7. */
const TLS_KEY_LOG = 0x544c534b;

export class Observer implements TogetherSink {
  readonly context: HopContext;
  readonly decoder = new PacketDecoder();
  private readonly segment = new Segment();
  private readonly table: ConnectionTable;
  /** By connection index, of those on which there were octets; emptied when a connection is over. */
  private readonly stacks: (ConnectionStack | undefined)[] = [];
  readonly connections: ObservedConnection[] = [];
  /** Running number of the first packet of the file at hand, less one. */
  private base = 0;
  /** Of the packet at hand: seconds since 1970 that times count from, and their digits. */
  epochSeconds = 0;
  timeDigits: 6 | 9 = 6;
  packets = 0;
  tcpPackets = 0;
  firstNs = Number.NaN;
  lastNs = Number.NaN;
  missedOctets = 0;
  bareTcpAcks = 0;
  readonly tooBig: ObservedTooBig[] = [];
  readonly steady = new SteadyClock();
  /** Times between which the capture went back, and after which packet: told unless streams turn out to go on. */
  private back: [number, number] | null = null;
  private backAt = 0;
  /** Of all segments: more than a network carries in one piece tells of offloading. */
  largestPayload = 0;

  constructor(profile: Profile, keyLog?: KeyLog) {
    this.context = new HopContext(profile, keyLog);
    this.context.clock.identification = () => this.segment.identification;
    this.table = new ConnectionTable(
      this.context.clock,
      (connection) => {
        const stack = new ConnectionStack(connection, this.context);
        this.stacks[connection.index] = stack;
        return stack;
      },
      (connection) => this.finished(connection),
      (index) => {
        const connection = this.connections[index];
        connection.packets++;
        connection.lastNs = this.context.clock.timeNs;
      },
    );
  }

  packet(record: PacketRecord): void {
    const { clock } = this.context;
    if (this.packets++ === 0) {
      this.epochSeconds = record.epochSeconds;
      this.timeDigits = record.timeDigits;
    }
    const { steady } = this;
    if (record.number === 1) steady.restart(record.timeNs + steady.shiftNs);
    const decoded = this.decoder.decode(record, this.segment);
    let timeNs = record.timeNs + steady.shiftNs;
    let wasSet = false;
    // Not a call for each packet: a double that is passed is boxed.
    if (!(timeNs < steady.latestNs)) {
      if (record.number <= steady.undoUntil && timeNs >= steady.undoFromNs) {
        timeNs -= steady.undo();
        if (timeNs < steady.latestNs) timeNs = steady.latestNs;
      }
      steady.beforeNs = steady.latestNs;
      steady.latestNs = timeNs;
    } else if (decoded === Decoded.tcp && steady.latestNs - timeNs > BACK_FROM_NS) {
      wasSet = this.wasSetBack(timeNs, record.number);
      timeNs = record.timeNs + steady.shiftNs;
    }
    if (timeNs - clock.timeNs > PAUSE_NS && this.packets > 1 && !wasSet) clock.steps.pause(clock.timeNs, timeNs);
    if (timeNs < clock.timeNs - FAR_BACK_NS && this.packets > 1) this.noteBack(clock.timeNs, timeNs);
    clock.timeNs = timeNs;
    clock.ref = this.base + record.number;
    if (!(timeNs >= this.firstNs)) this.firstNs = timeNs;
    if (!(timeNs <= this.lastNs)) this.lastNs = timeNs;
    if (decoded === Decoded.icmp) this.icmp();
    if (decoded !== Decoded.tcp) return;
    this.tcpPackets++;
    const { payloadLength } = this.segment;
    if (payloadLength > this.largestPayload) this.largestPayload = payloadLength;
    this.table.segment(this.segment);
  }

  private wasSetBack(timeNs: number, number: number): boolean {
    const half = this.table.continuedBy(this.segment);
    const elapsedNs = half === null ? Number.NaN : half.elapsedNs(this.segment.timestampValue | 0);
    const since = half === null ? Number.NaN : half.lastTickedNs;
    const wasSet = this.steady.setBack(timeNs, half, elapsedNs, since, number);
    // What came first after it may have belonged to no stream that told.
    if (wasSet && this.packets - this.backAt < SOON_PACKETS) this.back = null;
    return wasSet;
  }

  private noteBack(fromNs: number, toNs: number): void {
    this.tellBack();
    this.back = [fromNs, toNs];
    this.backAt = this.packets;
  }

  private tellBack(): void {
    if (this.back !== null) this.context.clock.setBack(this.back[0], this.back[1]);
    this.back = null;
  }

  fileAtHand(base: number): void {
    this.base = base;
  }

  /** Decryption Secrets Block of a pcapng file. */
  secrets(type: number, bytes: Uint8Array): void {
    if (type === TLS_KEY_LOG) this.context.keyLog.add(bytes);
  }

  /** Of the ICMP errors only those about size are kept: the others say no more than the missing TCP ACK does. */
  private icmp(): void {
    if (this.tooBig.length >= MAX_TOO_BIG) return;
    const { upperBytes, upperStart, upperEnd, upperProtocol } = this.decoder;
    const error = decodeIcmpError(upperBytes, upperStart, upperEnd, upperProtocol === IpProtocol.icmpv6 ? 6 : 4);
    if (error?.kind !== 'too-big' || error.quoted === null) return;
    const { timeNs, ref } = this.context.clock;
    const { source, destination, sourcePort, destinationPort, packetOctets } = error.quoted;
    this.tooBig.push({
      timeNs,
      ref,
      source: formatAddress(source),
      sourcePort,
      destination: formatAddress(destination),
      destinationPort,
      packetOctets,
      nextHopMtu: error.nextHopMtu,
    });
  }

  /** The last file was read. */
  finish(): ObservedConnection[] {
    this.tellBack();
    this.context.clock.timeNs = this.lastNs;
    this.decoder.finish();
    this.table.finish();
    for (const half of seenElsewhere(this.connections)) {
      half.missedOctets = 0;
      half.gaps = [];
      half.losses = null;
    }
    return this.connections;
  }

  private finished(tcp: TcpConnection): void {
    const stack = this.stacks[tcp.index] ?? null;
    stack?.finish();
    this.stacks[tcp.index] = undefined;
    const stray = isStray(tcp);
    this.bareTcpAcks += tcp.bareAcks;
    if (!stray) for (const half of tcp.halves) if (half.packets > 0) this.missedOctets += half.missedOctets;
    this.connections[tcp.index] = describe(tcp, stack, stray, this.context);
  }
}

/** Packets of no connection that the other side knows: it answered nothing but RSTs. */
function isStray(tcp: TcpConnection): boolean {
  return tcp.halves.some((half) => half.packets > 0 && half.resets === half.packets && half.initialSequence < 0);
}

/** Without octets there is no stack, and what is said of it is the same for all. */
function describe(
  tcp: TcpConnection,
  stack: ConnectionStack | null,
  stray: boolean,
  context: HopContext,
): ObservedConnection {
  const client = stack?.clientDirection() ?? tcp.likelyClient;
  const server = (client ^ 1) as 0 | 1;
  const a = { address: formatAddress(tcp.addressA), port: tcp.portA };
  const b = { address: formatAddress(tcp.addressB), port: tcp.portB };
  const [clientEnd, serverEnd] = client === 0 ? [a, b] : [b, a];
  const pings = stack?.pings.sentBy(server);
  return {
    index: tcp.index,
    clientAddress: clientEnd.address,
    clientPort: clientEnd.port,
    serverAddress: serverEnd.address,
    serverPort: serverEnd.port,
    rolesFrom: rolesFrom(tcp, stack),
    initialSequence: { client: tcp.halves[client].initialSequence, server: tcp.halves[server].initialSequence },
    protocol: stray ? 'other' : (stack?.protocol ?? 'none'),
    tls: stack?.tls?.facts ?? null,
    records: stray || stack === null ? null : describeRecords(stack, server),
    alignment: null,
    openedNs: tcp.openedNs,
    closedNs: tcp.closedNs,
    closedBy: tcp.closedBy,
    stray,
    closedFrom: closedFrom(tcp, client),
    openedRef: tcp.synRef,
    closedRef: tcp.closedRef,
    firstNs: tcp.firstNs,
    lastNs: tcp.lastNs,
    packets: tcp.packets,
    // An Upgrade that was asked for and never answered is worth knowing, too.
    handshake: stack?.askedHandshake ?? null,
    accept: stack?.accept ?? null,
    handshakeRefs: stack?.handshakeRefs ?? NO_REFS,
    agentNames: stack?.agent.names ?? NO_NAMES,
    agentVersion: stack?.agent.version ?? null,
    greetedAsSsh: stack?.greetedAsSsh ?? false,
    serverSide: tcp.halves[server].outbound - tcp.halves[client].outbound,
    fromServer: describeHalf(tcp.halves[server], stack?.sides[server], tcp, context),
    fromClient: describeHalf(tcp.halves[client], stack?.sides[client], tcp, context),
    pings:
      stack === null || pings === undefined
        ? NO_PINGS
        : {
            sent: pings.sent,
            // Pings that are not kept count as TCP-ACKed where they were answered: a Pong proves as much.
            tcpAcked: stack.sides[server].messages.sent.pingsAcked,
            answered: pings.answered,
            roundTripsNs: pings.roundTripsNs,
          },
  };
}

function describeRecords({ tls, protocol }: ConnectionStack, server: 0 | 1): ObservedRecords | null {
  const sized = protocol === 'tls' ? (tls?.sizedRecords ?? null) : null;
  if (sized === null) return null;
  const { overheads, rows } = sized;
  return { overheads, fromServer: rows[server], fromClient: rows[server ^ 1] };
}

/** Of a capture of one direction the other's FIN, which may have come before, is not known. */
function closedFrom({ closedFrom: direction, halves }: TcpConnection, client: 0 | 1): ObservedConnection['closedFrom'] {
  if (direction === null || halves[direction ^ 1].packets === 0) return null;
  return direction === client ? 'client' : 'server';
}

function rolesFrom(tcp: TcpConnection, stack: ConnectionStack | null): ObservedConnection['rolesFrom'] {
  if (tcp.clientDirection !== null) return 'syn';
  if (stack === null) return 'ports';
  if (stack.clientByContent !== null) return stack.clientFrom ?? 'http';
  const [a, b] = stack.sides;
  return a.maskedFrames !== b.maskedFrames ? 'masking' : 'ports';
}

function describeHalf(
  half: HalfStream,
  side: Side | undefined,
  tcp: TcpConnection,
  { messages }: HopContext,
): ObservedHalf {
  const closing = tcp.closedFrom === half.direction || half.finOffset >= 0;
  const read = side?.messages;
  const sent = read?.sent;
  return {
    webSocketFrom: side?.webSocketFrom ?? Number.NaN,
    foundByBits: side?.frames.foundByBits ?? Number.NaN,
    baseSequence: half.baseSequence,
    next: sent?.next ?? half.next,
    ackedTo: sent?.records?.coveredBy(half.acks.offset) ?? half.acks.offset,
    resetTo: sent?.records?.coveredBy(half.resetOffset) ?? half.resetOffset,
    packets: half.packets,
    hopLimit: half.hopLimit,
    firstSeenNs: half.firstSeenNs,
    lastSeenNs: half.lastSeenNs,
    lastOctetsNs: half.lastOctetsNs,
    lastMessageNs: read?.lastMessageNs ?? Number.NaN,
    opaque: read?.opaque ?? null,
    unacked: unackedTail(half),
    wholeUntilNs: half.wholeUntilNs,
    finNs: closing ? tcp.closedNs : Number.NaN,
    gaps: half.gaps,
    blind: side?.blind ?? NO_SPANS,
    blocked: half.blocked,
    missedOctets: half.missedOctets,
    cutOctets: half.cutOctets,
    retransmissions: half.retransmissions,
    losses: half.losses,
    duplicates: half.duplicates,
    counts: read?.counts ?? NO_COUNTS,
    closeCode: read?.closeCode ?? null,
    rows: sent === undefined ? NONE : inStreamOrder(sent.rows, messages),
    unsound: sent === undefined || sent.unsound.length === 0 ? NONE : Int32Array.from(sent.unsound),
    unread: sent?.unread?.toArray() ?? NONE,
  };
}

function unackedTail({ acks, highest, ledger, followed, blocked }: HalfStream): UnackedTail | null {
  const from = Math.max(0, acks.offset);
  if (highest <= from) return null;
  const { refs, transmissions, octets, least, smallest, lastSentNs } = ledger.waiting(from);
  if (transmissions === 0) return null;
  // The ledger of a stream that is not read has only what was sent again.
  const first = followed ? undefined : blocked.findLast(({ toNs }) => toNs === Number.POSITIVE_INFINITY);
  if (!followed && first === undefined) return null;
  return {
    octets: highest - from,
    sackedOctets: acks.sackedOctets,
    transmissions: first === undefined ? transmissions : transmissions + 1,
    refs: first === undefined ? refs : [first.ref, ...refs],
    lastSentNs,
    segmentOctets: octets,
    leastSegmentOctets: least,
    smallestOctets: smallest,
  };
}

/** A fragmented message is complete only after the control frames between its fragments. */
function inStreamOrder(rows: RowList, { startOffset }: MessageTable): Int32Array {
  const all = rows.toArray();
  return rows.ordered ? all : all.sort((a, b) => startOffset[a] - startOffset[b] || a - b);
}
