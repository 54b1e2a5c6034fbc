/**
 * One line below the table that says what its signs mean, and only those that it uses.
 * In: the rows shown. Out: table.ts.
 */
import type { State } from '../delivery/verdict.js';
import { STATE_MEANING } from './reading.js';
import { type Style, stateGlyph } from './style.js';
import type { Layout } from './table-layout.js';
import type { TableRow } from './table-row.js';

const STATES: State[] = ['tcp-acked', 'sent-unacked', 'partial', 'absent', 'unobserved'];

export function legend(rows: TableRow[], layout: Layout, style: Style): string[] {
  const { glyph } = style;
  const used = new Set(rows.flatMap((row) => row.hops.map((hop) => hop.words[0])));
  const parts = STATES.filter((state) => used.has(stateGlyph(glyph, state))).map(
    (state) => `${stateGlyph(glyph, state)} ${STATE_MEANING[state]}`,
  );
  if (rows.some((row) => row.hops.some((hop) => hop.words.endsWith(glyph.inferred)))) {
    parts.push(`${glyph.inferred} inferred from sizes and timing`);
  }
  if (layout.form.packets) parts.push(`#data${glyph.arrow}TCP ACK: packet numbers as in Wireshark`);
  if (layout.cutIds) parts.push('whole IDs: below, or --format csv');
  return parts;
}
