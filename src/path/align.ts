/**
 * Matches the messages of one direction between two legs of a path. In: rows of both message tables. Out: for each row of the
 * outer leg the row of the inner one, or -1. Proxies that copy bytes keep stream offsets, so one constant shift matches all and
 * nothing has to be guessed; where a hop drops, adds or re-frames, messages are matched by content, in order and in time.
 */

import type { MessageTable } from '../hop/message-table.js';
import { MessageFlag } from '../hop/message-table.js';
import type { HopObservation, ObservedHalf } from '../hop/observation.js';
import type { HopClock } from './hop-clock.js';

export interface AlignSide {
  half: ObservedHalf;
  messages: MessageTable;
  /** What the rows' types and IDs stand for. */
  strings: HopObservation['strings'];
  /** Brings its times to the common clock; null where that is not known yet. */
  clock: HopClock | null;
}

export interface Alignment {
  /** By position in `outer.half.rows`: position in `inner.half.rows`, or -1. */
  inner: Int32Array;
  mode: 'offsets' | 'content' | 'none';
}

/** A message may be seen on the later leg this much too early: clocks are only known so well. */
const TIME_SLACK_NS = 60e6;

/** A Ping's payload of as many octets is a counter or a time. */
const CONTROL_TELLS_FROM = 4;

export function align(inner: AlignSide, outer: AlignSide, towardsAgent: boolean): Alignment {
  let pairs = anchors(inner, outer);
  if (pairs.length === 0) pairs = anchorsByLength(inner, outer);
  const byOffsets = pairs.length === 0 && !knownShift(inner, outer) ? null : alignByOffsets(inner, outer, pairs);
  if (byOffsets !== null) return { inner: byOffsets, mode: 'offsets' };
  return { inner: alignByContent(inner, outer, pairs, towardsAgent), mode: pairs.length > 0 ? 'content' : 'none' };
}

/** Position pairs [inner, outer] of messages whose content occurs exactly once on each side, in increasing order of both. */
export function anchors(inner: AlignSide, outer: AlignSide): [number, number][] {
  const once = uniques(inner);
  const pairs: [number, number][] = [];
  for (const [key, position] of uniques(outer)) {
    const other = position < 0 ? undefined : once.get(key);
    if (other !== undefined && other >= 0) pairs.push([other, position]);
  }
  return increasing(pairs.sort((a, b) => a[1] - b[1]));
}

function uniques(side: AlignSide): Map<number, number> {
  const { messages, half } = side;
  const seen = new Map<number, number>();
  half.rows.forEach((row, position) => {
    const control = messages.opcode[row] >= 8;
    // Empty Pings are alike, but for the mask that each Pong has of its own; a Close is worth nothing.
    if (!isWhole(messages, row) || messages.opcode[row] === 8) return;
    if (control && messages.maskingKey[row] === 0 && messages.length[row] < CONTROL_TELLS_FROM) return;
    const key = control
      ? contentKey(side, row) ^ Math.imul(messages.maskingKey[row], 0x85ebca6b)
      : contentKey(side, row);
    seen.set(key, seen.has(key) ? -1 : position);
  });
  return seen;
}

/** Packets were cut: what is left are headers. */
const LEAST_ALIKE = 3;

/**
 * Where no content can be compared: frames whose opcode, length and masking key occur exactly once on each side, and that stand at one
 * constant shift. Three at least, and no more than a third that says otherwise: lengths alone fit by chance.
 */
function anchorsByLength(inner: AlignSide, outer: AlignSide): [number, number][] {
  const once = uniqueFrames(inner);
  const byShift = new Map<number, [number, number][]>();
  let all = 0;
  for (const [key, position] of uniqueFrames(outer)) {
    const other = once.get(key) ?? -1;
    if (position < 0 || other < 0) continue;
    const shift =
      outer.messages.startOffset[outer.half.rows[position]] - inner.messages.startOffset[inner.half.rows[other]];
    const pairs = byShift.get(shift);
    if (pairs === undefined) byShift.set(shift, [[other, position]]);
    else pairs.push([other, position]);
    all++;
  }
  const [most] = [...byShift.values()].sort((a, b) => b.length - a.length);
  if (most === undefined || most.length < LEAST_ALIKE || most.length * 3 < all * 2) return [];
  return most.sort((a, b) => a[1] - b[1]);
}

function uniqueFrames({ messages, half }: AlignSide): Map<string, number> {
  const seen = new Map<string, number>();
  half.rows.forEach((row, position) => {
    if ((messages.flags[row] & MessageFlag.partial) !== 0 || messages.opcode[row] === 0) return;
    const key = `${messages.opcode[row]} ${messages.octets(row)} ${messages.maskingKey[row]}`;
    seen.set(key, seen.has(key) ? -1 : position);
  });
  return seen;
}

/** The longest run of pairs that keeps the order on both sides: a chance match of equal contents falls out. */
function increasing(pairs: [number, number][]): [number, number][] {
  const tails: number[] = [];
  const before = new Int32Array(pairs.length).fill(-1);
  for (let i = 0; i < pairs.length; i++) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pairs[tails[middle]][0] < pairs[i][0]) low = middle + 1;
      else high = middle;
    }
    before[i] = low > 0 ? tails[low - 1] : -1;
    tails[low] = i;
  }
  const run: [number, number][] = [];
  for (let i = tails.length > 0 ? tails[tails.length - 1] : -1; i >= 0; i = before[i]) run.push(pairs[i]);
  return run.reverse();
}

function contentKey(side: AlignSide, row: number): number {
  const { messages } = side;
  return (messages.digest[row] ^ Math.imul(messages.opcode[row], 0x9e3779b1)) | 0;
}

