/**
 * Views of one direction: where packets are captured before and after address translation (a mirror of a firewall's ports), a connection may stand
 * in the capture once with the addresses of each side, and twice more with those of one direction only. In: the connections of a capture. Out: the
 * directions that such views lack, which are in the capture all the same.
 */

import type { HopObservation, ObservedConnection, ObservedHalf } from './observation.js';

type Way = 'fromClient' | 'fromServer';

/** The empty halves of connections that are views of one that holds both directions. */
export function seenElsewhere(connections: readonly (ObservedConnection | undefined)[]): ObservedHalf[] {
  const views = connections.filter((each) => each !== undefined && isOneWay(each)) as ObservedConnection[];
  if (views.length === 0) return [];
  const whole = new Map<string, ObservedConnection[]>();
  for (const connection of connections) {
    if (connection === undefined || connection.fromClient.packets === 0 || connection.fromServer.packets === 0)
      continue;
    for (const way of ['fromClient', 'fromServer'] as const) {
      const key = keyOf(connection, way);
      whole.set(key, [...(whole.get(key) ?? []), connection]);
    }
  }
  return views.flatMap((view) => {
    const [way, lacking]: [Way, Way] =
      view.fromServer.packets === 0 ? ['fromClient', 'fromServer'] : ['fromServer', 'fromClient'];
    const other = whole.get(keyOf(view, way))?.find((each) => isTogether(view, each));
    return other === undefined ? [] : [view[lacking]];
  });
}

/** By observation: connections that begin with the same octets, where there are several. */
const TWINS = new WeakMap<HopObservation, Map<string, ObservedConnection[]>>();

/** Octets of a direction that stand in another view of the connection only: what is dropped between two places of capture is seen at the first. */
export function octetsElsewhere(observation: HopObservation, connection: ObservedConnection, way: Way): number {
  const twins = twinsOf(observation);
  // Asked for every attempt, and hardly any capture has one.
  if (twins.size === 0) return 0;
  const own = endOf(connection[way]);
  let most = 0;
  for (const each of twins.get(keyOf(connection, way)) ?? [])
    if (each !== connection && isTogether(each, connection)) most = Math.max(most, (endOf(each[way]) - own) | 0);
  return most;
}

/** Of each connection the index of the first that is the same one, seen with other addresses (before and after translation); none for others. */
export function sameAsBefore(connections: readonly ObservedConnection[]): Map<number, number> {
  const first = new Map<string, ObservedConnection[]>();
  const same = new Map<number, number>();
  for (const connection of connections) {
    if (connection.fromClient.packets === 0 || connection.fromServer.packets === 0) continue;
    const key = `${keyOf(connection, 'fromClient')} ${keyOf(connection, 'fromServer')}`;
    const before = first.get(key) ?? [];
    const other = before.find((each) => isTogether(each, connection));
    if (other !== undefined) same.set(connection.index, other.index);
    else first.set(key, [...before, connection]);
  }
  return same;
}

function twinsOf(observation: HopObservation): Map<string, ObservedConnection[]> {
  const known = TWINS.get(observation);
  if (known !== undefined) return known;
  const twins = new Map<string, ObservedConnection[]>();
  for (const connection of observation.connections)
    for (const way of ['fromClient', 'fromServer'] as const) {
      if (connection === undefined || connection[way].packets === 0) continue;
      const key = keyOf(connection, way);
      twins.set(key, [...(twins.get(key) ?? []), connection]);
    }
  for (const [key, each] of twins) if (each.length === 1) twins.delete(key);
  TWINS.set(observation, twins);
  return twins;
}

function endOf({ baseSequence, next }: ObservedHalf): number {
  return (baseSequence + next) | 0;
}

function isOneWay({ fromClient, fromServer }: ObservedConnection): boolean {
  return (fromClient.packets === 0) !== (fromServer.packets === 0);
}

/** Copies of one packet begin both: the sequence number of the first octet is the same. */
function keyOf(connection: ObservedConnection, way: Way): string {
  const { client, server } = connection.initialSequence;
  const isn = way === 'fromClient' ? client : server;
  return `${way} ${isn >= 0 ? (isn + 1) >>> 0 : connection[way].baseSequence}`;
}

/** One of the ports is never translated, and copies come at once. */
function isTogether(a: ObservedConnection, b: ObservedConnection): boolean {
  if (a.clientPort !== b.clientPort && a.serverPort !== b.serverPort) return false;
  return a.firstNs <= b.lastNs && b.firstNs <= a.lastNs;
}
