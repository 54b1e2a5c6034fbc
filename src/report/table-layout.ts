/**
 * Decides how a verdict's rows are set out in the columns that a terminal has, and prints them. In: rows of table-row.ts.
 * Out: table.ts. From roomy to narrow: one line a command; two lines a command with packet numbers; two lines without;
 * and where even that is too wide (many hops), the hops in one cell. Nothing is left to wrap by chance.
 */
import { GAP, grid, gridRows } from './grid.js';
import { printable } from './printable.js';
import type { Style } from './style.js';
import { hopCells, type TableRow } from './table-row.js';
import { columns, joined, shortened, shortenedApart } from './width.js';

const LONGEST_ID = 64;
const LONGEST_NAME = 24;
const SHORTEST_ID = 10;
const SHORTEST_PATH = 24;
/** `… no TCP ACK`, which a row that was not measured may hold. */
const LONGEST_WORDS = 12;

interface Form {
  lines: 'one' | 'two' | 'path';
  packets: boolean;
  /** The least room in which IDs may be shortened; 0: they stand whole or the form is not used. */
  shortenTo: number;
}

const FORMS: Form[] = [
  { lines: 'one', packets: true, shortenTo: 0 },
  { lines: 'two', packets: true, shortenTo: 0 },
  { lines: 'two', packets: true, shortenTo: 17 },
  { lines: 'two', packets: false, shortenTo: 0 },
  { lines: 'two', packets: false, shortenTo: SHORTEST_ID },
];

export interface Layout {
  form: Form;
  /** Room of each column, without the gap. */
  widths: number[];
  head: string[][];
  cutId: (id: string) => string;
  cutIds: boolean;
}

type Cells = string[][];

/** `keepIds`: more rows will come than these, so that a shortened ID could not be known to be the only one. */
export function chooseLayout(rows: TableRow[], hops: string[], width: number, style: Style, keepIds: boolean): Layout {
  const longest = Math.min(LONGEST_ID, Math.max(7, ...rows.map((row) => columns(row.id))));
  const cut = (to: number) => shortenedApart(distinctIds(rows), to, style.glyph.ellipsis);
  for (const form of FORMS) {
    const head = headings(form, hops, style);
    const widths = measured(form, head, rows).map((width) => (keepIds ? Math.max(width, LONGEST_WORDS) : width));
    const room = width - widths.reduce((sum, one) => sum + one + GAP, -GAP) + widths[idColumn(form)];
    if (room >= longest) {
      const agents = form.lines === 'one' ? 7 : Math.max(...rows.map((row) => columns(row.agent)), 7);
      widths[idColumn(form)] = Math.max(longest, Math.min(agents, room, LONGEST_NAME));
      return { form, widths, head, cutId: cut(longest) ?? ((id) => id), cutIds: false };
    }
    if (form.shortenTo === 0 || room < form.shortenTo || keepIds) continue;
    const cutId = cut(room);
    if (cutId === null) continue;
    widths[idColumn(form)] = room;
    return { form, widths, head, cutId, cutIds: true };
  }
  return pathLayout(rows, hops, width, style, keepIds ? longest : SHORTEST_ID, longest);
}

/** All hops in one cell, which takes what room is left and breaks between hops. */
function pathLayout(
  rows: TableRow[],
  hops: string[],
  width: number,
  style: Style,
  shortest: number,
  longest: number,
): Layout {
  const form: Form = { lines: 'path', packets: false, shortenTo: SHORTEST_ID };
  const head = headings(form, hops, style);
  const widths = measured(form, head, rows);
  const rest = width - widths[0] - widths[3] - 3 * GAP;
  const whole = Math.max(...rows.map((row) => columns(row.path)), 4);
  const ids = distinctIds(rows);
  let idWidth = Math.min(longest, Math.max(shortest, rest - whole));
  let cutId = shortenedApart(ids, idWidth, style.glyph.ellipsis);
  while (cutId === null && idWidth < longest) {
    idWidth += 1;
    cutId = shortenedApart(ids, idWidth, style.glyph.ellipsis);
  }
  widths[1] = idWidth;
  widths[2] = Math.min(whole, Math.max(SHORTEST_PATH, rest - idWidth));
  return { form, widths, head, cutId: cutId ?? ((id) => id), cutIds: idWidth < longest };
}

