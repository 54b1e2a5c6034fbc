/**
 * What the innermost hop's capture holds beside its own legs: connections on which the hop is the client of somebody further in, who was not
 * captured. In: paths and the observation. Out: for never-sent.ts, the commands that came in on them.
 */

import type { ObservedConnection } from '../hop/observation.js';
import type { HopView, Path } from '../path/path.js';

const KNOWN = new WeakMap<readonly Path[], Map<string, ObservedConnection>>();

/** By command ID the connection that brought it from further in. */
export function broughtInward(
  paths: readonly Path[],
  { index, observation }: HopView,
): Map<string, ObservedConnection> {
  const known = KNOWN.get(paths);
  if (known !== undefined) return known;
  const found = new Map<string, ObservedConnection>();
  KNOWN.set(paths, found);
  if (observation === null) return found;
  const legs = new Set(paths.map((path) => path.legs[index]?.connection));
  const { messages, strings } = observation;
  for (const connection of observation.connections) {
    if (connection?.protocol !== 'websocket' || legs.has(connection)) continue;
    for (const row of connection.fromServer.rows)
      if (messages.id[row] >= 0) found.set(strings.text(messages.id[row]), connection);
  }
  return found;
}
