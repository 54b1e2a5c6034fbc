/**
 * Boils one hop's capture down to its observation: the stack of decoder, connection table and connection stacks.
 * In: packets from capture/ (it is a PacketSink). Out: HopObservation for path/ and delivery/. Memory follows the live
 * connections and the commands, not the size of the files.
 */

import type { PacketRecord, PacketSink } from '../capture/packet-record.js';
import type { Profile } from '../message/profile.js';
import { formatAddress } from '../packet/address.js';
import { IpProtocol, PacketDecoder } from '../packet/decode.js';
import { Decoded } from '../packet/decode-result.js';
import { decodeIcmpError } from '../packet/icmp.js';
import { Segment } from '../packet/segment.js';
import type { TcpConnection } from '../tcp/connection.js';
import { ConnectionTable } from '../tcp/connection-table.js';
import type { HalfStream } from '../tcp/half-stream.js';
import type { KeyLog } from '../tls/key-log.js';
import { ConnectionStack, type Side } from './connection-stack.js';
import { HopContext } from './hop-context.js';
import type { RowList } from './message-reader.js';
import type { MessageTable } from './message-table.js';
import type { ObservedConnection, ObservedHalf, ObservedTooBig, UnackedTail } from './observation.js';

const MAX_TOO_BIG = 1024;

/** Secrets Type of draft-ietf-opsawg-pcapng, section 4.7. */
const TLS_KEY_LOG = 0x544c534b;

export class Observer implements PacketSink {
  readonly context: HopContext;
  readonly decoder = new PacketDecoder();
  private readonly segment = new Segment();
  private readonly table: ConnectionTable;
  /** By connection index; emptied when a connection is over. */
  private readonly stacks: (ConnectionStack | null)[] = [];
  readonly connections: ObservedConnection[] = [];
  /** Running number of the first packet of the file at hand, less one. */
  base = 0;
  /** Of the packet at hand: seconds since 1970 that times count from, and their digits. */
  epochSeconds = 0;
  timeDigits: 6 | 9 = 6;
  packets = 0;
  tcpPackets = 0;
  firstNs = Number.NaN;
  lastNs = Number.NaN;
  missedOctets = 0;
  readonly tooBig: ObservedTooBig[] = [];
  /** Of all segments: more than a network carries in one piece tells of offloading. */
  largestPayload = 0;

  constructor(profile: Profile, keyLog?: KeyLog) {
    this.context = new HopContext(profile, keyLog);
    this.table = new ConnectionTable(
      this.context.clock,
      (connection) => {
        const stack = new ConnectionStack(connection, this.context);
        this.stacks[connection.index] = stack;
        return stack;
      },
      (connection) => this.finished(connection),
    );
  }

  packet(record: PacketRecord): void {
    const { clock } = this.context;
    if (this.packets++ === 0) {
      this.epochSeconds = record.epochSeconds;
      this.timeDigits = record.timeDigits;
    }
    clock.timeNs = record.timeNs;
    clock.ref = this.base + record.number;
    if (!(record.timeNs >= this.firstNs)) this.firstNs = record.timeNs;
    if (!(record.timeNs <= this.lastNs)) this.lastNs = record.timeNs;
    const decoded = this.decoder.decode(record, this.segment);
    if (decoded === Decoded.icmp) this.icmp();
    if (decoded !== Decoded.tcp) return;
    this.tcpPackets++;
    const { payloadLength } = this.segment;
    if (payloadLength > this.largestPayload) this.largestPayload = payloadLength;
    this.table.segment(this.segment);
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
    this.context.clock.timeNs = this.lastNs;
    this.table.finish();
    return this.connections;
  }

  private finished(tcp: TcpConnection): void {
    const stack = this.stacks[tcp.index];
    if (stack === null) return;
    stack.finish();
    this.stacks[tcp.index] = null;
    if (isStray(tcp)) stack.protocol = 'other';
    else for (const half of tcp.halves) this.missedOctets += half.missedOctets;
    this.connections[tcp.index] = describe(stack, this.context);
  }
}

/** Packets of no connection that the other side knows: it answered nothing but RSTs. */
function isStray(tcp: TcpConnection): boolean {
  return tcp.halves.some((half) => half.packets > 0 && half.resets === half.packets && half.initialSequence < 0);
}

