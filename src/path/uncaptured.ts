/**
 * Hops between two neighbours given, which nobody captured or named: whoever TCP-ACKs on the inner leg is then not the outer hop. In: the
 * group of a path and its legs. Out: by outer hop the address of such a hop, for delivery/.
 */

import type { Group } from './group.js';
import { forwardedFor, type Node, nodesInOrder, type Observations, provenOrder } from './nodes.js';
import { isLoopback, type Leg, plainAddress } from './path.js';

/** By hop: the address of a hop between its leg and the next inner one's; null where nothing shows one. */
export function uncapturedHops(
  group: Group,
  legs: readonly (Leg | null)[],
  observations: Observations,
): (string | null)[] {
  const found: (string | null)[] = legs.map(() => null);
  const nodes = nodesInOrder(group, observations);
  const nodeOf = (leg: Leg | null | undefined) =>
    nodes.find(({ sightings }) => leg != null && sightings.some(({ connection }) => connection === leg.connection));
  for (let outer = 1; outer < legs.length; outer++) {
    const [near, far] = [nodeOf(legs[outer - 1]), nodeOf(legs[outer])];
    if (near === undefined || far === undefined || near === far) continue;
    const between = nodes.find(
      (node) =>
        node !== near &&
        node !== far &&
        provenOrder(near, node, observations) < 0 &&
        provenOrder(node, far, observations) < 0,
    );
    if (between !== undefined) found[outer] = between.sightings[0].connection.serverAddress;
    else if (isClientOfAnother(near, far)) found[outer] = near.sightings[0].connection.clientAddress;
  }
  return found;
}

/** Further in, X-Forwarded-For names the outer hop itself: somebody between took it for a client. */
function isClientOfAnother(near: Node, far: Node): boolean {
  const clients = new Set(far.sightings.map(({ connection }) => plainAddress(connection.clientAddress)));
  const list = forwardedFor(near);
  return far.sightings.some(({ connection: { serverAddress } }) => {
    const address = plainAddress(serverAddress);
    return !isLoopback(serverAddress) && list.has(address) && !clients.has(address);
  });
}
