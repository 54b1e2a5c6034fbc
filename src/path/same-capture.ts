/** One file given for several hops. In: observations. Out: whether two are of one capture, for legs.ts and delivery/misuse.ts. */

import type { HopObservation } from '../hop/observation.js';

const KNOWN = new WeakMap<HopObservation, WeakMap<HopObservation, boolean>>();

/** The same file, or a copy of it. */
export function isSameCapture(a: HopObservation | null, b: HopObservation | null): boolean {
  if (a === null || b === null || a.tcpPackets === 0) return false;
  const known = KNOWN.get(a) ?? new WeakMap<HopObservation, boolean>();
  KNOWN.set(a, known);
  const same = known.get(b) ?? isCopy(a, b);
  known.set(b, same);
  return same;
}

function isCopy(a: HopObservation, b: HopObservation): boolean {
  const same = (of: (observation: HopObservation) => unknown) => of(a) === of(b);
  return (
    same(({ packets }) => packets) &&
    same(({ tcpPackets }) => tcpPackets) &&
    same(({ firstNs }) => firstNs) &&
    same(({ lastNs }) => lastNs) &&
    same(({ connections }) => connections.map((each) => `${each.clientPort} ${each.packets} ${each.lastNs}`).join())
  );
}
