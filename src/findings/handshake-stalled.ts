/**
 * handshake-stalled: TCP is open, an Upgrade request went out and was never answered. In: connections of all hops; the same
 * request on several legs is told by its Sec-WebSocket-Key, and the innermost hop that it came to is the one that stalls.
 * Out: one finding for each such hop. TLS and other greetings are not looked into.
 */

import { seconds } from '../delivery/coverage.js';
import type { ObservedConnection } from '../hop/observation.js';
import type { HopView } from '../path/path.js';
import { cite, clockTime } from './cite.js';
import type { Facts } from './facts.js';
import type { Found } from './found.js';
import { counted } from './words.js';

/** An accepting server answers at once; one that asks a database may take a while. */
const LEAST_WAIT_NS = 2e9;

interface Waiting {
  connection: ObservedConnection;
  sinceNs: number;
  waitedNs: number;
}

export function handshakeStalled(facts: Facts, found: Found): void {
  const told = new Set<string>();
  for (const view of facts.views) {
    const stalled: Waiting[] = [];
    for (const connection of view.observation?.connections ?? []) {
      const waiting = connection === undefined ? null : waitingOn(view, connection);
      if (waiting === null) continue;
      const key = connection.handshake?.key ?? '';
      if (key !== '' && told.has(key)) continue;
      told.add(key);
      stalled.push(waiting);
    }
    if (stalled.length > 0) report(facts, found, view, stalled);
  }
}

function waitingOn({ observation }: HopView, connection: ObservedConnection): Waiting | null {
  const { handshake, fromServer, fromClient } = connection;
  if (observation === null || handshake === null || handshake.status !== 0 || fromServer.packets === 0) return null;
  // The whole request arrived, and not one octet came back.
  if (fromServer.next > 0 || fromServer.gaps.length > 0 || fromClient.unacked !== null) return null;
  if (connection.initialSequence.server < 0) return null;
  const sinceNs = fromClient.lastOctetsNs;
  const { closedNs } = connection;
  const untilNs = Number.isNaN(closedNs) ? observation.lastNs : Math.min(closedNs, observation.lastNs);
  return untilNs - sinceNs >= LEAST_WAIT_NS ? { connection, sinceNs, waitedNs: untilNs - sinceNs } : null;
}

function report(facts: Facts, found: Found, view: HopView, stalled: Waiting[]): void {
  const longest = Math.max(...stalled.map(({ waitedNs }) => waitedNs));
  const unsent = facts.unsent.filter(
    ({ agent, askedNs }) =>
      agent !== null &&
      stalled.some(({ connection }) => connection.handshake?.path.includes(agent)) &&
      !Number.isNaN(askedNs),
  );
  found.add({
    id: 'handshake-stalled',
    severity: 'error',
    agents: unsent.map(({ agent }) => agent ?? ''),
    commands: unsent.map(({ command }) => command),
    summary:
      `${counted(stalled.length, 'Upgrade request')} came to ${view.name}, ${stalled.length === 1 ? 'was' : 'were'} TCP-ACKed and never answered, ` +
      `for ${seconds(longest)} and more: TCP is open, and no WebSocket ever was.`,
    evidence: stalled
      .slice(0, 12)
      .flatMap(({ connection, sinceNs }) =>
        cite(
          view,
          connection.handshakeRefs,
          `Upgrade request for ${connection.handshake?.path.split('?')[0]} from ${connection.clientAddress}:${connection.clientPort} at ${clockTime(view, sinceNs)}, no response`,
        ),
      ),
    next: `Look at what the server does between accepting and answering an Upgrade (authentication, a lock, a database), and give it a time limit.`,
  });
}
