/**
 * Octets of a connection that left from another address than before: its own sequence goes on in packets of another source, as where a
 * firewall's outbound NAT changes under it. In: one hop's observation. Out: the connection that carries on; nothing may then be called
 * absent on the first one.
 */

import type { HopObservation, ObservedConnection } from '../hop/observation.js';

/** Sequence numbers of two connections agree so closely by chance once in 65,000 times, and ports and client agree besides. */
const NEAR_OCTETS = 1 << 16;

const known = new WeakMap<HopObservation, Map<ObservedConnection, ObservedConnection>>();

/** Where the server's octets of this connection went on from another address; null for nowhere. */
export function divertedTo(observation: HopObservation, connection: ObservedConnection): ObservedConnection | null {
  let all = known.get(observation);
  if (all === undefined) {
    all = diversions(observation);
    known.set(observation, all);
  }
  return all.get(connection) ?? null;
}

function diversions({ connections }: HopObservation): Map<ObservedConnection, ObservedConnection> {
  const found = new Map<ObservedConnection, ObservedConnection>();
  const strays = connections.filter((each) => each !== undefined && isUnopened(each));
  if (strays.length === 0) return found;
  const byClient = new Map<string, ObservedConnection[]>();
  for (const stray of strays) byClient.set(clientOf(stray), [...(byClient.get(clientOf(stray)) ?? []), stray]);
  for (const connection of connections) {
    const own = connection === undefined ? undefined : byClient.get(clientOf(connection));
    const on = own?.find((stray) => goesOn(connection, stray));
    if (on !== undefined) found.set(connection, on);
  }
  return found;
}

/** Nobody was seen opening it, and its client says nothing but RST. */
function isUnopened({ initialSequence, fromServer, fromClient }: ObservedConnection): boolean {
  if (initialSequence.client >= 0 || initialSequence.server >= 0 || fromServer.packets === 0) return false;
  return Number.isNaN(fromClient.lastOctetsNs);
}

function goesOn(connection: ObservedConnection, stray: ObservedConnection): boolean {
  if (connection === stray || connection.serverAddress === stray.serverAddress) return false;
  const { fromServer } = connection;
  if (fromServer.baseSequence < 0 || stray.fromServer.baseSequence < 0 || stray.firstNs < connection.firstNs)
    return false;
  const next = fromServer.baseSequence + fromServer.next;
  const apart = (stray.fromServer.baseSequence - next) | 0;
  return Math.abs(apart) < NEAR_OCTETS;
}

function clientOf({ clientAddress, clientPort, serverPort }: ObservedConnection): string {
  return `${clientAddress} ${clientPort} ${serverPort}`;
}
