/**
 * Octets of a connection that left from another address than before: its own sequence goes on in packets of another source, as where a
 * firewall's outbound NAT changes under it. In: one hop's observation. Out: the connection that carries on; nothing may then be called
 * absent on the first one. The other way round an agent's site that fails over to another WAN.
 */

import type { HopObservation, ObservedConnection } from '../hop/observation.js';

/** Sequence numbers of two connections agree so closely by chance once in 65,000 times, and ports and client agree besides. */
const NEAR_OCTETS = 1 << 16;

type Ends = Map<ObservedConnection, ObservedConnection>;
const known = new WeakMap<HopObservation, { server: Ends; client: Ends }>();

/** Where the server's octets of this connection went on from another address; null for nowhere. */
export function divertedTo(observation: HopObservation, connection: ObservedConnection): ObservedConnection | null {
  return of(observation).server.get(connection) ?? null;
}

/** Where the client's octets went on from another address, which the server never heard of; null for nowhere. */
export function movedTo(observation: HopObservation, connection: ObservedConnection): ObservedConnection | null {
  return of(observation).client.get(connection) ?? null;
}

function of(observation: HopObservation): { server: Ends; client: Ends } {
  let ends = known.get(observation);
  if (ends === undefined) {
    ends = { server: diversions(observation, 'fromServer'), client: diversions(observation, 'fromClient') };
    known.set(observation, ends);
  }
  return ends;
}

/** Who sends, and from where; what stays the same is the other end and the sender's port. */
function diversions({ connections }: HopObservation, sender: 'fromServer' | 'fromClient'): Ends {
  const found: Ends = new Map();
  const other = sender === 'fromServer' ? 'fromClient' : 'fromServer';
  const strays = connections.filter(
    (each) => each !== undefined && isUnopened(each) && isOneSided(each, sender, other),
  );
  if (strays.length === 0) return found;
  const byKey = new Map<string, ObservedConnection[]>();
  for (const stray of strays)
    byKey.set(sameEnds(stray, sender), [...(byKey.get(sameEnds(stray, sender)) ?? []), stray]);
  for (const connection of connections) {
    const own = connection === undefined ? undefined : byKey.get(sameEnds(connection, sender));
    const on = own?.find((stray) => goesOn(connection, stray, sender));
    if (on !== undefined) found.set(connection, on);
  }
  return found;
}

function isUnopened({ initialSequence }: ObservedConnection): boolean {
  return initialSequence.client < 0 && initialSequence.server < 0;
}

/** The other end says nothing on it, or only RST. */
function isOneSided(
  stray: ObservedConnection,
  sender: 'fromServer' | 'fromClient',
  other: 'fromServer' | 'fromClient',
) {
  return stray[sender].packets > 0 && Number.isNaN(stray[other].lastOctetsNs);
}

function goesOn(
  connection: ObservedConnection,
  stray: ObservedConnection,
  sender: 'fromServer' | 'fromClient',
): boolean {
  if (connection === stray || stray.firstNs < connection.firstNs) return false;
  const sameAddress =
    sender === 'fromServer'
      ? connection.serverAddress === stray.serverAddress
      : connection.clientAddress === stray.clientAddress;
  const [had, goes] = [connection[sender], stray[sender]];
  if (sameAddress || had.baseSequence < 0 || goes.baseSequence < 0) return false;
  return Math.abs((goes.baseSequence - (had.baseSequence + had.next)) | 0) < NEAR_OCTETS;
}

function sameEnds(
  { clientAddress, clientPort, serverAddress, serverPort }: ObservedConnection,
  sender: 'fromServer' | 'fromClient',
): string {
  return `${sender === 'fromServer' ? clientAddress : serverAddress} ${clientPort} ${serverPort}`;
}
