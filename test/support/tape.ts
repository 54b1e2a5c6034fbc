/**
 * A tape of packets as a capture would hold them, and TCP connections that write to it: Ethernet, IPv4 or IPv6, TCP, built from
 * RFC 791, 8200 and 9293. Nothing of src/ writes them. Times are milliseconds; packet numbers count from 1 in order of writing.
 */

import { PacketRecord, type PacketSink } from '../../src/capture/packet-record.js';
import { pcap } from '../capture/build-capture.js';

export const START_SECONDS = 1_700_000_000;

interface Packet {
  atMs: number;
  bytes: Uint8Array;
  wireLength: number;
}

export class Tape {
  readonly packets: Packet[] = [];

  /** How far the capturing host's clock is ahead. */
  constructor(readonly skewMs = 0) {}

  /** Returns the packet's number. */
  add(atMs: number, bytes: Uint8Array, wireLength = bytes.length): number {
    return this.packets.push({ atMs: atMs + this.skewMs, bytes, wireLength });
  }

  /** Hands all packets to a sink, as a capture reader would. */
  play(sink: PacketSink): void {
    const record = new PacketRecord();
    record.epochSeconds = START_SECONDS;
    record.linkType = 1;
    this.packets.forEach(({ atMs, bytes, wireLength }, i) => {
      record.bytes = bytes;
      record.end = bytes.length;
      record.wireLength = wireLength;
      record.timeNs = atMs * 1e6;
      record.number = i + 1;
      sink.packet(record);
    });
  }

  /** Without the packets of these numbers. */
  without(...numbers: number[]): Tape {
    const tape = new Tape();
    this.packets.forEach((packet, i) => {
      if (!numbers.includes(i + 1)) tape.packets.push(packet);
    });
    return tape;
  }

  /** Only what was written from a moment on, or before it: a capture that started late or ended early. */
  between(fromMs: number, toMs: number): Tape {
    const tape = new Tape();
    tape.packets.push(...this.packets.filter(({ atMs }) => atMs >= fromMs && atMs < toMs));
    return tape;
  }

  file(): Uint8Array {
    return pcap(
      this.packets.map(({ atMs, bytes, wireLength }) => ({
        seconds: START_SECONDS + Math.floor(atMs / 1e3),
        fraction: Math.round((atMs - Math.floor(atMs / 1e3) * 1e3) * 1e3),
        data: bytes,
        originalLength: wireLength,
      })),
    );
  }
}

export interface SegmentShape {
  data?: Uint8Array;
  flags?: number;
  /** Stream offset of the first octet, counted from the one after the SYN; by default where the sender stands. */
  at?: number;
  /** Octets of the other side that are TCP-ACKed; by default all that it sent so far. */
  acked?: number;
  /** The packet as sent, though the tape's host did not move on with it: used for what is to be "lost" between. */
  window?: number;
  /** Offsets of the other side's stream, pairwise. */
  sack?: number[];
  timestamp?: number;
  /** Captured octets of the payload, where the capture cut it. */
  captured?: number;
}

export type Party = 'client' | 'server';
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const ACK = 0x10;

export interface TalkShape {
  client?: string;
  clientPort?: number;
  server?: string;
  serverPort?: number;
  clientIsn?: number;
  serverIsn?: number;
  /** Time to Live of what each side sends, as captured. */
  hopLimits?: Partial<Record<Party, number>>;
}

/** One TCP connection on a tape. */
export class Talk {
  private readonly next: Record<Party, number> = { client: 0, server: 0 };
  private readonly ends: Record<Party, { address: number[]; port: number; isn: number; hopLimit: number }>;

  constructor(
    readonly tape: Tape,
    shape: TalkShape = {},
  ) {
    const { client = '10.0.0.9', clientPort = 40112, server = '10.0.0.1', serverPort = 3001 } = shape;
    const hopLimit = (party: Party) => shape.hopLimits?.[party] ?? 64;
    this.ends = {
      client: {
        address: addressOctets(client),
        port: clientPort,
        isn: shape.clientIsn ?? 1000,
        hopLimit: hopLimit('client'),
      },
      server: {
        address: addressOctets(server),
        port: serverPort,
        isn: shape.serverIsn ?? 500_000,
        hopLimit: hopLimit('server'),
      },
    };
  }

