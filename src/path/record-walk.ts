/**
 * Walks the records of one direction of an encrypted leg along the messages of the same direction of a plain one. In: lengths, times
 * and order of both. Out: which record carried which octets, and for each message how much worse the best other reading is.
 *
 * Proxies that copy octets make both streams the same but for what stands before the first frame, so a record that begins at a known
 * place ends at a known one. A walk is a chain of such steps; each is worth so many bits: a record that ends where a message ends, soon
 * after that message came by, is no chance. A record may also be none of the messages (a step in place), messages may not have been
 * forwarded (they are stepped over), and a walk may begin and end anywhere. The best walk is found by dynamic programming, forward; the
 * value of what follows each step, backward; with both, every other fate of a message has its price (SPEC.md, grade `inferred`).
 */

/** Messages of the plain leg in stream order, without holes between: what was not read as a message is one opaque stretch. */
export interface Units {
  count: number;
  start: Float64Array;
  end: Float64Array;
  /** On the clock of the records. Of an opaque stretch that of the unit before it. */
  timeNs: Float64Array;
  opaque: Uint8Array;
  /** Stream offset of the first frame; NaN where the beginning was not seen. */
  webSocketFrom: number;
}

export interface Records {
  count: number;
  /** Bounds of the plaintext, octets. */
  least: Float64Array;
  most: Float64Array;
  timeNs: Float64Array;
  /** Octets of which not even the number of records is known. */
  lost: Uint8Array;
  /** Wholly TCP-ACKed. */
  acked: Uint8Array;
}

export interface WalkTimes {
  /** 1 where the plain leg is passed first, -1 where the encrypted one is. */
  order: 1 | -1;
  /** What usually lies between, and what clocks and capture order leave open. */
  usualNs: number;
  slackNs: number;
}

export const Fate = { none: -1, dropped: -2 } as const;

export interface Walk {
  bits: number;
  /** Records that end where a message ends. */
  aligned: number;
  /** By record: stream offsets of the plain leg that it carried, NaN where it is not part of the walk; 1 in `inserted` where it carried none. */
  from: Float64Array;
  to: Float64Array;
  inserted: Uint8Array;
  /** By record: it ended where a message does. */
  isAligned: Uint8Array;
  /** By unit: the record that carried its last octet, or a Fate; and what the best walk with another fate is short of, bits. */
  record: Int32Array;
  margin: Float64Array;
}

const ALIGNED_BITS = 6;
/** Within the 16 octets that padding leaves open there is often only one message's end. */
const ALIGNED_PADDED_BITS = 2.5;
/** A record that ends within a message says little: a long one comes in records of some kilobytes. */
const WITHIN_BITS = -1;
const WITHIN_LONG_BITS = -0.2;
const LONG_OCTETS = 1024;
/** Padding hides whether it ends with the message or a few octets before: then rather with it, unless buffers are of that size. */
const BESIDE_END_BITS = -6;
const BESIDE_END_LONG_BITS = -2;
const WITHIN_LATE_BITS = -2;
const PROMPT_BITS = 6;
const PROMPT_NS = 0.25e6;
const BITS_PER_DOUBLING = 1.2;
const LATE_BITS = -8;
const INSERTED_BITS = -8;
/** What a hop drops it drops again: the first message costs most, as long as the walk goes on dropping. */
const DROPPING_BITS = -9;
const DROPPED_BITS = -1.5;
const LOST_BITS = -6;
const JUMP_BITS = -20;
/** The walk is over, and records go on. */
const ENDED_BITS = -8;
const ONE_MOMENT_NS = 2e6;
const MOST_DROPPED = 12;
const MOST_STATES = 24;
const PRUNED_BITS = 36;
/** So much better, and no other walk begins at the record. */
const WENT_ON_BITS = 4;
const MOST_SEEDS = 48;
const SEEDS_WITHIN_NS = 2e9;
const LEAST_HEAD = 80;
const MOST_HEAD = 4096;
const MOST_FIRST = 4;

