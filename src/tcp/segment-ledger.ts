/**
 * The send side of the ACK ledger: which octets of one direction left when, in which packet, and what was sent again.
 * In: half-stream.ts adds every data segment in capture order. Out: answers for any range of octets that is not pruned yet.
 * A ring of columns, no object per segment. Its size is bounded: past the bound the oldest entries go and are counted.
 */

const MAX_ENTRIES = 1 << 16;

/** Answer for a range of octets. Arrays are fresh and belong to the caller. */
export interface SentRange {
  /** Time at which the first octet of the range first left, NaN where it was never seen. */
  firstSentNs: number;
  /** Time at which the last octet of the range was seen for the first time; NaN where a part was never seen. */
  lastSentNs: number;
  /** Running numbers of the packets that carried octets of the range, in capture order. */
  refs: number[];
  /** How many of those carried octets of the range that had been seen before. */
  retransmissions: number;
  /** Octets of the range that were seen leaving. */
  octetsSeen: number;
}

export class SegmentLedger {
  private starts = new Float64Array(16);
  private ends = new Float64Array(16);
  private times = new Float64Array(16);
  private refs = new Uint32Array(16);
  private marks = new Uint32Array(16);
  private head = 0;
  private count = 0;
  /** Entries that had to go although they were not pruned yet. */
  overflowed = 0;

  /** `mark` tells copies of one packet from retransmissions: the timestamp option's value, 0 for none. */
  add(start: number, end: number, timeNs: number, ref: number, mark: number, prunableBelow: number): void {
    if (this.count === this.starts.length) {
      this.prune(prunableBelow);
      if (this.count > this.starts.length >> 1) this.grow();
    }
    const at = (this.head + this.count) & (this.starts.length - 1);
    this.starts[at] = start;
    this.ends[at] = end;
    this.times[at] = timeNs;
    this.refs[at] = ref;
    this.marks[at] = mark;
    this.count++;
  }

  /** Drops leading entries that end at or below the offset. */
  prune(below: number): void {
    const mask = this.starts.length - 1;
    while (this.count > 0 && this.ends[this.head] <= below) {
      this.head = (this.head + 1) & mask;
      this.count--;
    }
  }

  /** Whether the same octets with the same mark are already there, captured no longer ago than `withinNs`. */
  hasCopy(start: number, end: number, timeNs: number, mark: number, withinNs: number): boolean {
    if (mark === 0) return false;
    const mask = this.starts.length - 1;
    for (let i = this.count - 1; i >= 0; i--) {
      const at = (this.head + i) & mask;
      if (timeNs - this.times[at] > withinNs) return false;
      if (this.starts[at] === start && this.ends[at] === end && this.marks[at] === mark) return true;
    }
    return false;
  }

  /** Index-free look-up of the entry that first carried the octet at `offset`; -1 if none does. */
  private firstCarrier(offset: number): number {
    const mask = this.starts.length - 1;
    for (let i = 0; i < this.count; i++) {
      const at = (this.head + i) & mask;
      if (this.starts[at] <= offset && this.ends[at] > offset) return at;
    }
    return -1;
  }

  firstSentNs(offset: number): number {
    const at = this.firstCarrier(offset);
    return at < 0 ? Number.NaN : this.times[at];
  }

  firstSentRef(offset: number): number {
    const at = this.firstCarrier(offset);
    return at < 0 ? 0 : this.refs[at];
  }

  /** Packet of the one segment that carried [start, end), where exactly one did and none touched it again; 0 for the packet if not. */
  soleCarrier(start: number, end: number): number {
    const mask = this.starts.length - 1;
    let found = 0;
    for (let i = 0; i < this.count; i++) {
      const at = (this.head + i) & mask;
      if (this.ends[at] <= start || this.starts[at] >= end) continue;
      if (found !== 0 || this.starts[at] > start || this.ends[at] < end) return 0;
      found = this.refs[at];
      this.soleTimeNs = this.times[at];
    }
    return found;
  }
  /** Time of the last sole carrier found. */
  soleTimeNs = Number.NaN;

  range(start: number, end: number): SentRange {
    const mask = this.starts.length - 1;
    const refs: number[] = [];
    let retransmissions = 0;
    let firstSentNs = Number.NaN;
    let lastSentNs = Number.NaN;
    // Disjoint covered pieces, few: a message seldom spans many segments that arrive out of order.
    const covered: { start: number; end: number }[] = [];
    for (let i = 0; i < this.count; i++) {
      const at = (this.head + i) & mask;
      const from = Math.max(start, this.starts[at]);
      const to = Math.min(end, this.ends[at]);
      if (from >= to) continue;
      refs.push(this.refs[at]);
      if (from === start && Number.isNaN(firstSentNs)) firstSentNs = this.times[at];
      if (covered.some((piece) => piece.start < to && piece.end > from)) retransmissions++;
      if (merge(covered, from, to)) lastSentNs = this.times[at];
    }
    let octetsSeen = 0;
    for (const piece of covered) octetsSeen += piece.end - piece.start;
    if (octetsSeen < end - start) lastSentNs = Number.NaN;
    return { firstSentNs, lastSentNs, refs, retransmissions, octetsSeen };
  }

  private grow(): void {
    const size = this.starts.length;
    if (size >= MAX_ENTRIES) {
      this.head = (this.head + 1) & (size - 1);
      this.count--;
      this.overflowed++;
      return;
    }
    this.starts = unrolled(this.starts, this.head, new Float64Array(size * 2));
    this.ends = unrolled(this.ends, this.head, new Float64Array(size * 2));
    this.times = unrolled(this.times, this.head, new Float64Array(size * 2));
    this.refs = unrolled(this.refs, this.head, new Uint32Array(size * 2));
    this.marks = unrolled(this.marks, this.head, new Uint32Array(size * 2));
    this.head = 0;
  }
}

function unrolled<T extends Float64Array | Uint32Array>(ring: T, head: number, into: T): T {
  into.set(ring.subarray(head));
  into.set(ring.subarray(0, head), ring.length - head);
  return into;
}

/** Adds a piece to a sorted list of disjoint ones; true if it brought anything new. */
function merge(pieces: { start: number; end: number }[], start: number, end: number): boolean {
  if (pieces.some((piece) => piece.start <= start && piece.end >= end)) return false;
  pieces.push({ start, end });
  pieces.sort((a, b) => a.start - b.start);
  let last = 0;
  for (let i = 1; i < pieces.length; i++) {
    if (pieces[i].start <= pieces[last].end) pieces[last].end = Math.max(pieces[last].end, pieces[i].end);
    else pieces[++last] = pieces[i];
  }
  pieces.length = last + 1;
  return true;
}
