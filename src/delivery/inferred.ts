/**
 * How strong an inference from the sizes of encrypted records is, in words. In: the alignment of a leg. Out: reasons of states with grade
 * `inferred` (SPEC.md).
 */

import type { ObservedHalf, RecordAlignment } from '../hop/observation.js';
import type { HopView } from '../path/path.js';
import type { Judged, Sender } from './hop-state.js';

/** Why a message is taken to have been in the records that it is cited with. */
export function identifiedByRecords(
  view: HopView,
  alignment: RecordAlignment,
  half: ObservedHalf,
  sender: Sender,
  row: number,
): string {
  const { records, before, margin } = alignment[sender];
  const place = placeOf(half.rows, row);
  const after = Math.max(0, records - before[place] - 1);
  return (
    `${view.name}: ${told(alignment)}: ${before[place]} before it and ${after} after it ` +
    `match messages of ${alignment.plainHop}, and ${odds(margin[place])}`
  );
}

export function absentByRecords(view: HopView, alignment: RecordAlignment, sender: Sender): Judged {
  return {
    state: 'absent',
    reason:
      `${view.name}: ${told(alignment)}: ${alignment[sender].records} of them match messages of ` +
      `${alignment.plainHop}, and none that left at this time is left for it`,
    row: -1,
    sentNs: Number.NaN,
    tcpAckNs: Number.NaN,
    whole: false,
    inferred: true,
    fromNowhere: false,
  };
}

function told({ of }: RecordAlignment): string {
  return of === 'segments'
    ? 'its packets were cut; told by the sizes, order and times of segments'
    : 'encrypted; told by the sizes, order and times of TLS records';
}

/** The rows of an aligned half ascend: they were made in stream order. */
function placeOf(rows: Int32Array, row: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle] < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The margin is in bits: how much less likely the next best reading is. */
function odds(bits: number): string {
  return bits >= 20 ? 'nothing else fits' : `the next best reading is 2^${Math.floor(bits)} times less likely`;
}
