/**
 * One direction of a leg as what matches messages wants it. In: legs and observations. Out: align.ts and what compares two captures by it.
 */

import type { HopObservation, ObservedHalf } from '../hop/observation.js';
import type { AlignSide } from './align.js';
import type { HopClock } from './hop-clock.js';
import type { Observations } from './nodes.js';
import type { Leg, Path } from './path.js';

export function sideOf(
  leg: Leg,
  observations: Observations,
  direction: 'fromServer' | 'fromClient',
  clock: HopClock | null,
): AlignSide {
  const half: ObservedHalf = leg.connection[direction];
  const { messages, strings, lastNs } = observations[leg.hop] as HopObservation;
  return { half, messages, strings, clock, endNs: lastNs };
}

/** Of all paths that have legs at both hops. */
export function* pairsOfSides(
  paths: readonly Path[],
  observations: Observations,
  clocks: readonly (HopClock | null)[],
  direction: 'fromServer' | 'fromClient',
  inner: number,
  outer: number,
): Generator<[AlignSide, AlignSide]> {
  for (const { legs } of paths) {
    const [a, b] = [legs[inner], legs[outer]];
    if (a !== null && b !== null)
      yield [sideOf(a, observations, direction, clocks[inner]), sideOf(b, observations, direction, clocks[outer])];
  }
}

/** Whether the capture holds the end of its opening handshake. */
export function hasEndOfHandshake({ connection }: Leg): boolean {
  return connection.accept !== null || connection.handshake?.accepted === true;
}