  /** Octets that a side has sent. */
  sent(party: Party): number {
    return this.next[party];
  }

  open(atMs: number): this {
    this.segment(atMs, 'client', { flags: SYN, at: -1 });
    this.segment(atMs + 0.1, 'server', { flags: SYN | ACK, at: -1 });
    this.segment(atMs + 0.2, 'client');
    return this;
  }

  /** Data, and the other side's bare TCP ACK a moment later. Returns the number of the data packet; the ACK's is the next. */
  send(atMs: number, from: Party, data: Uint8Array, ackAfterMs = 0.3): number {
    const number = this.segment(atMs, from, { data });
    this.segment(atMs + ackAfterMs, other(from));
    return number;
  }

  segment(atMs: number, from: Party, shape: SegmentShape = {}): number {
    const { data = new Uint8Array(0), flags = ACK } = shape;
    const source = this.ends[from];
    const destination = this.ends[other(from)];
    const at = shape.at ?? this.next[from];
    const acked = shape.acked ?? this.next[other(from)];
    const options = optionOctets(shape, (offset) => destination.isn + 1 + offset);
    const tcp = Buffer.alloc(20 + options.length + data.length);
    tcp.writeUInt16BE(source.port, 0);
    tcp.writeUInt16BE(destination.port, 2);
    tcp.writeUInt32BE((source.isn + 1 + at) >>> 0, 4);
    if ((flags & ACK) !== 0) tcp.writeUInt32BE((destination.isn + 1 + acked) >>> 0, 8);
    tcp[12] = (5 + options.length / 4) << 4;
    tcp[13] = flags;
    tcp.writeUInt16BE(shape.window ?? 502, 14);
    tcp.set(options, 20);
    tcp.set(data, 20 + options.length);
    this.next[from] = Math.max(this.next[from], at + data.length + ((flags & FIN) !== 0 ? 1 : 0));
    const whole = ethernet(source, destination.address, tcp);
    const missing = shape.captured === undefined ? 0 : data.length - shape.captured;
    return this.tape.add(atMs, whole.subarray(0, whole.length - missing), whole.length);
  }
}

interface Sender {
  address: number[];
  hopLimit: number;
}

export const other = (party: Party): Party => (party === 'client' ? 'server' : 'client');

function ethernet({ address: source, hopLimit }: Sender, destination: number[], tcp: Buffer): Uint8Array {
  const six = source.length === 16;
  const ip = Buffer.alloc(six ? 40 : 20);
  if (six) {
    ip[0] = 0x60;
    ip.writeUInt16BE(tcp.length, 4);
    ip[6] = 6;
    ip[7] = hopLimit;
    ip.set(source, 8);
    ip.set(destination, 24);
  } else {
    ip[0] = 0x45;
    ip.writeUInt16BE(20 + tcp.length, 2);
    ip[6] = 0x40;
    ip[8] = hopLimit;
    ip[9] = 6;
    ip.set(source, 12);
    ip.set(destination, 16);
  }
  const link = Buffer.from([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, six ? 0x86 : 0x08, six ? 0xdd : 0x00]);
  return Uint8Array.from(Buffer.concat([link, ip, tcp]));
}

function optionOctets(shape: SegmentShape, sequenceOf: (offset: number) => number): Uint8Array {
  const parts: Buffer[] = [];
  if (shape.timestamp !== undefined) {
    const option = Buffer.from([1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0]);
    option.writeUInt32BE(shape.timestamp, 4);
    parts.push(option);
  }
  const edges = shape.sack ?? [];
  if (edges.length > 0) {
    const option = Buffer.alloc(4 + 4 * edges.length, 1);
    option[2] = 5;
    option[3] = 2 + 4 * edges.length;
    edges.forEach((edge, i) => {
      option.writeUInt32BE(sequenceOf(edge) >>> 0, 4 + 4 * i);
    });
    parts.push(option);
  }
  return Buffer.concat(parts);
}

function addressOctets(text: string): number[] {
  if (!text.includes(':')) return text.split('.').map(Number);
  const [head, tail = ''] = text.split('::');
  const words = (part: string) => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)));
  const left = words(head);
  const right = words(tail);
  const all = [...left, ...new Array(8 - left.length - right.length).fill(0), ...right];
  return all.flatMap((word) => [word >> 8, word & 0xff]);
}