function isWhole(messages: MessageTable, row: number): boolean {
  return (messages.flags[row] & (MessageFlag.partial | MessageFlag.damaged | MessageFlag.unreadable)) === 0;
}

function knownShift(inner: AlignSide, outer: AlignSide): boolean {
  return inner.half.webSocketFrom >= 0 && outer.half.webSocketFrom >= 0;
}

/** One constant shift that all anchors agree on; null where they do not. */
function alignByOffsets(inner: AlignSide, outer: AlignSide, pairs: [number, number][]): Int32Array | null {
  const shiftOf = ([i, o]: [number, number]) =>
    outer.messages.startOffset[outer.half.rows[o]] - inner.messages.startOffset[inner.half.rows[i]];
  const shift = pairs.length > 0 ? shiftOf(pairs[0]) : outer.half.webSocketFrom - inner.half.webSocketFrom;
  if (pairs.some((pair) => shiftOf(pair) !== shift)) return null;
  if (knownShift(inner, outer) && shift !== outer.half.webSocketFrom - inner.half.webSocketFrom) return null;
  const result = new Int32Array(outer.half.rows.length).fill(-1);
  let i = 0;
  for (let o = 0; o < outer.half.rows.length; o++) {
    const wanted = outer.messages.startOffset[outer.half.rows[o]] - shift;
    while (i < inner.half.rows.length && inner.messages.startOffset[inner.half.rows[i]] < wanted) i++;
    if (i >= inner.half.rows.length || inner.messages.startOffset[inner.half.rows[i]] !== wanted) continue;
    const same = isSame(inner, inner.half.rows[i], outer, outer.half.rows[o]);
    if (same === false) return null;
    if (same !== null) result[o] = i;
  }
  return result;
}

/** Of frames at the same place; null where a hole in one of them leaves it open what it is. */
function isSame(inner: AlignSide, i: number, outer: AlignSide, o: number): boolean | null {
  if (isWhole(inner.messages, i) && isWhole(outer.messages, o)) return contentKey(inner, i) === contentKey(outer, o);
  const partial = ((inner.messages.flags[i] | outer.messages.flags[o]) & MessageFlag.partial) !== 0;
  const [a, b] = [inner.messages.opcode[i], outer.messages.opcode[o]];
  if (a !== b && a !== 0 && b !== 0) return partial ? false : null;
  return partial || inner.messages.octets(i) === outer.messages.octets(o) ? true : null;
}

/**
 * By content, in order. Anchors split both sides into stretches; within one, repeated contents (re-offered commands, empty Pings)
 * are matched from the end backwards, each with the latest equal one that was there first. What passed is the one just sent,
 * not an older one that was dropped.
 */
function alignByContent(
  inner: AlignSide,
  outer: AlignSide,
  pairs: [number, number][],
  towardsAgent: boolean,
): Int32Array {
  const result = new Int32Array(outer.half.rows.length).fill(-1);
  const clocksKnown = inner.clock !== null && outer.clock !== null;
  const common = ({ clock, messages }: AlignSide, row: number) => clock?.toCommon(messages.sentNs[row]) ?? Number.NaN;
  const isTooEarly = (row: number, other: number) => {
    const passedNs = common(outer, row) - common(inner, other);
    return clocksKnown && (towardsAgent ? passedNs : -passedNs) < -TIME_SLACK_NS;
  };
  let innerEnd = inner.half.rows.length;
  let outerEnd = outer.half.rows.length;
  for (let p = pairs.length; p >= 0; p--) {
    const [innerAnchor, outerAnchor] = p > 0 ? pairs[p - 1] : [-1, -1];
    let i = innerEnd - 1;
    for (let o = outerEnd - 1; o > outerAnchor; o--) {
      const row = outer.half.rows[o];
      if (!isWhole(outer.messages, row)) continue;
      const key = contentKey(outer, row);
      for (let j = i; j > innerAnchor; j--) {
        const other = inner.half.rows[j];
        if (!isWhole(inner.messages, other) || contentKey(inner, other) !== key) continue;
        if (isTooEarly(row, other)) continue;
        result[o] = j;
        i = j - 1;
        break;
      }
    }
    if (p > 0) result[outerAnchor] = innerAnchor;
    innerEnd = innerAnchor;
    outerEnd = outerAnchor;
  }
  matchLastPart(inner, outer, result, isTooEarly);
  return result;
}

/** The message that a stream ends in has no digest of its content; its type and ID may stand in the part that is there. */
function matchLastPart(
  inner: AlignSide,
  outer: AlignSide,
  result: Int32Array,
  isTooEarly: (outerRow: number, innerRow: number) => boolean,
): void {
  const last = outer.half.rows.length - 1;
  const row = outer.half.rows[last] ?? -1;
  if (row < 0 || !outer.messages.has(row, MessageFlag.partial) || outer.messages.id[row] < 0) return;
  const key = nameKey(outer, row);
  const taken = new Set(result);
  for (let i = inner.half.rows.length - 1; i >= 0; i--) {
    const other = inner.half.rows[i];
    if (inner.messages.id[other] < 0 || nameKey(inner, other) !== key) continue;
    if (!taken.has(i) && !isTooEarly(row, other)) result[last] = i;
    return;
  }
}

/** Type and ID, the same in every capture. */
function nameKey({ messages, strings }: AlignSide, row: number): number {
  const type = messages.type[row] < 0 ? 0 : strings.hashOf(messages.type[row]);
  return strings.hashOf(messages.id[row]) ^ Math.imul(type, 0x9e3779b1);
}
