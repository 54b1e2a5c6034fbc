/**
 * Evidence of a finding: packets by file, with what they show. In: running packet numbers and rows of a hop. Out: Finding.evidence.
 */

import { cited } from '../delivery/hop-state.js';
import type { Finding } from '../delivery/verdict.js';
import type { HopObservation } from '../hop/observation.js';
import { stampOf } from '../hop/timestamp.js';
import type { HopView } from '../path/path.js';

export type Evidence = Finding['evidence'][number];

/** Enough to open in Wireshark; `lasthop evidence` cuts out all. */
const MOST_PACKETS = 12;

/** One entry for each file that holds some of the packets; none for no packets. */
export function cite(view: HopView, refs: readonly number[], text: string): Evidence[] {
  const { observation } = view;
  const known = [...new Set(refs)].filter((ref) => ref > 0).slice(0, MOST_PACKETS);
  if (observation === null || known.length === 0) return [];
  return cited(observation, known, []).map(({ file, data }) => ({
    file,
    packets: data.sort((a, b) => a - b),
    text,
  }));
}

/** Data packets of a message, and the TCP ACK that covers it. */
export function packetsOf(observation: HopObservation, row: number): number[] {
  if (row < 0) return [];
  const { messages } = observation;
  return [...messages.dataRefs(row).slice(0, MOST_PACKETS), messages.tcpAckRef[row]];
}

/** Time of day on the hop's own clock, as the capture shows it: 05:54:46.212. */
export function clockTime({ observation }: HopView, timeNs: number): string {
  if (observation === null) return '?';
  return stampOf(observation, timeNs, 6)?.slice(11, 23) ?? '?';
}
