/**
 * The send side of the ACK ledger: which octets of one direction left when, in which packet, and what was sent again.
 * In: half-stream.ts adds every data segment in capture order. Out: answers for any range of octets that is not pruned yet.
 * A ring of numbers, no object per segment. Its size is bounded: past the bound the oldest entries go and are counted.
 *
 *   one entry: start | end | timeNs | ref | mark        what belongs together lies together: each packet touches one entry
 */

import type { PacketClock } from './packet-clock.js';

const MAX_ENTRIES = 1 << 16;
const MAX_WAITING_REFS = 16;

/** Answer for a range of octets. Arrays are fresh and belong to the caller. */
export interface SentRange {
  /** Time at which the first octet of the range first left, NaN where it was never seen. */
  firstSentNs: number;
  /** Time at which the last octet of the range was seen for the first time; NaN where a part was never seen. */
  lastSentNs: number;
  /** The packet that brought the last octets that were missing. */
  lastRef: number;
  /** Running numbers of the packets that carried octets of the range, in capture order. */
  refs: number[];
  /** How many of those carried octets of the range that had been seen before. */
  retransmissions: number;
  /** Octets of the range that were seen leaving. */
  octetsSeen: number;
}

export interface WaitingSegments {
  /** Packets that carried the first octet that waits, the first ones. */
  refs: number[];
  transmissions: number;
  /** The largest and the smallest of those segments, and the smallest of all that wait. */
  octets: number;
  least: number;
  smallest: number;
  lastSentNs: number;
}

/** Places within an entry, and how many there are. */
const START = 0;
const END = 1;
const TIME = 2;
const REF = 3;
const MARK = 4;
const WIDTH = 5;
const FIRST_ENTRIES = 8;
/** Most streams of a busy capture never send a message: the ring is made for the first segment. */
const NONE = new Float64Array(0);
/** The answer of `carriersInTurn`, of whichever ledger was asked last. */
const CARRIERS = new Uint32Array(64);
const SOLE_TIME = new Float64Array(1);

export class SegmentLedger {
  private ring = NONE;
  private size = 0;
  private head = 0;
  private count = 0;
  /** Entries that had to go although they were not pruned yet. */
  overflowed = 0;

  /** Entries are stamped with the clock's packet. */
  constructor(private readonly clock: PacketClock) {}

  /** `mark` tells copies of one packet from retransmissions: the timestamp option's value, 0 for none. */
  add(start: number, end: number, mark: number): void {
    if (this.count === this.size) this.grow();
    const { ring } = this;
    const at = ((this.head + this.count) & (this.size - 1)) * WIDTH;
    ring[at + START] = start;
    ring[at + END] = end;
    ring[at + TIME] = this.clock.timeNs;
    ring[at + REF] = this.clock.ref;
    ring[at + MARK] = mark;
    this.count++;
  }

  /** Offsets are counted from an earlier octet on. */
  moveBy(octets: number): void {
    for (let i = 0; i < this.count; i++) {
      const at = this.place(i);
      this.ring[at + START] += octets;
      this.ring[at + END] += octets;
    }
  }

  /** No room is left: whoever knows what may go should say so by `prune` before the next entry is added. */
  get full(): boolean {
    return this.count === this.size && this.count > 0;
  }

  /** The ring will soon want to know what may go; until then nobody needs to work it out. */
  get crowded(): boolean {
    return this.count * 2 >= this.size;
  }

  /** Drops leading entries that end at or below the offset. */
  prune(below: number): void {
    const mask = this.size - 1;
    while (this.count > 0 && this.ring[this.head * WIDTH + END] <= below) {
      this.head = (this.head + 1) & mask;
      this.count--;
    }
  }

  /** Whether the same octets with the same mark are already there, captured no longer ago than `withinNs`. */
  hasCopy(start: number, end: number, mark: number, withinNs: number): boolean {
    if (mark === 0) return false;
    const { ring } = this;
    const { timeNs } = this.clock;
    for (let i = this.count - 1; i >= 0; i--) {
      const at = this.place(i);
      if (timeNs - ring[at + TIME] > withinNs) return false;
      if (ring[at + START] === start && ring[at + END] === end && ring[at + MARK] === mark) return true;
    }
    return false;
  }

  /** Where the entry stands in the ring, oldest first. */
  private place(i: number): number {
    return ((this.head + i) & (this.size - 1)) * WIDTH;
  }

  /** The place of the entry that first carried the octet at `offset`; -1 if none does. */
  private firstCarrier(offset: number): number {
    const { ring } = this;
    for (let i = 0; i < this.count; i++) {
      const at = this.place(i);
      if (ring[at + START] <= offset && ring[at + END] > offset) return at;
    }
    return -1;
  }

  firstSentNs(offset: number): number {
    const at = this.firstCarrier(offset);
    return at < 0 ? Number.NaN : this.ring[at + TIME];
  }

  firstSentRef(offset: number): number {
    const at = this.firstCarrier(offset);
    return at < 0 ? 0 : this.ring[at + REF];
  }

