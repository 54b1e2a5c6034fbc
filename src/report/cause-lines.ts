/**
 * Which known faults were found, and whose: one line for each error, to stand beside the counts before any table. In: findings. Out:
 * table.ts.
 */
import type { Verdict } from '../delivery/verdict.js';
import { counted } from './figures.js';
import { printable } from './printable.js';
import type { Style } from './style.js';
import { wrapped } from './width.js';

const MOST_CAUSES = 4;
const MOST_AGENTS = 6;

export function* causeLines({ findings }: Verdict, width: number, style: Style): Generator<string> {
  const errors = findings.filter(({ severity }) => severity === 'error');
  for (const { id, agents, grade } of errors.slice(0, MOST_CAUSES)) {
    const shown = agents.slice(0, MOST_AGENTS).map((agent) => printable(agent, style.unicode, 60));
    if (agents.length > MOST_AGENTS) shown.push(counted(agents.length - MOST_AGENTS, 'more agent'));
    const whose = shown.length === 0 ? '' : `: ${shown.join(', ')}`;
    const text = `${style.glyph.bad} ${printable(id, style.unicode, 60)}${whose}${grade === 'measured' ? '' : ` (${grade})`}`;
    for (const [i, line] of wrapped(text, width - 2).entries())
      yield `${i === 0 ? style.tone('bad', line) : style.tone('bad', `  ${line}`)}\n`;
  }
  if (errors.length > MOST_CAUSES) yield `  and ${counted(errors.length - MOST_CAUSES, 'more error')}\n`;
}
