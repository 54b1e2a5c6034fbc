/**
 * Hops between two neighbours given, which nobody captured or named: whoever TCP-ACKs on the inner leg is then not the outer hop. In: the
 * group of a path and its legs. Out: by outer hop the address of such a hop, and of one beyond the last, for delivery/.
 */

import { type Group, isTwin } from './group.js';
import { localAddresses, servedHere } from './legs.js';
import { forwardedFor, type Node, nodesInOrder, type Observations, provenOrder, sightingsAt } from './nodes.js';
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
    const local = localAddresses(nodes, outer, observations);
    const between = nodes.find(
      (node) =>
        node !== near &&
        node !== far &&
        !endsAtHost(node, outer, local) &&
        provenOrder(near, node, observations) < 0 &&
        provenOrder(node, far, observations) < 0,
    );
    if (between !== undefined) found[outer] = between.sightings[0].connection.serverAddress;
    else if (
      isClientOfAnother(near, far) ||
      nodes.some((node) => isServedByAnother(near, node, far, outer, observations))
    )
      found[outer] = near.sightings[0].connection.clientAddress;
  }
  return found;
}

/** A connection of the path further out than the last hop's leg, in whichever capture: the address at which it ends. */
export function endBeyond(group: Group, legs: readonly (Leg | null)[], observations: Observations): string | null {
  const last = legs.at(-1) ?? null;
  if (last === null || group.sightings.length < 2) return null;
  const nodes = nodesInOrder(group, observations);
  const node = nodes.find(({ sightings }) => sightings.some(({ connection }) => connection === last.connection));
  if (node === undefined) return null;
  const further = nodes.find((each) => each !== node && provenOrder(node, each, observations) < 0);
  return further?.sightings[0].connection.serverAddress ?? null;
}

/** A relay of the hop's own host (docker-proxy) is part of the hop. */
function endsAtHost(node: Node, hop: number, local: ReadonlySet<string>): boolean {
  return sightingsAt(node, hop).some(({ connection }) => servedHere(connection, local) === true);
}

/**
 * The outer hop's own connection inward is not the inner hop's leg: another TCP connection, by its sequence numbers, and the inner hop's capture
 * does not hold it. It ends at somebody between, also where no opening was captured.
 */
function isServedByAnother(near: Node, node: Node, far: Node, outer: number, observations: Observations): boolean {
  if (node === near || node === far || node.sightings.some(({ hop }) => hop !== outer)) return false;
  if (provenOrder(node, far, observations) >= 0 || provenOrder(near, node, observations) > 0) return false;
  // A relay of the outer hop's own host (docker-proxy): who serves it goes on from there.
  const onward = new Set(sightingsAt(near, outer).map(({ connection }) => connection.clientAddress));
  if (node.sightings.some(({ connection }) => onward.has(connection.serverAddress))) return false;
  return node.sightings.every(({ connection }) =>
    near.sightings.every((other) => !isTwin(connection, other.connection)),
  );
}

/**
 * Further in, X-Forwarded-For names the outer hop itself, or somebody else behind the outer hop's own client: somebody between took that one for
 * a client.
 */
function isClientOfAnother(near: Node, far: Node): boolean {
  const clients = new Set(far.sightings.map(({ connection }) => plainAddress(connection.clientAddress)));
  const list = forwardedFor(near);
  if (wroteBehind(near, far, clients)) return true;
  return far.sightings.some(({ connection: { serverAddress } }) => {
    const address = plainAddress(serverAddress);
    return !isLoopback(serverAddress) && list.has(address) && !clients.has(address);
  });
}

/** Each proxy adds its own client at the end: what stands behind the outer hop's client was not written by the outer hop. */
function wroteBehind(near: Node, far: Node, clients: ReadonlySet<string>): boolean {
  const before = forwardedFor(far);
  return near.sightings.some(({ connection: { handshake } }) => {
    const all = handshake?.forwardedFor.map(plainAddress) ?? [];
    const list = handshake?.namedReal ? all.slice(0, -1) : all;
    const at = list.findIndex((address) => clients.has(address));
    const known = (each: string) => clients.has(each) || before.has(each) || list.indexOf(each) < at;
    return at >= 0 && list.slice(at + 1).some((each) => !known(each) && !isLoopback(each));
  });
}
