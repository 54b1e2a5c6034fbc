import { expect, it } from 'vitest';
import { isoTime } from '../../src/hop/timestamp.js';

it.each([
  [0, 0, 6, '1970-01-01T00:00:00.000000Z'],
  [1_234_567_891, 1_700_000_000, 9, '2023-11-14T22:13:21.234567891Z'],
  [1_234_567_891, 1_700_000_000, 6, '2023-11-14T22:13:21.234567Z'],
  [999_999_999, 1_700_000_000, 6, '2023-11-14T22:13:20.999999Z'],
  [-1, 1_700_000_000, 9, '2023-11-14T22:13:19.999999999Z'],
  [86_400e9, 0, 6, '1970-01-02T00:00:00.000000Z'],
  [Number.NaN, 0, 6, null],
  [Number.POSITIVE_INFINITY, 0, 6, null],
] as [number, number, 6 | 9, string | null][])('%d ns after %d s, %d digits', (timeNs, epoch, digits, expected) => {
  expect(isoTime(timeNs, epoch, digits)).toBe(expected);
});

it('gives the same again for a second that was asked for before', () => {
  const asked = [5, 9, 5].map((ns) => isoTime(ns, 100, 9));
  expect(asked).toEqual([
    '1970-01-01T00:01:40.000000005Z',
    '1970-01-01T00:01:40.000000009Z',
    '1970-01-01T00:01:40.000000005Z',
  ]);
});
