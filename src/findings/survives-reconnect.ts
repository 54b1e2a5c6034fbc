/**
 * survives-reconnect: the same failure on two or more successive connections of an agent, so that it is no stale socket.
 * In: the causes found so far, by path. Out: one finding for all such agents.
 */

import type { HopObservation } from '../hop/observation.js';
import { commonNs, type Path } from '../path/path.js';
import { cite, clockTime } from './cite.js';
import { earliest, type Facts } from './facts.js';
import { type FindingId, type Found, nameOf, namesOf } from './found.js';
import { listed } from './words.js';

export const FAILURES: readonly FindingId[] = [
  'agent-ignores-commands',
  'agent-unresponsive',
  'agent-answers-nothing',
  'peer-unreachable',
  'receiver-window-closed',
  'write-stalled',
  'hop-drops-text',
  'hop-drops-frames',
  'large-frames-lost',
  'protocol-desync',
  'reply-address-mismatch',
];

interface Run {
  run: Path[];
  cause: string;
}

/** So many connections of one agent that fail alike, each closed before more could be told, are no accident. */
const LEAST_ALIKE = 3;

export function survivesReconnect(facts: Facts, found: Found): void {
  const runs: Run[] = [];
  for (const paths of byAgent(facts).values()) {
    const failing = paths.filter((path) => (facts.records.get(path)?.failed.length ?? 0) > 0);
    for (let i = 1; i < failing.length; i++) {
      const [before, after] = [failing[i - 1], failing[i]];
      const cause = commonCause(found, before, after) ?? commonOutcome(facts, found, before, after);
      if (cause === null || !isSuccessor(facts, before, after, paths)) continue;
      const last = runs.at(-1);
      if (
        last !== undefined &&
        last.run.at(-1) === before &&
        (last.cause === cause || !isFailure(cause) || !isFailure(last.cause))
      ) {
        last.run.push(after);
        if (isFailure(cause)) last.cause = cause;
      } else runs.push({ run: [before, after], cause });
    }
  }
  const told = runs.filter(({ run, cause }) => isFailure(cause) || run.length >= LEAST_ALIKE);
  if (told.length > 0) report(facts, found, told);
}

function isFailure(cause: string): cause is FindingId {
  return FAILURES.some((id) => id === cause);
}

function commonCause(found: Found, before: Path, after: Path): FindingId | null {
  return found.of(before).find((id) => FAILURES.includes(id) && found.of(after).includes(id)) ?? null;
}

/**
 * How the commands of both were lost, where one of them was too short to tell more: without a Ping after the command, say. Null where causes
 * are known and differ.
 */
function commonOutcome(facts: Facts, found: Found, before: Path, after: Path): string | null {
  if ([before, after].every((path) => found.of(path).some((id) => FAILURES.includes(id)))) return null;
  const ways = (path: Path) =>
    (facts.records.get(path)?.failed ?? [])
      .filter(({ outcome }) => outcome !== 'inconclusive')
      .map(({ outcome, lostAt }) => (lostAt === null ? outcome : `${outcome} at ${lostAt}`));
  const of = ways(after);
  return ways(before).find((way) => of.includes(way)) ?? null;
}

/** An agent's paths in order of time. */
export function byAgent(facts: Facts): Map<string, Path[]> {
  const agents = new Map<string, Path[]>();
  for (const path of facts.paths) {
    if (path.agent === null) continue;
    agents.set(path.agent, [...(agents.get(path.agent) ?? []), path]);
  }
  for (const paths of agents.values()) paths.sort((a, b) => startNs(facts, a) - startNs(facts, b));
  return agents;
}

/** Common clock; the earliest that any capture shows of it. */
export function startNs(facts: Facts, path: Path): number {
  let startNs = Number.POSITIVE_INFINITY;
  for (const leg of path.legs)
    if (leg !== null) startNs = Math.min(startNs, commonNs(facts.views[leg.hop], leg.connection.firstNs));
  return startNs;
}

/** A new connection that was seen opening, after the other had failed; and nothing was delivered in between. */
function isSuccessor(facts: Facts, before: Path, after: Path, all: readonly Path[]): boolean {
  const afterNs = startNs(facts, after);
  const failedNs = firstFailedNs(facts, before);
  if (!(failedNs < afterNs)) return false;
  if (!after.legs.some((leg) => leg !== null && !Number.isNaN(leg.connection.openedNs))) return false;
  const failedAgainNs = firstFailedNs(facts, after);
  return !all.some((path) => {
    const deliveredNs = facts.records.get(path)?.lastDeliveredNs ?? Number.NaN;
    return deliveredNs > failedNs && deliveredNs < failedAgainNs;
  });
}

function firstFailedNs(facts: Facts, path: Path): number {
  return earliest((facts.records.get(path)?.failed ?? []).map(({ timesNs }) => earliest(timesNs)));
}

function report(facts: Facts, found: Found, runs: readonly Run[]): void {
  const paths = runs.flatMap(({ run }) => run);
  const causes = [...new Set(runs.map(({ cause }) => cause))];
  found.add({
    id: 'survives-reconnect',
    severity: 'warning',
    paths,
    commands: paths.flatMap((path) => facts.records.get(path)?.failed.flatMap((failed) => failed.commands) ?? []),
    summary: `The failure of ${listed(namesOf(paths))} (${listed(causes)}) survives a fresh connection: it is no stale socket.`,
    evidence: runs.flatMap(({ run }) =>
      run.slice(1).flatMap((path) => {
        const leg = path.legs.find((each) => each !== null && each.connection.handshakeRefs.length > 0);
        if (leg == null) return [];
        const view = facts.views[leg.hop];
        const observation = view.observation as HopObservation;
        const first = (facts.records.get(path)?.failed ?? [])
          .map(({ threads }) => path.fromServer.row(threads[0], leg.hop))
          .find((row) => row >= 0);
        return cite(
          view,
          [...leg.connection.handshakeRefs, ...(first === undefined ? [] : [observation.messages.firstRef[first]])],
          `${nameOf(path)}: new connection ${path.id} at ${clockTime(view, leg.connection.firstNs)}, and the next command that failed`,
        );
      }),
    ),
    next: 'Do not force further reconnects: look at what stays the same over them, the agent and its site.',
  });
}
