/**
 * Failing agents beside healthy ones: how each fails or works, from where, with which client, and what changed in between.
 * In: facts and findings. Out: AgentReport[], the failing first.
 */

import { pingsEndAt } from '../delivery/ping-ends.js';
import type { AgentReport, CommandMoment, Outcome } from '../delivery/verdict.js';
import { localNs, type Path } from '../path/path.js';
import { CAUSES } from './distinct-failures.js';
import type { Facts, Unsent } from './facts.js';
import type { FindingId, Found } from './found.js';
import { startNs } from './survives-reconnect.js';
import { changesBetween, isoOf, type Mark, turnOf } from './what-changed.js';

/** Beyond the causes that tell agents apart: what an agent's failure is called where it is these. */
const WAYS: readonly FindingId[] = [
  ...CAUSES,
  'middlebox-acks',
  'origin-restarted',
  'dispatch-stalled',
  'handshake-stalled',
];
const MOST_AGENTS = 5000;
const MOST_LISTED = 50;

export function agentReports(facts: Facts, found: Found): AgentReport[] {
  const agents = new Map<string, { name: string | null; paths: Path[]; unsent: Unsent[] }>();
  const of = (key: string, name: string | null) => {
    const known = agents.get(key) ?? { name, paths: [], unsent: [] };
    agents.set(key, known);
    return known;
  };
  for (const path of facts.paths) of(path.agent ?? path.id, path.agent).paths.push(path);
  for (const unsent of facts.unsent) if (unsent.agent !== null) of(unsent.agent, unsent.agent).unsent.push(unsent);
  const reports = [...agents.values()].slice(0, MOST_AGENTS).map((each) => reportOf(facts, found, each));
  return reports.sort((a, b) => rank(a) - rank(b));
}

/** Failing ones first, those without commands last; else as they came. */
function rank({ ways }: AgentReport): number {
  if (ways[0] === 'no-commands') return 3;
  if (ways[0] === 'delivered') return 2;
  return ways[0] === 'inconclusive' ? 1 : 0;
}

function reportOf(
  facts: Facts,
  found: Found,
  { name, paths, unsent }: { name: string | null; paths: Path[]; unsent: Unsent[] },
): AgentReport {
  paths.sort((a, b) => startNs(facts, a) - startNs(facts, b));
  const byOutcome: Partial<Record<Outcome, number>> = {};
  const pings = { sent: 0, answered: 0, answeredAtLastHop: 0 };
  const addresses = new Set<string>();
  const clients = new Set<string>();
  for (const path of paths) {
    for (const [outcome, number] of Object.entries(facts.records.get(path)?.byOutcome ?? {}) as [Outcome, number][])
      byOutcome[outcome] = (byOutcome[outcome] ?? 0) + number;
    const inner = path.legs.find((leg) => leg !== null)?.connection;
    const outer = path.legs.findLast((leg) => leg !== null)?.connection;
    const told = pingsEndAt(path, facts.views) < 0 ? inner : outer;
    pings.sent += told?.pings.sent ?? 0;
    pings.answered += told?.pings.answered ?? 0;
    pings.answeredAtLastHop += outer?.pings.answered ?? 0;
    if (outer !== undefined) addresses.add(outer.clientAddress);
    if (outer?.handshake?.userAgent != null) clients.add(outer.handshake.userAgent);
  }
  if (unsent.length > 0) byOutcome['never-sent'] = unsent.length;
  const { good, bad } = turnOf(facts, paths);
  const turned = good !== null && bad !== null && good.timeNs < bad.timeNs;
  return {
    agent: name,
    ways: waysOf(found, name, paths, byOutcome),
    byOutcome,
    connections: paths.slice(0, MOST_LISTED).map(({ id }) => id),
    connectionCount: paths.length,
    addresses: [...addresses].slice(0, MOST_LISTED),
    clients: [...clients].slice(0, MOST_LISTED),
    pings,
    lastDelivered: momentOf(facts, good),
    firstFailed: momentOf(facts, bad),
    between: turned ? changesBetween(facts, found, paths, good.timeNs, bad.timeNs).map(({ change }) => change) : [],
  };
}

function momentOf(facts: Facts, mark: Mark | null): CommandMoment | null {
  if (mark === null) return null;
  const view = facts.views.find(({ observation }) => observation !== null) ?? facts.views[0];
  return {
    id: facts.court.log.ids.text(mark.command),
    at: isoOf(view, localNs(view, mark.timeNs)),
    connection: mark.path.id,
  };
}

function waysOf(
  found: Found,
  name: string | null,
  paths: readonly Path[],
  byOutcome: Partial<Record<Outcome, number>>,
): string[] {
  const outcomes = Object.keys(byOutcome) as Outcome[];
  const failed = outcomes.filter((outcome) => outcome !== 'delivered' && outcome !== 'inconclusive');
  if (failed.length === 0 && byOutcome.inconclusive === undefined)
    return [outcomes.length === 0 ? 'no-commands' : 'delivered'];
  const causes = new Set<string>();
  for (const path of paths) for (const id of found.of(path)) if (WAYS.includes(id)) causes.add(id);
  for (const { id, agents } of found.findings)
    if (name !== null && agents.includes(name) && WAYS.some((way) => way === id)) causes.add(id);
  if (causes.size > 0) return [...causes];
  return failed.length > 0 ? failed : ['inconclusive'];
}