const Kind = { consumed: 0, inserted: 1, lost: 2 } as const;

export function walk(units: Units, records: Records, times: WalkTimes): Walk {
  return new Walker(units, records, times).result();
}

/** Bits for a record that comes this long after the message that it carries. */
export function promptnessBits(delayNs: number, usualNs: number): number {
  const beyondNs = Math.abs(delayNs - usualNs);
  return Math.max(LATE_BITS, PROMPT_BITS - BITS_PER_DOUBLING * Math.log2(1 + beyondNs / PROMPT_NS));
}

/** Columns that grow. */
class Numbers {
  private values = new Float64Array(256);
  count = 0;

  push(value: number): number {
    if (this.count === this.values.length) {
      const values = new Float64Array(this.count * 2);
      values.set(this.values);
      this.values = values;
    }
    this.values[this.count] = value;
    return this.count++;
  }

  at(i: number): number {
    return this.values[i];
  }

  set(i: number, value: number): void {
    this.values[i] = value;
  }
}

class Walker {
  // States: a stream offset (or a stretch of them, where padding leaves it open) after some record.
  private readonly least = new Numbers();
  private readonly most = new Numbers();
  private readonly unit = new Numbers();
  private readonly value = new Numbers();
  private readonly back = new Numbers();
  private readonly record = new Numbers();
  private readonly dropping = new Numbers();
  // Steps from state to state.
  private readonly stepFrom = new Numbers();
  private readonly stepTo = new Numbers();
  private readonly stepRecord = new Numbers();
  private readonly stepBits = new Numbers();
  private readonly stepKind = new Numbers();
  /** Units from `stepUnit` to `stepNext` end within the record; `stepDropped` before them were stepped over. */
  private readonly stepUnit = new Numbers();
  private readonly stepNext = new Numbers();
  private readonly stepDropped = new Numbers();
  private readonly stepAligned = new Numbers();
  private current: number[] = [];
  /** The first state after the record at hand. */
  private nextFrom = 0;
  private best = 0;
  private bestEnd = 0;
  private seedFrom = 0;

  constructor(
    private readonly units: Units,
    private readonly records: Records,
    private readonly times: WalkTimes,
  ) {
    this.addState(0, 0, 0, 0, -1, records.count - 1); // the beginning
  }

  result(): Walk {
    for (let record = 0; record < this.records.count; record++) this.advance(record);
    return this.trace();
  }

  private advance(record: number): void {
    this.nextFrom = this.value.count;
    const { lost, most } = this.records;
    for (const state of this.current) {
      if (lost[record] === 1) this.overLost(state, record);
      else this.onward(state, record);
    }
    if (lost[record] === 0 && most[record] > 0 && !this.wentOn()) this.seeds(record);
    const states: number[] = [];
    let top = this.nextFrom;
    for (let state = this.nextFrom; state < this.value.count; state++) {
      states.push(state);
      if (this.value.at(state) > this.value.at(top)) top = state;
    }
    if (states.length === 0) {
      this.current = states;
      return;
    }
    const least = this.value.at(top) - PRUNED_BITS;
    if (this.value.at(top) > this.value.at(this.best)) this.best = top;
    if (this.ended(top) > this.ended(this.bestEnd)) this.bestEnd = top;
    this.current = states.filter((state) => this.value.at(state) >= least);
    if (this.current.length > MOST_STATES)
      this.current = this.current.sort((a, b) => this.value.at(b) - this.value.at(a)).slice(0, MOST_STATES);
  }

  /** The best walk so far goes on well over the record at hand: nothing that begins with it comes near. */
  private wentOn(): boolean {
    const wanted = this.value.at(this.best) + WENT_ON_BITS;
    if (wanted < -JUMP_BITS) return false;
    for (let state = this.nextFrom; state < this.value.count; state++) if (this.value.at(state) >= wanted) return true;
    return false;
  }

