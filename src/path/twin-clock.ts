/**
 * Two captures' clocks by one TCP connection that both hold: a hop's leg, and the next hop's own connection inward. Each segment stands at the
 * same sequence numbers in both, so nothing that passed has to be recognised. In: legs of the inner hop, the outer hop's observation. Out:
 * samples for clocks.ts.
 */

import type { HopObservation, ObservedHalf } from '../hop/observation.js';
import { tcpIdentity } from './group.js';
import type { Leg } from './path.js';
import { asTwinOf } from './twin-capture.js';
import { type Seen, WAYS, type Way } from './twin-half.js';

export interface TwinSample {
  innerNs: number;
  outerNs: number;
  way: Way;
}

/** Of one connection so many of each direction are enough. */
const MOST_SAMPLES = 2000;

export function* twinSamples(
  legs: readonly Leg[],
  inner: HopObservation,
  outer: HopObservation,
): Generator<TwinSample> {
  const byEnds = new Map<string, Seen[]>();
  for (const connection of outer.connections) {
    if (connection === undefined || connection.stray || connection.tls !== null || connection.alignment !== null)
      continue;
    for (const key of [`${connection.clientPort} ${connection.serverPort}`, tcpIdentity(connection)])
      if (key !== null) byEnds.set(key, [...(byEnds.get(key) ?? []), { observation: outer, connection }]);
  }
  for (const { connection } of legs) {
    if (connection.tls !== null || connection.alignment !== null) continue;
    const keys = [`${connection.clientPort} ${connection.serverPort}`, tcpIdentity(connection)];
    const twin = keys
      .flatMap((key) => (key === null ? [] : (byEnds.get(key) ?? [])))
      .find((each) => asTwinOf(connection, each.connection) === each.connection);
    if (twin === undefined) continue;
    for (const way of WAYS) yield* samplesOf(connection[way], inner, twin.connection[way], outer, way);
  }
}

function* samplesOf(
  a: ObservedHalf,
  inner: HopObservation,
  b: ObservedHalf,
  outer: HopObservation,
  way: Way,
): Generator<TwinSample> {
  const shift = (a.baseSequence - b.baseSequence) | 0;
  const sentAt = new Map<number, number>();
  for (const row of [...a.rows.subarray(0, MOST_SAMPLES), ...a.unread.subarray(0, MOST_SAMPLES)])
    sentAt.set(inner.messages.startOffset[row] + shift, inner.messages.sentNs[row]);
  for (const row of [...b.rows.subarray(0, MOST_SAMPLES), ...b.unread.subarray(0, MOST_SAMPLES)]) {
    const innerNs = sentAt.get(outer.messages.startOffset[row]) ?? Number.NaN;
    const outerNs = outer.messages.sentNs[row];
    if (!Number.isNaN(innerNs) && !Number.isNaN(outerNs)) yield { innerNs, outerNs, way };
  }
}
