import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distance } from '../../src/tcp/sequence.js';

describe('distance (RFC 9293, section 3.4)', () => {
  it.each([
    [5, 3, 2],
    [3, 5, -2],
    [0, 0xffffffff, 1], // over the wrap at 2^32, which is not 2^32 - 1
    [0xffffffff, 0, -1],
    [10, 0xfffffff0, 26],
    [0x7fffffff, 0, 0x7fffffff],
    [0x80000000, 0, -0x80000000],
    [0x80000000, 0x7fffffff, 1],
    [0x7fffffff, 0x80000000, -1],
  ])('%i after %i is %i', (a, b, expected) => expect(distance(a, b)).toBe(expected));

  it('finds any step below 2^31 again from anywhere', () => {
    const uint32 = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(uint32, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (from, step) => {
        const to = Number((BigInt(from) + BigInt(step)) & 0xffffffffn);
        expect(distance(to, from)).toBe(step);
      }),
    );
  });
});
