import { expect, it } from 'vitest';
import { ThreadTable } from '../../src/path/thread-table.js';

it('a row may belong to another thread as long as no hop shows two messages', () => {
  const table = new ThreadTable(3);
  const [seenInside, half, further] = [table.add(), table.add(), table.add()];
  table.set(seenInside, 0, 10);
  table.set(half, 1, 20);
  table.set(half, 2, 30);
  table.set(further, 0, 11);
  table.set(further, 2, 31);
  expect(table.mayHold(seenInside, 1, 20)).toBe(true);
  expect(table.mayHold(seenInside, 2, 30)).toBe(true);
  // Hop 0 has seen both: they are two.
  expect(table.mayHold(seenInside, 2, 31)).toBe(false);
  expect(table.merge(seenInside, further)).toBe(false);
  expect(table.merge(half, seenInside)).toBe(true);
  expect([0, 1, 2].map((hop) => table.row(seenInside, hop))).toEqual([10, 20, 30]);
});