  /**
   * The segments that carried [start, end) one after the other, none twice: how many, 0 where it was not so plain. Their packets are then
   * in `carriers`, and `soleTimeNs` is the first one's time.
   */
  carriersInTurn(start: number, end: number): number {
    const { ring } = this;
    let count = 0;
    let reached = start;
    for (let i = 0; i < this.count; i++) {
      const at = this.place(i);
      if (ring[at + END] <= start || ring[at + START] >= end) continue;
      if (count === 0 ? ring[at + START] > start : ring[at + START] !== reached) return 0;
      if (count === 0) SOLE_TIME[0] = ring[at + TIME];
      if (count === this.carriers.length) return 0;
      this.carriers[count++] = ring[at + REF];
      reached = ring[at + END];
    }
    return reached >= end ? count : 0;
  }
  readonly carriers = CARRIERS;

  /** Time of the first of them. */
  get soleTimeNs(): number {
    return SOLE_TIME[0];
  }

  range(start: number, end: number): SentRange {
    const { ring } = this;
    const refs: number[] = [];
    let retransmissions = 0;
    let firstSentNs = Number.NaN;
    let lastSentNs = Number.NaN;
    let lastRef = 0;
    // Disjoint covered pieces, few: a message seldom spans many segments that arrive out of order.
    const covered: { start: number; end: number }[] = [];
    for (let i = 0; i < this.count; i++) {
      const at = this.place(i);
      const from = Math.max(start, ring[at + START]);
      const to = Math.min(end, ring[at + END]);
      if (from >= to) continue;
      refs.push(ring[at + REF]);
      if (from === start && Number.isNaN(firstSentNs)) firstSentNs = ring[at + TIME];
      if (covered.some((piece) => piece.start < to && piece.end > from)) retransmissions++;
      if (!merge(covered, from, to)) continue;
      lastSentNs = ring[at + TIME];
      lastRef = ring[at + REF];
    }
    let octetsSeen = 0;
    for (const piece of covered) octetsSeen += piece.end - piece.start;
    if (octetsSeen < end - start) lastSentNs = Number.NaN;
    return { firstSentNs, lastSentNs, lastRef, refs, retransmissions, octetsSeen };
  }

  /** Where each segment that carried octets of [from, to) stood, clipped to it, without those that brought nothing new: start and end by turns. */
  pieces(from: number, to: number): number[] {
    const { ring } = this;
    const covered: { start: number; end: number }[] = [];
    const pieces: number[] = [];
    for (let i = 0; i < this.count; i++) {
      const at = this.place(i);
      const start = Math.max(from, ring[at + START]);
      const end = Math.min(to, ring[at + END]);
      if (start < end && merge(covered, start, end)) pieces.push(start, end);
    }
    return pieces;
  }

  /** The segments that carried octets from `from` on: how large, how often the octet at `from` left, and when last. */
  waiting(from: number): WaitingSegments {
    const { ring } = this;
    const waiting: WaitingSegments = {
      refs: [],
      transmissions: 0,
      octets: 0,
      least: 0,
      smallest: 0,
      lastSentNs: Number.NaN,
    };
    for (let i = 0; i < this.count; i++) {
      const at = this.place(i);
      if (ring[at + END] <= from) continue;
      const octets = ring[at + END] - ring[at + START];
      if (waiting.smallest === 0 || octets < waiting.smallest) waiting.smallest = octets;
      if (ring[at + START] > from) continue;
      waiting.transmissions++;
      waiting.octets = Math.max(waiting.octets, octets);
      if (waiting.least === 0 || octets < waiting.least) waiting.least = octets;
      waiting.lastSentNs = ring[at + TIME];
      if (waiting.refs.length < MAX_WAITING_REFS) waiting.refs.push(ring[at + REF]);
    }
    return waiting;
  }

  private grow(): void {
    const { ring, head, size } = this;
    if (size >= MAX_ENTRIES) {
      this.head = (head + 1) & (size - 1);
      this.count--;
      this.overflowed++;
      return;
    }
    this.size = Math.max(FIRST_ENTRIES, size * 2);
    this.ring = new Float64Array(this.size * WIDTH);
    this.ring.set(ring.subarray(head * WIDTH));
    this.ring.set(ring.subarray(0, head * WIDTH), (size - head) * WIDTH);
    this.head = 0;
  }
}

/** Adds a piece to a sorted list of disjoint ones; true if it brought anything new. */
function merge(pieces: { start: number; end: number }[], start: number, end: number): boolean {
  const last = pieces.length - 1;
  if (last < 0 || start > pieces[last].end) {
    pieces.push({ start, end });
    return true;
  }
  if (start === pieces[last].end) {
    pieces[last].end = end;
    return true;
  }
  if (pieces.some((piece) => piece.start <= start && piece.end >= end)) return false;
  pieces.push({ start, end });
  pieces.sort((a, b) => a.start - b.start);
  let kept = 0;
  for (let i = 1; i < pieces.length; i++) {
    if (pieces[i].start <= pieces[kept].end) pieces[kept].end = Math.max(pieces[kept].end, pieces[i].end);
    else pieces[++kept] = pieces[i];
  }
  pieces.length = kept + 1;
  return true;
}