  private onward(state: number, record: number): void {
    const { units, times } = this;
    const least = this.least.at(state);
    const most = this.most.at(state);
    const first = this.unit.at(state);
    const inserted = this.records.most[record] === 0 ? 0 : INSERTED_BITS;
    this.step(state, least, most, first, record, Kind.inserted, inserted, first, 0, 0);
    this.consume(state, least, most, first, record, 0, 0);
    if (least !== most || first >= units.count || units.start[first] !== least) return;
    const opening = this.dropping.at(state) === 1 ? 0 : DROPPING_BITS;
    for (let dropped = 1; dropped <= MOST_DROPPED && first + dropped < units.count; dropped++) {
      const unit = first + dropped;
      if (units.opaque[unit - 1] === 1 || units.timeNs[unit] > this.records.timeNs[record] + SEEDS_WITHIN_NS) break;
      if (times.order > 0 && this.delay(record, unit) < -times.slackNs) break;
      this.consume(
        state,
        units.start[unit],
        units.start[unit],
        unit,
        record,
        dropped,
        dropped * DROPPED_BITS + opening,
      );
    }
  }

  /** The record carries the octets from here on. */
  private consume(
    state: number,
    from: number,
    fromMost: number,
    unit: number,
    record: number,
    dropped: number,
    extra: number,
  ): void {
    const { units, records } = this;
    if (unit >= units.count || records.most[record] === 0) return;
    const low = from + records.least[record];
    const high = fromMost + records.most[record];
    const exact = low === high;
    let at = unit;
    for (; at < units.count && units.end[at] < low; at++);
    const within = at;
    let ends = 0;
    for (; at < units.count && units.end[at] <= high; at++) {
      if (units.opaque[at] === 1 && !exact) continue;
      const time = this.timeBits(record, unit, at);
      if (Number.isNaN(time)) return;
      const end = units.end[at];
      const bits = extra + time + (exact ? ALIGNED_BITS : ALIGNED_PADDED_BITS);
      this.step(state, end, end, at + 1, record, Kind.consumed, bits, unit, dropped, 1);
      ends++;
    }
    // What comes behind a dropped message is told by where it ends.
    if (within >= units.count || dropped > 0 || (exact && ends > 0)) return;
    // It ends within a message: a long one comes in several records.
    const time = this.timeBits(record, unit, within);
    if (Number.isNaN(time) || units.start[within] >= high) return;
    const lowest = Math.max(low, units.start[within] + 1);
    const highest = Math.min(high, units.end[within] - 1);
    if (lowest > highest) return;
    const long = records.most[record] >= LONG_OCTETS;
    const part = ends > 0 ? (long ? BESIDE_END_LONG_BITS : BESIDE_END_BITS) : long ? WITHIN_LONG_BITS : WITHIN_BITS;
    const bits = extra + part + Math.max(WITHIN_LATE_BITS, Math.min(0, time));
    this.step(state, lowest, highest, within, record, Kind.consumed, bits, unit, dropped, 0);
  }

  /** Octets are missing from the capture: the walk goes on at any message that they leave room for. */
  private overLost(state: number, record: number): void {
    const { units } = this;
    const least = this.least.at(state);
    const unit = this.unit.at(state);
    this.step(state, least, this.most.at(state), unit, record, Kind.lost, LOST_BITS, unit, 0, 0);
    for (let at = unit; at < units.count && units.end[at] <= least + this.records.most[record]; at++) {
      if (Number.isNaN(this.timeBits(record, at, at))) break;
      this.step(state, units.end[at], units.end[at], at + 1, record, Kind.lost, LOST_BITS, unit, 0, 0);
    }
  }

