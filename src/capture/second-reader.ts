/**
 * Reads a capture once more with the npm package pcap-parser, an independent reader, and compares record by record: number, time,
 * lengths and a digest of the octets. Two readers that agree are better evidence than one.
 * In: a path. Out: whether they agree, or where they first differ, or why the comparison was not made.
 *
 * pcap-parser 0.2.1 has to be guarded: it knows microsecond pcap only, ends without an error on a cut file, emits `end` after an
 * error, brings the process down if an error has no listener, and buffers in quadratic time towards a claimed huge length. So our own
 * reader goes first, and the second is given only what the first found whole, up to a bound.
 */

import fs from 'node:fs';
import { PassThrough } from 'node:stream';
import type { PacketRecord } from './packet-record.js';
import { readCapture } from './read-capture.js';

export interface SecondReading {
  /** Null where nothing was compared. */
  readonly agrees: boolean | null;
  readonly compared: number;
  readonly firstDifference: string | null;
  readonly skippedBecause: string | null;
}

/** Its cost grows with the square of the chunk in which packets are many; this takes about a second. */
const MAXIMUM_OCTETS = 64 * 1024 * 1024;
/** Small pieces keep what it buffers, and so what it copies for every packet, small. */
const PIECE_OCTETS = 16 * 1024;
const MAXIMUM_PACKETS = 500_000;
const VALUES_PER_PACKET = 4;

/** What the second reader takes as it is, and reads alike. */
const HARMLESS: ReadonlySet<string> = new Set(['pcap-reserved-bits', 'pcap-fraction']);

interface ParsedPacket {
  header: { timestampSeconds: number; timestampMicroseconds: number; capturedLength: number; originalLength: number };
  data: Uint8Array;
}
type PcapParser = {
  parse(input: NodeJS.ReadableStream): NodeJS.EventEmitter;
};

export async function compareWithSecondReader(path: string): Promise<SecondReading> {
  const skip = (because: string): SecondReading => ({
    agrees: null,
    compared: 0,
    firstDifference: null,
    skippedBecause: because,
  });
  if (path === '-') return skip('standard input can only be read once');
  const size = fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAXIMUM_OCTETS)
    return skip(`the file is larger than ${MAXIMUM_OCTETS / 1048576} MiB, which the second reader cannot take`);

  // Time, lengths and digest of each packet.
  const first: number[] = [];
  const summary = await readCapture(path, { packet: (record) => note(record, first) }, { epochSeconds: 0 });
  if (summary.format !== 'pcap') return skip('the second reader does not know pcapng');
  if (summary.compression !== null) return skip('the second reader does not decompress');
  if (summary.timeDigits === 9) return skip('the second reader does not know nanosecond timestamps');
  if (summary.packets > MAXIMUM_PACKETS)
    return skip(`the file has more than ${MAXIMUM_PACKETS} packets, which takes the second reader too long`);
  const damage = summary.issues.find((issue) => !HARMLESS.has(issue.code));
  if (damage !== undefined)
    return skip(`the file is not plain and whole (${damage.code}), which the second reader does not report`);
  return compare(path, first, summary.packets);
}

function note(record: PacketRecord, into: number[]): void {
  if (record.number > MAXIMUM_PACKETS) return;
  const { bytes, start, end } = record;
  // With epoch 0 the time is microseconds since 1970 times 1000: not exact in nanoseconds, but it is when rounded to microseconds.
  into.push(Math.round(record.timeNs / 1000), end - start, record.wireLength, digest(bytes, start, end));
}

async function compare(path: string, first: readonly number[], packets: number): Promise<SecondReading> {
  // Loaded only when asked for. Node.js warns of its `new Buffer`, which says nothing about the capture.
  process.noDeprecation = true;
  const { default: parser } = (await import('pcap-parser' as string)) as { default: PcapParser };
  const piecemeal = new PassThrough();
  let compared = 0;
  let firstDifference: string | null = null;
  const differ = (text: string): void => {
    firstDifference ??= text;
  };
  const events = parser.parse(piecemeal);
  const ended = new Promise<void>((resolve) => {
    events.on('error', (error: Error) => {
      differ(`the second reader fails after packet ${compared}: ${error.message}`);
      resolve();
    });
    events.on('end', resolve);
  });
  piecemeal.on('error', (error) => differ(`the second reader fails after packet ${compared}: ${error.message}`));
  events.on('packet', (packet: ParsedPacket) => {
    if (firstDifference === null) {
      const difference = compareOne(packet, first, compared);
      if (difference !== null) differ(`packet ${compared + 1}: ${difference}`);
    }
    compared++;
  });

  const descriptor = fs.openSync(path, 'r');
  try {
    for (;;) {
      const piece = Buffer.allocUnsafeSlow(PIECE_OCTETS);
      const read = fs.readSync(descriptor, piece, 0, PIECE_OCTETS, null);
      if (read === 0 || firstDifference !== null) break;
      if (!piecemeal.write(piece.subarray(0, read))) await new Promise((resolve) => piecemeal.once('drain', resolve));
    }
  } finally {
    fs.closeSync(descriptor);
  }
  piecemeal.end();
  await ended;
  if (compared !== packets) differ(`the first reader finds ${packets} packets, the second ${compared}`);
  return { agrees: firstDifference === null, compared, firstDifference, skippedBecause: null };
}

function compareOne(packet: ParsedPacket, first: readonly number[], index: number): string | null {
  const at = index * VALUES_PER_PACKET;
  const { timestampSeconds, timestampMicroseconds, capturedLength, originalLength } = packet.header;
  if (first[at] !== timestampSeconds * 1e6 + timestampMicroseconds) return 'times differ';
  if (first[at + 1] !== capturedLength || packet.data.length !== capturedLength) return 'captured lengths differ';
  if (first[at + 2] !== originalLength) return 'original lengths differ';
  if (first[at + 3] !== digest(packet.data, 0, packet.data.length)) return 'octets differ';
  return null;
}

/** FNV-1a, 32 bits: to tell two readings of one file apart, not to withstand anybody. */
function digest(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at], 0x01000193);
  return hash >>> 0;
}
