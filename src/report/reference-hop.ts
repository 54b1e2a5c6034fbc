/**
 * Against which hop's clock the others' offsets are given. In: the hops of a verdict. Out: the reports' heads.
 */

import type { HopReport } from '../delivery/verdict.js';

/** The first hop that was captured; -1 where none was. One that was only named with --path has no clock that could be known. */
export function referenceHop(hops: readonly Pick<HopReport, 'captures'>[]): number {
  return hops.findIndex(({ captures }) => captures.length > 0);
}
