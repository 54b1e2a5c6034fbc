/**
 * The receive side of the ACK ledger: how far the other side's TCP ACKs and SACKs cover one direction, since when and by which packet.
 * In: half-stream.ts. Out: which ACK first covered a range. RFC 9293 section 3.4, RFC 2018.
 */

import type { PacketClock } from './packet-clock.js';

/** The last advances are kept as offset | timeNs | ref, side by side. */
const RECENT = 64;
const WIDTH = 3;
/** Room is made for the first few at first. */
const FIRST_RECENT = 4;
const NONE = new Float64Array(0);
const MAX_SACKED = 256;

export interface AckCover {
  timeNs: number;
  ref: number;
}

interface SackedRange {
  start: number;
  end: number;
  timeNs: number;
  ref: number;
}

const NO_RANGES: SackedRange[] = [];

export class AckHistory {
  /** Everything below is covered by a cumulative ACK; -Infinity before the first one. */
  offset = Number.NEGATIVE_INFINITY;
  timeNs = Number.NaN;
  ref = 0;
  /** Where the cumulative ACK stood before its last advance: what ends above was covered by that one. */
  previous = Number.NEGATIVE_INFINITY;
  private recent = NONE;
  /** How many there is room for, a power of two, less one. */
  private mask = -1;
  private steps = 0;
  private sacked: SackedRange[] = NO_RANGES;

  /** What is told is stamped with the clock's packet. */
  constructor(private readonly clock: PacketClock) {}

  advance(offset: number): void {
    const { timeNs, ref } = this.clock;
    if (this.steps > this.mask && this.mask < RECENT - 1) this.grow();
    const { recent } = this;
    this.previous = this.offset;
    this.offset = offset;
    this.timeNs = timeNs;
    this.ref = ref;
    const at = (this.steps++ & this.mask) * WIDTH;
    recent[at] = offset;
    recent[at + 1] = timeNs;
    recent[at + 2] = ref;
    if (this.sacked.length > 0) this.sacked = this.sacked.filter((range) => range.end > offset);
  }

  /** Offsets are counted from an earlier octet on. */
  moveBy(octets: number): void {
    this.offset += octets;
    this.previous += octets;
    for (let i = 0; i < this.recent.length; i += WIDTH) this.recent[i] += octets;
    for (const range of this.sacked) {
      range.start += octets;
      range.end += octets;
    }
  }

  /** True if the block tells of octets that were not covered before. A D-SACK (at or below the cumulative ACK, RFC 2883) is none. */
  sack(start: number, end: number): boolean {
    if (end <= start || start < this.offset || this.sacked.length >= MAX_SACKED) return false;
    if (this.sacked.some((range) => range.start <= start && range.end >= end)) return false;
    const { timeNs, ref } = this.clock;
    if (this.sacked === NO_RANGES) this.sacked = [];
    this.sacked.push({ start, end, timeNs, ref });
    return true;
  }

  get hasSacked(): boolean {
    return this.sacked.length > 0;
  }

  /** Octets that SACKs cover above the cumulative ACK; blocks that repeat each other count once. */
  get sackedOctets(): number {
    let octets = 0;
    let reached = this.offset;
    for (const { start, end } of [...this.sacked].sort((a, b) => a.start - b.start)) {
      octets += Math.max(0, end - Math.max(start, reached));
      reached = Math.max(reached, end);
    }
    return octets;
  }

  /** The packet with which [start, end) was wholly covered, or null while it is not. */
  cover(start: number, end: number): AckCover | null {
    if (this.offset >= end) return this.cumulativeCover(end);
    if (this.sacked.length === 0) return null;
    let from = Math.max(start, this.offset);
    let last: AckCover | null = null;
    for (;;) {
      const next = this.sacked.find((range) => range.start <= from && range.end > from);
      if (next === undefined) return null;
      from = next.end;
      if (last === null || next.timeNs > last.timeNs) last = next;
      if (from < end) continue;
      const below = this.offset > start ? this.cumulativeCover(this.offset) : last;
      const { timeNs, ref } = below.timeNs > last.timeNs ? below : last;
      return { timeNs, ref };
    }
  }

  /** The advances that moved within (from, to), and the first one to its end or beyond it: offset, time and packet by turns. */
  stepsOver(from: number, to: number): Float64Array {
    const steps: number[] = [];
    for (let i = Math.max(0, this.steps - RECENT); i < this.steps; i++) {
      const at = (i & this.mask) * WIDTH;
      const [offset, timeNs, ref] = this.recent.subarray(at, at + WIDTH);
      if (offset <= from) continue;
      steps.push(offset, timeNs, ref);
      if (offset >= to) break;
    }
    return Float64Array.from(steps);
  }

  private cumulativeCover(end: number): AckCover {
    let cover = { timeNs: this.timeNs, ref: this.ref };
    const oldest = Math.max(0, this.steps - RECENT);
    for (let i = this.steps - 1; i >= oldest; i--) {
      const at = (i & this.mask) * WIDTH;
      if (this.recent[at] < end) break;
      cover = { timeNs: this.recent[at + 1], ref: this.recent[at + 2] };
    }
    return cover;
  }

  private grow(): void {
    const recent = new Float64Array(Math.max(FIRST_RECENT, this.steps * 2) * WIDTH);
    recent.set(this.recent);
    this.recent = recent;
    this.mask = recent.length / WIDTH - 1;
  }
}
