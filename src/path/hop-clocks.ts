/**
 * The clocks of all hops against the first one's: which pairs of moments bound them. In: paths and observations. Out: clocks for
 * build-paths.ts; clocks.ts makes each of its samples.
 */

import type { HopObservation } from '../hop/observation.js';
import { sharedMessages } from './align.js';
import { answersBetween, type TwoWays } from './answers.js';
import { type ClockSample, clockOf } from './clocks.js';
import { composed, type HopClock, ownClock } from './hop-clock.js';
import type { Observations } from './nodes.js';
import type { Leg, Path } from './path.js';
import { hasEndOfHandshake, sideOf } from './sides.js';
import { twinSamples } from './twin-clock.js';

/**
 * By hop: its clock against the first captured hop's. A hop is reached from the inner hop
 * that shares most with it; null where no path joins it to the others in both directions.
 */
export function hopClocks(paths: readonly Path[], observations: Observations): (HopClock | null)[] {
  const clocks: (HopClock | null)[] = observations.map(() => null);
  const first = observations.findIndex((observation) => observation !== null);
  if (first < 0) return clocks;
  const own = observations.map((observation) => ownClock(observation?.clockSteps ?? []));
  clocks[first] = own[first];
  for (let outer = first + 1; outer < observations.length; outer++) {
    if (observations[outer] === null) continue;
    for (let inner = outer - 1; inner >= first && clocks[outer] === null; inner--) {
      const base = clocks[inner];
      if (base === null) continue;
      const setBack = [first, inner, outer].some((hop) => (observations[hop]?.setBacks.length ?? 0) > 0);
      const samples = clockSamples(paths, observations, inner, outer, base, own[outer]);
      const relative =
        clockOf(samples, setBack) ??
        clockOf(twinClockSamples(paths, observations, inner, outer, base, own[outer]), setBack) ??
        clockOf([...samples, ...answerSamples(paths, observations, inner, outer, base, own[outer])], setBack);
      if (relative !== null) clocks[outer] = composed(own[outer], relative);
    }
  }
  return clocks;
}

function clockSamples(
  paths: readonly Path[],
  observations: Observations,
  inner: number,
  outer: number,
  base: HopClock,
  own: HopClock,
): ClockSample[] {
  const samples: ClockSample[] = [];
  for (const path of paths) {
    if (path.legs[inner] === null || path.legs[outer] === null) continue;
    for (const direction of ['fromServer', 'fromClient'] as const) {
      const a = sideOf(path.legs[inner] as Leg, observations, direction, null);
      const b = sideOf(path.legs[outer] as Leg, observations, direction, null);
      for (const [i, o] of sharedMessages(a, b, direction === 'fromServer')) {
        const sample = { innerNs: a.messages.sentNs[a.half.rows[i]], outerNs: b.messages.sentNs[b.half.rows[o]] };
        samples.push(...sampled(sample, direction === 'fromServer', base, own));
      }
    }
  }
  return samples;
}

/** Where one of them holds one direction only, answers are all that goes the other way. */
function answerSamples(
  paths: readonly Path[],
  observations: Observations,
  inner: number,
  outer: number,
  base: HopClock,
  own: HopClock,
): ClockSample[] {
  return paths.flatMap(({ legs }) => {
    if (legs[inner] === null || legs[outer] === null) return [];
    const found = answersBetween(bothWays(legs[inner], observations), bothWays(legs[outer], observations));
    return found.flatMap((each) => sampled(each, each.outward, base, own));
  });
}

/** Where too few messages are known for what they are: the inner hop's legs as the outer hop's capture holds them. */
function twinClockSamples(
  paths: readonly Path[],
  observations: Observations,
  inner: number,
  outer: number,
  base: HopClock,
  own: HopClock,
): ClockSample[] {
  const legs = paths.flatMap((path) => path.legs[inner] ?? []);
  const [a, b] = [observations[inner] as HopObservation, observations[outer] as HopObservation];
  return [...twinSamples(legs, a, b)].flatMap((each) => sampled(each, each.way === 'fromServer', base, own));
}

function bothWays(leg: Leg, observations: Observations): TwoWays {
  return {
    fromServer: sideOf(leg, observations, 'fromServer', null),
    fromClient: sideOf(leg, observations, 'fromClient', null),
    whole: leg.connection.handshake?.accepted === true,
    accepted: hasEndOfHandshake(leg),
  };
}

/** Two moments by the captures' own clocks, as a sample where both are known. */
function sampled(
  { innerNs, outerNs }: { innerNs: number; outerNs: number },
  outward: boolean,
  base: HopClock,
  own: HopClock,
): ClockSample[] {
  const [commonNs, timeNs] = [base.toCommon(innerNs), own.toCommon(outerNs)];
  if (Number.isNaN(commonNs) || Number.isNaN(timeNs)) return [];
  const commonWithinNs = base.uncertaintyAt(commonNs);
  return Number.isFinite(commonWithinNs) ? [{ timeNs, commonNs, commonWithinNs, outward }] : [];
}
