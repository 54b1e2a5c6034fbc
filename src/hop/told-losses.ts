/**
 * What was lost where, seen from the place of capture, as `lasthop quality` lists it: the fates of losses.ts and the holes that are the capture's own.
 * In: a direction of a connection. Out: one entry for each fate that occurred, with example packets.
 */

import type { Fate } from '../tcp/losses.js';
import { FATES } from '../tcp/losses.js';
import type { ToldLoss } from './capture-quality.js';
import { type LossTime, overlaps } from './loss-times.js';
import type { ObservedHalf } from './observation.js';

const MOST_EXAMPLES = 5;
const LAST_OF_ACKS = 1;

/** `own`: when the capture itself lost packets; what filled a hole then may have been lost by it, and is not told apart. */
export function toldLosses(half: ObservedHalf, sender: ToldLoss['sender'], own: readonly LossTime[]): ToldLoss[] {
  const { losses } = half;
  const missed = missedByCapture(half, sender);
  const told = missed === null ? [] : [missed];
  if (losses === null) return told;
  const doubtful = losses.list.filter(
    ({ fate, sinceNs, timeNs }) => fate === 'lost-before-capture' && overlaps(own, sinceNs, timeNs),
  );
  for (const fate of FATES) {
    const of = (each: { fate: Fate }) => each.fate === fate;
    const moved = fate === 'lost-before-capture' ? -1 : fate === 'undecided' ? 1 : 0;
    const { packets, octets } = losses.count(fate);
    const count = packets + moved * doubtful.length;
    if (count <= 0) continue;
    const listed = losses.list.filter((each) => (doubtful.includes(each) ? fate === 'undecided' : of(each)));
    told.push({
      sender,
      fate,
      count,
      octets: octets + moved * doubtful.reduce((sum, each) => sum + each.octets, 0),
      packets: listed.slice(0, MOST_EXAMPLES).map(({ ref }) => ref),
    });
  }
  return told;
}

function missedByCapture({ gaps, missedOctets, packets }: ObservedHalf, sender: ToldLoss['sender']): ToldLoss | null {
  const holes = gaps.filter(({ kind, from }) => kind === 'missed' && from >= 0);
  if (holes.length === 0 || packets === 0) return null;
  const acks = holes.flatMap(({ acks: steps }) => (steps.length > 0 ? [steps[steps.length - LAST_OF_ACKS]] : []));
  return {
    sender,
    fate: 'missed-by-capture',
    count: holes.length,
    octets: missedOctets,
    packets: acks.slice(0, MOST_EXAMPLES),
  };
}
