import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteStringTable } from '../../src/message/byte-string-table.js';
import { embedded, octets } from '../support/octets.js';

describe('ByteStringTable', () => {
  it('gives each string one number, in order, and the string back', () => {
    const table = new ByteStringTable();
    expect(['a', 'b', 'a', '', 'äöü€😀', 'b', ''].map((text) => table.internText(text))).toEqual([0, 1, 0, 2, 3, 1, 2]);
    expect(table.count).toBe(4);
    expect([0, 1, 2, 3].map((index) => table.text(index))).toEqual(['a', 'b', '', 'äöü€😀']);
  });

  it('takes only the octets that are meant', () => {
    const table = new ByteStringTable();
    const { bytes, start, end } = embedded(octets('c-17'), 5);
    expect(table.text(table.intern(bytes, start, end))).toBe('c-17');
    expect(table.internText('c-17')).toBe(0);
    expect(table.intern(bytes, start, end - 1)).toBe(1);
  });

  it('keeps its strings when the caller’s octets change', () => {
    const table = new ByteStringTable();
    const bytes = octets('before');
    table.intern(bytes, 0, 6);
    bytes.fill(0x78);
    expect(table.text(0)).toBe('before');
  });

  it('tells strings apart whose hashes are equal', () => {
    const table = new ByteStringTable();
    const byHash = new Map<number, number>();
    const alike: [number, number][] = [];
    // Among so many of 2^32 hashes about ten pairs are equal.
    const key = (i: number) => Math.sin(i + 1).toString(36);
    for (let i = 0; i < 300_000; i++) {
      const index = table.internText(key(i));
      const other = byHash.get(table.hashOf(index));
      if (other !== undefined) alike.push([other, index]);
      byHash.set(table.hashOf(index), index);
    }
    expect(table.count).toBe(300_000);
    expect(alike.length).toBeGreaterThan(0);
    for (const [a, b] of alike) {
      expect([table.text(a), table.text(b)]).toEqual([key(a), key(b)]);
      expect([table.internText(key(a)), table.internText(key(b))]).toEqual([a, b]);
    }
  });

  it('tells zeros at the end of a string from none', () => {
    const table = new ByteStringTable();
    const texts = ['a', 'a\0', 'a\0\0', 'a\0\0\0', 'a\0\0\0\0', '\0', ''];
    expect(texts.map((text) => table.internText(text))).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(texts.map((_, i) => table.text(i))).toEqual(texts);
  });

  it('grows, and finds everything again', () => {
    const table = new ByteStringTable();
    const texts = Array.from({ length: 20_000 }, (_, i) => `command-${i}-${'x'.repeat(i % 50)}`);
    expect(texts.map((text) => table.internText(text))).toEqual(texts.map((_, i) => i));
    expect(texts.filter((text, i) => table.internText(text) !== i || table.text(i) !== text)).toEqual([]);
  });

  it('takes a string longer than all that it has', () => {
    const table = new ByteStringTable();
    const long = 'y'.repeat(100_000);
    table.internText('a');
    expect(table.text(table.internText(long))).toBe(long);
    expect(table.text(0)).toBe('a');
  });

  it('takes over strings of another table', () => {
    const other = new ByteStringTable();
    const table = new ByteStringTable();
    for (const text of ['x', 'c-17', 'y']) other.internText(text);
    table.internText('own');
    expect(table.text(table.internFrom(other, 1))).toBe('c-17');
    expect(table.text(table.internFrom(other, 2))).toBe('y');
  });

  it('is a set of octet strings, whatever the octets', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 4 }), { maxLength: 60 }), (all) => {
        const table = new ByteStringTable();
        const numbers = new Map<string, number>();
        for (const bytes of all) {
          const key = Buffer.from(bytes).toString('hex');
          const number = table.intern(bytes, 0, bytes.length);
          expect(number).toBe(numbers.get(key) ?? numbers.size);
          numbers.set(key, number);
        }
        expect(table.count).toBe(numbers.size);
      }),
    );
  });
});
