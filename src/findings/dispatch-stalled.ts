/**
 * dispatch-stalled: from some moment no command leaves on any connection, though they are asked for, for several agents that are
 * connected (incident 2). In: never-sent commands and the time of the last command frame. Out: one finding, which names the
 * connections that were blocked by then: one of them may hold the lock.
 */

import { commonNs } from '../path/path.js';
import { cite, clockTime } from './cite.js';
import { earliest, type Facts, openPaths, type Unsent } from './facts.js';
import { type Found, namesOf } from './found.js';
import { counted, listed } from './words.js';

const LEAST_AGENTS = 2;

export function dispatchStalled(facts: Facts, found: Found): void {
  const lastFrameNs = facts.court.log.lastAttemptNs;
  const after = facts.unsent.filter(
    ({ askedNs, command }) =>
      (askedNs > lastFrameNs || (Number.isNaN(lastFrameNs) && !Number.isNaN(askedNs))) &&
      !found.explainedCommands.has(command),
  );
  const connected = after.filter(({ agent, askedNs }) => agent === null || openPaths(facts, agent, askedNs).length > 0);
  const agents = new Set(connected.map(({ agent }) => agent).filter((agent) => agent !== null));
  const nameless = connected.filter(({ agent }) => agent === null).length;
  if (agents.size < LEAST_AGENTS && !(agents.size === 0 && nameless > LEAST_AGENTS)) return;
  report(facts, found, after);
}

function report(facts: Facts, found: Found, after: readonly Unsent[]): void {
  const view = facts.views[0];
  const fromNs = earliest(after.map(({ askedNs }) => askedNs));
  const answered = after.filter(({ dispatch }) => (dispatch?.status ?? 0) > 0).length;
  const blocked = facts.court.paths.filter((path) =>
    path.legs.some((leg) =>
      leg?.connection.fromServer.blocked.some(
        (each) =>
          commonNs(facts.views[leg.hop], each.fromNs) <= fromNs + 1e9 &&
          commonNs(facts.views[leg.hop], each.toNs) > fromNs,
      ),
    ),
  );
  const suspect =
    blocked.length === 0
      ? 'Look for what every dispatch waits for: a lock, a full queue; dump the threads or tasks of the server while it hangs.'
      : `The connection of ${listed(namesOf(blocked))} could not move at that time: look for a send that waits for it and holds a lock that every dispatch needs.`;
  found.add({
    id: 'dispatch-stalled',
    severity: 'error',
    paths: [],
    agents: [...new Set(after.map(({ agent }) => agent).filter((agent) => agent !== null))],
    commands: after.map(({ command }) => command),
    summary:
      `From ${clockTime(view, fromNs)} UTC on no command leaves ${view.name} on any connection, though ${counted(after.length, 'command')} ` +
      `${after.length === 1 ? 'was' : 'were'} asked for (${answered === 0 ? 'none of the requests was answered' : `${answered} of the requests answered`}).`,
    evidence: cite(
      view,
      after.flatMap(({ dispatch }) => dispatch?.askedRef ?? []),
      'requests for commands of which no frame left',
    ),
    next: suspect,
  });
}
