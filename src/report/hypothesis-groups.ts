/**
 * Agents of which every hypothesis stands alike, so that three that fail in the same way are one table. In: hypotheses of a verdict.
 * Out: table, Markdown and HTML. The measurements shown are the first agent's.
 */
import type { Hypothesis } from '../delivery/verdict.js';

export interface HypothesisGroup {
  agents: string[];
  /** Of the first agent: supported, then open, then ruled out. What the same measurement answers is one row. */
  hypotheses: { ids: string[]; status: Hypothesis['status']; because: string }[];
}

const ORDER: Hypothesis['status'][] = ['supported', 'open', 'ruled-out'];

export function hypothesisGroups(hypotheses: readonly Hypothesis[]): HypothesisGroup[] {
  const agents = new Map<string, Hypothesis[]>();
  for (const each of hypotheses) {
    const own = agents.get(each.agent);
    if (own === undefined) agents.set(each.agent, [each]);
    else own.push(each);
  }
  const groups = new Map<string, HypothesisGroup>();
  for (const [agent, own] of agents) {
    const key = own.map(({ id, status }) => `${id} ${status}`).join(',');
    const group = groups.get(key);
    if (group !== undefined) group.agents.push(agent);
    else {
      const sorted = [...own].sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status));
      groups.set(key, { agents: [agent], hypotheses: merged(sorted) });
    }
  }
  return [...groups.values()];
}

function merged(sorted: readonly Hypothesis[]): HypothesisGroup['hypotheses'] {
  const rows: HypothesisGroup['hypotheses'] = [];
  for (const { id, status, because } of sorted) {
    const same = rows.find((row) => row.status === status && row.because === because);
    if (same === undefined) rows.push({ ids: [id], status, because });
    else same.ids.push(id);
  }
  return rows;
}

const MOST_NAMED = 8;

/** `PST-SERVER, PST-NVR and NVR-2 (measurements: PST-SERVER's)`. */
export function groupHeading({ agents }: HypothesisGroup, safe: (text: string) => string): string {
  const named = agents.slice(0, MOST_NAMED).map(safe);
  const more = agents.length - named.length;
  if (more > 0) named.push(`${more} more`);
  const names = named.length < 2 ? named.join('') : `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`;
  return agents.length === 1 ? names : `${names} (alike; the measurements are those of ${safe(agents[0])})`;
}
