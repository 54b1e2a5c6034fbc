/**
 * agent-answers-nothing: Pings and commands are TCP-ACKed from the agent's end and never answered, while the agent's own messages
 * (Heartbeats) go on arriving on the same connection: it sends and does not handle what it is sent. Between agent-unresponsive, where
 * nothing at all returns, and agent-ignores-commands, where Pings are answered. In: facts. Out: one finding for all such agents.
 */

import { blindnessOn } from '../delivery/passed-unseen.js';
import type { HopObservation } from '../hop/observation.js';
import { commonNs, type Path } from '../path/path.js';
import { cite, clockTime, type Evidence, packetsOf } from './cite.js';
import { contrast } from './contrast.js';
import { agentLeg, type Facts, failedOn, seenUntilNs } from './facts.js';
import { type FindingId, type Found, nameOf, namesOf } from './found.js';
import { type Ping, pingLineOf } from './ping-line.js';
import { isOrderKnown, isReadSince, spoiltBefore } from './stream-order.js';
import { counted, listed } from './words.js';

interface Deaf {
  path: Path;
  /** TCP-ACKed, with time to answer, and not answered; in order of time. */
  pings: Ping[];
  commands: number[];
  /** The first of its commands, at the last hop. */
  row: number;
  /** A message of its own since. */
  message: number;
  lastMessageNs: number;
}

const FIRST_CONTROL = 8;
const LEAST_PINGS = 2;
const LONG_WAITS = 3;
/** A Pong may take its time. */
const ANSWER_WITHIN_NS = 1e9;

const EXPLAINED_BY: readonly FindingId[] = [
  'split-connection',
  'agent-unresponsive',
  'middlebox-acks',
  'peer-unreachable',
  'receiver-window-closed',
  'large-frames-lost',
  'protocol-desync',
];

export function agentAnswersNothing(facts: Facts, found: Found): void {
  // The outer part of a connection may not be linked to the inner one, on which the fault was seen.
  const spoilt = new Set(facts.paths.filter((path) => found.has(path, 'protocol-desync')).map(({ agent }) => agent));
  const deaf: Deaf[] = [];
  for (const path of facts.paths) {
    if (found.has(path, ...EXPLAINED_BY) || (path.agent !== null && spoilt.has(path.agent))) continue;
    const each = deafOn(facts, path);
    if (each !== null) deaf.push(each);
  }
  for (const known of [true, false]) {
    const alike = deaf.filter(({ path }) => isOrderKnown(facts, path) === known);
    if (alike.length > 0) report(facts, found, alike, known);
  }
}

