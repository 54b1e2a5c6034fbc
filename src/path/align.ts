/**
 * Matches the messages of one direction between two legs of a path. In: rows of both message tables. Out: for each row of the
 * outer leg the row of the inner one, or -1. Proxies that copy bytes keep stream offsets, so one constant shift matches all and
 * nothing has to be guessed; where a hop drops, adds or re-frames, messages are matched by content, in order and in time.
 */

import type { MessageTable } from '../hop/message-table.js';
import { MessageFlag } from '../hop/message-table.js';
import type { ObservedHalf } from '../hop/observation.js';
import type { ByteStringTable } from '../message/byte-string-table.js';
import { increasing, type Mark, type ProvenStretch, provenBetween, settled } from './align-marks.js';
import type { HopClock } from './hop-clock.js';
import type { Passage } from './passage.js';
import { matchRewritten, rewrittenOnce } from './rewritten.js';
import { isUnsound, isWholeHalf } from './whole.js';

export interface AlignSide {
  half: ObservedHalf;
  messages: MessageTable;
  /** Of its IDs. */
  strings: ByteStringTable;
  /** Brings its times to the common clock; null where that is not known yet. */
  clock: HopClock | null;
  /** When its capture ends. */
  endNs: number;
}

/** `strings` are left out where both sides are of one table. */
type Rows = Pick<AlignSide, 'half' | 'messages'> & Partial<Pick<AlignSide, 'strings'>>;

export interface Alignment {
  /** By position in `outer.half.rows`: position in `inner.half.rows`, or -1. */
  inner: Int32Array;
  mode: 'offsets' | 'content' | 'none';
  /** Where the same octets stand on both legs, at one distance: messages that both captures show stand at both ends. */
  proven: ProvenStretch[];
}

/** A message may be seen on the later leg this much too early, besides what is known of the clocks. */
const TIME_SLACK_NS = 60e6;
/** What contradicts the clocks by more cannot be an offset that fits ill (clocks.ts). */
const PIECE_SLACK_NS = 250e6;
/** A hop that reads JSON and writes it takes no longer. */
const REWRITTEN_WITHIN_NS = 250e6;
const TEXT = 1;
const BINARY = 2;
const PING = 9;

/** A Ping's payload of as many octets is a counter or a time. */
const CONTROL_TELLS_FROM = 4;

/** `usual`: how long messages take from the one to the other, where other paths tell. */
export function align(
  inner: AlignSide,
  outer: AlignSide,
  towardsAgent: boolean,
  usual: Passage | null = null,
): Alignment {
  const alignment = alignRows(inner, outer, towardsAgent, usual);
  if (alignment.mode !== 'offsets') completeRewritten(inner, outer, towardsAgent, alignment.inner);
  return alignment;
}

function alignRows(inner: AlignSide, outer: AlignSide, towardsAgent: boolean, usual: Passage | null): Alignment {
  let pairs = anchors(inner, outer);
  if (inner.half.unsound.length + outer.half.unsound.length > 0)
    pairs = increasing([...pairs, ...anchorsOfParts(inner, outer)].sort((a, b) => a[1] - b[1] || a[0] - b[0]));
  if (pairs.length === 0) pairs = anchorsByVotes(inner, outer);
  if (pairs.length === 0) pairs = anchorsByLength(inner, outer);
  const inTime = () =>
    usual !== null || withinNs(inner, outer) * 2 <= IN_TIME_NS
      ? pairsInTime(inner, outer, pairs, towardsAgent, usual)
      : null;
  if (pairs.length === 0 && !knownShift(inner, outer))
    return {
      inner: alignByContent(inner, outer, inTime() ?? pairs, towardsAgent, unmatched(outer)),
      mode: 'none',
      proven: [],
    };
  const marks = marksOf(inner, outer, pairs);
  const byOffsets = marks.some(({ shift }) => shift !== marks[0].shift)
    ? null
    : alignByOffsets(inner, outer, marks[0], towardsAgent);
  if (byOffsets !== null) return { inner: byOffsets, mode: 'offsets', proven: provenBetween(marks) };
  const kept = settled(marks);
  const proven = provenBetween(kept);
  const timed = inTime();
  if (proven.length > 0) return { ...alignPiecewise(inner, outer, kept, timed ?? [], towardsAgent), proven };
  const mode = pairs.length > 0 ? 'content' : 'none';
  return { inner: alignByContent(inner, outer, timed ?? pairs, towardsAgent, unmatched(outer)), mode, proven };
}

