import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RefillBuffer } from '../../src/bytes/refill-buffer.js';

describe('RefillBuffer', () => {
  it('keeps what is not consumed, in order, however it is filled and consumed', () => {
    const steps = fc.array(fc.tuple(fc.nat(20), fc.nat(30), fc.nat(60)), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (turns) => {
        const buffer = new RefillBuffer(16, 64);
        let written = 0;
        let consumed = 0;
        for (const [writes, consumes, needed] of turns) {
          expect(buffer.compact(needed)).toBe(true);
          const count = Math.min(writes, buffer.freeOctets);
          for (let index = 0; index < count; index++) buffer.bytes[buffer.end++] = written++ & 0xff;
          const taken = Math.min(consumes, buffer.end - buffer.start);
          buffer.start += taken;
          consumed += taken;
          expect([...buffer.bytes.subarray(buffer.start, buffer.end)]).toEqual(
            Array.from({ length: written - consumed }, (_, index) => (consumed + index) & 0xff),
          );
        }
        expect(buffer.bytes.length).toBeLessThanOrEqual(64);
      }),
    );
  });

  it('grows only when it is full, twofold, and never beyond its bound', () => {
    const buffer = new RefillBuffer(16, 40);
    expect(buffer.compact(30)).toBe(true);
    expect(buffer.bytes.length).toBe(16);
    buffer.end = 16;
    expect(buffer.compact(40)).toBe(true);
    expect(buffer.bytes.length).toBe(32);
    buffer.end = 32;
    expect(buffer.compact(40)).toBe(true);
    expect(buffer.bytes.length).toBe(40);
    expect(buffer.compact(41)).toBe(false);
  });
});
