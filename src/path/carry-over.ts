/**
 * What one capture could not read (a hole, packets that were cut), read in another hop's capture: where the same octets stand on both legs
 * (align.ts proves the distance at both ends), the message's place is known, and sequence numbers and TCP ACKs tell the rest. In: the halves of
 * one path and where they agree. Out: rows in the message table as if the message had been read there, marked as carried; and the spans that
 * hold nothing else than what other hops tell.
 */

import { MessageFlag, type MessageTable } from '../hop/message-table.js';
import type { HopObservation, ObservedHalf } from '../hop/observation.js';
import type { Gap } from '../tcp/half-stream.js';
import type { ProvenStretch } from './align-marks.js';
import { copyRow } from './row-copy.js';
import type { ThreadTable } from './thread-table.js';
import { isWholeHalf } from './whole.js';

export interface CarrySide {
  hop: number;
  /** Its connection's number. */
  connection: number;
  half: ObservedHalf;
  observation: HopObservation;
  /** Rows that were read here, and the thread of each by position. */
  rows: Int32Array;
  threadAt: Int32Array;
  /** Octets of the stream are TCP's own. */
  plain: boolean;
}

/** Two legs on which the same octets stand. */
export interface Agreement {
  inner: number;
  outer: number;
  proven: readonly ProvenStretch[];
}

export function carryOver(table: ThreadTable, sides: readonly CarrySide[], agreements: readonly Agreement[]): void {
  for (const to of sides) {
    if (!to.plain || isWholeHalf(to.half)) continue;
    const rows: number[] = [];
    for (const from of byNearness(to, sides)) {
      for (const stretch of stretchesFrom(from, to, agreements)) {
        carryRows(table, from, to, stretch, rows);
        explain(table, from, to, stretch);
      }
    }
    if (rows.length > 0) adopt(table, to, rows);
  }
}

function byNearness(to: CarrySide, sides: readonly CarrySide[]): CarrySide[] {
  const others = sides.filter((each) => each !== to);
  return others.sort((a, b) => Math.abs(a.hop - to.hop) - Math.abs(b.hop - to.hop));
}

/** In offsets of `to`; `shift` added to them gives the offset at `from`. */
function stretchesFrom(from: CarrySide, to: CarrySide, agreements: readonly Agreement[]): ProvenStretch[] {
  const stretches: ProvenStretch[] = [];
  for (const { inner, outer, proven } of agreements) {
    if (inner === to.hop && outer === from.hop) stretches.push(...proven);
    if (inner === from.hop && outer === to.hop)
      for (const { from: start, to: end, shift } of proven)
        stretches.push({ from: start + shift, to: end + shift, shift: -shift });
  }
  return stretches;
}

/** Text messages that `from` read in the stretch and of which `to` knows nothing. */
function carryRows(
  table: ThreadTable,
  from: CarrySide,
  to: CarrySide,
  { from: start, to: end, shift }: ProvenStretch,
  into: number[],
): void {
  const { messages } = from.observation;
  const unsure = MessageFlag.partial | MessageFlag.unreadable;
  const { rows } = from;
  for (let position = 0; position < rows.length; position++) {
    const row = rows[position];
    if (messages.opcode[row] !== TEXT || messages.has(row, unsure) || messages.spans.has(row)) continue;
    // Of a message that is damaged here as well its ID has to be known.
    if (messages.has(row, MessageFlag.damaged) && messages.id[row] < 0) continue;
    const thread = from.threadAt[position];
    if (thread < 0 || table.row(thread, to.hop) >= 0) continue;
    const placed = { from: messages.startOffset[row] - shift, to: messages.endOffset[row] - shift };
    if (placed.from < start || placed.to > end || overlapsRow(to, placed)) continue;
    const found = whatLeft(to, placed);
    if (found === null) continue;
    const carried = copyRow(from.observation, row, to.observation, to.connection);
    writeLeft(to.observation.messages, carried, placed, found);
    to.observation.messages.flags[carried] |= MessageFlag.damaged | MessageFlag.carried;
    table.set(thread, to.hop, carried);
    into.push(carried);
  }
}

const TEXT = 1;

interface Range {
  from: number;
  to: number;
}

/** What TCP says of octets of which no message was read. */
export interface Left {
  octetsSeen: number;
  sentNs: number;
  refs: number[];
  retransmissions: number;
  /** NaN where not all was TCP-ACKed. */
  tcpAckNs: number;
  tcpAckRef: number;
}

/** Null where nothing is known of a part of them: neither seen nor TCP-ACKed. */
export function whatLeft(
  { half, observation }: Pick<CarrySide, 'half' | 'observation'>,
  { from, to }: Range,
): Left | null {
  const { messages } = observation;
  const left: Left = { octetsSeen: 0, sentNs: Number.NaN, refs: [], retransmissions: 0, tcpAckNs: 0, tcpAckRef: 0 };
  const acked = (timeNs: number, ref: number) => {
    if (timeNs > left.tcpAckNs || Number.isNaN(timeNs)) [left.tcpAckNs, left.tcpAckRef] = [timeNs, ref];
  };
  let reached = from;
  for (const row of overlapping(half.unread, messages.startOffset, messages.endOffset, from, to)) {
    const [start, end] = [Math.max(reached, messages.startOffset[row]), Math.min(to, messages.endOffset[row])];
    if (start >= end) continue;
    if (start > reached && !missedBetween(half, reached, start, acked)) return null;
    if (start === from) left.sentNs = messages.sentNs[row];
    left.octetsSeen += end - start;
    left.refs.push(...messages.dataRefs(row));
    left.retransmissions = Math.max(left.retransmissions, messages.retransmissions[row]);
    if (!Number.isNaN(left.tcpAckNs)) acked(messages.tcpAckNs[row], messages.tcpAckRef[row]);
    reached = end;
  }
  if (reached < to && !missedBetween(half, reached, to, acked)) return null;
  // What was not seen counts only where TCP ACKs prove that it left.
  if (left.octetsSeen < to - from && Number.isNaN(left.tcpAckNs)) return null;
  left.refs = [...new Set(left.refs)].sort((a, b) => a - b);
  return left;
}