/**
 * Position pairs of messages that both sides have, without any clock. Of cut packets the content cannot be compared, and where octets were lost,
 * two copies may seem one message: there the places tell.
 */
export function sharedMessages(inner: AlignSide, outer: AlignSide, towardsAgent: boolean): Iterable<[number, number]> {
  if (isWholeHalf(inner.half) && isWholeHalf(outer.half)) return anchors(inner, outer);
  const found = isUnsound(inner.half) || isUnsound(outer.half) ? align(inner, outer, towardsAgent) : null;
  if (found?.mode !== 'offsets') return settledAnchors(inner, outer);
  return matchedPairs(found);
}

/** Position pairs [inner, outer] of all that was matched. */
export function matchedPairs({ inner }: Alignment): [number, number][] {
  return [...inner].map((i, o): [number, number] => [i, o]).filter(([i]) => i >= 0);
}

/** Where the two streams are seen to carry the same: the handshakes' ends, where both were captured, and messages. */
function marksOf(inner: AlignSide, outer: AlignSide, pairs: readonly [number, number][]): Mark[] {
  const marks: Mark[] = [];
  if (knownShift(inner, outer)) {
    const { webSocketFrom } = inner.half;
    const shift = outer.half.webSocketFrom - webSocketFrom;
    marks.push({ inner: -1, outer: -1, shift, from: webSocketFrom, to: webSocketFrom });
  }
  for (const [i, o] of pairs) {
    const row = inner.half.rows[i];
    const from = inner.messages.startOffset[row];
    const shift = outer.messages.startOffset[outer.half.rows[o]] - from;
    marks.push({ inner: i, outer: o, shift, from, to: inner.messages.endOffset[row] });
  }
  return marks;
}

/** What a hop wrote anew passes as soon as the rest; where the clocks are not known only what occurs once. */
function completeRewritten(inner: AlignSide, outer: AlignSide, towardsAgent: boolean, result: Int32Array): void {
  const withinOfBoth = withinNs(inner, outer);
  if (!Number.isFinite(withinOfBoth)) return;
  const slackNs = TIME_SLACK_NS + withinOfBoth;
  const sign = towardsAgent ? 1 : -1;
  matchRewritten(inner, outer, result, (i, o) => {
    const passedNs = sign * (common(outer, o) - common(inner, i));
    return passedNs >= -slackNs && passedNs <= REWRITTEN_WITHIN_NS + slackNs;
  });
}

/**
 * Position pairs [inner, outer] of messages whose content occurs exactly once on each side, in increasing order of both. Where no command's does,
 * a hop writes them anew: then those whose type and ID occur once.
 */
export function anchors(inner: Rows, outer: Rows): [number, number][] {
  const byContent = contentAnchors(inner, outer);
  if (byContent.some(([i]) => inner.messages.id[inner.half.rows[i]] >= 0)) return byContent;
  const [a, b] = [inner, outer].map((side) => ({ ...side, strings: side.strings ?? null }));
  const rewritten = rewrittenOnce(a, b, byContent);
  return rewritten.length === 0 ? byContent : increasing([...byContent, ...rewritten].sort((x, y) => x[1] - y[1]));
}

function contentAnchors(inner: Rows, outer: Rows): [number, number][] {
  const once = uniques(inner);
  const pairs: [number, number][] = [];
  for (const [key, position] of uniques(outer)) {
    const other = position < 0 ? undefined : once.get(key);
    if (other !== undefined && other >= 0) pairs.push([other, position]);
  }
  return increasing(pairs.sort((a, b) => a[1] - b[1]));
}

/**
 * Of anchors those that stand at a distance at which others do, too: where captures lost octets, two copies of a command look like one message, each
 * the only one left. All, where a hop frames anew and every distance is another one.
 */
export function settledAnchors(inner: AlignSide, outer: AlignSide): [number, number][] {
  const pairs = anchors(inner, outer);
  const marks = settled(marksOf(inner, outer, pairs));
  const counts = new Map<number, number>();
  for (const { shift } of marks) counts.set(shift, (counts.get(shift) ?? 0) + 1);
  const sure = marks.flatMap(({ inner: i, outer: o, shift }): [number, number][] =>
    i >= 0 && (counts.get(shift) as number) > 1 ? [[i, o]] : [],
  );
  return sure.length * 2 >= pairs.length ? sure : pairs;
}

