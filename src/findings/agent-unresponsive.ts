/**
 * agent-unresponsive: what is sent is TCP-ACKed from the agent's end, but neither Pong nor any message returns: the kernel lives,
 * the process does not. In: facts; paths whose TCP itself does not move are left alone. Out: one finding for all such agents.
 */

import { seconds } from '../delivery/coverage.js';
import { blindnessOn } from '../delivery/passed-unseen.js';
import type { HopObservation } from '../hop/observation.js';
import { commonNs, localNs, type Path } from '../path/path.js';
import { cite, clockTime, type Evidence } from './cite.js';
import { contrast } from './contrast.js';
import { agentLeg, type Facts, failedOn, seenUntilNs } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { type Ping, pingLineOf } from './ping-line.js';
import { startNs } from './survives-reconnect.js';
import { counted, listed } from './words.js';

interface Silent {
  path: Path;
  sinceNs: number;
  pings: Ping[];
  commands: number[];
  untilNs: number;
}

const LEAST_PINGS = 2;

export function agentUnresponsive(facts: Facts, found: Found): void {
  const silent: Silent[] = [];
  for (const path of facts.paths) {
    const explained = found.has(
      path,
      'split-connection',
      'peer-unreachable',
      'receiver-window-closed',
      'large-frames-lost',
      'write-stalled',
      'origin-restarted',
      'middlebox-acks',
    );
    const each = explained ? null : silence(facts, path);
    if (each !== null) silent.push(each);
  }
  if (silent.length > 0) report(facts, found, silent);
}

function silence(facts: Facts, path: Path): Silent | null {
  const leg = agentLeg(facts, path);
  if (leg === null) return null;
  const view = facts.views[leg.hop];
  const observation = view.observation as HopObservation;
  const { connection } = leg;
  const { fromServer, fromClient } = connection;
  const sinceNs = fromClient.lastOctetsNs;
  if (Number.isNaN(sinceNs) || fromServer.unacked !== null) return null;
  const line = pingLineOf(observation, connection);
  // It speaks on another one from then on: the process lives, and left this connection.
  const againNs = localNs(view, speaksAgainNs(facts, path, commonNs(view, sinceNs)));
  const pings = line.between(sinceNs + 1, againNs).filter((ping) => ping.tcpAcked);
  if (pings.some((ping) => ping.pongRow >= 0)) return null;
  const commands: number[] = [];
  for (const failed of failedOn(facts, path, 'reached-agent'))
    failed.timesNs.forEach((timeNs, i) => {
      if (timeNs >= commonNs(view, sinceNs) && localNs(view, timeNs) <= againNs) commands.push(failed.commands[i]);
    });
  if (pings.length + Math.min(commands.length, 1) < LEAST_PINGS || pings.length === 0) return null;
  // The first of them had all the time that a Pong may take.
  const waitNs = Math.max(facts.court.ackTimeoutNs, 3 * line.slowestNs);
  const untilNs = Math.min(seenUntilNs(facts, leg), againNs);
  const stretch = { fromNs: pings[0].sentNs, toNs: pings[0].sentNs + waitNs };
  if (untilNs < stretch.toNs) return null;
  const silent = { fromNs: stretch.fromNs, toNs: untilNs };
  if (blindnessOn(facts.views, path, leg.hop, 'fromClient', silent) !== null) return null;
  return { path, sinceNs, pings, commands, untilNs };
}

/** When a newer connection of the agent began on which it said something; Infinity for none. Common clock. */
function speaksAgainNs(facts: Facts, path: Path, sinceNs: number): number {
  let againNs = Number.POSITIVE_INFINITY;
  for (const other of facts.pathsByName.get(path.agent ?? '') ?? []) {
    const startedNs = startNs(facts, other);
    if (other === path || !(startedNs > sinceNs) || startedNs >= againNs) continue;
    if (other.legs.some((leg) => leg !== null && !Number.isNaN(leg.connection.fromClient.lastMessageNs)))
      againNs = startedNs;
  }
  return againNs;
}

function report(facts: Facts, found: Found, silent: Silent[]): void {
  const view = facts.views[facts.views.length - 1];
  const { messages } = view.observation as HopObservation;
  const evidence: Evidence[] = silent.flatMap(({ path, pings, sinceNs }) =>
    cite(
      view,
      pings.slice(0, 6).flatMap((ping) => [messages.firstRef[ping.row], messages.tcpAckRef[ping.row]]),
      `${nameOf(path)}: ${counted(pings.length, 'Ping')} TCP-ACKed and not answered; nothing from it since ${clockTime(view, sinceNs)}`,
    ),
  );
  const paths = silent.map(({ path }) => path);
  const longest = Math.max(...silent.map(({ sinceNs, untilNs }) => untilNs - sinceNs));
  found.add({
    id: 'agent-unresponsive',
    severity: 'error',
    paths,
    commands: silent.flatMap(({ commands }) => commands),
    summary:
      `${listed(namesOf(paths))} ${namesOf(paths).length === 1 ? 'is' : 'are'} silent for ${seconds(longest)}: Pings and Text are TCP-ACKed from the agent's end, ` +
      'but no Pong and no message returns. Its kernel answers, its process does not.',
    evidence,
    next: `${contrast(facts, paths)}Look at the agent's process on its machine (hung, suspended, stopped in a debugger, out of memory), and dump its threads before it is restarted.`,
  });
}