function describe(stack: ConnectionStack, context: HopContext): ObservedConnection {
  const { tcp } = stack;
  const client = stack.clientDirection();
  const server = (client ^ 1) as 0 | 1;
  const a = { address: formatAddress(tcp.addressA), port: tcp.portA };
  const b = { address: formatAddress(tcp.addressB), port: tcp.portB };
  const [clientEnd, serverEnd] = client === 0 ? [a, b] : [b, a];
  const pings = stack.pings.bySender[server];
  return {
    index: tcp.index,
    clientAddress: clientEnd.address,
    clientPort: clientEnd.port,
    serverAddress: serverEnd.address,
    serverPort: serverEnd.port,
    rolesFrom: rolesFrom(stack),
    initialSequence: { client: tcp.halves[client].initialSequence, server: tcp.halves[server].initialSequence },
    protocol: stack.protocol,
    tls: stack.tls?.facts ?? null,
    openedNs: tcp.openedNs,
    closedNs: tcp.closedNs,
    closedBy: tcp.closedBy,
    closedFrom: tcp.closedFrom === null ? null : tcp.closedFrom === client ? 'client' : 'server',
    openedRef: tcp.synRef,
    closedRef: tcp.closedRef,
    firstNs: tcp.firstNs,
    lastNs: tcp.lastNs,
    packets: tcp.packets,
    // An Upgrade that was asked for and never answered is worth knowing, too.
    handshake: stack.handshake ?? stack.http.handshake,
    handshakeRefs: stack.http.handshakeRefs,
    agentNames: stack.agent.names,
    serverSide: tcp.outbound[server] + tcp.inbound[client] - tcp.outbound[client] - tcp.inbound[server],
    fromServer: describeHalf(stack.sides[server], tcp, context),
    fromClient: describeHalf(stack.sides[client], tcp, context),
    pings: {
      sent: pings.sent,
      // Pings that are not kept count as TCP-ACKed where they were answered: a Pong proves as much.
      tcpAcked: stack.sides[server].messages.pingsAcked,
      answered: pings.answered,
      roundTripsNs: pings.roundTripsNs,
    },
  };
}

function rolesFrom(stack: ConnectionStack): ObservedConnection['rolesFrom'] {
  if (stack.tcp.clientDirection !== null) return 'syn';
  if (stack.clientByContent !== null) return stack.clientFrom ?? 'http';
  const [a, b] = stack.sides;
  return a.maskedFrames !== b.maskedFrames ? 'masking' : 'ports';
}

function describeHalf(side: Side, tcp: TcpConnection, { messages }: HopContext): ObservedHalf {
  const { half } = side;
  const closing = tcp.closedFrom === half.direction || half.finOffset >= 0;
  const rows = inStreamOrder(side.messages.rows, messages);
  return {
    webSocketFrom: side.webSocketFrom,
    baseSequence: half.baseSequence,
    next: side.messages.next,
    ackedTo: side.messages.records?.coveredBy(half.acks.offset) ?? half.acks.offset,
    packets: half.packets,
    firstSeenNs: half.firstSeenNs,
    lastSeenNs: half.lastSeenNs,
    lastOctetsNs: half.lastOctetsNs,
    lastMessageNs: side.messages.lastMessageNs,
    unacked: unackedTail(half),
    wholeUntilNs: half.wholeUntilNs,
    finNs: closing ? tcp.closedNs : Number.NaN,
    gaps: half.gaps,
    blind: side.blind,
    blocked: half.blocked,
    missedOctets: half.missedOctets,
    cutOctets: half.cutOctets,
    retransmissions: half.retransmissions,
    duplicates: half.duplicates,
    counts: side.messages.counts,
    closeCode: side.messages.closeCode,
    rows,
    unsound: Int32Array.from(side.messages.unsound),
  };
}

function unackedTail({ acks, highest, ledger, followed }: HalfStream): UnackedTail | null {
  const from = Math.max(0, acks.offset);
  if (!followed || highest <= from) return null;
  const { refs, transmissions, octets, least, smallest, lastSentNs } = ledger.waiting(from);
  if (transmissions === 0) return null;
  return {
    octets: highest - from,
    sackedOctets: acks.sackedOctets,
    transmissions,
    refs,
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
