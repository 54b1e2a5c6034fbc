/**
 * Which hop answers the server's Pings itself. In: a path with its threads. Out: the hop's index, for those who speak of Pings: such
 * answers say nothing of the agent. RFC 6455 section 5.5: control frames belong to one connection, and a hop that ends WebSocket on
 * both sides answers them as any endpoint does.
 */

import type { HopObservation } from '../hop/observation.js';
import { commonNs, type HopView, type Leg, type Path } from '../path/path.js';
import { blindness } from './coverage.js';
import { localStretch } from './hop-state.js';

const PING = 9;
/** One could be an exception. */
const LEAST = 2;

/** Index of the hop; -1 where Pings pass all captured hops, or none shows it. */
export function pingsEndAt(path: Path, views: readonly HopView[]): number {
  const legs = path.legs.filter((leg): leg is Leg => leg !== null);
  for (let at = 1; at < legs.length; at++) {
    const ends = endAt(path, views, legs[at - 1], legs[at]);
    if (ends) return legs[at].hop;
  }
  return -1;
}

/** Answered on the leg `inner`, and never sent on the leg `outer`, which is read whole at that time: some, and all others likewise. */
function endAt({ fromServer }: Path, views: readonly HopView[], inner: Leg, outer: Leg): boolean {
  const { messages } = views[inner.hop].observation as HopObservation;
  const there = views[outer.hop];
  const observation = there.observation as HopObservation;
  if (inner.connection.alignment !== null || outer.connection.alignment !== null) return false;
  let ended = 0;
  for (let thread = 0; thread < fromServer.count; thread++) {
    const row = fromServer.row(thread, inner.hop);
    if (row < 0 || messages.opcode[row] !== PING || messages.pair[row] < 0) continue;
    if (fromServer.row(thread, outer.hop) >= 0) return false;
    if (ended >= LEAST) continue;
    const [sentNs, answeredNs] = [row, messages.pair[row]].map((each) =>
      commonNs(views[inner.hop], messages.sentNs[each]),
    );
    const stretch = localStretch(there, { fromNs: sentNs, toNs: answeredNs });
    if (blindness(observation, outer.connection, outer.connection.fromServer, stretch) === null) ended++;
  }
  // Of very many Pings only the first ones have a row, and not the same ones at every hop.
  return ended >= LEAST && outer.connection.fromServer.counts.ping <= keptPings(observation, outer);
}

function keptPings({ messages }: HopObservation, { connection }: Leg): number {
  return connection.fromServer.rows.reduce((kept, row) => kept + (messages.opcode[row] === PING ? 1 : 0), 0);
}
