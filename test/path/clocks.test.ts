import { describe, expect, it } from 'vitest';
import { type ClockSample, clockOf, doubtsOf } from '../../src/path/clocks.js';
import { composed, HopClock, ownClock } from '../../src/path/hop-clock.js';

const S = 1e9;
const MS = 1e6;

/** Exchanges every `everyS` seconds: outward, then inward 40 ms later, each a millisecond on its way; `ahead` of the true time in ns. */
function samples(toS: number, everyS: number, ahead: (trueNs: number) => number): ClockSample[] {
  const taken: ClockSample[] = [];
  for (let at = 0; at < toS * S; at += everyS * S) {
    const outer = at + MS;
    taken.push({ timeNs: outer + ahead(outer), commonNs: at, commonWithinNs: 0, outward: true });
    const back = at + 40 * MS;
    taken.push({ timeNs: back + ahead(back), commonNs: back + MS, commonWithinNs: 0, outward: false });
  }
  return taken;
}

describe('a clock that keeps its offset', () => {
  it('is not known from one direction alone', () => {
    expect(clockOf([])).toBeNull();
    expect(clockOf(samples(10, 1, () => 5).filter(({ outward }) => outward))).toBeNull();
  });

  it('lies between what both directions allow, and no nearer than the other hop’s is known', () => {
    const taken = samples(10, 1, () => -7 * S);
    const clock = clockOf(taken.map((each) => ({ ...each, commonWithinNs: 3 * MS }))) as HopClock;
    expect(clock).toMatchObject({ offsetNs: -7 * S, uncertaintyNs: 4 * MS, steady: true });
    expect(clock.toLocal(clock.toCommon(123 * S))).toBe(123 * S);
  });

  it('owns up to stamps that are a little out of order', () => {
    const taken = samples(10, 1, (ns) => ((ns / MS) % 2 === 1 ? -30 * MS : 30 * MS));
    const clock = clockOf(taken) as HopClock;
    expect(clock.pieces.length).toBe(1);
    expect(clock.steady).toBe(true);
    expect(clock.uncertaintyNs).toBeGreaterThanOrEqual(20 * MS);
  });
});

describe('one message that alone says otherwise', () => {
  /** Two copies of a command taken for one: the second one left 2 s after the first. */
  const mistaken = { timeNs: 30.5 * S, commonNs: 30.5 * S, commonWithinNs: 0, outward: true };

  it('moves no clock', () => {
    const clock = clockOf([...samples(60, 2, () => 2 * S), mistaken]);
    expect(clock).toMatchObject({ offsetNs: 2 * S, uncertaintyNs: MS, steady: true });
    expect((clock as HopClock).pieces).toHaveLength(1);
  });

  it('is heard where there are few others, or where it does not stand alone', () => {
    const few = clockOf([
      ...samples(4, 1, () => 2 * S),
      { ...mistaken, timeNs: 2.5 * S, commonNs: 2.5 * S },
    ]) as HopClock;
    expect(few.uncertaintyAt(2.5 * S)).toBeGreaterThan(S / 2);
    const step = clockOf(samples(60, 2, (ns) => (ns > 29 * S && ns < 33 * S ? 0 : 2 * S))) as HopClock;
    expect(Math.abs(step.toCommon(30 * S) - 30 * S)).toBeLessThanOrEqual(step.uncertaintyAt(30 * S));
  });
});

/** Negative: it is the other hop's that was set forward. */
describe.each([3600, -3600, 5, -5])('a clock that was set by %d s in mid-capture', (stepS) => {
  const step = (ns: number) => (ns > 30 * S ? stepS * S : 0);
  const local = (ns: number) => ns + 2 * S + Math.max(0, step(ns));
  const common = (ns: number) => ns - Math.min(0, step(ns));
  const taken = samples(60, 2, () => 0).map((each) => ({
    ...each,
    timeNs: local(each.timeNs),
    commonNs: common(each.commonNs),
  }));
  const clock = clockOf(taken) as HopClock;

  it('is right before and after it, and owns up to the time between', () => {
    expect(clock.steady).toBe(true);
    for (const trueNs of [0, 10 * S, 28 * S, 33 * S, 50 * S, 58 * S]) {
      expect(Math.abs(clock.toCommon(local(trueNs)) - common(trueNs)), `${trueNs / S}`).toBeLessThan(3 * MS);
      expect(Math.abs(clock.toLocal(common(trueNs)) - local(trueNs)), `${trueNs / S}`).toBeLessThan(3 * MS);
      expect(clock.uncertaintyAt(common(trueNs))).toBeLessThan(3 * MS);
    }
  });

  it('says so', () => {
    expect(clock.relativeSteps.length).toBe(1);
    expect(Math.abs(clock.relativeSteps[0].stepNs - stepS * S)).toBeLessThan(3 * MS);
    const [doubt] = doubtsOf([HopClock.constant(0, 0), clock]);
    expect(doubt.hop).toBe(1);
    expect(doubt.fromNs).toBeLessThanOrEqual(common(30 * S));
    expect(doubt.toNs).toBeGreaterThanOrEqual(common(30 * S + 1));
  });
});

describe('a clock that drifts', () => {
  it.each([2e-3, -2e-3])('by %d is followed in pieces', (rate) => {
    const clock = clockOf(samples(300, 2, (ns) => ns * rate)) as HopClock;
    expect(clock.steady).toBe(true);
    expect(clock.relativeSteps).toEqual([]);
    expect(clock.driftNs).toBeGreaterThan(300 * MS);
    for (const trueNs of [1, 40, 100, 200, 299].map((s) => s * S)) {
      const off = Math.abs(clock.toCommon(trueNs + trueNs * rate) - trueNs);
      expect(off).toBeLessThanOrEqual(clock.uncertaintyAt(trueNs) + 3 * MS);
      expect(clock.uncertaintyAt(trueNs)).toBeLessThan(150 * MS);
    }
  });
});

it('stamps that mean nothing give one offset that is not believed', () => {
  const taken = samples(2000, 1, (ns) => ((ns / MS) % 3 === 1 ? 3 * S : -3 * S));
  expect(clockOf(taken)).toMatchObject({ steady: false });
});

describe('a clock that senders’ timestamps tell of', () => {
  // Set forward by an hour between 30 s and 30 s + 1 h of its own time.
  const step = { fromNs: 29.5 * S, toNs: 3630 * S, stepNs: 3600 * S };

  it('is brought to steady time', () => {
    const own = ownClock([step]);
    expect(own.toCommon(20 * S)).toBe(20 * S);
    expect(own.toCommon(3640 * S)).toBe(40 * S);
    expect(own.toLocal(40 * S)).toBe(3640 * S);
    expect(own.toLocal(29 * S)).toBe(29 * S);
  });

  it('and from there to the first hop’s', () => {
    const both = composed(ownClock([step]), HopClock.constant(-5 * S, MS));
    expect(both.toCommon(20 * S)).toBe(25 * S);
    expect(both.toCommon(3640 * S)).toBe(45 * S);
    expect(both.toLocal(45 * S)).toBe(3640 * S);
    expect(both.ownSteps).toEqual([step]);
    expect(both.relativeSteps).toEqual([]);
  });
});
