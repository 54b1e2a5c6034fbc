/**
 * How connections ended: by whom, after how long a silence, and which of them at one moment (a process that dies, a reload, a gateway).
 * In: facts. Out: CloseReport[] in order of time. This only tells what was seen; what it means is for origin-restarted and idle-timeout.
 */

import { milliseconds } from '../delivery/hop-state.js';
import { quietBeforeCloseNs } from '../delivery/quiet.js';
import type { CloseReport } from '../delivery/verdict.js';
import { commonNs, localNs, type Path } from '../path/path.js';
import type { Facts } from './facts.js';
import { isClientsWish, mayBeClientsWish } from './origin-restarted.js';
import { byAgent, startNs } from './survives-reconnect.js';
import { isoOf } from './what-changed.js';
import { byName } from './words.js';

/** Ends of one cause come in one go; a loaded machine needs a moment. */
const SAME_MOMENT_NS = 1e9;
/** Few may end together by chance: then it must have been at the very same moment. */
const FEW = 4;
const FEW_WITHIN_NS = 100e6;
const MOST_REPORTS = 1000;
const MOST_LISTED = 200;

interface End {
  path: Path;
  /** Index of the hop that ended it, the number of hops for whoever lies past the last one; -1 where that was not seen. */
  by: number;
  /** Where that was seen, and when (common clock). */
  hop: number;
  timeNs: number;
  /** On the leg of `hop`. */
  quietNs: number;
  how: 'close-frame' | 'fin' | 'rst';
  /** When it began, common clock. */
  startNs: number;
}

export function closeReports(facts: Facts): CloseReport[] {
  const byWhom = new Map<number, End[]>();
  for (const path of facts.paths) {
    const end = endOf(facts, path);
    if (end !== null) byWhom.set(end.by, [...(byWhom.get(end.by) ?? []), end]);
  }
  const successors = successorsOf(facts);
  const reports: { timeNs: number; report: CloseReport }[] = [];
  for (const ends of byWhom.values()) {
    ends.sort((a, b) => a.timeNs - b.timeNs);
    for (let from = 0; from < ends.length; ) {
      const to = togetherUntil(ends, from);
      reports.push({ timeNs: ends[from].timeNs, report: reportOf(facts, ends.slice(from, to), successors) });
      from = to;
    }
  }
  return reports
    .sort((a, b) => a.timeNs - b.timeNs)
    .slice(0, MOST_REPORTS)
    .map(({ report }) => report);
}

/** End of the run that begins at `from`: those at one moment, or that one alone. */
function togetherUntil(ends: readonly End[], from: number): number {
  const until = (withinNs: number) => {
    let to = from + 1;
    // One that began after the first had ended is an agent's next connection.
    while (
      to < ends.length &&
      ends[to].timeNs <= ends[from].timeNs + withinNs &&
      !(ends[to].startNs > ends[from].timeNs)
    )
      to++;
    return to;
  };
  const wide = until(SAME_MOMENT_NS);
  if (wide - from >= FEW) return wide;
  return until(FEW_WITHIN_NS);
}

