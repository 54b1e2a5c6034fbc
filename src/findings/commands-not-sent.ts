/**
 * commands-not-sent: commands were asked for over HTTP and no frame with them left the innermost hop, while other frames did or
 * did not. In: never-sent commands that no other finding explains, and that the server did not refuse. Out: one finding.
 */

import type { Path } from '../path/path.js';
import { cite, clockTime } from './cite.js';
import { earliest, type Facts, openPaths, type Unsent } from './facts.js';
import type { Found } from './found.js';
import { counted, listed } from './words.js';

const FIRST_REFUSAL = 400;

export function commandsNotSent(facts: Facts, found: Found): void {
  const unsent = facts.unsent.filter(
    ({ command, dispatch }) =>
      dispatch !== null && dispatch.status < FIRST_REFUSAL && !found.explainedCommands.has(command),
  );
  const isConnected = ({ agent, askedNs }: Unsent) => agent === null || openPaths(facts, agent, askedNs).length > 0;
  report(facts, found, unsent.filter(isConnected), true);
  report(
    facts,
    found,
    unsent.filter((each) => !isConnected(each)),
    false,
  );
}

function report(facts: Facts, found: Found, unsent: readonly Unsent[], connected: boolean): void {
  if (unsent.length === 0) return;
  const view = facts.views[0];
  const paths = [...new Set(unsent.flatMap(({ agent, askedNs }) => openPaths(facts, agent, askedNs)))];
  const agents = [...new Set(unsent.map(({ agent }) => agent ?? 'agents unknown'))];
  const accepted = unsent.filter(({ dispatch }) => (dispatch?.status ?? 0) > 0).length;
  found.add({
    id: 'commands-not-sent',
    severity: connected ? 'error' : 'warning',
    paths,
    agents: agents.filter((agent) => agent !== 'agents unknown'),
    commands: unsent.map(({ command }) => command),
    summary:
      `${counted(unsent.length, 'command')} for ${listed(agents)} ${unsent.length === 1 ? 'was' : 'were'} asked for over HTTP ` +
      `(${accepted === 0 ? 'never answered' : accepted === unsent.length ? 'accepted' : `${accepted} accepted`}) and never left ${view.name}${connected ? meanwhile(facts, paths, unsent) : notOpen(facts, agents)}.`,
    evidence: cite(
      view,
      unsent.flatMap(({ dispatch }) => [dispatch?.askedRef ?? 0, dispatch?.answeredRef ?? 0]),
      `requests from ${clockTime(view, earliest(unsent.map(({ dispatch }) => dispatch?.askedNs ?? 0)))} on, of which no frame left`,
    ),
    next: connected
      ? `Look at ${view.name}'s own path from the request to the socket: its queue for the agent, a lock, the connection that it has registered. The network cannot be the cause.`
      : 'Find out why these agents were not connected at that time, and let the server refuse what it cannot send.',
  });
}

/** On a WebSocket an agent may call itself otherwise than in the request's path. */
function notOpen({ pathsByName }: Facts, agents: readonly string[]): string {
  const known = agents.every((agent) => pathsByName.has(agent));
  return known
    ? ': no WebSocket of theirs was open'
    : `: no WebSocket under ${agents.length === 1 ? 'that name' : 'those names'} was open (an agent may call itself otherwise there)`;
}

/** What left on the same connections in the time of the dispatches. */
function meanwhile(facts: Facts, paths: readonly Path[], unsent: readonly Unsent[]): string {
  if (paths.length === 0) return '';
  const { observation } = facts.views[0];
  if (observation === null) return '';
  const fromNs = earliest(unsent.map(({ dispatch }) => dispatch?.askedNs ?? Number.POSITIVE_INFINITY));
  let frames = 0;
  for (const path of paths)
    for (const row of path.legs[0]?.connection.fromServer.rows ?? [])
      if (observation.messages.sentNs[row] > fromNs) frames++;
  return frames === 0
    ? '; nothing else left on those connections either'
    : ', while other frames left on the same connections';
}
