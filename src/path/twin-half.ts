/**
 * One direction of a TCP connection in two captures, of which one could not read all of it. In: twin-capture.ts. Out: the half as it is with
 * what the other capture read: rows with this capture's packets, times and TCP ACKs, and the holes that remain.
 */

import { MessageFlag, type MessageTable } from '../hop/message-table.js';
import type { BlindSpan, HopObservation, ObservedConnection, ObservedHalf } from '../hop/observation.js';
import { whatLeft, writeLeft } from './carry-over.js';
import { copyRow } from './row-copy.js';

export type Way = 'fromServer' | 'fromClient';
export const WAYS = ['fromServer', 'fromClient'] as const;

export interface Seen {
  observation: HopObservation;
  connection: ObservedConnection;
}

const PING = 9;
const PONG = 10;
const CLOSE = 8;

/** Octets that headers or TCP ACKs tell of are missing from the capture. What nobody saw or TCP-ACKed may never have come. */
export function isHoled({ gaps, blind, packets }: ObservedHalf): boolean {
  return packets > 0 && (blind.length > 0 || gaps.some(({ kind }) => kind !== 'never-acked'));
}

interface Range {
  from: number;
  to: number;
}

/** Offsets are this capture's. */
export class TwinHalf {
  private readonly half: ObservedHalf;
  private readonly other: ObservedHalf;
  /** What to add for an offset of the twin. */
  private readonly shift: number;
  /** What the twin did not read, in order. */
  private unread: Range[];

  constructor(
    private readonly observation: HopObservation,
    private readonly connection: ObservedConnection,
    way: Way,
    private readonly twin: Seen,
  ) {
    this.half = connection[way];
    this.other = twin.connection[way];
    this.shift = (this.half.baseSequence - this.other.baseSequence) | 0;
    this.unread = this.unreadRanges();
  }

  private unreadRanges(): Range[] {
    const { gaps, blind, unsound, rows, next } = this.other;
    const { messages } = this.twin.observation;
    const { startOffset, endOffset } = messages;
    const ranges: Range[] = [...gaps, ...blind].map(({ from, to }) => ({ from, to }));
    for (const row of unsound)
      if (!messages.has(row, MessageFlag.named | MessageFlag.unreadable))
        ranges.push({ from: startOffset[row], to: endOffset[row] });
    const last = rows.at(-1) ?? -1;
    if (last >= 0 && messages.has(last, MessageFlag.partial) && !this.endsAsThere(last))
      ranges.push({ from: startOffset[last], to: endOffset[last] });
    ranges.push({ from: Number.NEGATIVE_INFINITY, to: 0 }, { from: next, to: Number.POSITIVE_INFINITY });
    return disjoint(ranges.map(({ from, to }) => ({ from: from - this.shift, to: to - this.shift })));
  }

  /** Of a row of the twin, as far as it was sent. */
  private placeOf(row: number): Range {
    const { messages } = this.twin.observation;
    const { startOffset, endOffset, octetsSeen } = messages;
    const to = messages.has(row, MessageFlag.partial) ? startOffset[row] + octetsSeen[row] : endOffset[row];
    return { from: startOffset[row] - this.shift, to: to - this.shift };
  }

  /** The stream ends within a message, here as there. */
  private endsAsThere(row: number): boolean {
    return this.placeOf(row).to === this.half.next;
  }