/** Whoever closed towards the agent and, where that was captured, inward too, began it; null where it stayed open. */
function endOf(facts: Facts, path: Path): End | null {
  const { views } = facts;
  const legs = path.legs.filter((leg) => leg !== null);
  const ended = legs.filter(({ connection }) => connection.closedBy !== null);
  if (ended.length === 0) return null;
  const closed = ended.filter(({ connection }) => connection.closedFrom !== null);
  // From the hops inside of it comes the client's FIN, from those outside the server's.
  const own = closed.find(({ connection }) => connection.closedFrom === 'server');
  const inner = own ?? closed.at(-1) ?? ended[ended.length - 1];
  const next = own === undefined ? null : legs[legs.indexOf(own) - 1];
  const seen = own ?? inner;
  let by = own === undefined ? inner.hop + 1 : own.hop;
  // The next hop inward ended it from its side as well, or was still open when this one closed: who began is not known.
  if (own !== undefined && next != null && next.connection.closedFrom === 'server') by = -1;
  if (own !== undefined && own.hop > 0 && next == null) by = -1;
  if (own === undefined && (inner.hop < views.length - 1 || inner.connection.closedFrom === null)) by = -1;
  const { connection, hop } = seen;
  const observation = views[hop].observation;
  if (observation === null) return null;
  const { fromServer, fromClient } = connection;
  // Proxies pass Close frames on: whose came first wanted the end, whoever closed TCP first (RFC 6455 section 5.5.1).
  if (isClientsWish(views[hop], connection)) by = views.length;
  else if (own !== undefined && mayBeClientsWish(connection)) by = -1;
  return {
    path,
    by,
    hop,
    timeNs: commonNs(views[hop], connection.closedNs),
    quietNs: quietBeforeCloseNs(observation, connection),
    how: fromServer.counts.close + fromClient.counts.close > 0 ? 'close-frame' : (connection.closedBy ?? 'fin'),
    startNs: startNs(facts, path),
  };
}

/** When the same agent's next connection began, by path. */
function successorsOf(facts: Facts): Map<Path, number> {
  const successors = new Map<Path, number>();
  for (const paths of byAgent(facts).values())
    paths.forEach((path, i) => {
      const next = paths[i + 1];
      if (next !== undefined) successors.set(path, startNs(facts, next));
    });
  return successors;
}

function reportOf(facts: Facts, ends: readonly End[], successors: ReadonlyMap<Path, number>): CloseReport {
  const [first] = ends;
  const { by, hop } = first;
  const view = facts.views[hop];
  const how = { closeFrame: 0, fin: 0, rst: 0 };
  for (const end of ends) how[end.how === 'close-frame' ? 'closeFrame' : end.how]++;
  const quiet = ends.map(({ quietNs }) => quietNs).filter((ns) => !Number.isNaN(ns));
  const back = ends
    .map(({ path, timeNs }) => (successors.get(path) ?? Number.NaN) - timeNs)
    .filter((ns) => ns >= -FEW_WITHIN_NS);
  const names = ends.map(({ path }) => path.agent).filter((name): name is string => name !== null);
  const addresses = ends.map(({ path }) => path.legs.findLast((leg) => leg !== null)?.connection.clientAddress ?? '');
  return {
    by: by < 0 ? null : (facts.views[by]?.name ?? 'agent'),
    hop: view.name,
    at: isoOf(view, first.timeNs),
    withinMs: milliseconds(ends[ends.length - 1].timeNs - first.timeNs),
    count: ends.length,
    open: openAt(facts, hop, first.timeNs),
    connections: ends.slice(0, MOST_LISTED).map(({ path }) => path.id),
    agents: [...new Set(names)].sort(byName).slice(0, MOST_LISTED),
    addresses: [...new Set(addresses)].filter(Boolean).slice(0, MOST_LISTED),
    how,
    quietMs: range(quiet),
    back: back.length,
    backWithinMs: back.length === 0 ? null : milliseconds(Math.max(0, ...back)),
  };
}

/** Connections of that hop that were open just before. */
function openAt(facts: Facts, hop: number, timeNs: number): number {
  const view = facts.views[hop];
  const ownNs = localNs(view, timeNs);
  return facts.court.paths.filter(({ legs }) => {
    const connection = legs[hop]?.connection;
    return connection !== undefined && connection.firstNs < ownNs && !(connection.closedNs < ownNs);
  }).length;
}

function range(valuesNs: readonly number[]): CloseReport['quietMs'] {
  if (valuesNs.length === 0) return null;
  const sorted = [...valuesNs].sort((a, b) => a - b);
  return {
    min: milliseconds(sorted[0]),
    median: milliseconds(sorted[sorted.length >> 1]),
    max: milliseconds(sorted[sorted.length - 1]),
  };
}
