/**
 * From the connections of one WebSocket to its legs: which of them is whose. In: a group of sightings. Out: one leg per hop.
 * A hop's leg is the connection for which the hop's host is the TCP server; the same capture may also hold the hop's inner
 * connection, and legs of other hops on the same host. The chain decides (SPEC.md, "path").
 */

import type { HopObservation, ObservedConnection } from '../hop/observation.js';
import { type Group, type Sighting, tcpIdentity } from './group.js';
import type { OrderVotes } from './hop-order.js';
import { isLoopback, type Leg } from './path.js';

/** One TCP connection, wherever it was seen. */
interface Node {
  sightings: Sighting[];
}

type Observations = readonly (HopObservation | null)[];

/** The usual server endpoint of each hop, learned from the paths that leave no doubt. */
export type UsualServers = (string | null)[];

export function chooseLegs(group: Group, observations: Observations, usual: UsualServers | null): (Leg | null)[] {
  const nodes = inOrder(nodesOf(group), observations);
  const legs: (Leg | null)[] = observations.map(() => null);
  let next = 0;
  for (let hop = 0; hop < observations.length; hop++) {
    const local = localAddresses(nodes, hop);
    const eligible: number[] = [];
    for (let n = 0; n < nodes.length; n++) {
      const seen = sightingsAt(nodes[n], hop);
      if (seen.some(({ connection }) => servedHere(connection, local) !== false)) eligible.push(n);
    }
    const chosen = choose(eligible, nodes, hop, next, usual);
    if (chosen < 0) continue;
    const { connection } = sightingAt(nodes[chosen], hop) as Sighting;
    legs[hop] = { hop, connection, linkedBy: group.linkedBy };
    next = chosen + 1;
  }
  return legs;
}

/** Says of each pair of hops whether the connections served at the one lie further in than those served at the other. */
export function voteOnOrder(group: Group, observations: Observations, votes: OrderVotes): void {
  const nodes = inOrder(nodesOf(group), observations);
  if (nodes.length < 2) return;
  const own = observations.map((_, hop) => {
    const local = localAddresses(nodes, hop);
    return nodes.flatMap((node, n) =>
      sightingsAt(node, hop).some(({ connection }) => servedHere(connection, local) === true) ? [n] : [],
    );
  });
  for (let inner = 0; inner < own.length; inner++)
    for (let outer = inner + 1; outer < own.length; outer++)
      if (own[inner].length > 0 && own[outer].length > 0)
        votes.add(inner, outer, own[inner][0] <= own[outer][own[outer].length - 1]);
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

export function serverOf(connection: ObservedConnection): string {
  return `${connection.serverAddress} ${connection.serverPort}`;
}

function sightingsAt(node: Node, hop: number): Sighting[] {
  return node.sightings.filter((sighting) => sighting.hop === hop);
}

/** The clearest one at a hop: captured without copies of its packets, then with the most packets. */
function sightingAt(node: Node, hop: number): Sighting | undefined {
  const copies = ({ connection }: Sighting) => connection.fromServer.duplicates + connection.fromClient.duplicates;
  return sightingsAt(node, hop).sort((a, b) => copies(a) - copies(b) || b.connection.packets - a.connection.packets)[0];
}

/**
 * Sightings of one TCP connection: the same initial sequence numbers, or the same endpoints. One capture may see it in several
 * places, before and after NAT.
 */
function nodesOf(group: Group): Node[] {
  const nodes: Node[] = [];
  for (const sighting of group.sightings) {
    const same = nodes.find((node) => node.sightings.some((other) => isSameTcp(other.connection, sighting.connection)));
    if (same === undefined) nodes.push({ sightings: [sighting] });
    else same.sightings.push(sighting);
  }
  return nodes;
}

function isSameTcp(a: ObservedConnection, b: ObservedConnection): boolean {
  const identity = tcpIdentity(a);
  const portsDiffer = a.clientPort !== b.clientPort && a.serverPort !== b.serverPort;
  if (identity !== null && tcpIdentity(b) !== null) return identity === tcpIdentity(b) && !portsDiffer;
  return (
    a.clientAddress === b.clientAddress &&
    a.clientPort === b.clientPort &&
    a.serverAddress === b.serverAddress &&
    a.serverPort === b.serverPort
  );
}

/** Nodes from the server outward. */
function inOrder(nodes: Node[], observations: Observations): Node[] {
  const sorted: Node[] = [];
  for (const node of nodes) {
    let at = sorted.length;
    while (at > 0 && isInner(node, sorted[at - 1], observations)) at--;
    sorted.splice(at, 0, node);
  }
  return sorted;
}

/** Whether `a` lies nearer to the server than `b`. */
function isInner(a: Node, b: Node, observations: Observations): boolean {
  for (const { hop, connection } of a.sightings) {
    const other = sightingAt(b, hop);
    if (other === undefined) continue;
    const order = orderInOneCapture(connection, other.connection, observations[hop] as HopObservation);
    if (order !== 0) return order < 0;
  }
  return meanHop(a) < meanHop(b);
}

/** Negative if `a` is inner. On one clock: agents open the outer connection first, and what the server sends is on the inner one first. */
function orderInOneCapture(a: ObservedConnection, b: ObservedConnection, observation: HopObservation): number {
  if (!Number.isNaN(a.openedNs) && !Number.isNaN(b.openedNs) && a.openedNs !== b.openedNs)
    return b.openedNs - a.openedNs;
  const { messages } = observation;
  const times = new Map<number, number>();
  for (const row of b.fromServer.rows) times.set(messages.digest[row], messages.sentNs[row]);
  let votes = 0;
  for (const row of a.fromServer.rows) {
    const other = times.get(messages.digest[row]);
    if (other !== undefined) votes += Math.sign(messages.sentNs[row] - other);
  }
  if (votes !== 0) return votes;
  return (a.handshake?.forwardedFor.length ?? 0) > (b.handshake?.forwardedFor.length ?? 0) ? -1 : 0;
}

function meanHop(node: Node): number {
  return node.sightings.reduce((sum, { hop }) => sum + hop, 0) / node.sightings.length;
}

/**
 * Addresses of the capturing host: loopback; the ones between two neighbouring connections of the chain; and, where that leaves
 * doubt, what the link layer says it sent from.
 */
function localAddresses(nodes: readonly Node[], hop: number): Set<string> {
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
  return local;
}

/** Null where nothing speaks for or against it. */
function servedHere(connection: ObservedConnection, local: ReadonlySet<string>): boolean | null {
  if (local.has(connection.serverAddress)) return true;
  return local.size > 0 ? false : null;
}