/** Rows that overlap [from, to), in stream order. The rows do not overlap each other: each has octets of its own. */
function overlapping(
  rows: Int32Array,
  startOffset: Float64Array,
  endOffset: Float64Array,
  from: number,
  to: number,
): number[] {
  const sorted = inStreamOrder(rows, startOffset);
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (endOffset[sorted[middle]] <= from) low = middle + 1;
    else high = middle;
  }
  const found: number[] = [];
  for (; low < sorted.length && startOffset[sorted[low]] < to; low++) found.push(sorted[low]);
  return found;
}

/** Sorted once for all messages that are looked up in them. */
const SORTED = new WeakMap<Int32Array, Int32Array>();

function inStreamOrder(rows: Int32Array, startOffset: Float64Array): Int32Array {
  let sorted = SORTED.get(rows);
  if (sorted === undefined) {
    sorted = rows.slice().sort((a, b) => startOffset[a] - startOffset[b]);
    SORTED.set(rows, sorted);
  }
  return sorted;
}

/** Whether [from, to) lies in holes that the receiver TCP-ACKed; tells by which TCP ACKs. */
function missedBetween(
  { gaps }: ObservedHalf,
  from: number,
  to: number,
  acked: (timeNs: number, ref: number) => void,
): boolean {
  let reached = from;
  for (const gap of gaps) {
    if (gap.to <= reached || gap.from > reached) continue;
    if (gap.kind !== 'missed') return false;
    reached = Math.min(to, gap.to);
    const step = ackOf(gap, reached);
    acked(step.timeNs, step.ref);
    if (reached >= to) return true;
  }
  return false;
}

/** The TCP ACK that covered a hole up to an octet; when the hole became known where that is all that is kept. */
function ackOf({ acks, toNs }: Gap, end: number): { timeNs: number; ref: number } {
  for (let i = 0; i < acks.length; i += 3) if (acks[i] >= end) return { timeNs: acks[i + 1], ref: acks[i + 2] };
  return { timeNs: toNs, ref: 0 };
}

function overlapsRow({ half, observation }: CarrySide, { from, to }: Range): boolean {
  const { startOffset, endOffset } = observation.messages;
  return half.rows.some((row) => startOffset[row] < to && endOffset[row] > from);
}

/** To a row: where it stands, and what left. */
export function writeLeft(messages: MessageTable, row: number, { from, to }: Range, left: Left): void {
  messages.startOffset[row] = from;
  messages.endOffset[row] = to;
  messages.sentNs[row] = left.sentNs;
  messages.octetsSeen[row] = left.octetsSeen;
  messages.retransmissions[row] = left.retransmissions;
  messages.tcpAckNs[row] = left.tcpAckNs;
  messages.tcpAckRef[row] = left.tcpAckRef;
  messages.setDataRefs(row, left.refs);
}

/** They belong to the half from now on. */
function adopt(table: ThreadTable, { half, hop, observation }: CarrySide, rows: readonly number[]): void {
  const { startOffset } = observation.messages;
  half.rows = Int32Array.from([...half.rows, ...rows]).sort((a, b) => startOffset[a] - startOffset[b] || a - b);
  half.unsound = Int32Array.from([...half.unsound, ...rows]);
  for (const row of rows) table.know(hop, row);
}

/** Spans that could not be read here, and were read there from end to end: they hold nothing that is not known. */
function explain(table: ThreadTable, from: CarrySide, to: CarrySide, stretch: ProvenStretch): void {
  const isRead = (span: Range) =>
    span.from >= stretch.from &&
    span.to <= stretch.to &&
    wasRead(table, from, span.from + stretch.shift, span.to + stretch.shift, to.hop);
  for (const span of to.half.gaps) if (isRead(span)) table.explain(to.hop, span);
  for (const span of to.half.blind) if (isRead(span)) table.explain(to.hop, span);
  const { startOffset, endOffset } = to.observation.messages;
  for (const row of to.half.unsound)
    if (!table.isKnown(to.hop, row) && isRead({ from: startOffset[row], to: endOffset[row] })) table.know(to.hop, row);
}

function isTold(table: ThreadTable, hop: number, { messages }: HopObservation, row: number): boolean {
  return messages.has(row, MessageFlag.named) || table.isKnown(hop, row);
}

/** From end to end, and what has an ID is known at the other hop, too. */
function wasRead(
  table: ThreadTable,
  { half, hop, observation, rows, threadAt }: CarrySide,
  from: number,
  to: number,
  toHop: number,
): boolean {
  const { startOffset, endOffset, opcode, id } = observation.messages;
  const meets = (span: Range) => span.from < to && span.to > from;
  if (half.gaps.some(meets) || half.blind.some(meets)) return false;
  const stands = (row: number) => startOffset[row] < to && endOffset[row] > from;
  if (half.unsound.some((row) => stands(row) && !isTold(table, hop, observation, row))) return false;
  return rows.every((row, position) => {
    if (!stands(row) || (opcode[row] !== TEXT && id[row] < 0)) return true;
    return threadAt[position] >= 0 && table.row(threadAt[position], toHop) >= 0;
  });
}
