/**
 * HTTP requests that asked for commands: put beside the commands that they asked for. In: dispatches of the innermost hop that saw
 * any. Out: the command log knows each command's dispatch, and commands that were only asked for get a place in it.
 */

import type { HopObservation } from '../hop/observation.js';
import { locate } from '../hop/observe.js';
import { commonNs, type HopView } from '../path/path.js';
import type { CommandLog, SeenDispatch } from './commands.js';

/** Packets of one moment may be captured in another order. */
const REORDERED_NS = 60e6;

export function attachDispatches(log: CommandLog, views: readonly HopView[], ackTimeoutNs: number): void {
  const inner = views.find((view) => (view.observation?.dispatches.length ?? 0) > 0);
  if (inner === undefined || inner.observation === null) return;
  const { observation } = inner;
  const nameless: SeenDispatch[] = [];
  for (const dispatch of observation.dispatches) {
    const seen = { hop: inner.index, dispatch, askedNs: commonNs(inner, dispatch.askedNs) };
    if (dispatch.id === null) nameless.push(seen);
    else {
      const command = log.name(dispatch.id);
      if (!log.dispatches.has(command)) log.dispatches.set(command, seen);
    }
  }
  for (const seen of nameless) pairNameless(log, observation, seen, ackTimeoutNs);
}

/**
 * A dispatch that names no ID and got no answer that does: the first command to its agent after it that nobody else asked for
 * may be its own; else it gets a name of its own, by file and packet.
 */
function pairNameless(log: CommandLog, observation: HopObservation, seen: SeenDispatch, ackTimeoutNs: number): void {
  const until = seen.askedNs + ackTimeoutNs;
  let best = -1;
  let bestNs = Number.POSITIVE_INFINITY;
  for (let command = 0; command < log.commands; command++) {
    if (log.dispatches.has(command)) continue;
    const timeNs = log.firstSentNs(command);
    const path = log.firstPath(command);
    if (!(timeNs >= seen.askedNs - REORDERED_NS && timeNs <= until && timeNs < bestNs)) continue;
    if (
      seen.dispatch.agent !== null &&
      path !== null &&
      path.names.length > 0 &&
      !path.names.includes(seen.dispatch.agent)
    )
      continue;
    best = command;
    bestNs = timeNs;
  }
  const { file, packet } = locate(observation.files, seen.dispatch.askedRef);
  const command = best >= 0 ? best : log.name(`dispatch@${file.split('/').at(-1)}#${packet}`);
  log.dispatches.set(command, seen);
}
