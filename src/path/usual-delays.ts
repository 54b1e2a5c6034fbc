/**
 * How long messages usually take from one hop to another, by their captures' clocks as far as these are known: told by all paths together. Where a
 * clock is known to a second only, copies of a command that are offered each second are told apart by it all the same. In: the messages
 * that two legs of a path share. Out: Passage for align.ts.
 */

import { type AlignSide, settledAnchors, timeOf } from './align.js';
import { type Passage, usualOf } from './passage.js';

/** More tell no more. */
const MOST_PATHS = 64;

export class UsualDelays {
  private readonly known = new Map<string, Passage | null>();

  /** `sides`: of each path that has legs at both hops. */
  between(inner: number, outer: number, way: string, sides: () => Iterable<[AlignSide, AlignSide]>): Passage | null {
    const key = `${inner} ${outer} ${way}`;
    let passage = this.known.get(key);
    if (passage === undefined) {
      passage = usualOf(delays(sides()));
      this.known.set(key, passage);
    }
    return passage;
  }
}

function delays(sides: Iterable<[AlignSide, AlignSide]>): number[] {
  const found: number[] = [];
  let paths = 0;
  for (const [a, b] of sides) {
    if (paths++ === MOST_PATHS) break;
    for (const [i, o] of settledAnchors(a, b)) {
      const delayNs = timeOf(b, o) - timeOf(a, i);
      if (!Number.isNaN(delayNs)) found.push(delayNs);
    }
  }
  return found;
}
