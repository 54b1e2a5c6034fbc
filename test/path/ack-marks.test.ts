import { describe, expect, it } from 'vitest';
import { ackMarks, isUnseen, stretchOf } from '../../src/path/ack-marks.js';
import type { AlignSide } from '../../src/path/align.js';
import { HopClock } from '../../src/path/hop-clock.js';

const S = 1e9;

/** Messages of these lengths, one a second, from offset `from` on. */
function read(from: number, lengths: readonly number[]): AlignSide {
  const endOffset = lengths.map((_, i) => from + sum(lengths.slice(0, i + 1)));
  const half = { rows: Int32Array.from(lengths.keys()), webSocketFrom: from, packets: 1, gaps: [] };
  return side(half, { endOffset, sentNs: lengths.map((_, i) => i * S) });
}

/** Nothing but TCP ACKs at the end of each of them, and one of the request before. */
function unseen(from: number, lengths: readonly number[], lateNs = 1e6): AlignSide {
  const acks = [-1, ...lengths.keys()].flatMap((i) => [from + sum(lengths.slice(0, i + 1)), i * S + lateNs, 10 + i]);
  const to = from + sum(lengths);
  const gap = { kind: 'missed', from: 0, to, fromNs: Number.NaN, toNs: 0, acks: Float64Array.from(acks) };
  return side({ rows: new Int32Array(0), webSocketFrom: Number.NaN, packets: 0, gaps: [gap] }, {});
}

function side(half: object, messages: object): AlignSide {
  return { half, messages, strings: null, clock: null } as unknown as AlignSide;
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

const MIXED = [79, 8, 48, 302, 8, 87, 48, 8, 120, 61, 8, 48];
const ALIKE = Array.from({ length: 24 }, () => 48);

describe('TCP ACKs of a direction that was not captured', () => {
  it('tell the distance of the streams by the lengths of the messages', () => {
    const found = ackMarks(unseen(211, MIXED), read(700, MIXED), false);
    expect(found?.shift).toBe(700 - 211);
    expect(found?.marks.map(({ row }) => row)).toEqual([...MIXED.keys()]);
    expect(found?.marks[3]).toEqual({ offset: 211 + 79 + 8 + 48 + 302, ackNs: 3 * S + 1e6, row: 3 });
  });

  it('tell nothing where all messages are alike, but behind the opening handshake', () => {
    expect(ackMarks(unseen(211, ALIKE), read(700, ALIKE), false)).toBeNull();
    expect(ackMarks(unseen(211, ALIKE), read(700, ALIKE), true)).toMatchObject({ shift: 700 - 211, from: 211 });
  });

  it('tell nothing where they came at other times, by clocks that are known', () => {
    const clock = HopClock.constant(0, 1e6);
    const at = (lateNs: number) =>
      ackMarks({ ...unseen(211, MIXED, lateNs), clock }, { ...read(700, MIXED), clock }, false);
    expect(at(40e6)).not.toBeNull();
    expect(at(5 * S)).toBeNull();
    expect(at(-5 * S)).toBeNull();
  });

  it('tell nothing of a stream that was framed anew, or of too few messages', () => {
    const framedAnew = MIXED.map((length) => length + 4);
    expect(ackMarks(unseen(211, MIXED), read(700, framedAnew), true)).toBeNull();
    expect(ackMarks(unseen(211, [79]), read(700, [79]), true)).toBeNull();
    expect(ackMarks(unseen(211, []), read(700, MIXED), false)).toBeNull();
  });

  it('leave out what was TCP-ACKed in the middle of a message', () => {
    const inTwo = [79, 8, 48, 150, 152, 8, 87, 48, 8, 120, 61, 8, 48];
    const found = ackMarks(unseen(211, inTwo), read(700, MIXED), false);
    expect(found?.shift).toBe(700 - 211);
    expect(found?.marks).toHaveLength(MIXED.length);
  });
});

describe('the stretch that they prove', () => {
  const found = { shift: 489, from: 90, marks: [90, 300].map((offset, row) => ({ offset, ackNs: 0, row })) };

  it('is told in offsets of the inner stream', () => {
    expect(stretchOf(found, true)).toEqual({ from: 90, to: 300, shift: 489 });
    expect(stretchOf(found, false)).toEqual({ from: 579, to: 789, shift: -489 });
  });

  it('is looked for only where no packet of the direction was captured', () => {
    expect(isUnseen(unseen(211, MIXED).half)).toBe(true);
    expect(isUnseen(read(700, MIXED).half)).toBe(false);
  });
});
