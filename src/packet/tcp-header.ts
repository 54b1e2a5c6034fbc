/**
 * The TCP header and its options (RFC 9293, section 3.1; RFC 7323; RFC 2018).
 * In: the octets of an IP payload, as an array and as a DataView of the same octets, and how many of them the packet had on the
 * wire. Out: a Segment. (One load of a DataView is twice as fast as putting four octets together.)
 */

import type { Segment } from './segment.js';

export const TcpHeader = {
  ok: 0,
  /** Fewer octets captured than the fields that are needed. */
  cut: 1,
  /** The packet itself had too few octets for a header. */
  short: 2,
  /** Data offset below 5 words, or beyond the segment. */
  badDataOffset: 3,
} as const;

const HEADER_OCTETS = 20;
/** Up to and with the flags: all that a snapshot length of 68 leaves of TCP over IPv6. */
const NEEDED_OCTETS = 14;
const WITH_WINDOW = 16;
/** Of a header that was cut before it: nothing says that it is closed. */
const UNKNOWN_WINDOW = 0xffff;
/** The options of almost every segment, as RFC 7323, appendix A, lays them out. */
const NOP_NOP_TIMESTAMPS = 0x0101080a;

/**
 * `end` is the end of what was captured, `wireEnd` where the segment ended on the wire (possibly beyond the buffer).
 * Only addresses and direction of the segment are left as they are.
 */
export function decodeTcpHeader(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  wireEnd: number,
  segment: Segment,
): number {
  const captured = end - start;
  const wireLength = wireEnd - start;
  if (wireLength < HEADER_OCTETS) return TcpHeader.short;
  if (captured < NEEDED_OCTETS) return TcpHeader.cut;
  const headerLength = (bytes[start + 12] >> 4) << 2;
  if (headerLength < HEADER_OCTETS || headerLength > wireLength) return TcpHeader.badDataOffset;

  segment.sourcePort = view.getUint16(start);
  segment.destinationPort = view.getUint16(start + 2);
  segment.sequence = view.getUint32(start + 4);
  segment.acknowledgment = view.getUint32(start + 8);
  segment.flags = bytes[start + 13];
  segment.window = captured < WITH_WINDOW ? UNKNOWN_WINDOW : view.getUint16(start + 14);
  segment.bytes = bytes;
  segment.payloadLength = wireLength - headerLength;
  segment.payloadStart = headerLength <= captured ? start + headerLength : end;
  segment.payloadEnd = end;
  segment.windowScale = -1;
  segment.maximumSegmentSize = 0;
  segment.timestampValue = 0;
  segment.timestampEcho = 0;
  segment.sackBlocks = 0;
  segment.sackPermitted = false;
  segment.optionsComplete = true;
  if (headerLength === 32 && captured >= 32 && view.getInt32(start + 20) === NOP_NOP_TIMESTAMPS) {
    segment.timestampValue = view.getUint32(start + 24);
    segment.timestampEcho = view.getUint32(start + 28);
  } else if (headerLength > HEADER_OCTETS) {
    decodeOptions(bytes, view, start + HEADER_OCTETS, start + headerLength, end, segment);
  }
  return TcpHeader.ok;
}

function decodeOptions(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  headerEnd: number,
  captured: number,
  segment: Segment,
): void {
  const end = Math.min(headerEnd, captured);
  if (end < headerEnd) segment.optionsComplete = false;
  let at = start;
  while (at < end) {
    const kind = bytes[at];
    if (kind === 1) {
      at++;
      continue;
    }
    if (kind === 0) return;
    const length = at + 1 < end ? bytes[at + 1] : 0;
    if (length < 2 || at + length > end) {
      // Also where a broken option makes the rest unreadable: what was read before it holds.
      segment.optionsComplete = false;
      return;
    }
    if (kind === 8 && length === 10) {
      segment.timestampValue = view.getUint32(at + 2);
      segment.timestampEcho = view.getUint32(at + 6);
    } else if (kind === 5 && length >= 10) {
      const blocks = Math.min((length - 2) >> 3, 4);
      for (let edge = 0; edge < blocks * 2; edge++) segment.sack[edge] = view.getUint32(at + 2 + edge * 4);
      segment.sackBlocks = blocks;
    } else if (kind === 2 && length === 4) segment.maximumSegmentSize = view.getUint16(at + 2);
    else if (kind === 3 && length === 3) segment.windowScale = Math.min(bytes[at + 2], 14);
    else if (kind === 4 && length === 2) segment.sackPermitted = true;
    at += length;
  }
}
