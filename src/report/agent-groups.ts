/**
 * Agents grouped by the way in which they fail or work, failing ones first, so that both stand side by side. In: agents of a verdict.
 * Out: table, Markdown and HTML.
 */
import type { AgentReport } from '../delivery/verdict.js';
import { count, counted } from './figures.js';

export interface AgentGroup {
  ways: string[];
  failing: boolean;
  agents: AgentReport[];
}

const MOST_NAMED = 12;
const MOST_PLACES = 4;

export function agentGroups(agents: readonly AgentReport[]): AgentGroup[] {
  const groups = new Map<string, AgentGroup>();
  for (const agent of agents) {
    const { ways } = agent;
    const key = ways.join(', ');
    const group = groups.get(key);
    if (group !== undefined) group.agents.push(agent);
    else
      groups.set(key, {
        ways,
        failing: !['delivered', 'no-commands', 'inconclusive'].includes(ways[0]),
        agents: [agent],
      });
  }
  return [...groups.values()];
}

/** Side by side it says something: agents that fail, beside others or in several ways. */
export function isWorthShowing(groups: readonly AgentGroup[]): boolean {
  return groups.some(({ failing }) => failing) && groups.reduce((sum, { agents }) => sum + agents.length, 0) > 1;
}

export function namesOf({ agents }: AgentGroup, safe: (text: string) => string): string {
  const names = agents.slice(0, MOST_NAMED).map(({ agent, connections }) => safe(agent ?? connections[0] ?? '?'));
  if (agents.length > names.length) names.push(`+ ${count(agents.length - names.length)} more`);
  return names.join(', ');
}

/** `1 of 7 commands delivered`, `25 of 25 Pings answered`, `from …`, `client …`, `11 connections`. */
export function groupFacts({ agents }: AgentGroup, safe: (text: string) => string): string[] {
  const sum = (of: (agent: AgentReport) => number) => agents.reduce((total, agent) => total + of(agent), 0);
  const delivered = sum(({ byOutcome }) => byOutcome.delivered ?? 0);
  const commands = sum(({ byOutcome }) => Object.values(byOutcome).reduce((total, each) => total + each, 0));
  const facts = [`${count(delivered)} of ${counted(commands, 'command')} delivered`];
  const sent = sum(({ pings }) => pings.sent);
  const answered = sum(({ pings }) => pings.answered);
  const further = sum(({ pings }) => pings.answeredAtLastHop);
  const lost = further > answered && answered < sent ? ` (${counted(further, 'Pong')} came to the last hop)` : '';
  if (sent > 0) facts.push(`${count(answered)} of ${counted(sent, 'Ping')} answered${lost}`);
  facts.push(
    counted(
      sum(({ connectionCount }) => connectionCount),
      'connection',
    ),
  );
  const addresses = [...new Set(agents.flatMap((agent) => agent.addresses))];
  if (addresses.length > 0) facts.push(`from ${someOf(addresses, safe)}`);
  const clients = [...new Set(agents.flatMap((agent) => agent.clients))];
  if (clients.length > 0) facts.push(`client ${someOf(clients, safe)}`);
  return facts;
}

function someOf(all: readonly string[], safe: (text: string) => string): string {
  const shown = all.slice(0, MOST_PLACES).map(safe).join(', ');
  return all.length > MOST_PLACES ? `${shown} and ${count(all.length - MOST_PLACES)} more` : shown;
}
