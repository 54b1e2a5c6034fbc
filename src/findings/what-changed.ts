/**
 * An agent's last success, its first failure, and every event between that the captures show: a reconnect (with its pause, another
 * address, another client version), a configuration that was sent, a restart. In: facts. Out: changed-after and the agents' table.
 */

import { seconds } from '../delivery/coverage.js';
import type { Change } from '../delivery/verdict.js';
import type { HopObservation } from '../hop/observation.js';
import { stampOf } from '../hop/timestamp.js';
import { commonNs, type HopView, type Leg, localNs, type Path } from '../path/path.js';
import { cite, clockTime, type Evidence, packetsOf } from './cite.js';
import type { Facts } from './facts.js';
import type { Found } from './found.js';
import { startNs } from './survives-reconnect.js';

const CONFIGURATION = /config|settings|policy/i;
const MOST_CHANGES = 12;
/** A shorter one is every reconnect. */
const LEAST_PAUSE_NS = 2e9;

export interface Mark {
  path: Path;
  thread: number;
  timeNs: number;
  command: number;
}

export interface Turn {
  good: Mark | null;
  bad: Mark | null;
}

/** The last delivery and the first proven failure of an agent; whichever came first. */
export function turnOf(facts: Facts, paths: readonly Path[]): Turn {
  let good: Mark | null = null;
  let bad: Mark | null = null;
  for (const path of paths) {
    const record = facts.records.get(path);
    if (record === undefined) continue;
    if (record.delivered > 0 && !(record.lastDeliveredNs <= (good?.timeNs ?? Number.NEGATIVE_INFINITY)))
      good = {
        path,
        thread: record.lastDeliveredThread,
        timeNs: record.lastDeliveredNs,
        command: record.lastDeliveredCommand,
      };
    for (const failed of record.failed) {
      if (failed.outcome === 'inconclusive') continue;
      failed.timesNs.forEach((timeNs, i) => {
        if (bad === null || timeNs < bad.timeNs)
          bad = { path, thread: failed.threads[i], timeNs, command: failed.commands[i] };
      });
    }
  }
  return { good, bad };
}

export interface Changed {
  change: Change;
  timeNs: number;
  /** For a sentence: `a reconnect at 05:54:44.007`. */
  words: string;
  evidence: Evidence[];
}

/** In order of time; `paths` too. */
export function changesBetween(
  facts: Facts,
  found: Found,
  paths: readonly Path[],
  fromNs: number,
  toNs: number,
): Changed[] {
  const changes: Changed[] = [];
  paths.forEach((path, i) => {
    const leg = path.legs.find((each) => each !== null);
    if (leg == null) return;
    const view = facts.views[leg.hop];
    const note = (kind: Change['kind'], timeNs: number, what: string, evidence: Evidence[]) => {
      const words = `${what.replace('@', `at ${clockTime(view, localNs(view, timeNs))}`)}`;
      const change = { kind, at: isoOf(view, timeNs), connection: path.id, text: words };
      changes.push({ change, timeNs, words, evidence });
    };
    const openedNs = startNs(facts, path);
    if (openedNs > fromNs && openedNs < toNs) {
      const more = differences(facts, paths[i - 1] ?? null, path, openedNs);
      const refs = cite(view, leg.connection.handshakeRefs, `new connection ${path.id}`);
      // Two at a time are no reconnect: the older one was still open.
      const before = paths[i - 1];
      const beside = before !== undefined && isOpenAt(facts, before, openedNs);
      note('reconnect', openedNs, `${beside ? 'a second connection' : 'a reconnect'} @${more}`, refs);
    }
    const closedNs = commonNs(view, leg.connection.closedNs);
    if (found.has(path, 'origin-restarted') && closedNs > fromNs && closedNs < toNs)
      note(
        'restart',
        closedNs,
        'a restart of the server @',
        cite(view, [leg.connection.closedRef], `${path.id} closed`),
      );
    const { messages, strings } = view.observation as HopObservation;
    for (const row of leg.connection.fromServer.rows) {
      const sentNs = commonNs(view, messages.sentNs[row]);
      if (!(sentNs > fromNs && sentNs < toNs) || messages.type[row] < 0) continue;
      const type = strings.text(messages.type[row]);
      if (!CONFIGURATION.test(type)) continue;
      const refs = cite(view, packetsOf(view.observation as HopObservation, row), `${type} on ${path.id}`);
      note('configuration', sentNs, `a ${type} of ${messages.length[row]} octets @`, refs);
    }
  });
  return changes.sort((a, b) => a.timeNs - b.timeNs).slice(0, MOST_CHANGES);
}

/** A reconnect may be seen before the end of the connection that it replaces: a moment is none. */
const TOGETHER_NS = 1e9;

function isOpenAt(facts: Facts, path: Path, timeNs: number): boolean {
  const leg = path.legs.find((each): each is Leg => each !== null);
  if (leg === undefined) return false;
  const closedNs = commonNs(facts.views[leg.hop], leg.connection.closedNs);
  return Number.isNaN(closedNs) || closedNs > timeNs + TOGETHER_NS;
}

/** What is new about a connection against the one before it. */
function differences(facts: Facts, before: Path | null, after: Path, openedNs: number): string {
  if (before === null) return '';
  const [old, fresh] = [before, after].map((path) => path.legs.findLast((leg) => leg !== null)?.connection);
  if (old == null || fresh == null) return '';
  const parts: string[] = [];
  if (old.clientAddress !== fresh.clientAddress)
    parts.push(`from ${fresh.clientAddress} instead of ${old.clientAddress}`);
  const [was, is] = [old.handshake?.userAgent, fresh.handshake?.userAgent];
  if (was != null && is != null && was !== is) parts.push(`with client ${is} instead of ${was}`);
  else if (old.agentVersion !== null && fresh.agentVersion !== null && old.agentVersion !== fresh.agentVersion)
    parts.push(`with version ${fresh.agentVersion} instead of ${old.agentVersion}`);
  const leg = before.legs.find((each): each is Leg => each !== null);
  const pauseNs = leg === undefined ? Number.NaN : openedNs - commonNs(facts.views[leg.hop], leg.connection.closedNs);
  if (pauseNs >= LEAST_PAUSE_NS) parts.push(`after ${seconds(pauseNs)} without a connection`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

/** On the common clock, as the contract writes times. */
export function isoOf({ observation }: HopView, timeNs: number): string {
  return observation === null ? '' : (stampOf(observation, timeNs) ?? '');
}
