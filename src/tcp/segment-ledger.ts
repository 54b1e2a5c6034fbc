/**
 * The send side of the ACK ledger: which octets of one direction left when, in which packet, and what was sent again.
 * In: half-stream.ts adds every data segment in capture order. Out: answers for any range of octets that is not pruned yet.
 * A ring of columns, no object per segment. Its size is bounded: past the bound the oldest entries go and are counted.
 */

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

export class SegmentLedger {
  private starts = new Float64Array(16);
  private ends = new Float64Array(16);
  private times = new Float64Array(16);
  private refs = new Uint32Array(16);
  private marks = new Int32Array(16);
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

  /** The ring will soon want to know what may go; until then nobody needs to work it out. */
  get crowded(): boolean {
    return this.count * 2 >= this.starts.length;
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
  /**
   * The segments that carried [start, end) one after the other, none twice: how many, 0 where it was not so plain. Their packets are then
   * in `carriers`, and `soleTimeNs` is the first one's time.
   */
  carriersInTurn(start: number, end: number): number {
    const mask = this.starts.length - 1;
    let count = 0;
    let reached = start;
    for (let i = 0; i < this.count; i++) {
      const at = (this.head + i) & mask;
      if (this.ends[at] <= start || this.starts[at] >= end) continue;
      if (count === 0 ? this.starts[at] > start : this.starts[at] !== reached) return 0;
      if (count === 0) this.soleTimeNs = this.times[at];
      if (count === this.carriers.length) return 0;
      this.carriers[count++] = this.refs[at];
      reached = this.ends[at];
    }
    return reached >= end ? count : 0;
  }
  readonly carriers = new Uint32Array(64);

  /** Time of the last sole carrier found. */
  soleTimeNs = Number.NaN;

  range(start: number, end: number): SentRange {
    const mask = this.starts.length - 1;
    const refs: number[] = [];
    let retransmissions = 0;
    let firstSentNs = Number.NaN;
    let lastSentNs = Number.NaN;
    let lastRef = 0;
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
      if (!merge(covered, from, to)) continue;
      lastSentNs = this.times[at];
      lastRef = this.refs[at];
    }
    let octetsSeen = 0;
    for (const piece of covered) octetsSeen += piece.end - piece.start;
    if (octetsSeen < end - start) lastSentNs = Number.NaN;
    return { firstSentNs, lastSentNs, lastRef, refs, retransmissions, octetsSeen };
  }

  /** The segments that carried octets from `from` on: how large, how often the octet at `from` left, and when last. */
  waiting(from: number): WaitingSegments {
    const mask = this.starts.length - 1;
    const waiting: WaitingSegments = {
      refs: [],
      transmissions: 0,
      octets: 0,
      least: 0,
      smallest: 0,
      lastSentNs: Number.NaN,
    };
    for (let i = 0; i < this.count; i++) {
      const at = (this.head + i) & mask;
      if (this.ends[at] <= from) continue;
      const octets = this.ends[at] - this.starts[at];
      if (waiting.smallest === 0 || octets < waiting.smallest) waiting.smallest = octets;
      if (this.starts[at] > from) continue;
      waiting.transmissions++;
      waiting.octets = Math.max(waiting.octets, octets);
      if (waiting.least === 0 || octets < waiting.least) waiting.least = octets;
      waiting.lastSentNs = this.times[at];
      if (waiting.refs.length < MAX_WAITING_REFS) waiting.refs.push(this.refs[at]);
    }
    return waiting;
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
    this.marks = unrolled(this.marks, this.head, new Int32Array(size * 2));
    this.head = 0;
  }
}

function unrolled<T extends Float64Array | Uint32Array | Int32Array>(ring: T, head: number, into: T): T {
  into.set(ring.subarray(head));
  into.set(ring.subarray(0, head), ring.length - head);
  return into;
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
