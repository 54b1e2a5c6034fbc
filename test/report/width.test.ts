import { describe, expect, it } from 'vitest';
import { columns, joined, shortened, shortenedApart, wrapped } from '../../src/report/width.js';

it('counts columns as a terminal does', () => {
  expect(['abc', '✓ TCP', '東京', '🙂', 'e\u0301', '\x1b[31mred\x1b[39m'].map(columns)).toEqual([3, 5, 4, 2, 1, 3]);
});

describe('shortening', () => {
  it('keeps both ends', () => {
    expect(shortened('0192f3a1-9d40-7aa2-b1c4-77e0d2f4aa10', 11, '…')).toBe('0192f…4aa10');
    expect(shortened('short', 11, '…')).toBe('short');
    expect(columns(shortened('東京東京東京東京', 7, '…'))).toBeLessThanOrEqual(7);
  });

  it('finds a cut by which all differ, or says that there is none', () => {
    const ids = ['session-000000000001', 'session-000000000002', 'session-000000000013'];
    const cut = shortenedApart(ids, 8, '…');
    expect(new Set(ids.map((id) => cut?.(id))).size).toBe(3);
    expect(shortenedApart(['a-1111111111111-b', 'a-1111211111111-b'], 6, '…')).toBeNull();
  });
});

it('wraps at words, and words that are too long', () => {
  expect(wrapped('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrapped('abcdefgh', 3)).toEqual(['abc', 'def', 'gh']);
  expect(wrapped('', 5)).toEqual(['']);
});

it('joins parts and breaks only between them', () => {
  expect(joined(['a b', 'c d', 'e f'], ' · ', 9)).toEqual(['a b · c d', 'e f']);
});
