/**
 * The hypotheses as a short table for each group of agents that stand alike: what is supported first, what is ruled out last.
 * In: hypotheses of a verdict. Out: table.ts.
 */
import type { Hypothesis } from '../delivery/verdict.js';
import { counted } from './figures.js';
import { gridRows } from './grid.js';
import { groupHeading, hypothesisGroups } from './hypothesis-groups.js';
import { printable } from './printable.js';
import type { Style, Tone } from './style.js';
import { columns, wrapped } from './width.js';

const LOOK: Record<Hypothesis['status'], { tone: Tone; glyph: 'bad' | 'unknown' | 'good' }> = {
  supported: { tone: 'bad', glyph: 'bad' },
  open: { tone: 'unknown', glyph: 'unknown' },
  'ruled-out': { tone: 'good', glyph: 'good' },
};
const MOST_GROUPS = 8;
const LEAST_REASON = 30;
const GAPS = 4;

export function* hypothesisLines(
  hypotheses: readonly Hypothesis[],
  width: number,
  style: Style,
  all: boolean,
): Generator<string> {
  const groups = hypothesisGroups(hypotheses);
  if (groups.length === 0) return;
  yield `\n${style.bold('Hypotheses')}\n`;
  const safe = (text: string) => printable(text, style.unicode, 600);
  for (const group of all ? groups : groups.slice(0, MOST_GROUPS)) {
    yield '\n';
    for (const line of wrapped(groupHeading(group, safe), width)) yield `${style.bold(line)}\n`;
    const rows = group.hypotheses.map((each) => {
      const { tone, glyph } = LOOK[each.status];
      const ids = each.ids.map(safe);
      return { status: `${style.glyph[glyph]} ${each.status}`, tone, ids, because: safe(each.because) };
    });
    const statusWidth = Math.max(...rows.map(({ status }) => columns(status)));
    const idWidth = Math.max(...rows.flatMap(({ ids }) => ids.map(columns)));
    const room = width - statusWidth - idWidth - GAPS;
    if (room >= LEAST_REASON) {
      const cells = rows.map(({ status, tone, ids, because }) => [
        style.tone(tone, status),
        ids.join('\n'),
        wrapped(because, room).join('\n'),
      ]);
      yield gridRows(cells, [statusWidth, idWidth, room]);
      continue;
    }
    for (const { status, tone, ids, because } of rows) {
      yield `${style.tone(tone, status)}  ${ids.join(', ')}\n`;
      for (const line of wrapped(because, width - 2)) yield `  ${line}\n`;
    }
  }
  const more = groups.length - MOST_GROUPS;
  if (more > 0 && !all) yield `\n${style.quiet(`+ ${counted(more, 'more group')} of agents (--all shows them)`)}\n`;
}
