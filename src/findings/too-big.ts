/**
 * ICMP "fragmentation needed" and "packet too big" about what a hop sent on its leg. In: an observation. Out: large-frames-lost and
 * the hypothesis path-mtu.
 */

import type { ObservedTooBig } from '../hop/observation.js';
import type { Leg } from '../path/path.js';
import type { Facts } from './facts.js';

export function tooBigOn({ views }: Facts, { hop, connection }: Leg): ObservedTooBig[] {
  const { serverAddress, serverPort, clientAddress, clientPort } = connection;
  return (views[hop].observation?.tooBig ?? []).filter(
    ({ source, sourcePort, destination, destinationPort }) =>
      sourcePort === serverPort &&
      destinationPort === clientPort &&
      source === serverAddress &&
      destination === clientAddress,
  );
}

/** The least next-hop MTU that was told; null for none. */
export function leastMtu(errors: readonly ObservedTooBig[]): number | null {
  const known = errors.map(({ nextHopMtu }) => nextHopMtu).filter((mtu) => mtu !== null);
  return known.length === 0 ? null : Math.min(...known);
}
