/**
 * Clock offsets between captures from messages that both saw: what goes outward is never seen earlier on the outer leg, what comes
 * inward never earlier on the inner one, so each direction bounds the offset from one side. Where no one offset fits, the time is cut
 * into pieces with one each: the clock was stepped, or drifts. In: samples by build-paths.ts. Out: a HopClock, or null where a bound is
 * missing.
 */

import { type ClockPiece, type ClockStep, HopClock } from './hop-clock.js';

/** One message, seen at the hop in question and at one whose clock is known. */
export interface ClockSample {
  /** At the hop in question, by its own clock. */
  timeNs: number;
  /** At the other one, common time, and how well that is known. */
  commonNs: number;
  commonWithinNs: number;
  /** The hop in question saw it later than the other one. */
  outward: boolean;
}

/** Packets of one moment may be stamped this far out of order. */
const STEADY_WITHIN_NS = 100e6;
/** A change between two pieces from which it is a step; what is less is drift. */
const STEP_FROM_NS = 250e6;
/** So many messages for each one that is left out. */
const LEAST_PER_LONER = 12;
/** More pieces than this are no clock that was set, but stamps that mean nothing. */
const MOST_PIECES = 256;

/** Bounds of one hop's clock minus another's, nanoseconds, over a stretch of time. */
class Bounds {
  low = Number.NEGATIVE_INFINITY;
  high = Number.POSITIVE_INFINITY;

  take({ timeNs, commonNs, outward }: ClockSample): void {
    const difference = timeNs - commonNs;
    if (outward) this.high = Math.min(this.high, difference);
    else this.low = Math.max(this.low, difference);
  }

  isBrokenBy({ timeNs, commonNs, outward }: ClockSample): boolean {
    const difference = timeNs - commonNs;
    return outward ? this.low - difference > STEADY_WITHIN_NS : difference - this.high > STEADY_WITHIN_NS;
  }

  /** Whether the message took about as long as the quickest one: it says where the offset is, not only where it is not. */
  isTight({ timeNs, commonNs, outward }: ClockSample): boolean {
    const difference = timeNs - commonNs;
    return outward ? difference - this.high <= STEADY_WITHIN_NS : this.low - difference <= STEADY_WITHIN_NS;
  }

  get isKnown(): boolean {
    return Number.isFinite(this.low) && Number.isFinite(this.high);
  }

  get offsetNs(): number {
    return (this.low + this.high) / 2;
  }

  /** Where the bounds cross, all of their disagreement: which of them is wrong is not known, nor what messages took. */
  get uncertaintyNs(): number {
    return this.high >= this.low ? (this.high - this.low) / 2 : this.low - this.high;
  }
}

interface Run {
  bounds: Bounds;
  samples: ClockSample[];
  /** The worst that the other hop's clock is known in it. */
  withinNs: number;
}

/** `setBack`: times of one of the captures passed twice, and do not tell which of the two times they are. */
export function clockOf(samples: readonly ClockSample[], setBack = false): HopClock | null {
  const all = runOf(samples);
  const { bounds } = all;
  if (!bounds.isKnown) return null;
  const constant = () => HopClock.constant(bounds.offsetNs, bounds.uncertaintyNs + all.withinNs, !isCrossed(bounds));
  if (!isCrossed(bounds)) return constant();
  const others = withoutLoners(samples);
  if (others !== null) {
    const { bounds: agreed, withinNs } = runOf(others);
    if (agreed.isKnown && !isCrossed(agreed))
      return HopClock.constant(agreed.offsetNs, agreed.uncertaintyNs + withinNs, true);
  }
  if (setBack) return constant();
  const runs = runsOf([...samples].sort((a, b) => a.timeNs - b.timeNs));
  if (runs.length > MOST_PIECES || runs.some((run) => !run.bounds.isKnown)) return constant();
  return inPieces(runs);
}

/**
 * Without the few that alone say otherwise, those before and after them not: no clock is set for one message. They are two copies of a
 * message taken for one, since each capture lost the other. Null where there are none, or too many.
 */