function uniques(side: Rows): Map<number, number> {
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

/**
 * Of messages that one side has only in part: the same ID and length, or the same masking key and length, exactly once on each side.
 */
function anchorsOfParts(inner: AlignSide, outer: AlignSide): [number, number][] {
  const once = partsOf(inner);
  const pairs: [number, number][] = [];
  for (const [key, position] of partsOf(outer)) {
    const other = position < 0 ? -1 : (once.get(key) ?? -1);
    if (other < 0) continue;
    const [i, o] = [inner.half.rows[other], outer.half.rows[position]];
    if (!isWhole(inner.messages, i) || !isWhole(outer.messages, o)) pairs.push([other, position]);
  }
  return pairs;
}

function partsOf({ messages, half, strings }: AlignSide): Map<string, number> {
  const seen = new Map<string, number>();
  half.rows.forEach((row, position) => {
    if ((messages.flags[row] & (MessageFlag.partial | MessageFlag.rest)) !== 0 || messages.opcode[row] === 0) return;
    const id = messages.id[row];
    const key = messages.maskingKey[row];
    if (id < 0 && key === 0) return;
    const name = `${messages.opcode[row]} ${messages.octets(row)} ${key !== 0 ? `m${key}` : `i${strings.hashOf(id)}`}`;
    seen.set(name, seen.has(name) ? -1 : position);
  });
  return seen;
}

/** Of one content no more copies are compared: broadcasts and empty Pings tell nothing. */
const MAX_COPIES = 12;

/**
 * Where every content occurs several times (each command was offered again): all pairs of equal contents vote for the distance at which they
 * stand. The true one has all copies that both sides hold, another one at least one copy of each command less.
 */
function anchorsByVotes(inner: AlignSide, outer: AlignSide): [number, number][] {
  const copies = copiesOf(inner);
  const votes = new Map<number, [number, number][]>();
  for (const [key, positions] of copiesOf(outer))
    for (const i of copies.get(key) ?? [])
      for (const o of positions) {
        const shift = outer.messages.startOffset[outer.half.rows[o]] - inner.messages.startOffset[inner.half.rows[i]];
        const pairs = votes.get(shift);
        if (pairs === undefined) votes.set(shift, [[i, o]]);
        else pairs.push([i, o]);
      }
  const [most, next] = [...votes.values()].sort((a, b) => b.length - a.length);
  if (most === undefined || most.length < LEAST_ALIKE || (next !== undefined && most.length * 2 < next.length * 3))
    return [];
  return increasing(most.sort((a, b) => a[1] - b[1]));
}

function copiesOf(side: AlignSide): Map<number, number[]> {
  const { messages, half } = side;
  const copies = new Map<number, number[]>();
  half.rows.forEach((row, position) => {
    if (!isWhole(messages, row) || messages.opcode[row] === 8 || messages.length[row] === 0) return;
    const key = contentKey(side, row);
    copies.set(key, [...(copies.get(key) ?? []), position]);
  });
  for (const [key, positions] of copies) if (positions.length > MAX_COPIES) copies.delete(key);
  return copies;
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
    if ((messages.flags[row] & (MessageFlag.partial | MessageFlag.rest)) !== 0 || messages.opcode[row] === 0) return;
    const key = `${messages.opcode[row]} ${messages.octets(row)} ${messages.maskingKey[row]}`;
    seen.set(key, seen.has(key) ? -1 : position);
  });
  return seen;
}

function contentKey({ messages }: Rows, row: number): number {
  return (messages.digest[row] ^ Math.imul(kindOf(messages, row), 0x9e3779b1)) | 0;
}

/** The opcode, but that a hop may turn Text into Binary, or the other way. */
function kindOf({ opcode }: MessageTable, row: number): number {
  return opcode[row] === BINARY ? TEXT : opcode[row];
}

function isWhole(messages: MessageTable, row: number): boolean {
  return (messages.flags[row] & (MessageFlag.partial | MessageFlag.damaged | MessageFlag.unreadable)) === 0;
}

function knownShift(inner: AlignSide, outer: AlignSide): boolean {
  return inner.half.webSocketFrom >= 0 && outer.half.webSocketFrom >= 0;
}

/** By one distance between the two streams; null where something else stands at a place. */
function alignByOffsets(inner: AlignSide, outer: AlignSide, { shift }: Mark, towardsAgent: boolean): Int32Array | null {
  const result = new Int32Array(outer.half.rows.length).fill(-1);
  const [ends, outerEnds] = [inner.half.rows.length, outer.half.rows.length];
  return byOffsets(inner, outer, towardsAgent, shift, result, -1, ends, -1, outerEnds) ? result : null;
}

