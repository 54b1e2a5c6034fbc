/**
 * Cells in columns of fixed width, without frames: what stands in a terminal is copied and pasted, and lines drawn
 * around it would come along. In: cells that fit their columns. Out: the terminal tables.
 */
import Table from 'cli-table3';
import type { Style } from './style.js';
import { padded } from './width.js';

export const GAP = 2;

/** Cells may have several lines. The rule stands below the head, where there is one. */
export function grid(head: string[] | null, rows: string[][], widths: number[], style: Style): string {
  const table = new Table({
    head: head ?? [],
    colWidths: widths.map((width) => width + GAP),
    chars: {
      ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', left: '', right: '', middle: '' },
      ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
      ...{ mid: style.glyph.rule, 'mid-mid': '', 'left-mid': '', 'right-mid': '' },
    },
    truncate: style.glyph.ellipsis,
    style: { 'padding-left': 0, 'padding-right': GAP, head: [], border: [], compact: true },
  });
  table.push(...rows);
  const rule = style.glyph.rule.repeat(widths.reduce((sum, width) => sum + width + GAP, -GAP));
  const lines = table.toString().split('\n');
  // The last column's gap would make the rule wider than the terminal.
  const shown = lines.map((line) => (line.startsWith(rule) ? rule : line.trimEnd()));
  return `${shown.join('\n')}\n`;
}

/**
 * The same rows without head, for lists that are too long to be held: cli-table3 takes 0.4 ms a row, this 0.01 ms.
 * A test holds both to the same output.
 */
export function gridRows(rows: string[][], widths: number[]): string {
  let text = '';
  for (const row of rows) {
    const cells = row.map((cell) => cell.split('\n'));
    const height = Math.max(...cells.map((lines) => lines.length));
    for (let at = 0; at < height; at += 1) {
      const line = cells.map((lines, column) => padded(lines[at] ?? '', widths[column]));
      text += `${line.join(' '.repeat(GAP)).trimEnd()}\n`;
    }
  }
  return text;
}
