/**
 * Finds the frame boundary where it is not known: a capture that starts in mid-connection, or goes on after a gap.
 * A single header proves nothing (random text passes for frames): a chain of frames is judged, in bits of evidence.
 * In: octets of one direction, with the places where segments began. Out: the position from which a chain of plausible frames runs, or -1.
 * RFC 6455 section 5.2; the weights are ours.
 */

import { headerFault, Opcode } from './frame.js';
import { headerLength } from './frame-reader.js';

/** Evidence at which a chain is believed. One header that could be a frame is worth about 5. */
const BELIEVED_AT_SEGMENT_START = 24;
const BELIEVED_ANYWHERE = 44;
/** A text that opens like JSON; what it is worth is more than any other text can be. */
const JSON_OPENING = 20;
/** In a row without a final frame. Empty ones count more: zeros (a capture that was scrubbed) are endless ones, and every position would look through all. */
const MOST_FRAGMENTS = 512;
const EMPTY_FRAGMENT = 32;
const PRINTABLE_MOST = 14;

export interface SearchHint {
  /** Clients mask, servers do not; null where the direction is not known. */
  masked: boolean | null;
}

const ALL_KNOWN: readonly number[] = [];

/**
 * Looks at `bytes[0..length)`; `boundaries` are ascending positions at which segments began. `unknown`: what the capture cut off, start and end by
 * turns; a chain runs over it where a payload does.
 */
export function findBoundary(
  bytes: Uint8Array,
  length: number,
  boundaries: readonly number[],
  hint: SearchHint,
  everywhere: boolean,
  unknown: readonly number[] = ALL_KNOWN,
): number {
  const starts = new Set(boundaries);
  starts.add(length);
  for (const start of boundaries)
    if (evidence(bytes, start, length, starts, hint, unknown) >= BELIEVED_AT_SEGMENT_START) return start;
  if (everywhere)
    for (let start = 0; start + 2 <= length; start++)
      if (evidence(bytes, start, length, starts, hint, unknown) >= BELIEVED_ANYWHERE) return start;
  return -1;
}

/** Bits of evidence for the position that findBoundary found, in the same octets. */
export function boundaryBits(
  bytes: Uint8Array,
  length: number,
  boundaries: readonly number[],
  hint: SearchHint,
  at: number,
  unknown: readonly number[] = ALL_KNOWN,
): number {
  return evidence(bytes, at, length, new Set([...boundaries, length]), hint, unknown);
}

/** Where what is known from `p` on ends; `p` itself where it is not known. */
function knownUntil(unknown: readonly number[], p: number, length: number): number {
  let low = 0;
  let high = unknown.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (unknown[2 * middle + 1] > p) high = middle;
    else low = middle + 1;
  }
  return 2 * low < unknown.length ? Math.max(p, Math.min(length, unknown[2 * low])) : length;
}

/** Bits of evidence that frames run from `start` on; 0 as soon as one cannot be. */
function evidence(
  bytes: Uint8Array,
  start: number,
  length: number,
  segmentStarts: ReadonlySet<number>,
  hint: SearchHint,
  unknown: readonly number[],
): number {
  let bits = segmentStarts.has(start) ? 3 : 0;
  // Without one of these a chain may be any repetitive binary data: JSON text, or several frames that end where segments do.
  let json = 0;
  let aligned = 0;
  const believed = () => (json > 0 || aligned > 1 ? bits : Math.min(bits, BELIEVED_AT_SEGMENT_START - 1));
  let p = start;
  let inMessage: boolean | null = null;
  let fragments = 0;
  let { masked } = hint;
  while (p < length) {
    const known = knownUntil(unknown, p, length);
    if (known - p < 2) break;
    const first = bytes[p];
    const second = bytes[p + 1];
    if (headerFault(first, second, true) !== null) return 0;
    masked ??= (second & 0x80) !== 0;
    if (((second & 0x80) !== 0) !== masked) return 0;
    const opcode = first & 0x0f;
    if (opcode < 8) {
      if (inMessage !== null && inMessage !== (opcode === Opcode.continuation)) return 0;
      inMessage = (first & 0x80) === 0;
    }
    const header = headerLength(second);
    if (p + header > known) break;
    const payloadLength = lengthOf(bytes, p, second);
    if (payloadLength < 0) return 0;
    const end = p + header + payloadLength;
    // What is not final proves little: zeros, and text that repeats, pass for endless fragments.
    const final = (first & 0x80) !== 0;
    fragments = final ? 0 : fragments + (payloadLength === 0 ? EMPTY_FRAGMENT : 1);
    if (fragments > MOST_FRAGMENTS) return 0;
    const said = content(bytes, p, header, Math.min(end, known), opcode, first, masked);
    bits += (final ? 5 : 0) + said;
    if (bits < 0) return 0;
    if (said >= JSON_OPENING) json++;
    if (end > length) return end - length > 16 << 20 ? 0 : believed();
    if (segmentStarts.has(end) && final) {
      bits += 8;
      aligned++;
    }
    if (bits >= 96) return believed();
    p = end;
  }
  return believed();
}

/** Payload length, or -1 where it is not encoded in the fewest octets or absurd. */
function lengthOf(bytes: Uint8Array, p: number, second: number): number {
  const short = second & 0x7f;
  if (short < 126) return short;
  if (short === 126) {
    const length = (bytes[p + 2] << 8) | bytes[p + 3];
    return length < 126 ? -1 : length;
  }
  if (bytes[p + 2] !== 0 || bytes[p + 3] !== 0 || bytes[p + 4] !== 0 || bytes[p + 5] !== 0) return -1;
  const length = ((bytes[p + 6] << 24) | (bytes[p + 7] << 16) | (bytes[p + 8] << 8) | bytes[p + 9]) >>> 0;
  return length < 65536 ? -1 : length;
}

/** What the payload says for or against it: text that is none speaks strongly against. */
function content(
  bytes: Uint8Array,
  p: number,
  header: number,
  end: number,
  opcode: number,
  first: number,
  masked: boolean,
): number {
  const from = p + header;
  const count = end - from;
  const keyAt = from - 4;
  const octet = (i: number) => (masked ? bytes[from + i] ^ bytes[keyAt + (i & 3)] : bytes[from + i]);
  if (opcode === Opcode.close) {
    if (count === 1) return -99;
    if (count === 0) return 0;
    const code = (octet(0) << 8) | octet(1);
    return code >= 1000 && code < 5000 ? 4 : -99;
  }
  if (opcode !== Opcode.text || (first & 0x40) !== 0 || count === 0) return 0;
  const opening = octet(0);
  const opensJson = (opening === 0x7b || opening === 0x5b || opening === 0x22) && isJsonStart(octet(1), count);
  const look = Math.min(count, 64);
  for (let i = 0; i < look; i++) {
    const c = octet(i);
    if (c < 0x20 && c !== 0x09 && c !== 0x0a && c !== 0x0d) return -99;
  }
  return (opensJson ? JSON_OPENING : 0) + Math.min(PRINTABLE_MOST, look >> 1);
}

/** What may follow `{`, `[` or a quotation mark in a message of any use. */
function isJsonStart(second: number, count: number): boolean {
  return count > 1 && second >= 0x20 && second < 0x7f;
}
