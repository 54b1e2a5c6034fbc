/** The orders that proven pairs leave open. */

import { describe, expect, it } from 'vitest';
import { otherOrders } from '../../src/path/other-orders.js';
import { ThreadTable } from '../../src/path/thread-table.js';

/** `proven` as pairs: the first is nearer to the server. */
function orders(hops: number, movable: number[], ...proven: [number, number][]): string[] {
  const further = Array.from({ length: hops }, (_, a) => new Set(proven.flatMap(([x, y]) => (x === a ? [y] : []))));
  return otherOrders(movable, further)
    .map((order) => order.join(''))
    .sort();
}

describe('the orders that are left open', () => {
  it('are all but the one given where nothing is proven', () => {
    expect(orders(2, [0, 1])).toEqual(['10']);
    expect(orders(3, [0, 1, 2])).toEqual(['021', '102', '120', '201', '210']);
    expect(orders(5, [0, 1, 2, 3, 4])).toHaveLength(119);
  });

  it('keep what is proven, over other hops too', () => {
    expect(orders(3, [0, 1, 2], [0, 1], [0, 2])).toEqual(['021']);
    expect(orders(3, [0, 1, 2], [0, 2])).toEqual(['021', '102']);
    expect(orders(4, [0, 1, 2, 3], [0, 1], [1, 2], [2, 3])).toEqual([]);
  });

  it('leave hops where they are of which nothing is asked', () => {
    expect(orders(3, [0, 2])).toEqual(['210']);
  });

  it('of many hops move one at a time', () => {
    const eight = orders(8, [0, 1, 2, 3, 4, 5, 6, 7], [0, 7]);
    expect(eight).toContain('10234567');
    expect(eight).toContain('01324567');
    expect(eight).not.toContain('70123456');
    expect(eight.every((order) => order.indexOf('0') < order.indexOf('7'))).toBe(true);
  });
});

it('threads in another order are the same threads', () => {
  const table = new ThreadTable(3);
  const [a, b] = [table.add(), table.add()];
  table.set(a, 0, 10);
  table.set(a, 2, 12);
  table.set(b, 1, 21);
  table.know(2, 12);
  const turned = table.inOrder([2, 0, 1]);
  expect(turned.count).toBe(2);
  expect([0, 1, 2].map((place) => turned.row(a, place))).toEqual([12, 10, -1]);
  expect([0, 1, 2].map((place) => turned.row(b, place))).toEqual([-1, -1, 21]);
  expect([turned.isKnown(0, 12), turned.isKnown(2, 12)]).toEqual([true, false]);
  expect(turned.mayHold(b, 0, 12)).toBe(true);
});