/** Rows between two positions on each side, by the distance of the streams there; false where something else stands at a place. */
function byOffsets(
  inner: AlignSide,
  outer: AlignSide,
  towardsAgent: boolean,
  shift: number,
  result: Int32Array,
  afterInner: number,
  beforeInner: number,
  afterOuter: number,
  beforeOuter: number,
): boolean {
  let i = afterInner + 1;
  for (let o = afterOuter + 1; o < beforeOuter; o++) {
    const wanted = outer.messages.startOffset[outer.half.rows[o]] - shift;
    while (i < beforeInner && inner.messages.startOffset[inner.half.rows[i]] < wanted) i++;
    if (crosses(inner, i - 1, outer, o, shift) || crosses(inner, i, outer, o, shift)) return false;
    if (i >= beforeInner || inner.messages.startOffset[inner.half.rows[i]] !== wanted) continue;
    const other = outer.half.rows[o];
    // Messages that came in one frame stand at one place.
    while (standsWithNext(inner, i, beforeInner) && isSame(inner, inner.half.rows[i], outer, other) === false) i++;
    const row = inner.half.rows[i];
    const same = isSame(inner, row, outer, other);
    // Empty Pings are alike, those of a hop that sends its own at the same places, too.
    if (same === false || isOtherPing(inner, row, outer, other, towardsAgent, PIECE_SLACK_NS)) return false;
    if (same !== null) result[o] = i;
    if (standsWithNext(inner, i, beforeInner)) i++;
  }
  return true;
}

function standsWithNext({ half: { rows }, messages: { startOffset } }: AlignSide, i: number, before: number): boolean {
  return i + 1 < before && startOffset[rows[i + 1]] === startOffset[rows[i]];
}

/** Whether two data messages would overlap without beginning together: then these are other octets, and the streams part before them. */
function crosses(inner: AlignSide, i: number, outer: AlignSide, o: number, shift: number): boolean {
  const [a, b] = [inner.half.rows[i], outer.half.rows[o]];
  if (a === undefined || inner.messages.opcode[a] >= 8 || outer.messages.opcode[b] >= 8) return false;
  if (!isPlaced(inner.messages, a) || !isPlaced(outer.messages, b)) return false;
  const [from, to] = [outer.messages.startOffset[b] - shift, seenTo(outer.messages, b) - shift];
  return (
    from !== inner.messages.startOffset[a] && seenTo(inner.messages, a) > from && inner.messages.startOffset[a] < to
  );
}

function unmatched(outer: AlignSide): Int32Array {
  return new Int32Array(outer.half.rows.length).fill(-1);
}

/** Known to begin where its row says. */
function isPlaced(messages: MessageTable, row: number): boolean {
  return !messages.has(row, MessageFlag.damaged) || !messages.has(row, MessageFlag.fragmented);
}

/** Where it ends, or the part of it that is there. */
function seenTo(messages: MessageTable, row: number): number {
  return messages.has(row, MessageFlag.partial)
    ? messages.startOffset[row] + messages.octetsSeen[row]
    : messages.endOffset[row];
}

/** Stretch by stretch: where the distance is the same at both ends by offsets, else by content. */
function alignPiecewise(
  inner: AlignSide,
  outer: AlignSide,
  marks: readonly Mark[],
  timed: readonly [number, number][],
  towardsAgent: boolean,
): { inner: Int32Array; mode: 'offsets' | 'content' } {
  const result = unmatched(outer);
  let mode: 'offsets' | 'content' = 'offsets';
  let beforeInner = inner.half.rows.length;
  let beforeOuter = outer.half.rows.length;
  for (let m = marks.length - 1; m >= -1 && beforeOuter >= 0; m--) {
    const mark = m < 0 ? null : marks[m];
    const next = m + 1 < marks.length ? marks[m + 1] : null;
    const [afterInner, afterOuter] = [mark?.inner ?? -1, mark?.outer ?? -1];
    const oneShift = mark !== null && next !== null && mark.shift === next.shift;
    const isCopied =
      oneShift &&
      byOffsets(inner, outer, towardsAgent, mark.shift, result, afterInner, beforeInner, afterOuter, beforeOuter);
    if (!isCopied) {
      result.fill(-1, afterOuter + 1, beforeOuter);
      alignByContent(inner, outer, timed, towardsAgent, result, afterInner, beforeInner, afterOuter, beforeOuter);
      const shift = (next ?? mark)?.shift ?? 0;
      if (next !== null || !isAtShift(inner, outer, result, shift, afterOuter, beforeOuter)) mode = 'content';
    }
    if (mark !== null && mark.outer >= 0) result[mark.outer] = mark.inner;
    beforeInner = mark?.inner ?? -1;
    beforeOuter = mark?.outer ?? -1;
  }
  return { inner: result, mode };
}

