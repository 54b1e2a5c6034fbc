/**
 * handshake-stalled: TCP is open, and an opening that one side began was never taken up: an Upgrade request, a TLS ClientHello, another
 * protocol's greeting (SSH). In: connections of all hops; the same Upgrade on several legs is told by its Sec-WebSocket-Key, and the
 * innermost hop that it came to is the one that stalls. Out: one finding for each such hop and kind.
 */

import { lostAround, seconds } from '../delivery/coverage.js';
import { endpoint } from '../hop/list.js';
import type { HopObservation, ObservedConnection, ObservedHalf } from '../hop/observation.js';
import { commonNs, type HopView } from '../path/path.js';
import { cite, clockTime, type Evidence } from './cite.js';
import type { Facts } from './facts.js';
import type { Found } from './found.js';
import { counted, listed } from './words.js';

/** An accepting server answers at once; one that asks a database may take a while. */
const LEAST_WAIT_NS = 2e9;

/** A greeting is a line or two; who sends more is talking. */
const MOST_GREETING_OCTETS = 512;
/** With retransmissions, and certificates as long as they may be: more packets are no handshake. */
const MOST_HANDSHAKE_PACKETS = 40;

type Kind = 'upgrade' | 'tls' | 'greeting';

interface Waiting {
  kind: Kind;
  /** Who began, and is not answered. */
  from: 'client' | 'server';
  connection: ObservedConnection;
  sinceNs: number;
  waitedNs: number;
}

export function handshakeStalled(facts: Facts, found: Found): void {
  const told = new Set<string>();
  for (const view of facts.views) {
    const stalled: Waiting[] = [];
    for (const connection of view.observation?.connections ?? []) {
      const waiting = connection === undefined ? null : (waitingOn(view, connection) ?? unanswered(view, connection));
      if (waiting === null) continue;
      const key = connection.handshake?.key ?? '';
      if (key !== '' && told.has(key)) continue;
      told.add(key);
      stalled.push(waiting);
    }
    for (const kind of ['upgrade', 'tls', 'greeting'] as const) {
      const same = stalled.filter((each) => each.kind === kind);
      if (same.length > 0) report(facts, found, view, same);
    }
  }
}

function waitingOn({ observation }: HopView, connection: ObservedConnection): Waiting | null {
  const { handshake, fromServer, fromClient } = connection;
  if (observation === null || handshake === null || handshake.status !== 0 || fromServer.packets === 0) return null;
  // The whole request arrived, and not one octet came back.
  if (fromServer.next > 0 || fromServer.gaps.length > 0 || fromClient.unacked !== null) return null;
  if (connection.initialSequence.server < 0 || mayHaveMissedTheEnd(observation, connection)) return null;
  const sinceNs = fromClient.lastOctetsNs;
  const { closedNs } = connection;
  const untilNs = Number.isNaN(closedNs) ? observation.lastNs : Math.min(closedNs, observation.lastNs);
  if (untilNs - sinceNs < LEAST_WAIT_NS) return null;
  return { kind: 'upgrade', from: 'client', connection, sinceNs, waitedNs: untilNs - sinceNs };
}

/** One side's first octets, TCP-ACKed, and not one octet from the other; or a TLS handshake that both began and neither ended. */
function unanswered({ observation }: HopView, connection: ObservedConnection): Waiting | null {
  const { protocol, tls, fromServer, fromClient, initialSequence, closedNs } = connection;
  if (observation === null || (protocol !== 'tls' && protocol !== 'other')) return null;
  // Seen from its beginning, in both directions.
  if (initialSequence.client < 0 || initialSequence.server < 0) return null;
  if (mayHaveMissedTheEnd(observation, connection)) return null;
  for (const half of [fromServer, fromClient])
    if (
      half.packets === 0 ||
      half.gaps.length > 0 ||
      half.blocked.some(({ toNs }) => toNs === Number.POSITIVE_INFINITY)
    )
      return null;
  const [clientSpoke, serverSpoke] = [fromClient, fromServer].map(({ lastOctetsNs }) => !Number.isNaN(lastOctetsNs));
  if (!clientSpoke && !serverSpoke) return null;
  if (protocol === 'tls' && (!clientSpoke || tls === null || tls.established || tls.alert >= 0)) return null;
  // Behind a ServerHello whose keys are not at hand nobody looked for the handshake's end.
  if (protocol === 'tls' && serverSpoke && tls !== null && tls.unreadable !== null) return null;
  if (protocol === 'tls' && serverSpoke && connection.packets > MOST_HANDSHAKE_PACKETS) return null;
  if (protocol === 'other' && ((clientSpoke && serverSpoke) || isTalk(clientSpoke ? fromClient : fromServer)))
    return null;
  const times = [fromClient.lastOctetsNs, fromServer.lastOctetsNs].filter((timeNs) => !Number.isNaN(timeNs));
  const sinceNs = Math.max(...times);
  const untilNs = Number.isNaN(closedNs) ? observation.lastNs : Math.min(closedNs, observation.lastNs);
  if (!(untilNs - sinceNs >= LEAST_WAIT_NS)) return null;
  const kind = protocol === 'tls' ? 'tls' : 'greeting';
  return { kind, from: clientSpoke ? 'client' : 'server', connection, sinceNs, waitedNs: untilNs - sinceNs };
}

