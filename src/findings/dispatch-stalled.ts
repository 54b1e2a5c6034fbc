/**
 * dispatch-stalled: from some moment no command leaves on any connection, though they are asked for, for several agents that are
 * connected (incident 2). In: never-sent commands and the time of the last command frame. Out: one finding, which names the
 * connections that were blocked by then: one of them may hold the lock.
 */

import { commonNs, type HopView, localNs, type Path } from '../path/path.js';
import { cite, clockTime } from './cite.js';
import { earliest, type Facts, legName, openPaths, type Unsent } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { counted, listed } from './words.js';

const LEAST_AGENTS = 2;
const PING = 9;
/** What was being written when it began. */
const SETTLED_NS = 50e6;

export function dispatchStalled(facts: Facts, found: Found): void {
  const lastFrameNs = facts.court.log.lastAttemptNs;
  const after = facts.unsent.filter(
    ({ askedNs, command }) =>
      (askedNs > lastFrameNs || (Number.isNaN(lastFrameNs) && !Number.isNaN(askedNs))) &&
      !found.explainedCommands.has(command),
  );
  const connected = after.filter(({ agent, askedNs }) => agent === null || openPaths(facts, agent, askedNs).length > 0);
  const agents = new Set(connected.map(({ agent }) => agent).filter((agent) => agent !== null));
  const nameless = connected.filter(({ agent }) => agent === null).length;
  if (agents.size < LEAST_AGENTS && !(agents.size === 0 && nameless > LEAST_AGENTS)) return;
  report(facts, found, after);
}

function report(facts: Facts, found: Found, after: readonly Unsent[]): void {
  const view = facts.views[0];
  const fromNs = earliest(after.map(({ askedNs }) => askedNs));
  const answered = after.filter(({ dispatch }) => (dispatch?.status ?? 0) > 0).length;
  const blocked = facts.court.paths.filter((path) =>
    path.legs.some((leg) =>
      leg?.connection.fromServer.blocked.some(
        (each) =>
          commonNs(facts.views[leg.hop], each.fromNs) <= fromNs + 1e9 &&
          commonNs(facts.views[leg.hop], each.toNs) > fromNs,
      ),
    ),
  );
  for (const path of blocked) found.suspects.add(path);
  const since = blocked
    .map((path) => blockedSince(facts, path, fromNs))
    .filter((wait) => wait !== null)
    .sort((a, b) => a.timeNs - b.timeNs);
  const [first] = since;
  const before =
    first === undefined
      ? ''
      : ` ${first.timeNs <= fromNs ? `Since ${clockTime(first.view, localNs(first.view, first.timeNs))}` : 'At that time'} ${legName(facts, first.view.index)} of ${listed(namesOf(blocked))} could not move (${first.why}): ${blocked.length === 1 ? 'one connection waits' : `${blocked.length} connections wait`}, and no command leaves on the others.`;
  const others = framesSince(facts, fromNs);
  const still = others.count === 0 && others.quietNs > 2 * others.pingIntervalNs;
  const frames = still
    ? ` No frame of any kind leaves since ${clockTime(view, localNs(view, others.lastNs))} either, Pings included: the process itself stands still.`
    : others.count > 0
      ? ` Other frames go on leaving${others.pings > 0 ? ', Pings among them' : ''}: only commands wait.`
      : '';
  const suspect = still
    ? `Look at the process at ${view.name}: stopped, hung, out of memory; its kernel alone answers. Dump its threads or tasks before it is restarted.`
    : blocked.length === 0
      ? 'Look for what every dispatch waits for: a lock, a full queue; dump the threads or tasks of the server while it hangs.'
      : `${blocked.length === 1 ? 'The connection' : 'The connections'} of ${listed(namesOf(blocked))} could not move at that time: look for a send that waits for ${blocked.length === 1 ? 'it' : 'them'} and holds a lock that every dispatch needs.`;
  found.add({
    id: 'dispatch-stalled',
    severity: 'error',
    paths: [],
    agents: [...new Set(after.map(({ agent }) => agent).filter((agent) => agent !== null))],
    commands: after.map(({ command }) => command),
    summary:
      `From ${clockTime(view, fromNs)} UTC on no command leaves ${view.name} on any connection, though ${counted(after.length, 'command')} ` +
      `${after.length === 1 ? 'was' : 'were'} asked for (${answered === 0 ? 'none of the requests was answered' : `${answered} of the requests answered`}).${before}${frames}`,
    evidence: [
      ...cite(
        view,
        after.flatMap(({ dispatch }) => dispatch?.askedRef ?? []),
        'requests for commands of which no frame left',
      ),
      ...since
        .slice(0, 4)
        .flatMap((wait) => cite(wait.view, [wait.ref], `${nameOf(wait.path)}: ${wait.why} from here on`)),
    ],
    next: suspect,
  });
}

interface Blocked {
  path: Path;
  view: HopView;
  /** Common clock. */
  timeNs: number;
  ref: number;
  why: string;
}

/** Where, and from when on, this path could take nothing more at that time: the outermost leg, further in it is back-pressure. */
function blockedSince({ views }: Facts, path: Path, atNs: number): Blocked | null {
  for (const leg of [...path.legs].reverse()) {
    if (leg === null) continue;
    const view = views[leg.hop];
    const wait = leg.connection.fromServer.blocked.find(
      (each) => commonNs(view, each.fromNs) <= atNs + 1e9 && commonNs(view, each.toNs) > atNs,
    );
    if (wait === undefined) continue;
    const why = wait.kind === 'window-closed' ? 'its TCP window is closed' : 'nothing is TCP-ACKed';
    return { path, view, timeNs: commonNs(view, wait.fromNs), ref: wait.ref, why };
  }
  return null;
}

/** What left the first hop on any connection after that moment (common clock); and how far apart Pings were on one connection before it. */
function framesSince(
  { views, court }: Facts,
  atNs: number,
): { count: number; pings: number; lastNs: number; quietNs: number; pingIntervalNs: number } {
  const [view] = views;
  const told = { count: 0, pings: 0, lastNs: Number.NaN, quietNs: 0, pingIntervalNs: Number.POSITIVE_INFINITY };
  const { observation } = view;
  if (observation === null) return told;
  const { messages } = observation;
  for (const { legs } of court.paths) {
    let pingNs = Number.NaN;
    for (const row of legs[0]?.connection.fromServer.rows ?? []) {
      const sentNs = commonNs(view, messages.sentNs[row]);
      if (!(sentNs <= told.lastNs)) told.lastNs = sentNs;
      const isPing = messages.opcode[row] === PING;
      if (sentNs > atNs + SETTLED_NS) {
        told.count++;
        if (isPing) told.pings++;
      } else if (isPing) {
        if (sentNs - pingNs > 0) told.pingIntervalNs = Math.min(told.pingIntervalNs, sentNs - pingNs);
        pingNs = sentNs;
      }
    }
  }
  told.quietNs = commonNs(view, observation.lastNs) - told.lastNs;
  return told;
}
