/**
 * agent-ignores-commands: command Text is TCP-ACKed from the agent's end and no CommandAck ever comes, while Pings of the same
 * period are answered on the same connection. A Pong to a Ping that was sent after the command proves more: its WebSocket layer
 * has read past the command. In: facts. Out: one finding for all such agents.
 */

import type { Stretch } from '../delivery/coverage.js';
import { blindnessOn } from '../delivery/passed-unseen.js';
import type { HopObservation } from '../hop/observation.js';
import { commonNs, localNs, type Path } from '../path/path.js';
import { cite, clockTime, type Evidence, packetsOf } from './cite.js';
import { contrast } from './contrast.js';
import { agentLeg, type Facts, failedOn } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { type Ping, type PingLine, pingLineOf } from './ping-line.js';
import { counted, listed } from './words.js';

interface Ignored {
  path: Path;
  commands: number[];
  /** Of the first attempt: its row at the last hop, and the Ping after it. */
  row: number;
  ping: Ping | null;
}

/** A Ping sent so shortly before the end need not be answered yet. */
const ANSWER_WITHIN_NS = 1e9;
/** On a connection that was closed before the deadline, so long at least it must have stayed open. */
const LEAST_WAIT_NS = 2e9;

export function agentIgnoresCommands(facts: Facts, found: Found): void {
  const ignored: Ignored[] = [];
  for (const path of facts.paths) {
    if (found.has(path, 'split-connection', 'agent-unresponsive', 'agent-answers-nothing', 'middlebox-acks')) continue;
    const each = ignoredOn(facts, path);
    if (each !== null) ignored.push(each);
  }
  if (ignored.length > 0) report(facts, found, ignored);
}

function ignoredOn(facts: Facts, path: Path): Ignored | null {
  const leg = agentLeg(facts, path);
  const attempts = failedOn(facts, path, 'reached-agent');
  if (leg === null || attempts.length === 0) return null;
  const view = facts.views[leg.hop];
  const { messages } = view.observation as HopObservation;
  const line = pingLineOf(view.observation as HopObservation, leg.connection);
  const result: Ignored = { path, commands: [], row: -1, ping: null };
  for (const failed of attempts)
    failed.threads.forEach((thread, i) => {
      const row = path.fromServer.row(thread, leg.hop);
      if (row < 0) return;
      const deadlineNs = localNs(view, failed.timesNs[i] + facts.court.ackTimeoutNs);
      const { closedNs } = leg.connection;
      const untilNs = Number.isNaN(closedNs) ? deadlineNs : Math.min(closedNs, deadlineNs);
      // Closed at once: the agent need not have come to it any more.
      if (untilNs < Math.min(deadlineNs, messages.sentNs[row] + LEAST_WAIT_NS)) return;
      const ping = answeredWhile(line, messages.sentNs[row], untilNs);
      if (ping === null) return;
      // Answered after the deadline: a Ping that was not answered before, or a late CommandAck, may stand in what could not be read until then.
      const answeredNs = ping === 'all' ? Number.NaN : messages.sentNs[ping.pongRow];
      const waited = { fromNs: messages.sentNs[row], toNs: answeredNs };
      if (answeredNs > untilNs && !isReadWhole(facts, path, leg.hop, waited)) return;
      result.commands.push(failed.commands[i]);
      if (result.row >= 0) return;
      result.row = row;
      result.ping = ping === 'all' ? null : ping;
    });
  return result.commands.length === 0 ? null : result;
}

function isReadWhole(facts: Facts, path: Path, hop: number, stretch: Stretch): boolean {
  return (['fromServer', 'fromClient'] as const).every(
    (sender) => blindnessOn(facts.views, path, hop, sender, stretch) === null,
  );
}

/** A Ping of the time in which the command waited, answered, and none after it that was not; null where nothing shows that. */
function answeredWhile(line: PingLine, fromNs: number, toNs: number): Ping | 'all' | null {
  let pings = line.between(fromNs, toNs);
  // Pings rarer than the deadline: it waits on, and the next one tells.
  const next = pings.length === 0 ? line.nextAfter(toNs) : null;
  if (next !== null) pings = [next];
  if (pings.length === 0) return !line.whole && line.allAnswered ? 'all' : null;
  const lastAnswered = pings.findLast((ping) => ping.pongRow >= 0);
  if (lastAnswered === undefined) return null;
  const unanswered = pings.some(
    (ping) => ping.sentNs > lastAnswered.sentNs && ping.sentNs < toNs - Math.max(ANSWER_WITHIN_NS, 2 * line.slowestNs),
  );
  return unanswered ? null : (pings.find((ping) => ping.pongRow >= 0) ?? null);
}

function report(facts: Facts, found: Found, ignored: Ignored[]): void {
  const view = facts.views[facts.views.length - 1];
  const observation = view.observation as HopObservation;
  const { messages } = observation;
  const evidence: Evidence[] = ignored.flatMap(({ path, row, ping }) => {
    const name = nameOf(path);
    const sent = `${name} on ${path.id}: a command left ${view.name} at ${clockTime(view, messages.sentNs[row])} and was TCP-ACKed`;
    const pong = ping === null ? [] : [messages.firstRef[ping.row], messages.firstRef[ping.pongRow]];
    return [
      ...cite(view, packetsOf(observation, row), sent),
      ...cite(view, pong, `${name} on ${path.id}: a Ping sent after it, and its Pong`),
    ];
  });
  const paths = ignored.map(({ path }) => path);
  const total = new Set(ignored.flatMap(({ commands }) => commands)).size;
  const sinceNs = Math.min(...ignored.map(({ row }) => commonNs(view, messages.sentNs[row])));
  found.add({
    id: 'agent-ignores-commands',
    severity: 'error',
    paths,
    commands: ignored.flatMap(({ commands }) => commands),
    summary:
      `${listed(namesOf(paths))} answered Pings and left ${counted(total, 'command')} unanswered on the same connection${ignored.length === 1 ? '' : 's'}: ` +
      `${total === 1 ? 'it' : 'each'} was TCP-ACKed from the agent's end, and no CommandAck came.`,
    evidence,
    next:
      `${contrast(facts, paths)}Network, NAT and the captured hops did their part: look at how the agent handles commands, in its log from ${clockTime(view, localNs(view, sinceNs))} UTC on. ` +
      `Only a capture on the agent's machine can tell it from something past ${view.name} that removes Text.`,
  });
}
