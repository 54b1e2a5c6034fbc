/**
 * How long nothing was said on a connection before it was closed: what tells an idle time-out from every other end. In: an observed
 * connection. Out: connection reports, findings.
 */

import type { HopObservation, ObservedConnection, ObservedHalf } from '../hop/observation.js';

/**
 * Nanoseconds without an octet in either direction before the first FIN or RST. NaN where the connection was not closed, where a Close
 * frame or TCP's own trouble (octets never TCP-ACKed) preceded it, or where it is encrypted and was not read.
 */
export function quietBeforeCloseNs(observation: HopObservation, connection: ObservedConnection): number {
  const { closedNs, fromServer, fromClient, tls } = connection;
  if (fromServer.counts.close + fromClient.counts.close > 0 || fromServer.unacked !== null) return Number.NaN;
  if (tls !== null && !tls.decrypted) return Number.NaN;
  // The last octets of TLS are its own farewell (close_notify): there the last frame counts.
  const last = (half: ObservedHalf) => (tls === null ? half.lastOctetsNs : lastFrameNs(observation, half));
  const quietNs = closedNs - Math.max(never(last(fromServer)), never(last(fromClient)));
  return Number.isFinite(quietNs) ? Math.max(0, quietNs) : Number.NaN;
}

function lastFrameNs({ messages }: HopObservation, { rows, lastMessageNs }: ObservedHalf): number {
  const row = rows.at(-1);
  return Math.max(never(lastMessageNs), row === undefined ? Number.NEGATIVE_INFINITY : never(messages.sentNs[row]));
}

function never(timeNs: number): number {
  return Number.isNaN(timeNs) ? Number.NEGATIVE_INFINITY : timeNs;
}
