/**
 * The TCP connections of one WebSocket, each wherever it was seen, and their order from the server outward as far as the captures
 * prove it. In: a group of sightings. Out: nodes for legs.ts and hop-order.ts.
 */

import type { HopObservation, ObservedConnection } from '../hop/observation.js';
import { type Group, type Sighting, standTogether, tcpIdentity } from './group.js';
import { orderInOneCapture } from './order-in-capture.js';
import { isLoopback, plainAddress } from './path.js';

export type Observations = readonly (HopObservation | null)[];

/** One TCP connection, wherever it was seen. */
export interface Node {
  sightings: Sighting[];
}

export function serverOf(connection: ObservedConnection): string {
  return `${connection.serverAddress} ${connection.serverPort}`;
}

export function sightingsAt(node: Node, hop: number): Sighting[] {
  return node.sightings.filter((sighting) => sighting.hop === hop);
}

/** The clearest one at a hop: captured without copies of its packets, then with the most packets. */
export function sightingAt(node: Node, hop: number): Sighting | undefined {
  const copies = ({ connection }: Sighting) => connection.fromServer.duplicates + connection.fromClient.duplicates;
  return sightingsAt(node, hop).sort((a, b) => copies(a) - copies(b) || b.connection.packets - a.connection.packets)[0];
}

/** From the server outward; where nothing proves the order of two, as their hops were given. */
export function nodesInOrder(group: Group, observations: Observations): Node[] {
  const sorted: Node[] = [];
  for (const node of nodesOf(group)) {
    let at = sorted.length;
    while (at > 0 && isInner(node, sorted[at - 1], observations)) at--;
    sorted.splice(at, 0, node);
  }
  return sorted;
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
  if (a.serverAddress === b.serverAddress && a.serverPort === b.serverPort)
    return a.clientAddress === b.clientAddress && a.clientPort === b.clientPort;
  // In mid-connection, before and after translation.
  return !portsDiffer && standTogether(a, b);
}

/** Whether `a` lies nearer to the server than `b`. */
function isInner(a: Node, b: Node, observations: Observations): boolean {
  return (provenOrder(a, b, observations) || meanHop(a) - meanHop(b)) < 0;
}

/** Negative if `a` is proven to lie nearer to the server than `b`, positive if farther, 0 where nothing tells. */
export function provenOrder(a: Node, b: Node, observations: Observations): number {
  let likely = 0;
  for (const { hop, connection } of a.sightings) {
    const other = sightingAt(b, hop);
    if (other === undefined) continue;
    const { order, sure } = orderInOneCapture(
      connection,
      other.connection,
      (observations[hop] as HopObservation).messages,
    );
    if (order !== 0 && sure) return order;
    likely ||= order;
  }
  return orderByForwarding(a, b) || orderByAddresses(a, b) || likely;
}

/** A proxy adds its client to X-Forwarded-For, or writes it there: further in, the list names the clients of the legs further out. */
function orderByForwarding(a: Node, b: Node): number {
  const [namesB, namesA] = [namesClientOf(a, b), namesClientOf(b, a)];
  if (namesA !== namesB) return namesB ? -1 : 1;
  const [listA, listB] = [forwardedFor(a), forwardedFor(b)];
  if (listA.size === 0 || listB.size === 0 || listA.size === listB.size) return 0;
  const [shorter, longer] = listA.size < listB.size ? [listA, listB] : [listB, listA];
  if (![...shorter].every((address) => longer.has(address))) return 0;
  return longer === listA ? -1 : 1;
}

function namesClientOf(inner: Node, outer: Node): boolean {
  const list = forwardedFor(inner);
  return outer.sightings.some(
    ({ connection }) => !isLoopback(connection.clientAddress) && list.has(plainAddress(connection.clientAddress)),
  );
}

export function forwardedFor(node: Node): Set<string> {
  return new Set(
    node.sightings.flatMap(({ connection }) => connection.handshake?.forwardedFor.map(plainAddress) ?? []),
  );
}

/** A leg's client is the host at which the next leg outward ends. */
function orderByAddresses(a: Node, b: Node): number {
  const [aInB, bInA] = [endsAt(a, b), endsAt(b, a)];
  return aInB === bInA ? 0 : aInB ? -1 : 1;
}

function endsAt(inner: Node, outer: Node): boolean {
  const servers = new Set(outer.sightings.map(({ connection }) => plainAddress(connection.serverAddress)));
  return inner.sightings.some(
    ({ connection }) => !isLoopback(connection.clientAddress) && servers.has(plainAddress(connection.clientAddress)),
  );
}

function meanHop(node: Node): number {
  return node.sightings.reduce((sum, { hop }) => sum + hop, 0) / node.sightings.length;
}