function withoutLoners(samples: readonly ClockSample[]): ClockSample[] | null {
  const inOrder = [...samples].sort((a, b) => a.timeNs - b.timeNs);
  const differences = inOrder.map(({ timeNs, commonNs }) => timeNs - commonNs);
  const usual = [...differences].sort((a, b) => a - b)[differences.length >> 1];
  const fits = (i: number) => Math.abs(differences[i] - usual) <= STEP_FROM_NS;
  const kept = inOrder.filter((_, i) => i === 0 || i + 1 === inOrder.length || fits(i) || !fits(i - 1) || !fits(i + 1));
  const loners = inOrder.length - kept.length;
  return loners === 0 || loners * LEAST_PER_LONER > inOrder.length ? null : kept;
}

function isCrossed({ low, high }: Bounds): boolean {
  return low - high > STEADY_WITHIN_NS;
}

function runOf(samples: readonly ClockSample[]): Run {
  const run: Run = { bounds: new Bounds(), samples: [...samples], withinNs: 0 };
  for (const sample of samples) {
    run.bounds.take(sample);
    run.withinNs = Math.max(run.withinNs, sample.commonWithinNs);
  }
  return run;
}

/** Cuts wherever the bounds so far do not allow the next message. */
function runsOf(samples: readonly ClockSample[]): Run[] {
  const runs: Run[] = [];
  let from = 0;
  let bounds = new Bounds();
  samples.forEach((sample, i) => {
    if (bounds.isBrokenBy(sample)) {
      runs.push(runOf(samples.slice(from, i)));
      from = i;
      bounds = new Bounds();
    }
    bounds.take(sample);
  });
  runs.push(runOf(samples.slice(from)));
  return withoutStragglers(runs);
}

/** Messages behind a step that bound the offset from the other side do not contradict the run before it: they belong to neither. */
function withoutStragglers(runs: Run[]): Run[] {
  const kept = runs.map(({ bounds, samples }) => runOf(samples.filter((sample) => bounds.isTight(sample))));
  return kept.filter(({ samples }) => samples.length > 0);
}

function inPieces(runs: readonly Run[]): HopClock {
  const pieces: ClockPiece[] = [];
  const steps: ClockStep[] = [];
  let driftNs = 0;
  runs.forEach(({ bounds, samples, withinNs }, i) => {
    const crossingNs = Math.max(0, bounds.low - bounds.high);
    const piece = {
      fromNs: i === 0 ? Number.NEGATIVE_INFINITY : samples[0].timeNs,
      fromCommonNs: i === 0 ? Number.NEGATIVE_INFINITY : samples[0].timeNs - bounds.offsetNs,
      offsetNs: bounds.offsetNs,
      uncertaintyNs: bounds.uncertaintyNs + withinNs + crossingNs / 2,
    };
    const before = pieces.at(-1);
    if (before !== undefined) {
      const fromNs = (runs[i - 1].samples.at(-1) as ClockSample).timeNs + 1;
      const stepNs = piece.offsetNs - before.offsetNs;
      // Between them the one holds, or the other.
      pieces.push({
        fromNs,
        fromCommonNs: fromNs - before.offsetNs,
        offsetNs: (before.offsetNs + piece.offsetNs) / 2,
        uncertaintyNs: Math.abs(stepNs) / 2 + Math.max(before.uncertaintyNs, piece.uncertaintyNs),
        between: true,
      });
      if (Math.abs(stepNs) >= STEP_FROM_NS) steps.push({ fromNs, toNs: piece.fromNs, stepNs });
      else driftNs += stepNs;
    }
    pieces.push(piece);
  });
  return new HopClock(pieces, true, steps, Math.abs(driftNs));
}

/** A stretch of common time in which a clock was stepped, and nothing tells whose: of a hop, or of the one it was compared with. */
export interface ClockDoubt {
  hop: number;
  fromNs: number;
  toNs: number;
  stepNs: number;
}

export function doubtsOf(clocks: readonly (HopClock | null)[]): ClockDoubt[] {
  return clocks.flatMap((clock, hop) => {
    if (clock === null) return [];
    return clock.relativeSteps.map(({ fromNs, toNs, stepNs }) => {
      const ends = [clock.toCommon(fromNs - 1), clock.toCommon(toNs)];
      return { hop, fromNs: Math.min(...ends) - clock.withinNs, toNs: Math.max(...ends) + clock.withinNs, stepNs };
    });
  });
}
