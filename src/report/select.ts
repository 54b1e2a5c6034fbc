/**
 * One walk over a verdict's commands that decides what a bounded report shows. In: Verdict, whose commands are built as
 * they are asked for. Out: table, Markdown and HTML. Memory: the rows shown, never all commands.
 */
import type { CommandVerdict, Outcome, Verdict } from '../delivery/verdict.js';
import { Groups } from './explain.js';
import { type Standing, standing } from './reading.js';

/** Failures are what the report is for; what was delivered is shown only as far as it helps to compare. */
export const LIMITS: Record<Standing, number> = { failed: 200, inconclusive: 100, delivered: 40 };
const IDS_NAMED = 12;

export interface Selection<Row> {
  /** The rows kept of each standing, in order of time. */
  rows: Record<Standing, Row[]>;
  counts: Record<Standing, number>;
  groups: Groups;
}

export interface SelectOptions {
  all: boolean;
  failedOnly: boolean;
}

export function select<Row>(
  verdict: Verdict,
  options: SelectOptions,
  rowOf: (command: CommandVerdict) => Row,
): Selection<Row> {
  const rows: Record<Standing, Row[]> = { failed: [], inconclusive: [], delivered: [] };
  const counts: Record<Standing, number> = { failed: 0, inconclusive: 0, delivered: 0 };
  const groups = new Groups(options.all ? 1000 : IDS_NAMED);
  for (const command of only(verdict, (outcome, late) => standing(outcome) !== 'delivered' || late)) {
    const kind = standing(command.outcome);
    groups.add(command);
    if (kind === 'delivered') continue;
    counts[kind] += 1;
    if (rows[kind].length < LIMITS[kind]) rows[kind].push(rowOf(command));
  }
  if (options.failedOnly) return { rows, counts, groups };
  counts.delivered = verdict.summary.byOutcome.delivered ?? 0;
  for (const command of only(verdict, (outcome) => standing(outcome) === 'delivered')) {
    if (rows.delivered.length >= LIMITS.delivered) break;
    rows.delivered.push(rowOf(command));
  }
  return { rows, counts, groups };
}

/** The commands of some outcomes: without building the others where the list knows how. */
function only(verdict: Verdict, wanted: (outcome: Outcome, late: boolean) => boolean): Iterable<CommandVerdict> {
  return verdict.commands.only?.(wanted) ?? filtered(verdict.commands, wanted);
}

function* filtered(
  commands: Iterable<CommandVerdict>,
  wanted: (outcome: Outcome, late: boolean) => boolean,
): Generator<CommandVerdict> {
  for (const command of commands) if (wanted(command.outcome, command.late)) yield command;
}

/** What `select` had no room for, asked for again: `--all` lists it without ever holding it. */
export function* beyond(verdict: Verdict, kind: Standing): Generator<CommandVerdict> {
  let seen = 0;
  for (const command of verdict.commands) {
    if (standing(command.outcome) !== kind) continue;
    seen += 1;
    if (seen > LIMITS[kind]) yield command;
  }
}

/** The commands that a machine-readable format lists: order of time, all of them unless only failures are asked for. */
export function* listed(verdict: Verdict, failedOnly: boolean): Generator<CommandVerdict> {
  for (const command of verdict.commands) {
    if (!failedOnly || command.outcome !== 'delivered') yield command;
  }
}
