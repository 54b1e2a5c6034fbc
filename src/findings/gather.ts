/**
 * One pass over the commands: the summary, and of each command that was not delivered the few numbers that rules need.
 * In: the case. Out: Facts. Memory follows the failed attempts, not the commands.
 */

import type { Case, Visitor } from '../delivery/case.js';
import type { DecidedCommand } from '../delivery/judge-command.js';
import type { Outcome, Summary } from '../delivery/verdict.js';
import type { Path } from '../path/path.js';
import type { Facts, Failed, PathRecord, Unsent } from './facts.js';
import type { LatencyMeter } from './latency.js';

const MOST_INCONCLUSIVE = 50;

export function gather({ verdict, decide, court, agents }: Case, meter: LatencyMeter | null): Facts {
  const gathering = new Gathering(court, meter);
  decide(gathering);
  const paths =
    agents === null ? court.paths : court.paths.filter((path) => path.names.some((name) => agents.has(name)));
  return {
    court,
    views: court.views,
    paths,
    pathsByName: byName(court.paths),
    hops: verdict.hops,
    records: gathering.records,
    unsent: gathering.unsent,
    inconclusive: gathering.inconclusive,
    inconclusiveCount: gathering.summary.byOutcome.inconclusive ?? 0,
    summary: gathering.summary,
  };
}

class Gathering implements Visitor {
  readonly records = new Map<Path, PathRecord>();
  readonly unsent: Unsent[] = [];
  readonly inconclusive: { command: number; reason: string }[] = [];
  readonly summary: Summary = { commands: 0, byOutcome: {} };

  constructor(
    private readonly court: Case['court'],
    private readonly meter: LatencyMeter | null,
  ) {}

  delivered(path: Path, thread: number, timeNs: number, command: number): void {
    const { summary } = this;
    summary.commands++;
    summary.byOutcome.delivered = (summary.byOutcome.delivered ?? 0) + 1;
    this.meter?.measure(command);
    const record = this.recordOf(path);
    count(record, 'delivered');
    noteDelivery(record, thread, timeNs, command);
  }

  command(verdict: DecidedCommand): void {
    const { summary } = this;
    const { outcome, command } = verdict;
    summary.commands++;
    summary.byOutcome[outcome] = (summary.byOutcome[outcome] ?? 0) + 1;
    const { log } = this.court;
    if (outcome === 'never-sent') {
      const seen = log.dispatches.get(command);
      const askedNs = seen?.askedNs ?? Number.NaN;
      this.unsent.push({ command, agent: verdict.agent, askedNs, dispatch: seen?.dispatch ?? null });
      return;
    }
    if (outcome === 'inconclusive' && this.inconclusive.length < MOST_INCONCLUSIVE)
      this.inconclusive.push({ command, reason: verdict.reason });
    if (outcome === 'delivered') this.meter?.measure(command);
    const told = verdict.attempts.find((attempt) => attempt.outcome === outcome) ?? verdict.attempts[0];
    if (told !== undefined) count(this.recordOf(told.entry.path), outcome);
    for (const attempt of verdict.attempts) {
      const { path, thread, timeNs } = attempt.entry;
      const record = this.recordOf(path);
      if (attempt.outcome === 'delivered') {
        noteDelivery(record, thread, timeNs, command);
      } else if (outcome !== 'delivered') {
        const failed = failedOf(record, attempt.outcome, attempt.lostAt);
        failed.commands.push(command);
        failed.threads.push(thread);
        failed.timesNs.push(timeNs);
      }
    }
  }

  private recordOf(path: Path): PathRecord {
    let record = this.records.get(path);
    if (record === undefined) {
      record = {
        path,
        failed: [],
        delivered: 0,
        lastDeliveredNs: Number.NaN,
        lastDeliveredThread: -1,
        lastDeliveredCommand: -1,
        byOutcome: {},
      };
      this.records.set(path, record);
    }
    return record;
  }
}

function count({ byOutcome }: PathRecord, outcome: Outcome): void {
  byOutcome[outcome] = (byOutcome[outcome] ?? 0) + 1;
}

function noteDelivery(record: PathRecord, thread: number, timeNs: number, command: number): void {
  record.delivered++;
  if (timeNs <= record.lastDeliveredNs) return;
  record.lastDeliveredNs = timeNs;
  record.lastDeliveredThread = thread;
  record.lastDeliveredCommand = command;
}

function failedOf(record: PathRecord, outcome: Outcome, lostAt: string | null): Failed {
  let failed = record.failed.find((each) => each.outcome === outcome && each.lostAt === lostAt);
  if (failed === undefined) {
    failed = { path: record.path, outcome, lostAt, commands: [], threads: [], timesNs: [] };
    record.failed.push(failed);
  }
  return failed;
}

function byName(paths: readonly Path[]): Map<string, Path[]> {
  const found = new Map<string, Path[]>();
  for (const path of paths)
    for (const name of path.names) {
      const same = found.get(name);
      if (same === undefined) found.set(name, [path]);
      else same.push(path);
    }
  return found;
}
