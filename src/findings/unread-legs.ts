/**
 * peer-unreachable, receiver-window-closed and large-frames-lost on legs that cannot be read for want of keys: TCP needs none. In: encrypted connections that
 * belong to no path. Whose they are is inferred from the address that the next inner leg's handshake forwards, where only one agent of
 * that address could be meant. Out: one finding for each hop.
 */

import { seconds } from '../delivery/coverage.js';
import { endpoint } from '../hop/list.js';
import type { ObservedConnection } from '../hop/observation.js';
import { commonNs, type HopView, type Leg, type Path } from '../path/path.js';
import { cite, clockTime, type Evidence } from './cite.js';
import type { Facts } from './facts.js';
import { type Found, namesOf } from './found.js';
import { LEAST_SEGMENT_OCTETS, MOST_PASSED_SEGMENTS, sackedWords, segmentSizes } from './large-frames-lost.js';
import { startNs } from './survives-reconnect.js';
import { neverAcked, type Wait, windowClosed } from './tcp-waits.js';
import { counted, listed } from './words.js';

const KINDS = ['peer-unreachable', 'receiver-window-closed', 'large-frames-lost'] as const;

interface Stuck {
  kind: (typeof KINDS)[number];
  connection: ObservedConnection;
  wait: Wait;
  path: Path | null;
}

/** The first probe of a closed window comes after a retransmission time-out (RFC 9293 section 3.8.6.1). */
const PROBES_AFTER_NS = 0.15e9;
/** A proxy opens its inner connection when the request has come: after the TCP and TLS handshakes. */
const OPENS_WITHIN_NS = 5e9;
/** What was on its way when the connection died. */
const SILENCE_NS = 1e9;

export function unreadLegs(facts: Facts, found: Found): void {
  for (const view of facts.views) {
    const all = stuckAt(facts, view);
    for (const kind of KINDS) {
      const same = all.filter((each) => each.kind === kind);
      if (same.length > 0) report(facts, found, view, kind, same);
    }
  }
}

function stuckAt(facts: Facts, view: HopView): Stuck[] {
  const stuck: Stuck[] = [];
  for (const connection of view.observation?.connections ?? []) {
    if (connection?.protocol !== 'tls') continue;
    const leg: Leg = { hop: view.index, connection, linkedBy: 'only', inTime: false };
    const found = waitOf(facts, leg);
    if (found === null) continue;
    stuck.push({ connection, ...found, path: ownerOf(facts, view, connection, found.wait.fromNs) });
  }
  return stuck;
}

function waitOf(facts: Facts, leg: Leg): Pick<Stuck, 'kind' | 'wait'> | null {
  const { fromServer, fromClient } = leg.connection;
  const closed = windowClosed(facts, leg);
  // Who goes on probing has something to send.
  if (closed?.open && fromServer.lastSeenNs > closed.fromNs + PROBES_AFTER_NS)
    return { kind: 'receiver-window-closed', wait: closed };
  const wait = neverAcked(leg);
  const { unacked } = fromServer;
  if (wait === null || unacked === null) return null;
  if (unacked.sackedOctets > 0)
    return unacked.leastSegmentOctets >= LEAST_SEGMENT_OCTETS &&
      unacked.sackedOctets < unacked.leastSegmentOctets * MOST_PASSED_SEGMENTS
      ? { kind: 'large-frames-lost', wait }
      : null;
  return fromClient.lastSeenNs > wait.fromNs ? null : { kind: 'peer-unreachable', wait };
}

/** The one path without a leg here whose inner handshake forwards this client's address, opened just after it; null for none or several. */
function ownerOf(facts: Facts, view: HopView, connection: ObservedConnection, sinceNs: number): Path | null {
  const openedNs = commonNs(view, connection.openedNs);
  const all = facts.court.paths.filter((path) => {
    if (path.legs[view.index] !== null) return false;
    const handshake = path.legs.findLast((leg) => leg !== null)?.connection.handshake;
    if (!handshake?.forwardedFor.includes(connection.clientAddress)) return false;
    const afterNs = startNs(facts, path) - openedNs;
    return Number.isNaN(openedNs) || (afterNs > -1e9 && afterNs < OPENS_WITHIN_NS);
  });
  // Of several at one address, the one that falls silent at that time.
  const silent = all.filter((path) => !(lastHeardNs(facts, path) > commonNs(view, sinceNs) + SILENCE_NS));
  return silent.length === 1 ? silent[0] : null;
}

