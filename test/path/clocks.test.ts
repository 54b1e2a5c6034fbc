import { describe, expect, it } from 'vitest';
import { added, OffsetBounds } from '../../src/path/clocks.js';

describe('OffsetBounds', () => {
  it('knows nothing from one direction alone', () => {
    const bounds = new OffsetBounds();
    expect(bounds.offset).toBeNull();
    bounds.outward(10, 25);
    expect(bounds.offset).toBeNull();
    bounds.inward(40, 47);
    expect(bounds.offset).not.toBeNull();
  });

  it('lies between what both directions allow', () => {
    // The outer clock is 100 ahead. Outward messages take 5, 3, 9; inward ones 4, 2.
    const bounds = new OffsetBounds();
    for (const [at, takes] of [
      [0, 5],
      [50, 3],
      [90, 9],
    ])
      bounds.outward(at, at + takes + 100);
    for (const [at, takes] of [
      [20, 4],
      [70, 2],
    ])
      bounds.inward(at + takes, at + 100);
    // At most 3 too far ahead, at most 2 too far behind.
    expect(bounds.offset).toEqual({ offsetNs: 100.5, uncertaintyNs: 2.5, steady: true });
  });

  it('owns up to clocks that did not keep one offset', () => {
    const bounds = new OffsetBounds();
    bounds.outward(0, 90);
    bounds.inward(0, 110);
    expect(bounds.offset).toEqual({ offsetNs: 100, uncertaintyNs: 10, steady: true });
  });

  it('adds up along the hops', () => {
    expect(
      added({ offsetNs: 100, uncertaintyNs: 2, steady: true }, { offsetNs: -30, uncertaintyNs: 3, steady: false }),
    ).toEqual({
      offsetNs: 70,
      uncertaintyNs: 5,
      steady: false,
    });
  });
});
