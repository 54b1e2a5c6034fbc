/**
 * From the connections of one WebSocket to its legs: which of them is whose. In: a group of sightings. Out: one leg per hop.
 * A hop's leg is the connection for which the hop's host is the TCP server; the same capture may also hold the hop's inner
 * connection, and legs of other hops on the same host. The chain decides (SPEC.md, "path").
 */

import type { HopObservation, ObservedConnection } from '../hop/observation.js';
import type { Group, Sighting } from './group.js';
import { type Node, nodesInOrder, type Observations, serverOf, sightingAt, sightingsAt } from './nodes.js';
import { isLoopback, type Leg } from './path.js';

/** The usual server endpoint of each hop, learned from the paths that leave no doubt. */
export type UsualServers = (string | null)[];

export function chooseLegs(group: Group, observations: Observations, usual: UsualServers | null): (Leg | null)[] {
  const nodes = nodesInOrder(group, observations);
  const legs: (Leg | null)[] = observations.map(() => null);
  let next = 0;
  const last = observations.findLastIndex((observation) => observation !== null);
  for (let hop = 0; hop < observations.length; hop++) {
    const local = localAddresses(nodes, hop, observations);
    const eligible: number[] = [];
    for (let n = 0; n < nodes.length; n++) {
      const seen = sightingsAt(nodes[n], hop);
      if (seen.some(({ connection }) => servedHere(connection, local) !== false)) eligible.push(n);
    }
    const first = choose(eligible, nodes, hop, next, usual);
    if (first < 0) continue;
    const chosen = hop === last ? outermostHere(first, nodes, hop, local) : first;
    const { connection } = sightingAt(nodes[chosen], hop) as Sighting;
    const linkedBy = connection.alignment?.of === 'records' ? 'tls-record-sizes' : group.linkedBy;
    legs[hop] = { hop, connection, linkedBy, inTime: group.timed.has(connection) };
    next = chosen + 1;
  }
  return legs;
}

function choose(eligible: number[], nodes: Node[], hop: number, next: number, usual: UsualServers | null): number {
  const candidates = eligible.filter((n) => n >= next);
  if (usual !== null && usual[hop] !== null) {
    const usualHere = candidates.find(
      (n) => serverOf((sightingAt(nodes[n], hop) as Sighting).connection) === usual[hop],
    );
    if (usualHere !== undefined) return usualHere;
    // What is usually another hop's leg is not taken for this one's.
    return candidates.find((n) => !usual.includes(serverOf((sightingAt(nodes[n], hop) as Sighting).connection))) ?? -1;
  }
  return candidates[0] ?? -1;
}

/**
 * The host of the last hop may end TCP more than once (docker-proxy before a container): the way to the agent is the outermost of its
 * connections. Not where the server itself may be here: the next leg outward is then another hop's.
 */
function outermostHere(first: number, nodes: Node[], hop: number, local: ReadonlySet<string>): number {
  if (first === 0) return first;
  for (let n = nodes.length - 1; n > first; n--)
    if (sightingsAt(nodes[n], hop).some(({ connection }) => servedHere(connection, local) === true)) return n;
  return first;
}

/**
 * Addresses of the capturing host: loopback; the ones between two neighbouring connections of the chain; where that leaves
 * doubt, what the link layer says it sent from, or else the one that all TCP connections of the capture have in common.
 */
export function localAddresses(nodes: readonly Node[], hop: number, observations: Observations): Set<string> {
  const local = new Set<string>();
  const here = nodes
    .map((node) => sightingsAt(node, hop).map(({ connection }) => connection))
    .filter((all) => all.length > 0);
  for (const { serverAddress } of here.flat()) if (isLoopback(serverAddress)) local.add(serverAddress);
  for (let n = 1; n < here.length; n++) {
    const clients = new Set(here[n - 1].map(({ clientAddress }) => clientAddress));
    const between = here[n].map(({ serverAddress }) => serverAddress).filter((address) => clients.has(address));
    // On a host that forwards (Docker), one address of each side may have been translated.
    if (between.length > 0) for (const { serverAddress } of here[n]) local.add(serverAddress);
    else if (here[n - 1].some(({ clientAddress }) => isLoopback(clientAddress)))
      for (const { serverAddress } of here[n]) local.add(serverAddress);
  }
  const told = here.filter((all) => new Set(all.map(({ serverSide }) => Math.sign(serverSide))).size === 1);
  for (const { serverSide, serverAddress, clientAddress } of told.flat())
    if (serverSide !== 0 && !isLoopback(serverAddress)) local.add(serverSide > 0 ? serverAddress : clientAddress);
  if (local.size === 0 || [...local].every(isLoopback))
    for (let n = 1; n < here.length; n++) for (const { serverAddress } of here[n]) local.add(serverAddress);
  const common = local.size === 0 ? commonAddress(observations[hop]) : null;
  if (common !== null) local.add(common);
  return local;
}

const COMMON = new WeakMap<HopObservation, string | null>();

/** The one address that every TCP connection of a capture has at one end, and some at the server's, with several others at the other ends; null for none. */
export function commonAddress(observation: HopObservation | null): string | null {
  if (observation === null) return null;
  const known = COMMON.get(observation);
  if (known !== undefined) return known;
  const connections = observation.connections.filter((each) => each !== undefined);
  const ends = connections.map(({ clientAddress, serverAddress }) => [clientAddress, serverAddress]);
  const shared = (ends[0] ?? []).filter((address) => ends.every((pair) => pair.includes(address)));
  // That of a client to several servers may be the agent's: its site's address changed, or it was what the capture was filtered by.
  const serves = connections.some(({ serverAddress }) => serverAddress === shared[0]);
  const common = shared.length === 1 && serves && !isLoopback(shared[0]) ? shared[0] : null;
  COMMON.set(observation, common);
  return common;
}

/** Null where nothing speaks for or against it. */
export function servedHere(connection: ObservedConnection, local: ReadonlySet<string>): boolean | null {
  if (local.has(connection.serverAddress)) return true;
  return local.size > 0 ? false : null;
}
