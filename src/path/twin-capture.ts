/**
 * What one capture could not read of a TCP connection (packets that were cut, holes), read in another capture of the very same connection: a
 * hop's leg is the next hop's own connection inward, and a capture of all its interfaces holds that, too. Sequence numbers are the same at
 * both ends, so every octet's place is known and nothing has to be aligned. In: observations, before anything is linked. Out: the
 * connections of the observations, with rows for the messages that the other capture read, marked as carried; and without the holes that it
 * has octet by octet.
 */

import type { MessageTable } from '../hop/message-table.js';
import type { HopObservation, ObservedConnection } from '../hop/observation.js';
import { standTogether, tcpIdentity } from './group.js';
import type { Observations } from './nodes.js';
import { isHoled, type Seen, TwinHalf, WAYS, type Way } from './twin-half.js';

const PING = 9;

export function readInTwins(observations: Observations): void {
  const holed: Seen[] = [];
  const read: Seen[] = [];
  for (const observation of observations)
    for (const connection of observation?.connections ?? []) {
      if (observation === null || connection === undefined || connection.stray || connection.tls !== null) continue;
      if (connection.protocol === 'websocket' || connection.protocol === 'http') read.push({ observation, connection });
      if (WAYS.some((way) => isHoled(connection[way]))) holed.push({ observation, connection });
    }
  if (holed.length === 0 || read.length === 0) return;
  const twins = new Twins(read);
  for (const { observation, connection } of holed) {
    let own = connection;
    for (const twin of twins.of(observation, connection)) {
      if (!WAYS.some((way) => isHoled(own[way]))) break;
      own = complete(observation, own, twin);
    }
    observation.connections[connection.index] = own;
  }
}

/** Captures of one TCP connection, found by what stays the same whatever NAT did. */
class Twins {
  private readonly byKey = new Map<string, Seen[]>();

  constructor(read: readonly Seen[]) {
    for (const seen of read)
      for (const key of keysOf(seen.connection)) {
        const same = this.byKey.get(key);
        if (same === undefined) this.byKey.set(key, [seen]);
        else same.push(seen);
      }
  }

  /** In other captures; the one that read most of it first. */
  of(observation: HopObservation, connection: ObservedConnection): Seen[] {
    const found = new Set<Seen>();
    for (const key of [...keysOf(connection), ...keysOf(turned(connection))])
      for (const each of this.byKey.get(key) ?? [])
        if (each.observation !== observation && asTwinOf(each.connection, connection) !== null) found.add(each);
    const rows = ({ connection: { fromServer, fromClient } }: Seen) => fromServer.rows.length + fromClient.rows.length;
    return [...found].sort((a, b) => rows(b) - rows(a));
  }
}

function keysOf(connection: ObservedConnection): string[] {
  const { clientAddress, clientPort, serverAddress, serverPort } = connection;
  const identity = tcpIdentity(connection);
  const ends = `${clientAddress} ${clientPort} ${serverAddress} ${serverPort}`;
  return identity === null ? [ends] : [ends, identity];
}

/** The connection with its ends as the twin has them; null where it is another one. Of cut packets a guess may have told which end is the client. */
export function asTwinOf(twin: ObservedConnection, connection: ObservedConnection): ObservedConnection | null {
  if (isSame(twin, connection)) return connection;
  if (connection.rolesFrom !== 'ports') return null;
  const other = turned(connection);
  return isSame(twin, other) ? other : null;
}

function isSame(a: ObservedConnection, b: ObservedConnection): boolean {
  if (a.clientPort !== b.clientPort && a.serverPort !== b.serverPort) return false;
  const [one, other] = [tcpIdentity(a), tcpIdentity(b)];
  if (one !== null && other !== null) return one === other;
  return a.clientPort === b.clientPort && standTogether(a, b);
}

function turned(connection: ObservedConnection): ObservedConnection {
  const { clientAddress, clientPort, serverAddress, serverPort, initialSequence, closedFrom } = connection;
  return {
    ...connection,
    clientAddress: serverAddress,
    clientPort: serverPort,
    serverAddress: clientAddress,
    serverPort: clientPort,
    initialSequence: { client: initialSequence.server, server: initialSequence.client },
    closedFrom: closedFrom === null ? null : closedFrom === 'client' ? 'server' : 'client',
    serverSide: -connection.serverSide,
    fromServer: connection.fromClient,
    fromClient: connection.fromServer,
  };
}

function complete(observation: HopObservation, connection: ObservedConnection, twin: Seen): ObservedConnection {
  const own = asTwinOf(twin.connection, connection) ?? connection;
  if (own.protocol === 'websocket' || twin.connection.protocol === 'websocket')
    return completeMessages(observation, own, twin);
  const [fromServer, fromClient] = WAYS.map((way) => new TwinHalf(observation, own, way, twin).withoutHoles());
  // Requests that were read whole there: a command may have been asked for, none went out here.
  return isHoled(fromServer) || isHoled(fromClient) ? connection : { ...own, protocol: 'http', fromServer, fromClient };
}

function completeMessages(observation: HopObservation, own: ObservedConnection, twin: Seen): ObservedConnection {
  /** By row of the twin: the row here. */
  const rows = new Map<number, number>();
  const half = (way: Way) => new TwinHalf(observation, own, way, twin).complete(rows);
  const completed: ObservedConnection = {
    ...own,
    protocol: 'websocket',
    rolesFrom: own.rolesFrom === 'ports' ? twin.connection.rolesFrom : own.rolesFrom,
    agentNames: own.agentNames.length > 0 ? own.agentNames : twin.connection.agentNames,
    agentVersion: own.agentVersion ?? twin.connection.agentVersion,
    fromServer: half('fromServer'),
    fromClient: half('fromClient'),
  };
  if (rows.size === 0) return own;
  const { messages } = observation;
  for (const [from, to] of rows) {
    const pair = rows.get(twin.observation.messages.pair[from]);
    if (pair !== undefined) messages.pair[to] = pair;
  }
  const { sent, answered } = twin.connection.pings;
  if (own.pings.sent < sent || own.pings.answered < answered)
    completed.pings = pingsOf(completed, messages, twin.connection);
  return completed;
}

/** Counted by the rows, with the times of this capture; as the twin counted them where it did not keep a row of each. */
function pingsOf(
  { fromServer }: ObservedConnection,
  messages: MessageTable,
  twin: ObservedConnection,
): ObservedConnection['pings'] {
  const pings = fromServer.rows.filter((row) => messages.opcode[row] === PING);
  if (twin.fromServer.counts.ping > pings.length) return twin.pings;
  const answered = pings.filter((row) => messages.pair[row] >= 0);
  return {
    sent: pings.length,
    tcpAcked: pings.filter((row) => !Number.isNaN(messages.tcpAckNs[row])).length,
    answered: answered.length,
    roundTripsNs: Array.from(answered, (row) => messages.sentNs[messages.pair[row]] - messages.sentNs[row]).filter(
      (each) => each >= 0,
    ),
  };
}