  /** Walks that begin with this record. */
  private seeds(record: number): void {
    const { units, times } = this;
    const timeNs = this.records.timeNs[record];
    while (this.seedFrom < units.count && units.timeNs[this.seedFrom] < timeNs - SEEDS_WITHIN_NS) this.seedFrom++;
    const base = this.value.at(this.best) + JUMP_BITS > 0 ? this.best : 0;
    const extra = base === 0 ? 0 : JUMP_BITS;
    let seeds = 0;
    for (let unit = this.seedFrom; unit < units.count && seeds < MOST_SEEDS; unit++) {
      if (units.timeNs[unit] > timeNs + SEEDS_WITHIN_NS) break;
      if (units.opaque[unit] === 1 || this.delay(record, unit) < -times.slackNs) continue;
      seeds++;
      this.consume(base, units.start[unit], units.start[unit], unit, record, 0, extra);
    }
    if (base === 0) this.behindHead(record);
  }

  /** The HTTP head and the first frames in one record. */
  private behindHead(record: number): void {
    const { units } = this;
    if (units.count === 0 || units.start[0] !== units.webSocketFrom) return;
    for (let at = 0; at < Math.min(MOST_FIRST, units.count); at++) {
      const head = this.records.most[record] - (units.end[at] - units.start[0]);
      const time = this.timeBits(record, 0, at);
      if (head < LEAST_HEAD || head > MOST_HEAD || Number.isNaN(time)) continue;
      this.step(0, units.end[at], units.end[at], at + 1, record, Kind.consumed, Math.min(time, 0), 0, 0, 0);
    }
  }

  private delay(record: number, unit: number): number {
    return this.times.order * (this.records.timeNs[record] - this.units.timeNs[unit]);
  }

  /** NaN where it cannot be: what comes later cannot have been there first. */
  private timeBits(record: number, first: number, last: number): number {
    const { units, times } = this;
    if (times.order < 0 && units.opaque[first] === 1) {
      // Its time is that of the unit before it: only the next one's bounds it.
      const next = first + 1;
      return next < units.count && this.delay(record, next) < -times.slackNs ? Number.NaN : 0;
    }
    const [bound, other] = times.order > 0 ? [last, first] : [first, last];
    const delayNs = this.delay(record, bound);
    if (delayNs < -times.slackNs) return Number.NaN;
    if (units.opaque[bound] === 1) return 0;
    const bits = promptnessBits(delayNs, times.usualNs);
    // What travels together came together: the rest of a message does not wait for the next one.
    if (other === bound || units.opaque[other] === 1) return bits;
    return (bits + promptnessBits(this.delay(record, other), times.usualNs)) / 2;
  }

  /** From a state over a record to the one at `least` to `most`, where unit `next` begins or goes on; the record's first unit is `unit`. */
  private step(
    from: number,
    least: number,
    most: number,
    next: number,
    record: number,
    kind: number,
    bits: number,
    unit: number,
    dropped: number,
    aligned: number,
  ): void {
    const value = this.value.at(from) + bits;
    const goesOn = dropped > 0 || (this.dropping.at(from) === 1 && !this.isBeginning(from, unit));
    const dropping = goesOn ? 1 : 0;
    let to = this.stateAt(least, most, dropping);
    if (to < 0) {
      to = this.addState(least, most, next, value, this.stepFrom.count, record);
      this.dropping.set(to, dropping);
    } else if (value > this.value.at(to)) {
      this.value.set(to, value);
      this.back.set(to, this.stepFrom.count);
    }
    this.stepFrom.push(from);
    this.stepTo.push(to);
    this.stepRecord.push(record);
    this.stepBits.push(bits);
    this.stepKind.push(kind);
    this.stepUnit.push(unit);
    this.stepNext.push(next);
    this.stepDropped.push(dropped);
    this.stepAligned.push(aligned);
  }

  /** Among those after the record at hand; they are few. */
  private stateAt(least: number, most: number, dropping: number): number {
    for (let state = this.nextFrom; state < this.value.count; state++)
      if (this.least.at(state) === least && this.most.at(state) === most && this.dropping.at(state) === dropping)
        return state;
    return -1;
  }

