/**
 * changed-after: the last command of an agent that was delivered, the first that failed and all after it, and what lies between:
 * a reconnect, a ConfigUpdate. In: facts, and the failures found so far. Out: one finding for each agent where something does.
 * The agent's version is not in an observation.
 */

import type { HopObservation } from '../hop/observation.js';
import { commonNs, localNs, type Path } from '../path/path.js';
import { cite, clockTime, type Evidence, packetsOf } from './cite.js';
import type { Facts } from './facts.js';
import type { FindingId, Found } from './found.js';
import { byAgent, startNs } from './survives-reconnect.js';
import { listed } from './words.js';

/** Failures of the agent's or a hop's own; where packets are lost the network is what changed. */
const PERSISTENT: readonly FindingId[] = [
  'agent-ignores-commands',
  'agent-unresponsive',
  'hop-drops-text',
  'hop-drops-frames',
  'split-connection',
];
const CONFIGURATION = /config|settings|policy/i;

interface Turn {
  good: { path: Path; thread: number; timeNs: number };
  bad: { path: Path; thread: number; timeNs: number };
}

export function changedAfter(facts: Facts, found: Found): void {
  for (const [agent, paths] of byAgent(facts)) {
    const turn = turnOf(facts, paths);
    if (turn === null || !found.of(turn.bad.path).some((id) => PERSISTENT.includes(id))) continue;
    const between = changesBetween(facts, paths, turn);
    if (between.words.length > 0) report(facts, found, agent, turn, between);
  }
}

/** The last success, where every failure comes after it. */
function turnOf(facts: Facts, paths: readonly Path[]): Turn | null {
  let good: Turn['good'] | null = null;
  let bad: Turn['bad'] | null = null;
  for (const path of paths) {
    const record = facts.records.get(path);
    if (record === undefined) continue;
    if (record.delivered > 0 && !(record.lastDeliveredNs <= (good?.timeNs ?? Number.NEGATIVE_INFINITY)))
      good = { path, thread: record.lastDeliveredThread, timeNs: record.lastDeliveredNs };
    for (const failed of record.failed) {
      if (failed.outcome === 'inconclusive') continue;
      failed.timesNs.forEach((timeNs, i) => {
        if (bad === null || timeNs < bad.timeNs) bad = { path, thread: failed.threads[i], timeNs };
      });
    }
  }
  return good !== null && bad !== null && good.timeNs < (bad as Turn['bad']).timeNs ? { good, bad } : null;
}

interface Changes {
  words: string[];
  evidence: Evidence[];
}

function changesBetween(facts: Facts, paths: readonly Path[], { good, bad }: Turn): Changes {
  const changes: Changes = { words: [], evidence: [] };
  for (const path of paths) {
    const openedNs = startNs(facts, path);
    const leg = path.legs.find((each) => each !== null);
    if (leg == null) continue;
    const view = facts.views[leg.hop];
    if (openedNs > good.timeNs && openedNs < bad.timeNs) {
      changes.words.push(`a reconnect at ${clockTime(view, localNs(view, openedNs))}`);
      changes.evidence.push(...cite(view, leg.connection.handshakeRefs, `new connection ${path.id}`));
    }
    const { messages, strings } = view.observation as HopObservation;
    for (const row of leg.connection.fromServer.rows) {
      const sentNs = commonNs(view, messages.sentNs[row]);
      if (!(sentNs > good.timeNs && sentNs < bad.timeNs) || messages.type[row] < 0) continue;
      const type = strings.text(messages.type[row]);
      if (!CONFIGURATION.test(type) || changes.words.length >= 8) continue;
      changes.words.push(`a ${type} of ${messages.length[row]} octets at ${clockTime(view, messages.sentNs[row])}`);
      changes.evidence.push(...cite(view, packetsOf(view.observation as HopObservation, row), `${type} on ${path.id}`));
    }
  }
  return changes;
}

function report(facts: Facts, found: Found, agent: string, { good, bad }: Turn, changes: Changes): void {
  const mark = ({ path, thread, timeNs }: Turn['good'], words: string): Evidence[] => {
    const leg = path.legs.find((each) => each !== null && path.fromServer.row(thread, each.hop) >= 0);
    if (leg == null) return [];
    const view = facts.views[leg.hop];
    const row = path.fromServer.row(thread, leg.hop);
    const text = `${words}, on ${path.id} at ${clockTime(view, localNs(view, timeNs))}`;
    return cite(view, packetsOf(view.observation as HopObservation, row), text);
  };
  const view = facts.views.find((each) => each.observation !== null) ?? facts.views[0];
  const at = ({ timeNs }: Turn['good']): string => clockTime(view, localNs(view, timeNs));
  found.add({
    id: 'changed-after',
    severity: 'info',
    paths: [...new Set([good.path, bad.path])],
    agents: [agent],
    summary: `${agent} ran its last command at ${at(good)} and none from ${at(bad)} on; between lies ${listed(changes.words)}.`,
    evidence: [...mark(good, 'last command delivered'), ...changes.evidence, ...mark(bad, 'first command that failed')],
    next: 'Look at what this changed: the state of the agent after it connected again, a configuration it was sent, a new version.',
  });
}