/** The last octets of the agent at any hop (common clock). */
function lastHeardNs({ views }: Facts, path: Path): number {
  const times = path.legs.map((leg) =>
    leg === null ? Number.NEGATIVE_INFINITY : commonNs(views[leg.hop], leg.connection.fromClient.lastOctetsNs),
  );
  return Math.max(...times.map((ns) => (Number.isNaN(ns) ? Number.NEGATIVE_INFINITY : ns)));
}

/** An agent fails whose leg here was not read. */
function someoneFails(facts: Facts, view: HopView): boolean {
  return facts.paths.some(
    (path) => path.legs[view.index] === null && (facts.records.get(path)?.failed.length ?? 0) > 0,
  );
}

function report(facts: Facts, found: Found, view: HopView, kind: Stuck['kind'], stuck: Stuck[]): void {
  const paths = stuck.map(({ path }) => path).filter((path) => path !== null);
  const commands = stuck.flatMap(({ path, wait }) =>
    path === null
      ? []
      : (facts.records.get(path)?.failed ?? []).flatMap((failed) =>
          failed.commands.filter((_, i) => failed.timesNs[i] >= commonNs(view, wait.fromNs) - 0.5e9),
        ),
  );
  const clients = listed(stuck.map(({ connection }) => endpoint(connection.clientAddress, connection.clientPort)));
  const longest = seconds(Math.max(...stuck.map(({ wait }) => wait.toNs - wait.fromNs)));
  const whose =
    paths.length === 0
      ? 'whose connection that is cannot be read without its keys'
      : `by the address forwarded further in that is ${listed(namesOf(paths))}${paths.length < stuck.length ? `, and ${counted(stuck.length - paths.length, 'other')} that cannot be told` : ''}`;
  const is = stuck.length === 1 ? 'the connection is' : 'the connections are';
  const summary = {
    'peer-unreachable': `What ${view.name} sends over TLS to ${clients} was sent again and again for ${longest} and never TCP-ACKed, and nothing comes back: ${is} black-holed, in at least one direction`,
    'receiver-window-closed': `${clients} closed the TCP window towards ${view.name} for ${longest} and never opened it again, on TLS that was not read: nobody reads there, and data waits`,
    'large-frames-lost': `Over TLS segments of ${Math.min(...stuck.map(({ connection }) => connection.fromServer.unacked?.leastSegmentOctets ?? 0))} octets and more from ${view.name} to ${clients} are never TCP-ACKed, while smaller ones get through: the path takes only smaller packets (path MTU)`,
  }[kind];
  const next = {
    'peer-unreachable': `Find where packets to ${clients} are lost: capture on both sides of each device past ${view.name}.`,
    'receiver-window-closed': `Find out which process at ${clients} does not read its socket.`,
    'large-frames-lost': `Let ICMP "fragmentation needed" through to ${view.name}, or clamp the TCP MSS on the way to ${clients}.`,
  }[kind];
  found.add({
    id: kind,
    // Whose connection it is, and that a command failed on it, makes it an error: phones and browsers vanish all day.
    severity: commands.length > 0 ? 'error' : someoneFails(facts, view) ? 'warning' : 'info',
    grade: paths.length === 0 ? 'measured' : 'inferred',
    paths,
    commands,
    summary: `${summary}; ${whose}.`,
    evidence: stuck.flatMap(({ connection, wait }) => evidenceOf(view, kind, connection, wait)),
    next: `${next} Keys (--keylog) would tell what was lost, not where.`,
  });
}

function evidenceOf(view: HopView, kind: Stuck['kind'], connection: ObservedConnection, wait: Wait): Evidence[] {
  const client = endpoint(connection.clientAddress, connection.clientPort);
  const from = clockTime(view, wait.fromNs);
  const { unacked } = connection.fromServer;
  if (kind === 'receiver-window-closed')
    return cite(view, [wait.ref], `${client}: window 0 from ${from} on, to the end`);
  if (unacked === null) return [];
  const passed = kind === 'large-frames-lost' ? `, while ${sackedWords(unacked)}` : '';
  const what =
    kind === 'large-frames-lost' ? `segments of ${segmentSizes(unacked)} octets` : counted(unacked.octets, 'octet');
  return cite(
    view,
    unacked.refs,
    `${client}: ${what} sent ${unacked.transmissions} times from ${from} on, never TCP-ACKed${passed}`,
  );
}
