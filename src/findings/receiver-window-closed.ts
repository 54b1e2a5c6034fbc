/**
 * receiver-window-closed: a receiver closed its TCP window and data waits. In: facts. Out: one finding for each hop behind which
 * a receiver does not read; closed windows further in on the same path are its back-pressure and only mentioned.
 */

import { seconds } from '../delivery/coverage.js';
import type { Outcome } from '../delivery/verdict.js';
import { commonNs, type Path } from '../path/path.js';
import { cite, clockTime, type Evidence } from './cite.js';
import { agentLeg, beyond, type Facts, legName } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { heldBack, heldWords } from './held-back.js';
import { neverAcked, outermost, type Wait, windowClosed } from './tcp-waits.js';
import { listed } from './words.js';

/** Captures of the same moment end up to a second apart. */
const SLACK_NS = 1.5e9;

const HELD_BACK: Outcome[] = ['stalled', 'inconclusive', 'never-sent'];

export function receiverWindowClosed(facts: Facts, found: Found): void {
  const byHop = new Map<number, { path: Path; wait: Wait }[]>();
  for (const path of facts.paths) {
    const wait = found.has(path, 'reply-address-mismatch') ? null : closedWindowOf(facts, path);
    if (wait === null || !dataWaits(facts, path, wait)) continue;
    byHop.set(wait.leg.hop, [...(byHop.get(wait.leg.hop) ?? []), { path, wait }]);
  }
  for (const [hop, closed] of byHop) report(facts, found, hop, closed);
}

/**
 * The outermost closed window of a path. Null where a leg further out is dead: whoever cannot write there stops reading here, and its
 * window is back-pressure.
 */
export function closedWindowOf(facts: Facts, path: Path): Wait | null {
  const wait = outermost(path.legs, (leg) => windowClosed(facts, leg));
  if (wait === null) return null;
  const toNs = commonNs(facts.views[wait.leg.hop], wait.toNs);
  const dead = path.legs.some((leg) => {
    const other = leg === null || leg.hop <= wait.leg.hop ? null : neverAcked(leg);
    return other !== null && commonNs(facts.views[other.leg.hop], other.fromNs) < toNs;
  });
  return dead ? null : wait;
}

/**
 * Whether whoever closed it is known to be the one that does not read: the agent itself, or a hop whose own next leg was captured at the
 * time and could move. Else it may only pass on that something further out does not move.
 */
export function isCauseKnown(facts: Facts, path: Path, wait: Wait): boolean {
  const { hop } = wait.leg;
  if (hop === facts.views.length - 1) return agentLeg(facts, path) !== null;
  const next = path.legs[hop + 1];
  const view = facts.views[hop + 1];
  if (next == null || view.observation === null) return false;
  const fromNs = commonNs(facts.views[hop], wait.fromNs);
  const toNs = commonNs(facts.views[hop], wait.toNs);
  const covered =
    commonNs(view, view.observation.firstNs) <= fromNs && commonNs(view, view.observation.lastNs) >= toNs - SLACK_NS;
  const moves = !next.connection.fromServer.blocked.some(
    (each) => commonNs(view, each.fromNs) < toNs && commonNs(view, each.toNs) > fromNs,
  );
  return covered && moves && next.connection.fromServer.unacked === null;
}

/** A receiver that nobody writes to may keep its window closed. */
function dataWaits(facts: Facts, path: Path, wait: Wait): boolean {
  const { unacked } = wait.leg.connection.fromServer;
  if (wait.open && unacked !== null) return true;
  if (path.legs.some((leg) => leg !== null && leg.hop < wait.leg.hop && windowClosed(facts, leg) !== null)) return true;
  return commandsBehind(facts, path, wait).length > 0;
}

function commandsBehind(facts: Facts, path: Path, wait: Wait): number[] {
  const view = facts.views[wait.leg.hop];
  const fromNs = commonNs(view, wait.fromNs) - facts.court.ackTimeoutNs;
  const toNs = commonNs(view, wait.toNs);
  const commands: number[] = [];
  for (const failed of facts.records.get(path)?.failed ?? []) {
    if (!HELD_BACK.includes(failed.outcome)) continue;
    failed.commands.forEach((command, i) => {
      if (failed.timesNs[i] >= fromNs && failed.timesNs[i] <= toNs) commands.push(command);
    });
  }
  return commands;
}

function report(facts: Facts, found: Found, hop: number, closed: { path: Path; wait: Wait }[]): void {
  const view = facts.views[hop];
  const evidence: Evidence[] = [];
  for (const { path, wait } of closed) {
    const until = wait.open ? 'to the end' : `for ${seconds(wait.toNs - wait.fromNs)}`;
    const text = `${nameOf(path)}: window 0 from ${clockTime(view, wait.fromNs)} on, ${until}`;
    evidence.push(...cite(view, [wait.ref, wait.endRef], text));
    for (const leg of path.legs) {
      if (leg === null || leg.hop >= hop) continue;
      const inner = windowClosed(facts, leg);
      if (inner === null) continue;
      const why = `${legName(facts, leg.hop)}: back-pressure, window 0 from ${clockTime(facts.views[leg.hop], inner.fromNs)} on`;
      evidence.push(...cite(facts.views[leg.hop], [inner.ref], why));
    }
  }
  const paths = closed.map(({ path }) => path);
  const held = paths.flatMap((path) => heldBack(facts, path));
  const open = closed.some(({ wait }) => wait.open);
  const longest = Math.max(...closed.map(({ wait }) => wait.toNs - wait.fromNs));
  const last = hop === facts.views.length - 1;
  const agents = last && paths.every((path) => agentLeg(facts, path) !== null);
  const known = closed.every(({ path, wait }) => isCauseKnown(facts, path, wait));
  const who = agents ? listed(namesOf(paths)) : beyond(facts, paths[0], hop);
  found.add({
    id: 'receiver-window-closed',
    severity: open ? 'error' : 'warning',
    paths,
    commands: [
      ...closed.flatMap(({ path, wait }) => commandsBehind(facts, path, wait)),
      ...held.map(({ command }) => command),
    ],
    summary:
      `${who} closed ${agents && paths.length > 1 ? 'their TCP windows' : 'the TCP window'} towards ${view.name} for ${seconds(longest)}${open ? ' and never opened it again' : ''}` +
      `${agents ? '' : ` (connection of ${listed(namesOf(paths))})`}: it reads nothing${known ? '' : ' at that time'}, and data for it waits${heldWords(held)}.`,
    evidence,
    next: `Find out why the process at ${who} stopped reading its socket (hung, suspended, a full queue)${known ? '' : ', or what it cannot pass on: capture the leg that it writes to itself'}, and give the server's write a time limit.`,
  });
}
