/**
 * split-connection: an agent's messages arrive on one connection while its commands go out on another, which it does not use
 * any more. In: facts; connections of one agent that are open at the same time at the same hop. Out: one finding for all such agents.
 */

import type { ObservedConnection } from '../hop/observation.js';
import { tcpIdentity } from '../path/group.js';
import { commonNs, type Path } from '../path/path.js';
import { cite, clockTime, type Evidence, packetsOf } from './cite.js';
import type { Facts } from './facts.js';
import { type Found, namesOf } from './found.js';
import { counted, listed } from './words.js';

interface Split {
  /** Where the commands go, and where the messages come from. */
  written: Path;
  read: Path;
  hop: number;
  commands: number[];
  thread: number;
}

/** Both sides take a moment to notice that a connection was replaced. */
const GRACE_NS = 0.5e9;
const TAKEOVER_NS = 5e9;

export function splitConnection(facts: Facts, found: Found): void {
  const splits: Split[] = [];
  for (const path of facts.paths) {
    if ((facts.records.get(path)?.failed.length ?? 0) === 0) continue;
    const rivals = new Set(path.names.flatMap((name) => facts.pathsByName.get(name) ?? []));
    rivals.delete(path);
    for (const other of rivals) {
      const split = splitBetween(facts, path, other);
      if (split === null) continue;
      splits.push(split);
      break;
    }
  }
  if (splits.length > 0) report(facts, found, splits);
}

function splitBetween(facts: Facts, written: Path, read: Path): Split | null {
  const hop = bestSeenAt(facts, written, read);
  if (hop < 0) return null;
  const a = written.legs[hop]?.connection;
  const b = read.legs[hop]?.connection;
  if (a === undefined || b === undefined || !areDistinct(a, b)) return null;
  const view = facts.views[hop];
  const openedNs = commonNs(view, b.firstNs) + GRACE_NS;
  const lastReadNs = commonNs(view, b.fromClient.lastMessageNs);
  const lastOnWrittenNs = commonNs(view, a.fromClient.lastMessageNs);
  // Another machine of the same name would not fall silent just when this one connects.
  if (lastOnWrittenNs > openedNs + TAKEOVER_NS) return null;
  const commands: number[] = [];
  let thread = -1;
  for (const failed of facts.records.get(written)?.failed ?? []) {
    if (failed.outcome === 'inconclusive') continue;
    failed.timesNs.forEach((timeNs, i) => {
      // The agent spoke on the other one before and after, and never again on this one.
      if (timeNs < openedNs || !(timeNs <= lastReadNs) || !(lastOnWrittenNs < timeNs || Number.isNaN(lastOnWrittenNs)))
        return;
      commands.push(failed.commands[i]);
      if (thread < 0) thread = failed.threads[i];
    });
  }
  return commands.length === 0 ? null : { written, read, hop, commands, thread };
}

/** The innermost hop that holds both, unless its capture began long after another one saw the newer connection. */
function bestSeenAt({ views }: Facts, written: Path, read: Path): number {
  let best = -1;
  let bestNs = Number.POSITIVE_INFINITY;
  for (const [hop, leg] of read.legs.entries()) {
    if (leg === null || written.legs[hop] === null) continue;
    const firstNs = commonNs(views[hop], leg.connection.firstNs);
    if (best >= 0 && !(firstNs < bestNs - GRACE_NS)) continue;
    best = hop;
    bestNs = firstNs;
  }
  return best;
}

/** Two TCP connections, not one that was captured twice (before and after translation, say). */
function areDistinct(a: ObservedConnection, b: ObservedConnection): boolean {
  const identity = tcpIdentity(a);
  if (identity !== null && identity === tcpIdentity(b)) return false;
  const keyA = a.handshake?.key ?? null;
  const keyB = b.handshake?.key ?? null;
  if (keyA !== null && keyB !== null && keyA === keyB) return false;
  if (a.fromServer.baseSequence === b.fromServer.baseSequence) return false;
  return a.firstNs !== b.firstNs;
}

function report(facts: Facts, found: Found, splits: Split[]): void {
  const evidence: Evidence[] = [];
  for (const { written, read, hop, thread } of splits) {
    const view = facts.views[hop];
    const { observation } = view;
    const other = read.legs[hop]?.connection;
    if (observation === null || other === undefined) continue;
    const row = written.fromServer.row(thread, hop);
    const name = written.agent ?? written.id;
    if (row >= 0)
      evidence.push(...cite(view, packetsOf(observation, row), `${name}: a command goes out on ${written.id}`));
    const opened = other.handshakeRefs.length > 0 ? other.handshakeRefs : [];
    const firstRow = other.fromClient.rows.find((each) => observation.messages.opcode[each] < 8) ?? -1;
    const refs = [...opened, ...(firstRow < 0 ? [] : [observation.messages.firstRef[firstRow]])];
    const dead = written.legs.find((leg) => leg !== null && leg.connection.fromServer.unacked !== null);
    if (dead != null)
      evidence.push(
        ...cite(
          facts.views[dead.hop],
          dead.connection.fromServer.unacked?.refs ?? [],
          `${name}: ${written.id} is dead at ${facts.views[dead.hop].name}, sent ${dead.connection.fromServer.unacked?.transmissions} times and never TCP-ACKed`,
        ),
      );
    const text = `${name}: opened ${read.id} at ${clockTime(view, other.firstNs)}, and its messages arrive there`;
    evidence.push(...cite(view, refs, text));
  }
  const paths = splits.map(({ written }) => written);
  const total = new Set(splits.flatMap(({ commands }) => commands)).size;
  const alive = splits.filter(({ written }) => !isDead(written)).length;
  found.add({
    id: 'split-connection',
    severity: 'error',
    paths: splits.flatMap(({ written, read }) => [written, read]),
    commands: splits.flatMap(({ commands }) => commands),
    summary:
      `${counted(total, 'command')} for ${listed(namesOf(paths))} went out on an older connection while the agent's messages arrived on a newer one` +
      `${alive === splits.length ? '' : alive === 0 ? '; the older one is dead' : '; some of the older ones are dead'}.`,
    evidence,
    next: 'Look at how the server registers connections: a second connection of an agent must replace the first one for writing, and the old one must be closed.',
  });
}

function isDead(path: Path): boolean {
  return path.legs.some((leg) => leg !== null && leg.connection.fromServer.unacked !== null);
}
