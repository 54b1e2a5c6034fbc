/**
 * What a hop's capture holds beside its own legs: connections on which the hop is the client of somebody further in, who was not captured, or
 * legs of another hop whose capture was given under this name. In: paths and the observation. Out: for never-sent.ts, the commands on them.
 */

import type { HopObservation, ObservedConnection } from '../hop/observation.js';
import type { HopView, Path } from '../path/path.js';

const KNOWN = new WeakMap<HopObservation, Map<string, ObservedConnection>>();

/** By command ID the connection that brought it from further in. */
export function broughtInward(
  paths: readonly Path[],
  { index, observation }: HopView,
): Map<string, ObservedConnection> {
  const found = new Map<string, ObservedConnection>();
  if (observation === null) return found;
  const known = KNOWN.get(observation);
  if (known !== undefined) return known;
  KNOWN.set(observation, found);
  const legs = new Set(paths.map((path) => path.legs[index]?.connection));
  const { messages, strings } = observation;
  for (const connection of observation.connections) {
    if (connection?.protocol !== 'websocket' || legs.has(connection)) continue;
    for (const row of connection.fromServer.rows)
      if (messages.id[row] >= 0) found.set(strings.text(messages.id[row]), connection);
  }
  return found;
}