function distinctIds(rows: TableRow[]): Set<string> {
  return new Set(rows.map((row) => row.id));
}

function idColumn(form: Form): number {
  return form.lines === 'one' ? 2 : 1;
}

function headings(form: Form, hops: string[], style: Style): Cells {
  const names = hops.map((name) => shortened(printable(name, style.unicode), 16, style.glyph.ellipsis));
  if (form.lines === 'one') {
    return [['Outcome'], ['Lost'], ['Command'], ['Agent'], ...names.map((one) => [one]), ['CommandAck'], ['Attempts']];
  }
  const hopHeads = form.lines === 'path' ? [['Path', '']] : names.map((one) => [one, 'TCP ACK']);
  return [['Outcome', 'lost'], ['Command', 'agent'], ...hopHeads, ['CommandAck', 'attempts']];
}

/** The widest line of each column, the ID column excepted: that one takes what is left. */
function measured(form: Form, head: Cells, rows: TableRow[]): number[] {
  const widths = head.map((lines) => Math.max(...lines.map(columns)));
  if (form.lines === 'one') rows = rows.map((row) => ({ ...row, agent: row.agent.slice(0, LONGEST_NAME) }));
  for (const row of rows) {
    cellsOf(form, { ...row, id: '', agent: form.lines === 'one' ? row.agent : '' }).forEach((lines, column) => {
      for (const line of lines) widths[column] = Math.max(widths[column], columns(line));
    });
  }
  return widths;
}

function cellsOf(form: Form, row: TableRow): Cells {
  const ack = [row.commandAck, form.packets ? row.attempts : row.attemptsShort];
  if (form.lines === 'path') return [[row.outcome, row.lost], [row.id, row.agent], [row.path], ack];
  const hops = hopCells(row, form.packets);
  if (form.lines === 'two') return [[row.outcome, row.lost], [row.id, row.agent], ...hops, ack];
  const flat = hops.map((lines) => [lines.filter((line) => line !== '').join(' ')]);
  return [[row.outcome], [row.lost.trim()], [row.id], [row.agent], ...flat, [row.commandAck], [row.attempts]];
}

/** Prints rows of one layout, below their heading. */
export function printed(layout: Layout, rows: TableRow[], style: Style, withHead: boolean): string {
  const head = layout.head.map((lines) => style.bold(lines[0]) + below(lines[1], style));
  return grid(withHead ? head : null, bodyOf(layout, rows, style), layout.widths, style);
}

/** The same for the rows beyond those that a layout was chosen for. */
export function printedBeyond(layout: Layout, rows: TableRow[], style: Style): string {
  return gridRows(bodyOf(layout, rows, style), layout.widths);
}

function bodyOf(layout: Layout, rows: TableRow[], style: Style): string[][] {
  return rows.map((row) => {
    const cells = cellsOf(layout.form, fitted(layout, row, style));
    if (layout.form.lines === 'path') cells[2] = joined(row.path.split(' '), ' ', layout.widths[2]);
    return cells.map((lines, column) => {
      const fitting = lines.map((line) => shortened(line, layout.widths[column], style.glyph.ellipsis));
      return coloured(fitting, column, row, layout, style);
    });
  });
}

function below(text: string | undefined, style: Style): string {
  return text === undefined ? '' : `\n${style.quiet(text)}`;
}

function fitted(layout: Layout, row: TableRow, style: Style): TableRow {
  const room = layout.form.lines === 'one' ? LONGEST_NAME : layout.widths[1];
  return { ...row, id: layout.cutId(row.id), agent: shortened(row.agent, room, style.glyph.ellipsis) };
}

function coloured(lines: string[], column: number, row: TableRow, layout: Layout, style: Style): string {
  const first = layout.form.lines === 'one' ? 4 : 2;
  const hop = layout.form.lines === 'path' ? undefined : row.hops[column - first];
  const tone = column === 0 ? row.tone : hop?.tone;
  const [top, ...rest] = lines;
  const painted = tone === undefined || top === '' ? top : style.tone(tone, top);
  return [painted, ...rest.map((line) => (column === 0 || line === '' ? line : style.quiet(line)))].join('\n');
}
