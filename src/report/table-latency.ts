/**
 * Where the time of delivered commands goes, stretch by stretch. In: a verdict's latency. Out: table.ts.
 */
import type { Latency } from '../delivery/verdict.js';
import { counted, duration } from './figures.js';
import { gridRows } from './grid.js';
import { printable } from './printable.js';
import type { Style } from './style.js';
import { columns, joined, shortened, wrapped } from './width.js';

const HEAD = ['Stretch', 'Median', '90 %', '99 %', 'Longest', 'Clocks'];
const LONGEST_STAGE = 24;
const MOST_SLOWEST = 5;

export function* latencyLines(latency: Latency, width: number, style: Style): Generator<string> {
  yield `\n${style.bold('Latency')}\n\n`;
  const safe = (text: string) => printable(text, style.unicode, 200);
  if (latency.stages.length === 0) {
    yield 'No command was delivered, so there is nothing to measure.\n';
    return;
  }
  const rows = latency.stages.map(({ stage, ms, uncertaintyMs }) => [
    shortened(safe(stage), LONGEST_STAGE, style.glyph.ellipsis),
    duration(ms.median),
    duration(ms.p90),
    duration(ms.p99),
    duration(ms.max),
    uncertaintyMs === null
      ? 'unknown'
      : uncertaintyMs === 0
        ? 'one'
        : `${style.glyph.plusMinus} ${duration(uncertaintyMs)}`,
  ]);
  const widths = HEAD.map((head, at) => Math.max(columns(head), ...rows.map((row) => columns(row[at]))));
  if (widths.reduce((sum, one) => sum + one + 2, -2) <= width) {
    yield style.quiet(gridRows([HEAD], widths));
    yield gridRows(rows, widths);
  } else
    for (const [stage, median, p90, p99, longest, clocks] of rows)
      for (const line of wrapped(
        `${stage}: median ${median}, 90 % ${p90}, 99 % ${p99}, longest ${longest}, clocks ${clocks}`,
        width,
      ))
        yield `${line}\n`;
  const notes = [
    `of ${counted(latency.commands, 'delivered command')}`,
    'a->b: leaving a to leaving b, its leg and its hop together',
    'agent: the last leg and the agent',
    "clocks: what two captures' clocks leave open, or one clock",
  ];
  for (const line of joined(notes, '; ', width)) yield `${style.quiet(line)}\n`;
  yield '\nSlowest to be acknowledged\n';
  for (const { id, agent, commandAckMs, stage, stageMs } of latency.slowest.slice(0, MOST_SLOWEST)) {
    const text = `${duration(commandAckMs)}: ${safe(id)} for ${safe(agent ?? '(agent unknown)')}, of it ${duration(stageMs)} on ${safe(stage)}`;
    yield* wrapped(text, width - 2).map((line, at) => `${at === 0 ? '  ' : '    '}${line}\n`);
  }
}
