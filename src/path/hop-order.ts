/**
 * Whether the hops were given in the order in which they stand, from the server outward: an order that the captures contradict
 * makes every verdict name the wrong hop. In: legs and nodes of all paths. Out: the pair of hops that stands the wrong way round.
 */

import type { HopObservation } from '../hop/observation.js';
import { type AlignSide, anchors } from './align.js';
import type { Path } from './path.js';

/** Two hops, by index: the first was given before the second, and stands further out. */
export type Misorder = readonly [number, number];

/** How often captures spoke for the order given, and against it, by pair of hops. */
export class OrderVotes {
  private readonly kept = new Map<number, number>();
  private readonly broken = new Map<number, number>();

  constructor(private readonly hops: number) {}

  add(first: number, second: number, isKept: boolean): void {
    const votes = isKept ? this.kept : this.broken;
    votes.set(first * this.hops + second, (votes.get(first * this.hops + second) ?? 0) + 1);
  }

  /** A pair that nothing speaks for and enough speaks against. */
  against(least: number): Misorder | null {
    for (const [pair, count] of this.broken)
      if (count >= least && !this.kept.has(pair)) return [Math.floor(pair / this.hops), pair % this.hops];
    return null;
  }
}

const LEAST_CONTRADICTIONS = 8;
/** Two processors may stamp packets of one moment this far out of order. */
const STAMPED_WITHIN_NS = 50e3;

/**
 * By time: what goes outward is seen further in first, what comes inward further out, so between neighbouring moments the difference of
 * two hops' clocks is never smaller by the messages that go outward than by those that come inward. True of any two clocks.
 */
export function misorderedInTime(
  paths: readonly Path[],
  observations: readonly (HopObservation | null)[],
): Misorder | null {
  const votes = new OrderVotes(observations.length);
  for (const { legs } of paths)
    for (let inner = 0; inner < legs.length; inner++)
      for (let outer = inner + 1; outer < legs.length; outer++) {
        const sides = (way: 'fromServer' | 'fromClient') =>
          [inner, outer].map((hop): AlignSide | null => {
            const half = legs[hop]?.connection[way];
            const messages = observations[hop]?.messages;
            return half === undefined || messages === undefined ? null : { half, messages, clockNs: Number.NaN };
          });
        for (const isKept of comparisons(sides('fromServer'), sides('fromClient'))) votes.add(inner, outer, isKept);
      }
  return votes.against(LEAST_CONTRADICTIONS);
}

function* comparisons(outward: (AlignSide | null)[], inward: (AlignSide | null)[]): Generator<boolean> {
  const seen = [...differences(outward, true), ...differences(inward, false)].sort((a, b) => a.atNs - b.atNs);
  for (let i = 1; i < seen.length; i++) {
    const [a, b] = [seen[i - 1], seen[i]];
    if (a.outward === b.outward) continue;
    const excess = (a.outward ? 1 : -1) * (a.differenceNs - b.differenceNs);
    if (excess <= 0 && excess >= -STAMPED_WITHIN_NS) continue;
    yield excess > 0;
    i++; // each message is heard once
  }
}

function differences([inner, outer]: (AlignSide | null)[], outward: boolean) {
  if (inner === null || outer === null) return [];
  return anchors(inner, outer).map(([i, o]) => {
    const atNs = inner.messages.sentNs[inner.half.rows[i]];
    return { atNs, differenceNs: outer.messages.sentNs[outer.half.rows[o]] - atNs, outward };
  });
}
