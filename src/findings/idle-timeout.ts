/**
 * idle-timeout: a hop closed quiet connections, each after the same idle time (nginx: proxy_read_timeout, 60 s by default).
 * In: the legs of all paths; the hop that closed is the one that closed its own leg, and its inner one as a client.
 * Out: one finding for each hop. Connections that a restart closed are left alone.
 */

import { seconds } from '../delivery/coverage.js';
import type { Leg, Path } from '../path/path.js';
import { cite } from './cite.js';
import type { Facts } from './facts.js';
import { type Found, namesOf } from './found.js';
import { counted, listed } from './words.js';

const LEAST_CLOSES = 2;
const LEAST_IDLE_NS = 2e9;
/** Timers are exact to some milliseconds; what is not a timer varies more than this. */
const SPREAD_NS = 150e6;
const SPREAD_SHARE = 0.01;
const SAME_MOMENT_NS = 1e9;

interface Close {
  path: Path;
  leg: Leg;
  idleNs: number;
}

export function idleTimeout(facts: Facts, found: Found): void {
  const byHop = new Map<number, Close[]>();
  for (const path of facts.paths) {
    if (found.has(path, 'origin-restarted')) continue;
    const close = closeOf(path);
    if (close !== null) byHop.set(close.leg.hop, [...(byHop.get(close.leg.hop) ?? []), close]);
  }
  for (const [hop, closes] of byHop) {
    if (closes.length < LEAST_CLOSES) continue;
    // All at one moment is an end of something else: then the last Ping was sent to all at one moment, too.
    const times = closes.map(({ leg }) => leg.connection.closedNs).sort((a, b) => a - b);
    if (times[times.length - 1] - times[0] < SAME_MOMENT_NS) continue;
    const idle = closes.map(({ idleNs }) => idleNs).sort((a, b) => a - b);
    const median = idle[idle.length >> 1];
    const spreadNs = Math.max(SPREAD_NS, median * SPREAD_SHARE);
    if (idle[0] < LEAST_IDLE_NS || idle[idle.length - 1] - idle[0] > spreadNs) continue;
    if (!contradicted(facts, hop, median + spreadNs)) report(facts, found, hop, median, closes);
  }
}

/** The hop that ended the connection of its own accord: it closed towards the agent, and inward too. */
function closeOf(path: Path): Close | null {
  for (let hop = 0; hop < path.legs.length; hop++) {
    const leg = path.legs[hop];
    if (leg === null || leg.connection.closedFrom !== 'server') continue;
    const inner = path.legs[hop - 1];
    if (hop > 0 && inner != null && inner.connection.closedFrom !== 'client') return null;
    const { fromServer, fromClient, closedNs } = leg.connection;
    // A Close frame says that somebody meant to end it.
    if (fromServer.closeCode !== null || fromClient.closeCode !== null || fromServer.unacked !== null) return null;
    const lastNs = Math.max(fromServer.lastOctetsNs, fromClient.lastOctetsNs);
    return Number.isNaN(lastNs) ? null : { path, leg, idleNs: closedNs - lastNs };
  }
  return null;
}

/** Another connection of that hop was quiet for longer and stayed. */
function contradicted(facts: Facts, hop: number, idleNs: number): boolean {
  const endNs = facts.views[hop].observation?.lastNs ?? Number.NaN;
  return facts.court.paths.some((path) => {
    const connection = path.legs[hop]?.connection;
    if (connection === undefined || !Number.isNaN(connection.closedNs)) return false;
    const lastNs = Math.max(connection.fromServer.lastOctetsNs, connection.fromClient.lastOctetsNs);
    return endNs - lastNs > idleNs;
  });
}

function report(facts: Facts, found: Found, hop: number, idleNs: number, closes: Close[]): void {
  const view = facts.views[hop];
  const paths = closes.map(({ path }) => path);
  found.add({
    id: 'idle-timeout',
    severity: 'warning',
    paths,
    summary: `${view.name} closed ${counted(closes.length, 'connection')} of ${listed(namesOf(paths))}, each after ${seconds(idleNs)} without an octet in either direction: an idle time-out.`,
    evidence: cite(
      view,
      closes.map(({ leg }) => leg.connection.closedRef),
      `closed by ${view.name} after ${listed(closes.map(({ idleNs: each }) => seconds(each)))} of silence`,
    ),
    next: `Raise the time-out at ${view.name} (nginx: proxy_read_timeout and proxy_send_timeout), or send Pings more often than every ${seconds(idleNs / 2)}.`,
  });
}
