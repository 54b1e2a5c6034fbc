/**
 * What a clock that was stepped leaves open: how long it was between two moments. In: doubts of path/clocks.ts. Out: judge.ts and its neighbours wait
 * for a deadline as much longer as it may lie later, and say why.
 */

import type { ClockDoubt } from '../path/clocks.js';
import type { HopView } from '../path/path.js';
import { seconds } from './coverage.js';

interface Doubtful {
  doubts: readonly ClockDoubt[];
  views: readonly HopView[];
}

export interface Stepped {
  /** The most by which a duration over it may seem longer than it was. */
  byNs: number;
  words: string;
}

/** If common time, which is the first hop's clock, may have been set forward between two moments. */
export function steppedBetween({ doubts, views }: Doubtful, fromNs: number, toNs: number): Stepped | null {
  // A clock that went forward against the first hop's was set itself, or that one was set back: then it was longer than it seems.
  const here = doubts.filter(
    (each) => each.stepNs < 0 && each.fromNs <= toNs && each.toNs >= fromNs && !isItsOwn({ doubts, views }, each),
  );
  if (here.length === 0) return null;
  const [{ hop, stepNs }] = here;
  const others = views.filter(({ index, observation }) => index < hop && observation !== null).map(({ name }) => name);
  return {
    // Told by each of the other clocks.
    byNs: Math.max(...views.map(({ index }) => sum(here.filter((each) => each.hop === index)))),
    words: `the clock of ${views[hop].name} or of ${others.join(' or ')} was set ${stepNs > 0 ? 'forward' : 'back'} by ${seconds(Math.abs(stepNs))} at this time, so whether the deadline had passed cannot be told`,
  };
}

/** Where another hop's clock goes on with the first hop's at that time, it was the one that does not which was set. */
function isItsOwn({ doubts, views }: Doubtful, doubt: ClockDoubt): boolean {
  const first = views.findIndex(({ observation }) => observation !== null);
  return views.some(
    ({ index, clock, observation }) =>
      index > first &&
      index !== doubt.hop &&
      clock?.steady === true &&
      observation?.resumed.length === 0 &&
      !doubts.some((each) => each.hop === index && each.fromNs <= doubt.toNs && each.toNs >= doubt.fromNs),
  );
}

function sum(doubts: readonly ClockDoubt[]): number {
  return doubts.reduce((total, { stepNs }) => total - stepNs, 0);
}

/** Each step may bring the next one into the time that is waited for. */
const MOST_ROUNDS = 4;

/** The deadline of what was sent at a moment of common time, at the latest. */
export function deadlineAfter(court: Doubtful, sentNs: number, timeoutNs: number): number {
  let deadlineNs = sentNs + timeoutNs;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const latestNs = sentNs + timeoutNs + (steppedBetween(court, sentNs, deadlineNs)?.byNs ?? 0);
    if (latestNs === deadlineNs) break;
    deadlineNs = latestNs;
  }
  return deadlineNs;
}
