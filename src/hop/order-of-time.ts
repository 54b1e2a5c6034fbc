/**
 * Whether a capture that goes back in time is only in the wrong order: read in the order of its times, less is missing from its streams. A clock that
 * was set back gives the opposite: what came after it then stands among what came before. In: the observer that read it as it stands. Out: one that
 * read it in the order of time, or null.
 */

import { readByTime } from '../capture/read-by-time.js';
import type { ObservedFile } from './observation.js';
import type { Observer } from './observer.js';

/** `observer`: finished. `begin` gives a new one. */
export async function inOrderOfTime(
  observer: Observer,
  files: readonly ObservedFile[],
  epochSeconds: number,
  begin: () => Observer,
): Promise<Observer | null> {
  const { context, steady } = observer;
  const isProvenClock = steady.setBacks.length > 0 && steady.setBacks.every(({ exact }) => exact);
  if (context.clock.setBacks.length === 0 && (steady.setBacks.length === 0 || isProvenClock)) return null;
  const sorted = begin();
  if (!(await readByTime(files, sorted, epochSeconds))) return null;
  sorted.finish();
  const misses = sorted.missedOctets - observer.missedOctets;
  const more = sorted.context.messages.count - context.messages.count;
  return misses <= 0 && more >= 0 && misses < more ? sorted : null;
}