  private addState(least: number, most: number, unit: number, value: number, back: number, record: number): number {
    this.record.push(record);
    this.dropping.push(0);
    this.least.push(least);
    this.most.push(most);
    this.unit.push(unit);
    this.back.push(back);
    return this.value.push(value);
  }

  private endBits(state: number): number {
    return this.record.at(state) === this.records.count - 1 ? 0 : ENDED_BITS;
  }

  private ended(state: number): number {
    return this.value.at(state) + this.endBits(state);
  }

  // --- what came of it -----------------------------------------------------------------------------------------------------

  private trace(): Walk {
    const { records, units } = this;
    const result: Walk = {
      bits: this.ended(this.bestEnd),
      aligned: 0,
      from: new Float64Array(records.count).fill(Number.NaN),
      to: new Float64Array(records.count).fill(Number.NaN),
      inserted: new Uint8Array(records.count),
      isAligned: new Uint8Array(records.count),
      record: new Int32Array(units.count).fill(Fate.none),
      margin: new Float64Array(units.count),
    };
    for (let state = this.bestEnd; this.back.at(state) >= 0; ) {
      const step = this.back.at(state);
      const record = this.stepRecord.at(step);
      const from = this.stepFrom.at(step);
      const first = this.stepUnit.at(step);
      const next = this.stepNext.at(step);
      const kind = this.stepKind.at(step);
      if (kind === Kind.inserted) result.inserted[record] = 1;
      if (kind === Kind.consumed) {
        const begins = this.stepDropped.at(step) > 0 || this.isJump(step);
        result.from[record] = begins ? units.start[first] : this.least.at(from);
        result.to[record] = this.most.at(state);
        result.isAligned[record] = this.stepAligned.at(step);
        result.aligned += this.stepAligned.at(step);
        for (let unit = first; unit < next; unit++) result.record[unit] = record;
        for (let d = 1; d <= this.stepDropped.at(step); d++) result.record[first - d] = Fate.dropped;
      }
      state = from;
    }
    this.price(result);
    return result;
  }

  private isJump(step: number): boolean {
    return this.isBeginning(this.stepFrom.at(step), this.stepUnit.at(step) - this.stepDropped.at(step));
  }

  /** A step from there to this unit does not go on where the walk stood. */
  private isBeginning(from: number, unit: number): boolean {
    return from === 0 || this.unit.at(from) !== unit;
  }

  /** Whether it makes no difference: records of one moment, and TCP says the same of both. */
  private isAlike(a: number, b: number): boolean {
    const { timeNs, acked } = this.records;
    return a === b || (a >= 0 && acked[a] === acked[b] && Math.abs(timeNs[a] - timeNs[b]) < ONE_MOMENT_NS);
  }

  /** For each unit the best walk in which something else became of it. */
  private price(result: Walk): void {
    const { count } = this.units;
    const after = new Float64Array(this.value.count);
    for (let state = 0; state < after.length; state++) after[state] = this.endBits(state);
    for (let step = this.stepFrom.count - 1; step >= 0; step--) {
      const from = this.stepFrom.at(step);
      after[from] = Math.max(after[from], this.stepBits.at(step) + after[this.stepTo.at(step)]);
    }
    const other = new Float64Array(count).fill(0);
    for (let step = 0; step < this.stepFrom.count; step++) {
      if (this.stepKind.at(step) !== Kind.consumed) continue;
      const total = this.value.at(this.stepFrom.at(step)) + this.stepBits.at(step) + after[this.stepTo.at(step)];
      const record = this.stepRecord.at(step);
      const first = this.stepUnit.at(step);
      for (let unit = first; unit < this.stepNext.at(step); unit++)
        if (total > other[unit] && !this.isAlike(result.record[unit], record)) other[unit] = total;
      for (let d = 1; d <= this.stepDropped.at(step); d++)
        if (result.record[first - d] !== Fate.dropped && total > other[first - d]) other[first - d] = total;
    }
    for (let unit = 0; unit < count; unit++) result.margin[unit] = result.bits - other[unit];
  }
}
