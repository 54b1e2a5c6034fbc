/**
 * Turns the 64-bit ticks of a pcapng interface into nanoseconds since the epoch of the analysis, exactly.
 * In: if_tsresol and if_tsoffset of an Interface Description Block, ticks as two 32-bit halves. Out: `timeNs`.
 * draft-ietf-opsawg-pcapng, sections 4.2 (options) and 4.3 (timestamps).
 *
 * Ticks since 1970 exceed 2^53 where a tick is a nanosecond. But the distance to the epoch does not (for 104 days either way),
 * so the epoch is turned into ticks once, and a packet costs two subtractions and no BigInt.
 */

const TWO_TO_32 = 4294967296;

export class InterfaceClock {
  /** Whether a tick is a whole number of nanoseconds, so that the short way below is exact. */
  private readonly wholeNanoseconds: boolean;
  private readonly nanosecondsPerTick: number;
  private epochTicksHigh = 0;
  private epochTicksLow = 0;
  private epochNanoseconds = 0n;
  private readonly ticksPerSecond: bigint;

  constructor(
    /** The octet of if_tsresol: a power of 10, or of 2 where its highest bit is set. */
    resolution: number,
    /** if_tsoffset: seconds to add to each time. */
    private readonly offsetSeconds: bigint,
  ) {
    const exponent = resolution & 0x7f;
    const binary = (resolution & 0x80) !== 0;
    this.ticksPerSecond = (binary ? 2n : 10n) ** BigInt(exponent);
    this.wholeNanoseconds = !binary && exponent <= 9;
    this.nanosecondsPerTick = this.wholeNanoseconds ? 10 ** (9 - exponent) : 0;
  }

  /** The second since 1970 in which these ticks fall: what the first packet of an analysis sets as the epoch. */
  seconds(ticksHigh: number, ticksLow: number): number {
    const ticks = BigInt(ticksHigh) * 0x100000000n + BigInt(ticksLow);
    return Number(ticks / this.ticksPerSecond + this.offsetSeconds);
  }

  setEpoch(epochSeconds: number): void {
    const seconds = BigInt(epochSeconds) - this.offsetSeconds;
    this.epochNanoseconds = seconds * 1_000_000_000n;
    const ticks = seconds * this.ticksPerSecond;
    // An offset can put the epoch before the first tick: `>>` keeps the sign in the high half.
    this.epochTicksHigh = Number(ticks >> 32n);
    this.epochTicksLow = Number(ticks & 0xffffffffn);
  }

  timeNs(ticksHigh: number, ticksLow: number): number {
    if (!this.wholeNanoseconds) return this.timeNsOfFraction(ticksHigh, ticksLow);
    const ticks = (ticksHigh - this.epochTicksHigh) * TWO_TO_32 + (ticksLow - this.epochTicksLow);
    return ticks * this.nanosecondsPerTick;
  }

  /** Ticks of a power of two, or finer than a nanosecond: rounded down to the nanosecond, as Wireshark shows them. */
  private timeNsOfFraction(ticksHigh: number, ticksLow: number): number {
    const ticks = BigInt(ticksHigh) * 0x100000000n + BigInt(ticksLow);
    return Number((ticks * 1_000_000_000n) / this.ticksPerSecond - this.epochNanoseconds);
  }
}

/** `10^-6`, `2^-20`, for people. */
export function resolutionName(resolution: number): string {
  return `${resolution & 0x80 ? 2 : 10}^-${resolution & 0x7f}`;
}

/** 6 or 9 digits: whichever shows all that the interface measured, of the two that reports know. */
export function resolutionDigits(resolution: number): 6 | 9 {
  const exponent = resolution & 0x7f;
  return exponent > (resolution & 0x80 ? 19 : 6) ? 9 : 6;
}
