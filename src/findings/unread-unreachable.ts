/**
 * peer-unreachable on a leg that cannot be read for want of keys: retransmissions and TCP ACKs need none. In: encrypted connections that
 * belong to no path. Whose they are is inferred from the address that the next inner leg's handshake forwards, where only one agent of
 * that address could be meant. Out: one finding for each hop.
 */

import { seconds } from '../delivery/coverage.js';
import { endpoint } from '../hop/list.js';
import type { ObservedConnection } from '../hop/observation.js';
import { commonNs, type HopView, type Leg, type Path } from '../path/path.js';
import { cite, clockTime } from './cite.js';
import type { Facts } from './facts.js';
import { type Found, namesOf } from './found.js';
import { startNs } from './survives-reconnect.js';
import { neverAcked, type Wait } from './tcp-waits.js';
import { counted, listed } from './words.js';

interface Dead {
  connection: ObservedConnection;
  wait: Wait;
  path: Path | null;
}

/** A proxy opens its inner connection when the request has come: after the TCP and TLS handshakes. */
const OPENS_WITHIN_NS = 5e9;
/** What was on its way when the connection died. */
const SILENCE_NS = 1e9;

export function unreadUnreachable(facts: Facts, found: Found): void {
  for (const view of facts.views) {
    const dead = deadAt(facts, view);
    if (dead.length > 0) report(facts, found, view, dead);
  }
}

function deadAt(facts: Facts, view: HopView): Dead[] {
  const dead: Dead[] = [];
  for (const connection of view.observation?.connections ?? []) {
    if (connection?.protocol !== 'tls') continue;
    const leg: Leg = { hop: view.index, connection, linkedBy: 'only' };
    const wait = neverAcked(leg);
    if (wait === null || connection.fromServer.unacked === null) continue;
    // Where the other end still talks, it may be a matter of size or of a window, and those are read by their own rules.
    if (connection.fromServer.unacked.sackedOctets > 0 || connection.fromClient.lastSeenNs > wait.fromNs) continue;
    dead.push({ connection, wait, path: ownerOf(facts, view, connection, wait.fromNs) });
  }
  return dead;
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

function report(facts: Facts, found: Found, view: HopView, dead: Dead[]): void {
  const paths = dead.map(({ path }) => path).filter((path) => path !== null);
  const commands = dead.flatMap(({ path, wait }) =>
    path === null
      ? []
      : (facts.records.get(path)?.failed ?? []).flatMap((failed) =>
          failed.commands.filter((_, i) => failed.timesNs[i] >= commonNs(view, wait.fromNs) - 0.5e9),
        ),
  );
  const clients = listed(dead.map(({ connection }) => endpoint(connection.clientAddress, connection.clientPort)));
  const longest = Math.max(...dead.map(({ wait }) => wait.toNs - wait.fromNs));
  const whose =
    paths.length === 0
      ? 'whose connection that is cannot be read without its keys'
      : `by the address forwarded further in that is ${listed(namesOf(paths))}${paths.length < dead.length ? `, and ${counted(dead.length - paths.length, 'other')} that cannot be told` : ''}`;
  found.add({
    id: 'peer-unreachable',
    // Whose connection it is, and that a command failed on it, makes it an error: phones and browsers vanish all day.
    severity: commands.length > 0 ? 'error' : someoneFails(facts, view) ? 'warning' : 'info',
    grade: paths.length === 0 ? 'measured' : 'inferred',
    paths,
    commands,
    summary: `What ${view.name} sends over TLS to ${clients} was sent again and again for ${seconds(longest)} and never TCP-ACKed, and nothing comes back: ${dead.length === 1 ? 'the connection is' : 'the connections are'} black-holed; ${whose}.`,
    evidence: dead.flatMap(({ connection, wait }) =>
      cite(
        view,
        connection.fromServer.unacked?.refs ?? [],
        `${endpoint(connection.clientAddress, connection.clientPort)}: ${counted(connection.fromServer.unacked?.octets ?? 0, 'octet')} sent ${connection.fromServer.unacked?.transmissions} times from ${clockTime(view, wait.fromNs)} on, never TCP-ACKed`,
      ),
    ),
    next: `Find where packets to ${clients} are lost: capture on both sides of each device past ${view.name}. Keys (--keylog) would tell what was lost, not where.`,
  });
}
