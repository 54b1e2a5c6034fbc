/**
 * The fleet in a few lines: agents by the way in which they fail or work. In: agents of a verdict. Out: table.ts.
 */
import type { AgentReport } from '../delivery/verdict.js';
import { agentGroups, groupFacts, isWorthShowing, namesOf } from './agent-groups.js';
import { counted } from './figures.js';
import { printable } from './printable.js';
import type { Style } from './style.js';
import { joined, wrapped } from './width.js';

const MOST_GROUPS = 12;

export function* agentLines(agents: readonly AgentReport[], width: number, style: Style): Generator<string> {
  const groups = agentGroups(agents);
  if (!isWorthShowing(groups)) return;
  yield `\n${style.bold('Agents side by side')}\n\n`;
  const safe = (text: string) => printable(text, style.unicode, 100);
  for (const group of groups.slice(0, MOST_GROUPS)) {
    const works = group.ways[0] === 'delivered';
    const tone = group.failing ? 'bad' : works ? 'good' : 'unknown';
    const glyph = style.glyph[group.failing ? 'bad' : works ? 'good' : 'unknown'];
    const title = `${glyph} ${group.ways.map(safe).join(', ')}: ${counted(group.agents.length, 'agent')}`;
    for (const line of wrapped(title, width)) yield `${style.tone(tone, line)}\n`;
    for (const line of wrapped(namesOf(group, safe), width - 2)) yield `  ${line}\n`;
    for (const line of joined(groupFacts(group, safe), '; ', width - 2)) yield `  ${style.quiet(line)}\n`;
  }
  if (groups.length > MOST_GROUPS)
    yield style.quiet(`+ ${counted(groups.length - MOST_GROUPS, 'more way')} of failing (--json has them)\n`);
}