  private isRead({ from, to }: Range): boolean {
    const { unread } = this;
    let low = 0;
    let high = unread.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (unread[middle].to <= from) low = middle + 1;
      else high = middle;
    }
    return !(low < unread.length && unread[low].from < to);
  }

  complete(rows: Map<number, number>): ObservedHalf {
    const { half, other } = this;
    if (half.packets === 0 || other.packets === 0 || !isHoled(half)) return half;
    const notHere: Range[] = [];
    const kept = this.carry(rows, notHere);
    // What is not known to have left here leaves a hole.
    this.unread = disjoint([...this.unread, ...notHere]);
    const { gaps, blind } = this.withoutHoles();
    const { messages } = this.observation;
    const unsound = kept.filter(
      (row) =>
        messages.has(row, MessageFlag.unreadable | MessageFlag.damaged) && !messages.has(row, MessageFlag.carried),
    );
    const webSocketFrom = other.webSocketFrom - this.shift;
    const isAll = gaps.length === 0 && blind.length === 0;
    return {
      ...half,
      rows: Int32Array.from(kept),
      unsound: Int32Array.from(unsound),
      gaps,
      blind,
      webSocketFrom: Number.isNaN(half.webSocketFrom) && webSocketFrom >= 0 ? webSocketFrom : half.webSocketFrom,
      counts: isAll ? this.countsOf(kept) : half.counts,
      closeCode: half.closeCode ?? other.closeCode,
      lastMessageNs: this.lastMessageNs(kept),
      opaque: half.opaque ?? (other.opaque === null ? null : { fromNs: half.firstSeenNs, toNs: half.lastSeenNs }),
    };
  }

  /** Holes that the twin has octet by octet are none. */
  withoutHoles(): ObservedHalf {
    const { half } = this;
    const gaps = half.gaps.filter((gap) => gap.kind === 'never-acked' || !this.isRead(gap));
    return { ...half, gaps, blind: half.blind.flatMap((span) => this.remainsOf(span)) };
  }

  /** Rows in stream order: the ones that were read here, and those of the twin. */
  private carry(into: Map<number, number>, notHere: Range[]): number[] {
    const { half, other, observation } = this;
    const { messages } = observation;
    const theirs = this.twin.observation.messages;
    const own = Array.from(half.rows);
    const added: number[] = [];
    const wrong = new Set<number>();
    let at = 0;
    let from = Number.NaN;
    let ordinal = 0;
    for (const row of other.rows) {
      const placed = this.placeOf(row);
      // Several messages may have come in one frame.
      ordinal = placed.from === from ? ordinal + 1 : 0;
      from = placed.from;
      if (placed.from >= half.next) break;
      if (placed.to <= 0 || !this.isRead(placed)) continue;
      if (theirs.has(row, MessageFlag.partial) && !this.endsAsThere(row)) continue;
      while (at < own.length && messages.endOffset[own[at]] <= placed.from) at++;
      let same = -1;
      let skipped = 0;
      let isRead = false;
      for (let i = at; i < own.length && messages.startOffset[own[i]] < placed.to; i++) {
        const mine = own[i];
        if (messages.endOffset[mine] <= placed.from) continue;
        if (isWhole(messages, mine)) {
          isRead = true;
          if (messages.startOffset[mine] === placed.from) into.set(row, mine);
        } else if (messages.startOffset[mine] === placed.from) {
          if (skipped++ === ordinal) same = mine;
        } else if (!messages.has(mine, MessageFlag.fragmented)) wrong.add(mine);
      }
      if (isRead) continue;
      // A frame of another length would be a frame at another place: then neither is believed.
      if (same >= 0 && messages.endOffset[same] !== placed.to) {
        notHere.push(placed);
        continue;
      }
      if (same >= 0) {
        this.tell(row, same);
        into.set(row, same);
        continue;
      }
      const left = whatLeft({ half, observation }, placed);
      if (left === null) {
        notHere.push(placed);
        continue;
      }
      const carried = copyRow(this.twin.observation, row, observation, this.connection.index);
      writeLeft(messages, carried, placed, left);
      messages.flags[carried] |= MessageFlag.carried | (theirs.flags[row] & MessageFlag.partial);
      messages.endOffset[carried] = theirs.endOffset[row] - this.shift;
      if (theirs.has(row, MessageFlag.partial)) messages.tcpAckNs[carried] = Number.NaN;
      moveSpans(messages, carried, this.shift);
      added.push(carried);
      into.set(row, carried);
    }
    const { startOffset } = messages;
    return [...own.filter((row) => !wrong.has(row)), ...added].sort((a, b) => startOffset[a] - startOffset[b] || a - b);
  }

  /** The frame's head was read here, its payload there. */
  private tell(theirs: number, mine: number): void {
    const a = this.twin.observation.messages;
    const b = this.observation.messages;
    const string = (index: number) =>
      index < 0 ? index : this.observation.strings.internFrom(this.twin.observation.strings, index);
    const unread = MessageFlag.damaged | MessageFlag.partial | MessageFlag.rest;
    b.flags[mine] = (b.flags[mine] & ~unread) | MessageFlag.carried;
    b.opcode[mine] = a.opcode[theirs];
    b.length[mine] = a.length[theirs];
    b.digest[mine] = a.digest[theirs];
    b.maskingKey[mine] = a.maskingKey[theirs];
    b.type[mine] = string(a.type[theirs]);
    b.id[mine] = string(a.id[theirs]);
  }

  /** What the twin did not read of it either. */
  private remainsOf(span: BlindSpan): BlindSpan[] {
    const { half, observation } = this;
    const remains: BlindSpan[] = [];
    for (const { from, to } of this.unread) {
      const [start, end] = [Math.max(span.from, from, remains.at(-1)?.to ?? span.from), Math.min(span.to, to)];
      if (start >= end) continue;
      remains.push({
        ...span,
        from: start,
        to: end,
        fromNs: start === span.from ? span.fromNs : sentBefore(half, observation, start, span.fromNs),
        toNs: end === span.to ? span.toNs : sentAfter(half, observation, end, span.toNs),
      });
    }
    return remains;
  }

  private countsOf(rows: readonly number[]): ObservedHalf['counts'] {
    const { opcode } = this.observation.messages;
    const { counts } = this.other;
    const own = { text: 0, binary: 0, ping: 0, pong: 0, close: 0 };
    for (const row of rows) {
      if (opcode[row] === 1) own.text++;
      else if (opcode[row] === 2) own.binary++;
      else if (opcode[row] === CLOSE) own.close++;
      else if (opcode[row] === PING) own.ping++;
      else if (opcode[row] === PONG) own.pong++;
    }
    // Of the messages that are no commands only a sample has rows.
    const all = counts.text + counts.binary + counts.ping + counts.pong + counts.close;
    return all > this.other.rows.length ? counts : own;
  }

  private lastMessageNs(rows: readonly number[]): number {
    const { half, other } = this;
    if (Number.isNaN(other.lastMessageNs)) return half.lastMessageNs;
    const { opcode, sentNs } = this.observation.messages;
    let lastNs = half.lastMessageNs;
    for (const row of rows) if (opcode[row] < CLOSE && !(sentNs[row] <= lastNs)) lastNs = sentNs[row];
    return lastNs;
  }
}

