/** independent-faults: whether the agents that fail do so for different reasons. */

import { CAUSES } from '../distinct-failures.js';
import { counted, listed } from '../words.js';
import type { AgentCase } from './agent-case.js';
import { type Conclusion, isFound, open, type Question, ruledOut, supported } from './rule.js';
import { whereOf } from './words.js';

export function independentFaults(question: Question): Conclusion {
  const { each, all } = question;
  const own = wayOf(question, each);
  const alike = all.filter((other) => wayOf(question, other) === own);
  const others = all.filter((other) => !alike.includes(other));
  if (isFound(question, 'distinct-failures') && others.length > 0) {
    return supported(
      `${listed(alike.map(({ agent }) => agent))}: ${own}; ${listed(others.map((other) => `${other.agent}: ${wayOf(question, other)}`))}`,
    );
  }
  if (own === '') return open('how it fails is not proven, so it cannot be compared');
  // Cut off by the end of the connection it cannot be told from what lasts.
  const ways = each.sites.filter(
    ({ kind, hop, how }) =>
      how !== 'cut-off' ||
      !each.sites.some((other) => other.how === 'silent' && other.kind === kind && other.hop === hop),
  );
  if (all.length === 1)
    return ways.length > 1
      ? open(`its commands failed in ${counted(ways.length, 'way')}: ${own}`)
      : ruledOut(`it is the only agent that fails, and in one way only: ${own}`);
  if (alike.length === all.length)
    return ruledOut(
      `${all.length === 2 ? 'both' : `all ${all.length}`} that fail (${listed(alike.map(({ agent }) => agent))}) do so in the same way: ${own}`,
    );
  const isOneFault = (a: AgentCase, b: AgentCase) =>
    wayOf(question, a) === 'dispatch-stalled' && b.paths.some((path) => question.found.suspects.has(path));
  if (others.every((one) => isOneFault(each, one) || isOneFault(one, each)))
    return open(
      `likely one fault: commands stopped for ${listed(all.filter((one) => wayOf(question, one) === 'dispatch-stalled').map(({ agent }) => agent))} while the connection of ${listed(all.filter((one) => one.paths.some((path) => question.found.suspects.has(path))).map(({ agent }) => agent))} could not move (dispatch-stalled); the server's threads or tasks at that time would show what waited for what`,
    );
  return open(
    `other agents fail in other ways, without a common cause found: ${listed(others.map(({ agent }) => agent))}`,
  );
}

/** Each agent is compared with each: asked once. */
const known = new WeakMap<AgentCase, string>();

function wayOf(question: Question, each: AgentCase): string {
  let way = known.get(each);
  if (way === undefined) {
    way = toldWay(question, each);
    known.set(each, way);
  }
  return way;
}

/** Its findings, else where its commands ended. What stops every dispatch is common to all that it stops. */
function toldWay({ facts, found }: Question, each: AgentCase): string {
  const causes = new Set<string>();
  for (const path of each.failing) for (const id of found.of(path)) if (CAUSES.includes(id)) causes.add(id);
  // The one whose connection could not move is what the others waited for; of any other agent, what failed before is a fault of its own.
  const waited = found.findings.some(({ id, agents }) => id === 'dispatch-stalled' && agents.includes(each.agent));
  if (waited && each.paths.some((path) => found.suspects.has(path))) return 'dispatch-stalled';
  for (const { id, agents } of found.findings) {
    if (!agents.includes(each.agent)) continue;
    // What ends every connection of a hop is common to all that it ends.
    if (id === 'origin-restarted' && each.failing.length > 0 && each.failing.every((path) => found.has(path, id)))
      return id;
    if (CAUSES.some((cause) => cause === id)) causes.add(id);
  }
  if (waited) causes.add('dispatch-stalled');
  if (causes.size > 0) return [...causes].sort().join(', ');
  return [...new Set(each.sites.map((site) => whereOf(facts, site)))].sort().join('; ');
}
