/** Which messages two legs share, as far as that is known without any clock. In: both sides of one direction. Out: clocks, and the order of hops. */

import { type AlignSide, align, anchors, settledAnchors } from './align.js';
import { isWholeHalf } from './carry-over.js';

/** Of cut packets the content cannot be compared, and where octets were lost, two copies may seem one message: there the places tell. */
export function sharedMessages(inner: AlignSide, outer: AlignSide, towardsAgent: boolean): Iterable<[number, number]> {
  if (isWholeHalf(inner.half) && isWholeHalf(outer.half)) return anchors(inner, outer);
  const found = inner.half.unsound.length + outer.half.unsound.length > 0 ? align(inner, outer, towardsAgent) : null;
  if (found?.mode !== 'offsets') return settledAnchors(inner, outer);
  return [...found.inner].map((i, o): [number, number] => [i, o]).filter(([i]) => i >= 0);
}