/** In order, without overlaps. */
function disjoint(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

function isWhole(messages: MessageTable, row: number): boolean {
  return !messages.has(row, MessageFlag.partial | MessageFlag.damaged);
}

function moveSpans(messages: MessageTable, row: number, shift: number): void {
  const spans = messages.spans.get(row);
  if (spans !== undefined)
    messages.spans.set(
      row,
      spans.map((offset) => offset - shift),
    );
}

/** When the octet before `offset` left, as far as the segments tell of which nothing was read here. */
function sentBefore(
  { unread }: ObservedHalf,
  { messages }: HopObservation,
  offset: number,
  otherwiseNs: number,
): number {
  for (const row of unread)
    if (messages.startOffset[row] < offset && messages.endOffset[row] >= offset && messages.sentNs[row] >= otherwiseNs)
      return messages.sentNs[row];
  return otherwiseNs;
}

/** When the octet at `offset` left. */
function sentAfter(
  { unread }: ObservedHalf,
  { messages }: HopObservation,
  offset: number,
  otherwiseNs: number,
): number {
  for (const row of unread)
    if (messages.startOffset[row] <= offset && messages.endOffset[row] > offset && messages.sentNs[row] <= otherwiseNs)
      return messages.sentNs[row];
  return otherwiseNs;
}
