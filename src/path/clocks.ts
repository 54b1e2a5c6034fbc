/**
 * Clock offsets between captures from messages that both saw: what goes outward is never seen earlier on the outer leg, what comes
 * inward never earlier on the inner one, so each direction bounds the offset from one side. In: anchors of all paths.
 * Out: a ClockOffset for each captured hop, or null where a bound is missing.
 */

import type { ClockOffset } from './path.js';

/** Packets of one moment may be stamped this far out of order. */
const STEADY_WITHIN_NS = 100e6;

/** Bounds of one hop's clock minus another's, nanoseconds. */
export class OffsetBounds {
  low = Number.NEGATIVE_INFINITY;
  high = Number.POSITIVE_INFINITY;

  /** A message towards the agent: seen at `outerNs` on the outer hop's clock, at `innerNs` on the inner one's. */
  outward(innerNs: number, outerNs: number): void {
    const difference = outerNs - innerNs;
    if (difference < this.high) this.high = difference;
  }

  inward(innerNs: number, outerNs: number): void {
    const difference = outerNs - innerNs;
    if (difference > this.low) this.low = difference;
  }

  /** Where the bounds cross, the clocks did not keep one offset: the middle, and at least their disagreement as uncertainty. */
  get offset(): ClockOffset | null {
    if (!Number.isFinite(this.low) || !Number.isFinite(this.high)) return null;
    return {
      offsetNs: (this.low + this.high) / 2,
      uncertaintyNs: Math.abs(this.high - this.low) / 2,
      steady: this.low - this.high <= STEADY_WITHIN_NS,
    };
  }
}

export function added(a: ClockOffset, b: ClockOffset): ClockOffset {
  return {
    offsetNs: a.offsetNs + b.offsetNs,
    uncertaintyNs: a.uncertaintyNs + b.uncertaintyNs,
    steady: a.steady && b.steady,
  };
}
