/**
 * changed-after: the last command of an agent that was delivered, the first that failed and all after it, and what lies between:
 * a reconnect, a ConfigUpdate, a restart. In: facts, and the failures found so far. Out: one finding for each agent where something does.
 */

import type { HopObservation } from '../hop/observation.js';
import { localNs, type Path } from '../path/path.js';
import { cite, clockTime, type Evidence, packetsOf } from './cite.js';
import type { Facts } from './facts.js';
import type { FindingId, Found } from './found.js';
import { byAgent } from './survives-reconnect.js';
import { type Changed, changesBetween, type Mark, turnOf } from './what-changed.js';
import { listed } from './words.js';

/** Failures of the agent's or a hop's own; where packets are lost the network is what changed. */
const PERSISTENT: readonly FindingId[] = [
  'agent-ignores-commands',
  'agent-unresponsive',
  'agent-answers-nothing',
  'hop-drops-text',
  'hop-drops-frames',
  'split-connection',
  'protocol-desync',
];
export function changedAfter(facts: Facts, found: Found): void {
  for (const [agent, paths] of byAgent(facts)) {
    const { good, bad } = turnOf(facts, paths);
    if (good === null || bad === null || !(good.timeNs < bad.timeNs)) continue;
    if (!persists(facts, found, paths, bad)) continue;
    const changes = changesBetween(facts, found, paths, good.timeNs, bad.timeNs);
    if (changes.length > 0) report(facts, found, agent, good, bad, changes);
  }
}

/** The first failure, or what followed it on a later connection, is one that lasts. */
function persists(facts: Facts, found: Found, paths: readonly Path[], bad: Mark): boolean {
  const lasts = (path: Path) => found.of(path).some((id) => PERSISTENT.includes(id) || id === 'survives-reconnect');
  if (lasts(bad.path)) return true;
  return paths.some(
    (path) =>
      lasts(path) && facts.records.get(path)?.failed.some(({ timesNs }) => timesNs.some((ns) => ns >= bad.timeNs)),
  );
}

function report(facts: Facts, found: Found, agent: string, good: Mark, bad: Mark, changes: readonly Changed[]): void {
  const mark = ({ path, thread, timeNs }: Mark, words: string): Evidence[] => {
    const leg = path.legs.find((each) => each !== null && path.fromServer.row(thread, each.hop) >= 0);
    if (leg == null) return [];
    const view = facts.views[leg.hop];
    const row = path.fromServer.row(thread, leg.hop);
    const text = `${words}, on ${path.id} at ${clockTime(view, localNs(view, timeNs))}`;
    return cite(view, packetsOf(view.observation as HopObservation, row), text);
  };
  const view = facts.views.find((each) => each.observation !== null) ?? facts.views[0];
  const at = ({ timeNs }: Mark): string => clockTime(view, localNs(view, timeNs));
  found.add({
    id: 'changed-after',
    severity: 'info',
    paths: [...new Set([good.path, bad.path])],
    agents: [agent],
    summary: `${agent} ran its last command at ${at(good)} and none from ${at(bad)} on; between lies ${listed(changes.map(({ words }) => words))}.`,
    evidence: [
      ...mark(good, 'last command delivered'),
      ...changes.flatMap(({ evidence }) => evidence),
      ...mark(bad, 'first command that failed'),
    ],
    next: 'Look at what this changed: the state of the agent after it connected again, a configuration it was sent, a new version.',
  });
}