/** That nothing more came is told by silence, unless it was seen to close: in a capture that lost something, silence tells nothing. */
function mayHaveMissedTheEnd(observation: HopObservation, { closedNs, firstNs }: ObservedConnection): boolean {
  return Number.isNaN(closedNs) && lostAround(observation, firstNs, Number.POSITIVE_INFINITY) !== null;
}

/** Beyond a line or two it is no greeting. */
function isTalk({ next }: ObservedHalf): boolean {
  return next > MOST_GREETING_OCTETS;
}

function report(facts: Facts, found: Found, view: HopView, stalled: Waiting[]): void {
  const longest = Math.max(...stalled.map(({ waitedNs }) => waitedNs));
  const unsent = facts.unsent.filter(
    ({ agent, askedNs }) =>
      agent !== null &&
      stalled.some(({ connection }) => connection.handshake?.path.includes(agent)) &&
      !Number.isNaN(askedNs),
  );
  const [{ kind }] = stalled;
  const many = stalled.length > 1;
  const were = many ? 'were' : 'was';
  const inner = kind === 'upgrade' ? notComeTo(facts, view, stalled) : null;
  const what = {
    upgrade: `${counted(stalled.length, 'Upgrade request')} came to ${view.name}${inner === null ? '' : `, never to ${inner}`}, ${were} TCP-ACKed and never answered`,
    tls: `${counted(stalled.length, 'TLS handshake')} at ${view.name} ${were} begun and never completed (ClientHello TCP-ACKed)`,
    greeting: `On ${counted(stalled.length, 'connection')} in the capture of ${view.name} ${stalled.every(({ connection }) => connection.greetedAsSsh) ? 'an SSH greeting' : "one side's greeting"} was TCP-ACKed and never answered by ${listed([...new Set(stalled.map(silentSide))])}`,
  }[kind];
  const next = {
    upgrade:
      inner !== null
        ? `None of them came to ${inner}, whose capture covers the time: look at the way from ${view.name} to ${inner} (packets lost between them, the address that ${view.name} connects to), and at ${view.name}'s error log.`
        : 'Look at what the server does between accepting and answering an Upgrade (authentication, a lock, a database), and give it a time limit.',
    tls: `Look at the process at ${view.name} that accepts these connections: hung, out of workers or descriptors; its kernel accepts for it.`,
    greeting:
      'Look at the side that is silent, and let the other end a handshake that takes too long, with an error handler for its whole life: a late time-out must not end the process.',
  }[kind];
  found.add({
    id: 'handshake-stalled',
    // An Upgrade is what this tool is about; the others may be anybody's.
    severity: kind === 'upgrade' ? 'error' : 'warning',
    agents: unsent.map(({ agent }) => agent ?? ''),
    commands: unsent.map(({ command }) => command),
    summary: `${what}, for ${seconds(longest)}${stalled.some(({ connection }) => Number.isNaN(connection.closedNs)) ? ' and more' : ''}: TCP is open, and ${kind === 'upgrade' ? 'no WebSocket ever was' : 'nothing ever came of it'}.`,
    evidence: stalled.slice(0, 12).flatMap((each) => evidenceOf(view, each)),
    next,
  });
}

/** The next captured hop inward, where its capture covers the time: the requests, told by their keys, never came there. */
function notComeTo({ views }: Facts, view: HopView, stalled: readonly Waiting[]): string | null {
  const inner = views.slice(0, view.index).findLast(({ observation }) => observation !== null);
  if (inner?.observation == null) return null;
  const { firstNs, lastNs, missedOctets } = inner.observation;
  const covered = stalled.every(
    ({ connection, sinceNs }) =>
      connection.handshake?.key !== '' &&
      commonNs(inner, firstNs) < commonNs(view, sinceNs) &&
      commonNs(inner, lastNs) > commonNs(view, sinceNs) + LEAST_WAIT_NS,
  );
  return covered && missedOctets === 0 ? inner.name : null;
}

/** `10.30.0.20:22`: who says nothing; a client by its address alone. */
function silentSide({ from, connection }: Waiting): string {
  const { clientAddress, serverAddress, serverPort } = connection;
  return from === 'client' ? endpoint(serverAddress, serverPort) : clientAddress;
}

function evidenceOf(view: HopView, { kind, from, connection, sinceNs }: Waiting): Evidence[] {
  const { handshake, clientAddress, clientPort, serverAddress, serverPort } = connection;
  const at = clockTime(view, sinceNs);
  if (kind === 'upgrade')
    return cite(
      view,
      connection.handshakeRefs,
      `Upgrade request for ${handshake?.path.split('?')[0]} from ${endpoint(clientAddress, clientPort)} at ${at}, no response`,
    );
  const serverSpoke = !Number.isNaN(connection.fromServer.lastOctetsNs);
  const what =
    kind === 'tls'
      ? serverSpoke
        ? 'last octet of the handshake'
        : 'ClientHello'
      : `${connection.greetedAsSsh ? 'SSH ' : ''}greeting of the ${from}`;
  return cite(
    view,
    [connection.openedRef, connection.closedRef],
    `${endpoint(clientAddress, clientPort)} to ${endpoint(serverAddress, serverPort)}, opened here: ${what} at ${at}, and ${kind === 'tls' && serverSpoke ? 'nothing more' : 'not one octet back'}`,
  );
}
