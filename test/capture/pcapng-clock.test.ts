import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InterfaceClock, resolutionDigits, resolutionName } from '../../src/capture/pcapng-clock.js';

const high = (ticks: bigint) => Number(ticks >> 32n);
const low = (ticks: bigint) => Number(ticks & 0xffffffffn);

describe('InterfaceClock', () => {
  it('keeps every nanosecond of a time that exceeds 2^53', () => {
    const clock = new InterfaceClock(9, 0n);
    clock.setEpoch(1_700_000_000);
    const ticks = 1_700_000_123_456_789_011n;
    expect(clock.timeNs(high(ticks), low(ticks))).toBe(123_456_789_011);
    expect(clock.seconds(high(ticks), low(ticks))).toBe(1_700_000_123);
  });

  it('is exact for 100 days on either side of the epoch, for any resolution down to the nanosecond', () => {
    const nanoseconds = fc.bigInt({ min: -8_640_000_000_000_000n, max: 8_640_000_000_000_000n });
    fc.assert(
      fc.property(
        nanoseconds,
        fc.integer({ min: 0, max: 9 }),
        fc.bigInt({ min: -9999n, max: 9999n }),
        (distance, digits, offset) => {
          const epochSeconds = 1_700_000_000n;
          const tickNs = 10n ** BigInt(9 - digits);
          const ticks = (epochSeconds * 1_000_000_000n + distance) / tickNs - offset * 10n ** BigInt(digits);
          const expected = (ticks + offset * 10n ** BigInt(digits)) * tickNs - epochSeconds * 1_000_000_000n;
          const clock = new InterfaceClock(digits, offset);
          clock.setEpoch(Number(epochSeconds));
          expect(clock.timeNs(high(ticks), low(ticks))).toBe(Number(expected));
        },
      ),
    );
  });

  it('rounds ticks of a power of two, and finer ones, down to the nanosecond', () => {
    const binary = new InterfaceClock(0x80 | 20, 0n);
    binary.setEpoch(1000);
    const ticks = (1001n << 20n) + 1n; // 2^-20 s is 953.67 ns
    expect(binary.timeNs(high(ticks), low(ticks))).toBe(1e9 + 953);
    const picoseconds = new InterfaceClock(12, 0n);
    picoseconds.setEpoch(1000);
    expect(picoseconds.timeNs(high(1_000_000_000_001_999n), low(1_000_000_000_001_999n))).toBe(1);
  });

  it('names resolutions and their digits', () => {
    expect(resolutionName(6)).toBe('10^-6');
    expect(resolutionName(0x94)).toBe('2^-20');
    expect([3, 6, 7, 9, 0x80 | 19, 0x80 | 20].map(resolutionDigits)).toEqual([6, 6, 9, 9, 6, 9]);
  });
});
