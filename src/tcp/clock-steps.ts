/**
 * Whether the capture's clock was set forward: the time that senders write into their segments (RFC 7323, timestamps option) went on
 * by less than the capture's did. In: observer.ts tells of every pause of the capture, half-stream.ts of every sender's first segment after one.
 * Out: steps, for path/. A sender alone may have slept; it takes two, and none that says the contrary.
 */

export interface ClockStep {
  /** The last packet before it and the first one after it, by the capture's clock. */
  fromNs: number;
  toNs: number;
  stepNs: number;
}

interface Pause {
  fromNs: number;
  toNs: number;
  stepNs: number;
  agreed: number;
  denied: number;
}

/** A clock that was set forward shows as a pause. */
export const PAUSE_NS = 1e9;
/** Segments of one sender closer together tell nothing. */
export const TICKS_APART_NS = 0.2e9;
const STEP_FROM_NS = 0.5e9;
/** Most senders count milliseconds; the others are not asked. */
const TICK_NS = 1e6;
const RATE_WITHIN = 0.05;
const STAMPED_WITHIN_NS = 0.1e9;
const MAX_PAUSES = 64;
const LEAST_SENDERS = 2;
const MAX_STEPS = 256;

export class ClockSteps {
  private readonly found: ClockStep[] = [];
  private pauses: Pause[] = [];

  pause(fromNs: number, toNs: number): void {
    if (this.pauses.length === MAX_PAUSES) this.settle(this.pauses.shift() as Pause);
    this.pauses.push({ fromNs, toNs, stepNs: 0, agreed: 0, denied: 0 });
  }

  /**
   * A sender's clock ticked so often between two of its segments. Whether it counts milliseconds, as far as is known now: the answer is
   * for the next call.
   */
  ticked(sinceNs: number, nowNs: number, ticks: number, countsMilliseconds: boolean): boolean {
    const elapsedNs = nowNs - sinceNs;
    const missingNs = elapsedNs - ticks * TICK_NS;
    const slackNs = elapsedNs * RATE_WITHIN + STAMPED_WITHIN_NS;
    const agrees = Math.abs(missingNs) <= slackNs;
    if (agrees) {
      for (const pause of this.pauses) if (pause.fromNs >= sinceNs) pause.denied++;
      return true;
    }
    if (!countsMilliseconds || missingNs < STEP_FROM_NS + slackNs || ticks < 0) return countsMilliseconds;
    const fitting = this.pauses.filter(
      (each) => each.fromNs >= sinceNs && each.toNs - each.fromNs >= missingNs - STAMPED_WITHIN_NS,
    );
    if (fitting.length !== 1) return true;
    fitting[0].agreed++;
    if (fitting[0].stepNs === 0) fitting[0].stepNs = missingNs;
    return true;
  }

  finish(): ClockStep[] {
    for (const pause of this.pauses) this.settle(pause);
    this.pauses = [];
    return this.found;
  }

  private settle({ fromNs, toNs, stepNs, agreed, denied }: Pause): void {
    if (agreed >= LEAST_SENDERS && denied === 0 && this.found.length < MAX_STEPS)
      this.found.push({ fromNs, toNs, stepNs: Math.min(stepNs, toNs - fromNs) });
  }
}
