/**
 * peer-unreachable, the other way: a hop sends what comes from the agent on to the next inner hop again and again, and it is never
 * TCP-ACKed, so that CommandAcks are lost on that leg. In: facts; the outer hop's capture may hold its inner connection, which is the
 * inner hop's leg seen from its other end. Out: one finding for each such leg.
 */

import { seconds } from '../delivery/coverage.js';
import type { ObservedConnection, ObservedHalf } from '../hop/observation.js';
import { tcpIdentity } from '../path/group.js';
import type { Path } from '../path/path.js';
import { cite, clockTime } from './cite.js';
import { type Facts, type Failed, failedOn, legName } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { counted, listed } from './words.js';

const LEAST_TRANSMISSIONS = 3;

interface Lost {
  path: Path;
  hop: number;
  failed: Failed;
  half: ObservedHalf;
}

export function inwardUnreachable(facts: Facts, found: Found): void {
  const byHop = new Map<number, Lost[]>();
  for (const path of facts.paths) {
    if (found.has(path, 'peer-unreachable', 'split-connection')) continue;
    const lost = lostOn(facts, path);
    if (lost !== null) byHop.set(lost.hop, [...(byHop.get(lost.hop) ?? []), lost]);
  }
  for (const [hop, lost] of byHop) report(facts, found, hop, lost);
}

function lostOn(facts: Facts, path: Path): Lost | null {
  for (const failed of failedOn(facts, path, 'ack-lost')) {
    const hop = facts.views.findIndex((view) => failed.lostAt?.startsWith(`${view.name}->`));
    const half = sentInward(facts, path, hop);
    if (half?.unacked != null && half.unacked.transmissions >= LEAST_TRANSMISSIONS) return { path, hop, failed, half };
  }
  return null;
}

/** What the client of a hop's leg sends on it, as the client's own capture has it; null where no capture does. */
export function sentInward(facts: Facts, path: Path, hop: number): ObservedHalf | null {
  const leg = path.legs[hop];
  return leg == null ? null : (otherEnd(facts, hop + 1, leg.connection)?.fromClient ?? null);
}

/** The same TCP connection in the outer hop's capture, where that hop is its client. */
function otherEnd(facts: Facts, hop: number, connection: ObservedConnection): ObservedConnection | null {
  const identity = tcpIdentity(connection);
  if (identity === null) return null;
  const { connections = [] } = facts.views[hop]?.observation ?? {};
  return connections.find((each) => each !== undefined && tcpIdentity(each) === identity) ?? null;
}

function report(facts: Facts, found: Found, hop: number, lost: Lost[]): void {
  const [inner, outer] = [facts.views[hop], facts.views[hop + 1]];
  const paths = lost.map(({ path }) => path);
  const commands = lost.flatMap(({ failed }) => failed.commands);
  const longest = Math.max(
    ...lost.map(({ half }) => (half.unacked?.lastSentNs ?? 0) - (half.blocked.at(-1)?.fromNs ?? Number.NaN)),
  );
  found.add({
    id: 'peer-unreachable',
    severity: 'error',
    paths,
    commands,
    summary:
      `What ${outer.name} sends on to ${inner.name} for ${listed(namesOf(paths))} was sent again and again${longest > 0 ? ` for ${seconds(longest)}` : ''} and never TCP-ACKed: ` +
      `answers to ${counted(new Set(commands).size, 'command')} were lost on ${legName(facts, hop)}, on their way back.`,
    evidence: lost.flatMap(({ path, half }) =>
      cite(
        outer,
        half.unacked?.refs ?? [],
        `${nameOf(path)}: octets from the agent sent ${half.unacked?.transmissions} times, the last at ${clockTime(outer, half.unacked?.lastSentNs ?? Number.NaN)}, never TCP-ACKed by ${inner.name}`,
      ),
    ),
    next: `Find where packets from ${outer.name} to ${inner.name} are lost: firewall states and rules between the two, captured on both sides of each device.`,
  });
}
