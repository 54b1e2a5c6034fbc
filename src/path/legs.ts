/**
 * From the connections of one WebSocket to its legs: which of them is whose. In: a group of sightings. Out: one leg per hop.
 * A hop's leg is the connection for which the hop's host is the TCP server; the same capture may also hold the hop's inner
 * connection, and legs of other hops on the same host. The chain decides (SPEC.md, "path").
 */

import type { HopObservation, ObservedConnection } from '../hop/observation.js';
import type { Group, Sighting } from './group.js';
import { type Node, nodesInOrder, type Observations, serverOf, sightingAt, sightingsAt } from './nodes.js';
import { isLoopback, type Leg } from './path.js';
import { leadsInward, placeAmong, type Standing } from './place.js';
import { isSameCapture } from './same-capture.js';

/** The usual server endpoint of each hop, learned from the paths that leave no doubt. */
export type UsualServers = (string | null)[];

/** What is found out while legs are chosen, by hop. */
export interface Placings {
  /** Servers of connections that were passed over, as those of hops that were only named. */
  elsewhere: readonly Set<string>[];
  /** Groups with several connections of which the captures do not tell which is the hop's. */
  untold: readonly Set<Group>[];
}

/** `placings` are read where `usual` is known, and else added to. */
export function chooseLegs(
  group: Group,
  observations: Observations,
  usual: UsualServers | null,
  { elsewhere, untold }: Placings,
): (Leg | null)[] {
  const nodes = nodesInOrder(group, observations);
  const legs: (Leg | null)[] = observations.map(() => null);
  let before = -1;
  let known = -1;
  const last = observations.findLastIndex((observation) => observation !== null);
  for (let hop = 0; hop < observations.length; hop++) {
    const local = localAddresses(nodes, hop, observations);
    const eligible: number[] = [];
    for (let n = 0; n < nodes.length; n++) {
      const seen = sightingsAt(nodes[n], hop);
      if (seen.some(({ connection }) => servedHere(connection, local) !== false)) eligible.push(n);
    }
    const outward = eligible.filter((n) => n > before);
    if (isLeftToLater(outward, nodes, hop, before, observations)) continue;
    const namedOnly = observations.slice(known + 1, hop).includes(null);
    const serverAt = (n: number) => serverOf((sightingAt(nodes[n], hop) as Sighting).connection);
    const own = namedOnly && usual !== null ? outward.filter((n) => !elsewhere[hop].has(serverAt(n))) : outward;
    let first = choose(own, nodes, hop, usual);
    if (namedOnly && outward.length > 1 && (usual === null || usual[hop] === null)) {
      const place = placeAmong({
        legs: outward.length,
        inside: hop - known - 1,
        outside: observations.length - 1 - hop,
        before: standsBefore(outward[0], nodes, hop, before, local, observations),
      });
      first = place === null ? -1 : outward[place];
      if (place === null) untold[hop].add(group);
      if (usual === null && place !== null) for (const n of outward) if (n !== first) elsewhere[hop].add(serverAt(n));
    }
    if (first < 0) continue;
    untold[hop].delete(group);
    const chosen =
      hop === last && mayBeRelay(nodes[first], hop, observations) ? outermostHere(first, nodes, hop, local) : first;
    const { connection } = sightingAt(nodes[chosen], hop) as Sighting;
    const linkedBy = connection.alignment?.of === 'records' ? 'tls-record-sizes' : group.linkedBy;
    legs[hop] = { hop, connection, linkedBy, inTime: group.timed.has(connection) };
    before = chosen;
    known = hop;
  }
  return legs;
}

/**
 * One capture was given for this hop and others further out, and shows fewer legs that end at its host than hops, behind one that ends elsewhere:
 * that one is this hop's, seen from its other end. No other hop's is taken for it.
 */
function isLeftToLater(
  outward: readonly number[],
  nodes: readonly Node[],
  hop: number,
  before: number,
  observations: Observations,
): boolean {
  const sharing = observations.filter((each, i) => i > hop && isSameCapture(observations[hop], each)).length;
  if (sharing === 0 || outward.length === 0 || outward.length > sharing) return false;
  return nodes.some((node, n) => n > before && n < outward[0] && sightingsAt(node, hop).length > 0);
}

/** What a hop's capture shows next further in than the first of the legs that may be its own. */
function standsBefore(
  first: number,
  nodes: readonly Node[],
  hop: number,
  before: number,
  local: ReadonlySet<string>,
  observations: Observations,
): Standing['before'] {
  const inner = nodes.findLastIndex((node, n) => n < first && sightingsAt(node, hop).length > 0);
  if (inner >= 0) return inner === before ? 'known' : 'another';
  if (before >= 0) return 'unknown';
  return leadsInward(observations[hop] as HopObservation, local) ? 'unknown' : 'known';
}

/** Behind a hop further out that was named, a connection of the host with itself is the one hop's and the next one is the other's. */
function mayBeRelay(node: Node, hop: number, observations: Observations): boolean {
  if (hop === observations.length - 1) return true;
  const { clientAddress, serverAddress } = (sightingAt(node, hop) as Sighting).connection;
  return !isLoopback(serverAddress) && clientAddress !== serverAddress;
}

function choose(candidates: number[], nodes: Node[], hop: number, usual: UsualServers | null): number {
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
  // Further in than the legs of the hops that the capture was given for stands the way inward.
  const given = observations.filter((each) => each === observations[hop] || isSameCapture(observations[hop], each));
  if (local.size === 0 || [...local].every(isLoopback))
    for (let n = given.length > 1 && here.length <= given.length ? 0 : 1; n < here.length; n++)
      for (const { serverAddress } of here[n]) local.add(serverAddress);
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