/** Whether all that was matched in a stretch stands at this distance, too. */
function isAtShift(
  inner: AlignSide,
  outer: AlignSide,
  result: Int32Array,
  shift: number,
  afterOuter: number,
  beforeOuter: number,
): boolean {
  for (let o = afterOuter + 1; o < beforeOuter; o++) {
    if (result[o] < 0) continue;
    const from = inner.messages.startOffset[inner.half.rows[result[o]]];
    if (outer.messages.startOffset[outer.half.rows[o]] - from !== shift) return false;
  }
  return true;
}

/** Of frames at the same place, copied octet by octet; null where a hole in one of them leaves it open what it is. */
function isSame(inner: AlignSide, i: number, outer: AlignSide, o: number): boolean | null {
  if (inner.messages.has(i, MessageFlag.rest) || outer.messages.has(o, MessageFlag.rest)) return null;
  if (isWhole(inner.messages, i) && isWhole(outer.messages, o))
    return contentKey(inner, i) === contentKey(outer, o) && inner.messages.octets(i) === outer.messages.octets(o);
  if (inner.messages.id[i] >= 0 && outer.messages.id[o] >= 0 && !hasSameId(inner, i, outer, o)) return false;
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
  pairs: readonly [number, number][],
  towardsAgent: boolean,
  result: Int32Array,
  afterInner = -1,
  beforeInner = inner.half.rows.length,
  afterOuter = -1,
  beforeOuter = outer.half.rows.length,
): Int32Array {
  const between = pairs.filter(([i, o]) => i > afterInner && i < beforeInner && o > afterOuter && o < beforeOuter);
  let innerEnd = beforeInner;
  let outerEnd = beforeOuter;
  for (let p = between.length; p >= 0; p--) {
    const [innerAnchor, outerAnchor] = p > 0 ? between[p - 1] : [afterInner, afterOuter];
    byContent(inner, outer, towardsAgent, result, innerAnchor, innerEnd, outerAnchor, outerEnd);
    if (p > 0) result[outerAnchor] = innerAnchor;
    innerEnd = innerAnchor;
    outerEnd = outerAnchor;
  }
  return result;
}

/** Common time, or the capture's own where its clock is not known. */
export function timeOf({ half, messages, clock }: AlignSide, position: number): number {
  const timeNs = messages.sentNs[half.rows[position]];
  return clock === null ? timeNs : clock.toCommon(timeNs);
}

/** How far apart two times that are one moment may seem; infinite where a clock is not known. */
function withinNs(inner: AlignSide, outer: AlignSide): number {
  return (inner.clock?.withinNs ?? Number.POSITIVE_INFINITY) + (outer.clock?.withinNs ?? Number.POSITIVE_INFINITY);
}

/** What passes a hop takes about as long as the rest does; copies of a command are offered further apart. */
const IN_TIME_NS = 250e6;
const LEAST_DELAYS = 3;

/**
 * Of equal contents the pairs that are as far apart in time as most: nothing else can be between two of them. A content that is left once
 * on each side may be two copies, of which each capture lost the other one: that shows in its time.
 */
function pairsInTime(
  inner: AlignSide,
  outer: AlignSide,
  anchored: readonly [number, number][],
  towardsAgent: boolean,
  known: Passage | null,
): [number, number][] {
  const sign = towardsAgent ? 1 : -1;
  const delays = anchored
    .map(([i, o]) => sign * (timeOf(outer, o) - timeOf(inner, i)))
    .filter((each) => !Number.isNaN(each));
  delays.sort((a, b) => a - b);
  const slackNs = TIME_SLACK_NS + withinNs(inner, outer);
  const own = delays.length < LEAST_DELAYS ? 0 : delays[delays.length >> 1];
  const usual = known === null ? own : sign * known.delayNs;
  const byContentKey = new Map<number, number[]>();
  inner.half.rows.forEach((row, position) => {
    if (!isWhole(inner.messages, row)) return;
    const key = contentKey(inner, row);
    const positions = byContentKey.get(key);
    if (positions === undefined) byContentKey.set(key, [position]);
    else positions.push(position);
  });
  const pairs: [number, number][] = [];
  outer.half.rows.forEach((row, o) => {
    if (!isWhole(outer.messages, row)) return;
    let best = -1;
    let least = IN_TIME_NS;
    for (const i of byContentKey.get(contentKey(outer, row)) ?? []) {
      if (isOtherPing(inner, inner.half.rows[i], outer, row, towardsAgent, slackNs)) continue;
      const off = Math.abs(sign * (timeOf(outer, o) - timeOf(inner, i)) - usual);
      if (off <= least) [best, least] = [i, off];
    }
    if (best >= 0) pairs.push([best, o]);
  });
  return increasing(pairs);
}

