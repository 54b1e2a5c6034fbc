/**
 * When a capture lost packets, as far as it shows: octets that a receiver TCP-ACKed and that are not in the file, and the drops that the file
 * itself tells of. What is lost of one connection may be lost of all at that moment, also of those in which nothing shows it.
 * In: an observation, or what `quality` read. Out: the times, for whoever concludes something from silence.
 */

import type { CaptureSummary } from '../capture/capture-summary.js';
import type { HopObservation, MissedIn, ObservedConnection } from './observation.js';

export interface LossTime {
  fromNs: number;
  toNs: number;
}

export function missedIn(all: readonly (ObservedConnection | undefined)[]): MissedIn {
  let holes = 0;
  let connections = 0;
  for (const connection of all) {
    if (connection === undefined || connection.stray) continue;
    const halves = [connection.fromServer, connection.fromClient].filter(({ packets }) => packets > 0);
    const of = halves.flatMap(({ gaps }) => gaps).filter(({ kind, from }) => kind === 'missed' && from >= 0).length;
    holes += of;
    if (of > 0) connections++;
  }
  return { holes, connections, times: lossTimes(all, []) };
}

/** A capture that loses packets does so for some time: where nothing shows it, too. */
const AROUND_NS = 5e9;
/** One that lost some again and again may have lost some in between. */
const AGAIN_WITHIN_NS = 30e9;

const known = new WeakMap<HopObservation, LossTime[]>();

/** Whether packets may be missing between two moments without a trace. Its clock set back: times do not tell, and any loss counts. */
export function mayHaveLost(observation: HopObservation, fromNs: number, toNs: number): boolean {
  let times = known.get(observation);
  if (times === undefined) {
    times = blindTimes(observation);
    known.set(observation, times);
  }
  return overlaps(times, fromNs, toNs);
}

const ownTimes = new WeakMap<HopObservation, LossTime[]>();

/** Whether packets are known to be missing between two moments. */
export function hasLost(observation: HopObservation, fromNs: number, toNs: number): boolean {
  let times = ownTimes.get(observation);
  if (times === undefined) {
    times = joined([...observation.missedIn.times, ...lossTimes([], observation.files)], 0);
    ownTimes.set(observation, times);
  }
  return overlaps(times, fromNs, toNs);
}

/** In which silence tells nothing. */
export function blindTimes({
  connections,
  files,
  setBacks,
  resumed,
}: Pick<HopObservation, 'connections' | 'files' | 'setBacks' | 'resumed'>): LossTime[] {
  const found = lossTimes(connections, files);
  const isUntold = setBacks.length + resumed.length > 0 && found.length > 0;
  return isUntold ? [{ fromNs: Number.NEGATIVE_INFINITY, toNs: Number.POSITIVE_INFINITY }] : widened(found);
}

export function overlaps(times: readonly LossTime[], fromNs: number, toNs: number): boolean {
  return times.some((time) => !(time.toNs < fromNs) && !(time.fromNs > toNs));
}

/** In order, none touching the next one. */
export function lossTimes(
  connections: readonly (ObservedConnection | undefined)[],
  files: readonly { readonly summary: CaptureSummary }[],
): LossTime[] {
  const times: LossTime[] = [];
  for (const connection of connections) {
    if (connection === undefined || connection.stray) continue;
    for (const half of [connection.fromServer, connection.fromClient]) {
      // Of a direction that it leaves out altogether it lost nothing.
      if (half.packets === 0) continue;
      let octets = 0;
      for (const { kind, from, to, fromNs, toNs } of half.gaps) {
        // What stands before the first octet was captured, only late.
        if (kind !== 'missed' || from < 0) continue;
        octets += to - from;
        const sinceNs = Number.isNaN(fromNs) ? connection.firstNs : fromNs;
        times.push({ fromNs: Math.min(sinceNs, toNs), toNs: Math.max(sinceNs, toNs) });
      }
      // There were more of them than are kept.
      if (octets < half.missedOctets) times.push({ fromNs: connection.firstNs, toNs: connection.lastNs });
    }
  }
  for (const { summary } of files) times.push(...summary.drops.times.map(({ fromNs, toNs }) => ({ fromNs, toNs })));
  return joined(times, 0);
}

function widened(times: readonly LossTime[]): LossTime[] {
  return joined(times, AGAIN_WITHIN_NS).map(({ fromNs, toNs }) => ({
    fromNs: fromNs - AROUND_NS,
    toNs: toNs + AROUND_NS,
  }));
}

/** Those that are no further apart become one. */
function joined(times: readonly LossTime[], apartNs: number): LossTime[] {
  const all: LossTime[] = [];
  for (const time of [...times].sort((a, b) => a.fromNs - b.fromNs)) {
    const last = all.at(-1);
    if (last !== undefined && time.fromNs <= last.toNs + apartNs) last.toNs = Math.max(last.toNs, time.toNs);
    else all.push({ ...time });
  }
  return all;
}
