import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOctets } from '../../src/bytes/hash.js';

const encoder = new TextEncoder();
const hashOf = (text: string, seed = 0) => {
  const bytes = encoder.encode(text);
  return hashOctets(bytes, 0, bytes.length, seed);
};

describe('hashOctets', () => {
  it('depends on the octets, not on where they stand', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.uint8Array({ maxLength: 9 }), (octets, before) => {
        const moved = Uint8Array.from([...before, ...octets, 1, 2, 3]);
        expect(hashOctets(moved, before.length, before.length + octets.length, 7)).toBe(
          hashOctets(octets, 0, octets.length, 7),
        );
      }),
    );
  });

  it('tells every octet, length and seed', () => {
    const octets = encoder.encode('550e8400-e29b-41d4-a716-44665544000');
    const hashes = new Set<number>();
    let made = 0;
    for (let length = 0; length <= octets.length; length++, made++) hashes.add(hashOctets(octets, 0, length, 0));
    for (let at = 0; at < octets.length; at++)
      for (let bit = 0; bit < 8; bit++, made++) {
        const changed = octets.slice();
        changed[at] ^= 1 << bit;
        hashes.add(hashOctets(changed, 0, changed.length, 0));
      }
    for (let seed = 1; seed < 32; seed++, made++) hashes.add(hashOctets(octets, 0, octets.length, seed));
    expect(hashes.size).toBe(made);
  });

  it('spreads running numbers over its low bits', () => {
    const buckets = new Array<number>(64).fill(0);
    for (let i = 0; i < 64_000; i++) buckets[hashOf(`cmd-${i}`) & 63]++;
    // 1000 are expected in each; six standard deviations are 190.
    expect(Math.min(...buckets)).toBeGreaterThan(810);
    expect(Math.max(...buckets)).toBeLessThan(1190);
  });
});
