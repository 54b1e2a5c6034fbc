/**
 * The verdict as a terminal report: the answer with the faults that were found, the hops, the table with failures first, what it means and what proves it.
 * In: Verdict and what is known of the terminal. Out: pieces of text for cli/ to write.
 */
import { OUTCOMES, type Verdict } from '../delivery/verdict.js';
import { causeLines } from './cause-lines.js';
import { closeLines } from './close-lines.js';
import { count, counted } from './figures.js';
import { printable } from './printable.js';
import { outcomeCounts, STANDINGS, type Standing } from './reading.js';
import { beyond, select } from './select.js';
import { outcomeTone, type ReportOptions, type Style, style } from './style.js';
import { agentLines } from './table-agents.js';
import { findingLines } from './table-findings.js';
import { hopLines } from './table-hops.js';
import { hypothesisLines } from './table-hypotheses.js';
import { latencyLines } from './table-latency.js';
import { chooseLayout, printed, printedBeyond } from './table-layout.js';
import { legend } from './table-legend.js';
import { proofLines } from './table-proof.js';
import { type TableRow, tableRow } from './table-row.js';
import { joined, wrapped } from './width.js';

/** Rows that are set out at a time where a report lists more than it keeps. */
const CHUNK = 200;
/** Further rows of a kind are set in the same columns by a quicker printer. */
const SET_BY_TABLE = 8;
const DELIVERED_BESIDE_FAILURES = 12;
/** A table longer than a screen has scrolled the first lines away: they are said again at the end. */
const LONG_TABLE = 20;
const NO_FINDING =
  'No known fault explains by itself what failed. What the captures rule out, and what they leave open, stands below.';
/** Longer lines of prose are hard to follow, however wide the terminal. */
const WIDEST_PROSE = 110;

export function* verdictTable(verdict: Verdict, options: ReportOptions): Generator<string> {
  const look = style(options);
  const width = Math.max(40, options.width);
  const hops = verdict.hops.map((hop) => hop.name);
  const summary = summaryLine(verdict, look, width);
  const causes = [...causeLines(verdict, Math.min(width, WIDEST_PROSE), look)].join('');
  yield `${summary}\n${causes}\n`;
  yield* hopLines(verdict.hops, width, look);
  const chosen = select(verdict, options, (command) => tableRow(command, hops, look));
  // Beside failures a few that were delivered are enough to compare with.
  if (!options.all && chosen.counts.failed + chosen.counts.inconclusive > 0)
    chosen.rows.delivered.length = Math.min(chosen.rows.delivered.length, DELIVERED_BESIDE_FAILURES);
  const kept = STANDINGS.flatMap((kind) => chosen.rows[kind]);
  if (kept.length === 0) {
    yield `\n${wrapped(nothing(verdict, options), width).join('\n')}\n`;
    yield* meaning(verdict, Math.min(width, WIDEST_PROSE), look, options.all);
    return;
  }
  const overflowing = options.all && STANDINGS.some((kind) => chosen.counts[kind] > chosen.rows[kind].length);
  const layout = chooseLayout(kept, hops, width, look, overflowing);
  yield '\n';
  let withHead = true;
  for (const kind of STANDINGS) {
    const rows = chosen.rows[kind];
    if (rows.length === 0) continue;
    if (!withHead) yield '\n';
    yield printed(layout, rows.slice(0, SET_BY_TABLE), look, withHead);
    if (rows.length > SET_BY_TABLE) yield printedBeyond(layout, rows.slice(SET_BY_TABLE), look);
    withHead = false;
    if (chosen.counts[kind] === rows.length) continue;
    if (!options.all) yield `${look.quiet(moreLine(kind, chosen.counts[kind] - rows.length))}\n`;
    else yield* rest(verdict, kind, (held) => printedBeyond(layout, held, look), hops, look);
  }
  yield '\n';
  const prose = Math.min(width, WIDEST_PROSE);
  for (const line of joined(legend(kept, layout, look), '; ', prose)) yield `${look.quiet(line)}\n`;
  yield* meaning(verdict, prose, look, options.all);
  yield* proofLines(verdict, chosen.groups, prose, look, options.all);
  if (verdict.latency !== undefined) yield* latencyLines(verdict.latency, prose, look);
  if (kept.length > LONG_TABLE) yield `\n${summary}\n${causes}`;
}

/** The part to paste: causes first, then what was on the table and where it stands. */
function* meaning(verdict: Verdict, width: number, look: Style, all: boolean): Generator<string> {
  if (verdict.findings.length > 0 || verdict.hypotheses.length > 0) {
    yield `\n${look.bold('What this means')}\n`;
    if (verdict.findings.length === 0) for (const line of wrapped(NO_FINDING, width - 2)) yield `  ${line}\n`;
    yield* findingLines(verdict, width, look);
    yield* hypothesisLines(verdict.hypotheses, width, look, all);
    yield* agentLines(verdict.agents ?? [], width, look);
  }
  const closes = closeLines(verdict.closes ?? [], (text) => printable(text, look.unicode, 100));
  if (closes.length === 0) return;
  yield `\n${look.bold('Connections that ended')}\n\n`;
  for (const close of closes) yield* wrapped(close, width).map((line) => `${line}\n`);
}

function* rest(
  verdict: Verdict,
  kind: Standing,
  print: (rows: TableRow[]) => string,
  hops: string[],
  look: Style,
): Generator<string> {
  let held: TableRow[] = [];
  for (const command of beyond(verdict, kind)) {
    held.push(tableRow(command, hops, look));
    if (held.length < CHUNK) continue;
    yield print(held);
    held = [];
  }
  if (held.length > 0) yield print(held);
}

/** One line, or more where the terminal is narrow. */
function summaryLine(verdict: Verdict, look: Style, width: number): string {
  const counts = outcomeCounts(verdict.summary.byOutcome, OUTCOMES);
  const total = `${counted(verdict.summary.commands, 'command')}${counts.length === 0 ? '' : ':'}`;
  let text = look.bold(total);
  let used = total.length;
  for (const [at, [outcome, number]] of counts.entries()) {
    const said = `${count(number)} ${outcome}`;
    const comma = at < counts.length - 1 ? ',' : '';
    const breaks = used + 1 + said.length + comma.length > width;
    text += `${breaks ? '\n  ' : ' '}${look.tone(outcomeTone(outcome), said)}${comma}`;
    used = (breaks ? 2 : used + 1) + said.length + comma.length;
  }
  return text;
}

function moreLine(kind: Standing, more: number): string {
  return `+ ${count(more)} more ${kind} (--all lists them)`;
}

function isCut({ hops }: Verdict): boolean {
  const reasons = hops.flatMap(({ captures }) => captures.flatMap((each) => each.reasons));
  return reasons.some((reason) => reason.includes('cut by the snapshot length'));
}

function nothing(verdict: Verdict, options: ReportOptions): string {
  if (options.failedOnly && verdict.summary.commands > 0) return 'Every command was delivered.';
  const connections = verdict.connections.length;
  if (connections === 0) return 'No commands: the captures hold no WebSocket connection that could be read.';
  const cut = isCut(verdict)
    ? ' Packets were cut by the snapshot length, perhaps before the ID of any: capture with tcpdump -s 0.'
    : '';
  return `No commands: on ${counted(connections, 'WebSocket connection')} no message was recognised as one, or none is among those asked for with --command, --agent, --since or --until. Names that it does not know are what --profile is for.${cut}`;
}
