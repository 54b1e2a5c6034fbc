import { describe, expect, it } from 'vitest';
import { increasing, type Mark, provenBetween, settled } from '../../src/path/align-marks.js';

/** Marks at every hundredth octet, by their distance. */
const marks = (...shifts: number[]): Mark[] =>
  shifts.map((shift, i) => ({ inner: i, outer: i, shift, from: i * 100, to: i * 100 + 10 }));
const shifts = (all: readonly Mark[]) => all.map(({ shift }) => shift);

describe('settled', () => {
  it('believes a distance that holds before and behind another one', () => {
    expect(shifts(settled(marks(7, 7, 400, 7)))).toEqual([7, 7, 7]);
    expect(shifts(settled(marks(7, 400, 400, 7, 7)))).toEqual([7, 7, 7]);
  });

  it('keeps the steps of a hop that leaves messages out', () => {
    expect(shifts(settled(marks(7, 7, -93, -93, -193)))).toEqual([7, 7, -93, -93, -193]);
  });

  it('judges what stands before and behind by itself', () => {
    expect(shifts(settled(marks(7, 50, 7, 7, -93, 20, -93)))).toEqual([7, 7, 7, -93, -93]);
  });

  it('cannot choose where every distance is another one', () => {
    expect(shifts(settled(marks(1, 2, 3)))).toEqual([1, 2, 3]);
  });
});

describe('provenBetween', () => {
  it('is from a mark to the next one of the same distance', () => {
    expect(provenBetween(marks(7, 7, 7, -93, -193, -193))).toEqual([
      { from: 0, to: 210, shift: 7 },
      { from: 400, to: 510, shift: -193 },
    ]);
  });

  it('is nothing beyond the first and the last one', () => {
    expect(provenBetween(marks(7))).toEqual([]);
    expect(provenBetween(marks(7, -93, -193))).toEqual([]);
  });
});

describe('increasing', () => {
  it('leaves out what crosses the others', () => {
    const pairs: [number, number][] = [
      [0, 0],
      [5, 1],
      [1, 2],
      [2, 3],
    ];
    expect(increasing(pairs)).toEqual([
      [0, 0],
      [1, 2],
      [2, 3],
    ]);
  });
});