function deafOn(facts: Facts, path: Path): Deaf | null {
  const leg = agentLeg(facts, path);
  const attempts = failedOn(facts, path, 'reached-agent');
  if (leg === null || attempts.length === 0) return null;
  const view = facts.views[leg.hop];
  const observation = view.observation as HopObservation;
  const { connection } = leg;
  const line = pingLineOf(observation, connection);
  if (!line.whole) return null;
  const graceNs = Math.max(ANSWER_WITHIN_NS, 2 * line.slowestNs);
  const lastAnsweredNs = line.pings.findLast(({ pongRow }) => pongRow >= 0)?.sentNs ?? Number.NEGATIVE_INFINITY;
  const untilNs = seenUntilNs(facts, leg);
  // What left for it since could not all be read: a stream that was spoilt would silence it as well.
  const sinceNs = commonNs(view, lastAnsweredNs);
  if (path.legs.some((each) => each !== null && !isReadSince(facts, each, sinceNs))) return null;
  const pings = line.pings.filter(
    ({ sentNs, tcpAcked }) => tcpAcked && sentNs > lastAnsweredNs && sentNs + graceNs < observation.lastNs,
  );
  if (pings.length === 0) return null;
  // A message of its own after two Pings that it had time to answer: it lives, and its connection does. A process that was suspended
  // and goes on would answer them soon after it.
  const { messages } = observation;
  const message = connection.fromClient.rows.findLast(
    (each) => messages.opcode[each] < FIRST_CONTROL && messages.sentNs[each] + graceNs < untilNs,
  );
  const lastMessageNs = message === undefined ? Number.NaN : messages.sentNs[message];
  // A server may wait for the Pong before it sends the next Ping: then that one has waited long.
  const waited =
    pings[LEAST_PINGS - 1]?.sentNs ?? pings[0].sentNs + Math.max(facts.court.ackTimeoutNs, LONG_WAITS * graceNs);
  if (message === undefined || !(lastMessageNs > waited + graceNs)) return null;
  const stretch = { fromNs: pings[0].sentNs, toNs: lastMessageNs + graceNs };
  if (blindnessOn(facts.views, path, leg.hop, 'fromClient', stretch) !== null) return null;
  const { lastDeliveredNs = Number.NaN } = facts.records.get(path) ?? {};
  const commands: number[] = [];
  let row = -1;
  for (const failed of attempts)
    failed.timesNs.forEach((timeNs, i) => {
      // Of those before, something else may be the cause; one that was answered since says that it handles them.
      if (timeNs < commonNs(view, lastAnsweredNs) || lastDeliveredNs > timeNs) return;
      commands.push(failed.commands[i]);
      const at = path.fromServer.row(failed.threads[i], leg.hop);
      if (row < 0 || (at >= 0 && observation.messages.sentNs[at] < observation.messages.sentNs[row])) row = at;
    });
  return commands.length === 0 ? null : { path, pings, commands, row, message, lastMessageNs };
}

/** `known`: that what is sent to it is frames to it as well. */
function report(facts: Facts, found: Found, deaf: Deaf[], known: boolean): void {
  const view = facts.views[facts.views.length - 1];
  const { messages } = view.observation as HopObservation;
  const evidence: Evidence[] = deaf.flatMap(({ path, pings, row, message, lastMessageNs }) => [
    ...cite(
      view,
      pings.slice(0, 4).flatMap((ping) => [messages.firstRef[ping.row], messages.tcpAckRef[ping.row]]),
      `${nameOf(path)} on ${path.id}: ${counted(pings.length, 'Ping')} from ${clockTime(view, pings[0].sentNs)} on, TCP-ACKed and not answered`,
    ),
    ...(row < 0
      ? []
      : cite(
          view,
          packetsOf(view.observation as HopObservation, row),
          `${nameOf(path)}: the first command after the last Pong, TCP-ACKed, no CommandAck`,
        )),
    ...cite(
      view,
      [messages.firstRef[message]],
      `${nameOf(path)}: a message of its own at ${clockTime(view, lastMessageNs)}`,
    ),
  ]);
  const paths = deaf.map(({ path }) => path);
  const pings = deaf.reduce((sum, each) => sum + each.pings.length, 0);
  const total = new Set(deaf.flatMap(({ commands }) => commands)).size;
  const last = Math.max(...deaf.map(({ lastMessageNs }) => lastMessageNs));
  found.add({
    id: 'agent-answers-nothing',
    severity: 'error',
    ...(known ? {} : { grade: 'inferred' }),
    paths,
    commands: deaf.flatMap(({ commands }) => commands),
    summary:
      `${listed(namesOf(paths))} left ${counted(pings, 'Ping')} and ${counted(total, 'command')} unanswered, all TCP-ACKed from the agent's end, ` +
      `while ${paths.length === 1 ? 'its' : 'their'} own messages went on arriving on the same connection${paths.length === 1 ? '' : 's'} (as at ${clockTime(view, last)}): ` +
      `${paths.length === 1 ? 'it sends' : 'they send'}, and ${paths.length === 1 ? 'does' : 'do'} not handle what comes in${known ? '' : `, or ${spoiltBefore(paths.length)}`}.`,
    evidence,
    next: `${contrast(facts, paths)}Heartbeats do not show that an agent can be reached: look at its receive loop (blocked in a handler, a full channel, a lock), and dump its threads or tasks before it is restarted.${known ? '' : ' If it answers again once it has reconnected, capture from before the connection opens.'}`,
  });
}
