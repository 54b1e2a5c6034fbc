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

  it('tells strings apart whose FNV-1a hashes are equal', () => {
    // Known collisions of 32-bit FNV-1a.
    const pairs = [
      ['costarring', 'liquid'],
      ['declinate', 'macallums'],
      ['altarage', 'zinke'],
    ];
    const table = new ByteStringTable();
    for (const [a, b] of pairs) expect(table.internText(a)).not.toBe(table.internText(b));
    expect(pairs.flat().map((text) => table.text(table.internText(text)))).toEqual(pairs.flat());
    expect(table.count).toBe(6);
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