function byContent(
  inner: AlignSide,
  outer: AlignSide,
  towardsAgent: boolean,
  result: Int32Array,
  afterInner: number,
  beforeInner: number,
  afterOuter: number,
  beforeOuter: number,
): void {
  const clocksKnown = inner.clock !== null && outer.clock !== null;
  const slackNs = TIME_SLACK_NS + withinNs(inner, outer);
  let i = beforeInner - 1;
  for (let o = beforeOuter - 1; o > afterOuter; o--) {
    const row = outer.half.rows[o];
    for (let j = i; j > afterInner; j--) {
      const other = inner.half.rows[j];
      if (!isAlike(inner, other, outer, row)) continue;
      if (clocksKnown) {
        const passedNs = common(outer, row) - common(inner, other);
        if ((towardsAgent ? passedNs : -passedNs) < -slackNs) continue;
        if (isOtherPing(inner, other, outer, row, towardsAgent, slackNs)) continue;
        // What passed just then was not captured, and this one is older.
        if (
          Math.abs(passedNs) > IN_TIME_NS + slackNs &&
          isOver(towardsAgent ? inner : outer, towardsAgent ? outer : inner, towardsAgent ? row : other)
        )
          continue;
      }
      result[o] = j;
      i = j - 1;
      break;
    }
  }
}

/** The capture of the side that had it first was over when the other one showed it. */
function isOver(first: AlignSide, then: AlignSide, row: number): boolean {
  return (first.clock?.toCommon(first.endNs) ?? Number.NaN) < common(then, row) - IN_TIME_NS;
}

function common({ clock, messages }: AlignSide, row: number): number {
  return clock?.toCommon(messages.sentNs[row]) ?? Number.NaN;
}

/** A Ping that left before it came, or whose Pong was back before it left: another one, though it reads the same. */
function isOtherPing(
  inner: AlignSide,
  i: number,
  outer: AlignSide,
  o: number,
  towardsAgent: boolean,
  slackNs: number,
): boolean {
  if (inner.messages.opcode[i] !== PING) return false;
  const [from, at, to, then] = towardsAgent ? [inner, i, outer, o] : [outer, o, inner, i];
  const pong = from.messages.pair[at];
  if (common(from, at) - common(to, then) > slackNs) return true;
  return pong >= 0 && common(to, then) - common(from, pong) > slackNs;
}

/** The same content; of messages that were not read whole the same ID, or the same masking key and length. */
function isAlike(inner: AlignSide, i: number, outer: AlignSide, o: number): boolean {
  const [a, b] = [inner.messages, outer.messages];
  if (isWhole(a, i) && isWhole(b, o)) return contentKey(inner, i) === contentKey(outer, o);
  if (a.has(i, MessageFlag.rest) || b.has(o, MessageFlag.rest)) return false;
  if (kindOf(a, i) !== kindOf(b, o) || a.opcode[i] === 0) return false;
  if (a.id[i] >= 0 && b.id[o] >= 0) return hasSameId(inner, i, outer, o);
  return a.maskingKey[i] !== 0 && a.maskingKey[i] === b.maskingKey[o] && a.octets(i) === b.octets(o);
}

/** The same ID, and the same type: a CommandAck and a result have one ID. */
function hasSameId(inner: AlignSide, i: number, outer: AlignSide, o: number): boolean {
  const [a, b] = [inner.messages, outer.messages];
  if (inner.strings.hashOf(a.id[i]) !== outer.strings.hashOf(b.id[o])) return false;
  return a.type[i] < 0 || b.type[o] < 0 || inner.strings.hashOf(a.type[i]) === outer.strings.hashOf(b.type[o]);
}
