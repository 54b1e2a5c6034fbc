import { describe, expect, it } from 'vitest';
import { PacketClock } from '../../src/tcp/packet-clock.js';
import { SegmentLedger } from '../../src/tcp/segment-ledger.js';

/** [start, end, time, ref] */
function ledgerOf(...segments: [number, number, number, number][]): SegmentLedger {
  const clock = new PacketClock();
  const ledger = new SegmentLedger(clock);
  for (const [start, end, timeNs, ref] of segments) {
    Object.assign(clock, { timeNs, ref });
    ledger.add(start, end, 0);
  }
  return ledger;
}

describe('range', () => {
  it('tells the packets and times of a range over several segments', () => {
    const ledger = ledgerOf([0, 100, 10, 1], [100, 200, 20, 2], [200, 300, 30, 3]);
    expect(ledger.range(50, 150)).toEqual({
      firstSentNs: 10,
      lastSentNs: 20,
      lastRef: 2,
      refs: [1, 2],
      retransmissions: 0,
      octetsSeen: 100,
    });
  });

  it('does not take in segments that only touch it', () => {
    const ledger = ledgerOf([0, 100, 10, 1], [100, 200, 20, 2], [200, 300, 30, 3]);
    expect(ledger.range(100, 200).refs).toEqual([2]);
  });

  it('counts what was sent again, and keeps the first times', () => {
    const ledger = ledgerOf([0, 100, 10, 1], [0, 100, 210, 2], [0, 100, 620, 3]);
    expect(ledger.range(0, 100)).toEqual({
      firstSentNs: 10,
      lastSentNs: 10,
      lastRef: 1,
      refs: [1, 2, 3],
      retransmissions: 2,
      octetsSeen: 100,
    });
  });

  it('counts a retransmission that also brings something new once, and its new octets late', () => {
    const ledger = ledgerOf([0, 60, 10, 1], [40, 100, 50, 2]);
    expect(ledger.range(0, 100)).toMatchObject({
      firstSentNs: 10,
      lastSentNs: 50,
      retransmissions: 1,
      octetsSeen: 100,
    });
  });

  it('counts only what touches the range as sent again', () => {
    const ledger = ledgerOf([0, 100, 10, 1], [0, 50, 210, 2]);
    expect(ledger.range(50, 100).retransmissions).toBe(0);
    expect(ledger.range(49, 100).retransmissions).toBe(1);
  });

  it('has no end for a range of which a part never left', () => {
    const { firstSentNs, lastSentNs, octetsSeen } = ledgerOf([0, 40, 10, 1], [60, 100, 20, 2]).range(0, 100);
    expect([firstSentNs, lastSentNs, octetsSeen]).toEqual([10, Number.NaN, 80]);
  });

  it('has no beginning for a range whose first octet was not seen', () => {
    expect(ledgerOf([60, 100, 20, 2]).range(0, 100).firstSentNs).toBeNaN();
  });

  it('takes segments out of order', () => {
    const ledger = ledgerOf([50, 100, 10, 1], [0, 50, 20, 2]);
    expect(ledger.range(0, 100)).toEqual({
      firstSentNs: 20,
      lastSentNs: 20,
      lastRef: 2,
      refs: [1, 2],
      retransmissions: 0,
      octetsSeen: 100,
    });
  });

  it('knows nothing of a range that was never seen', () => {
    expect(ledgerOf([0, 10, 1, 1]).range(10, 20)).toMatchObject({ refs: [], octetsSeen: 0, retransmissions: 0 });
  });
});

describe('carriersInTurn', () => {
  const ledger = ledgerOf([0, 100, 10, 1], [100, 200, 20, 2], [150, 160, 30, 3]);
  const carriers = (start: number, end: number) =>
    Array.from(ledger.carriers.subarray(0, ledger.carriersInTurn(start, end)));

  it('are the segments around a range', () => {
    expect(carriers(10, 90)).toEqual([1]);
    expect(ledger.soleTimeNs).toBe(10);
    expect(carriers(0, 100)).toEqual([1]);
    expect(carriers(90, 110)).toEqual([1, 2]);
    expect(ledger.soleTimeNs).toBe(10);
    expect(carriers(100, 150)).toEqual([2]);
  });

  it('are none where a part was sent again or never left', () => {
    expect(carriers(140, 155)).toEqual([]);
    expect(carriers(190, 210)).toEqual([]);
    expect(carriers(200, 210)).toEqual([]);
  });
});

describe('firstSentNs and firstSentRef', () => {
  it('name the first carrier of an octet', () => {
    const ledger = ledgerOf([0, 100, 10, 1], [0, 100, 20, 2]);
    expect([ledger.firstSentNs(99), ledger.firstSentRef(99)]).toEqual([10, 1]);
    expect([ledger.firstSentNs(100), ledger.firstSentRef(100)]).toEqual([Number.NaN, 0]);
  });
});

describe('hasCopy', () => {
  const clock = new PacketClock();
  const ledger = new SegmentLedger(clock);
  Object.assign(clock, { timeNs: 1000, ref: 1 });
  ledger.add(0, 100, 77);

  it.each([
    ['the same octets with the same timestamp, in time', 0, 100, 1040, 77, true],
    ['too late', 0, 100, 1051, 77, false],
    ['another timestamp option: a retransmission', 0, 100, 1040, 78, false],
    ['no timestamp option: cannot be told', 0, 100, 1040, 0, false],
    ['other octets', 0, 99, 1040, 77, false],
  ])('%s', (_, start, end, timeNs, mark, expected) => {
    clock.timeNs = timeNs;
    expect(ledger.hasCopy(start, end, mark, 50)).toBe(expected);
  });
});

/** Segments of equal size one after the other. */
function runOf(count: number, octets: number): [number, number, number, number][] {
  return Array.from({ length: count }, (_, i) => [i * octets, (i + 1) * octets, i, i + 1]);
}

describe('memory', () => {
  it('forgets leading entries that are pruned, and only those', () => {
    const ledger = ledgerOf([0, 100, 10, 1], [100, 200, 20, 2], [200, 300, 30, 3]);
    ledger.prune(199);
    expect(ledger.range(0, 300).refs).toEqual([2, 3]);
    ledger.prune(200);
    expect(ledger.range(0, 300).refs).toEqual([3]);
  });

  it('keeps everything that is not pruned while it grows', () => {
    const ledger = ledgerOf(...runOf(1000, 10));
    const { refs, octetsSeen } = ledger.range(0, 10_000);
    expect([refs.length, refs[0], refs[999], octetsSeen]).toEqual([1000, 1, 1000, 10_000]);
    expect(ledger.overflowed).toBe(0);
  });

  it('answers right over the ring’s end, with pruning on the way', () => {
    const clock = new PacketClock();
    const ledger = new SegmentLedger(clock);
    for (const [start, end, timeNs, ref] of runOf(500, 10)) {
      Object.assign(clock, { timeNs, ref });
      if (ledger.full) ledger.prune(Math.max(0, start - 60));
      expect(ledger.full).toBe(false);
      ledger.add(start, end, 0);
    }
    expect(ledger.range(4930, 5000).refs).toEqual([494, 495, 496, 497, 498, 499, 500]);
  });

  it('is bounded: the oldest go, and are counted', () => {
    const bound = 1 << 16;
    const ledger = ledgerOf(...runOf(bound + 5, 1));
    expect(ledger.overflowed).toBe(5);
    expect(ledger.range(0, 10).refs).toEqual([6, 7, 8, 9, 10]);
    expect(ledger.range(bound, bound + 5).octetsSeen).toBe(5);
  });
});
