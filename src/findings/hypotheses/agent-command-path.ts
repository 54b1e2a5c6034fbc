/** agent-command-path: the agent reads its connection and does not handle commands. */

import { seconds } from '../../delivery/coverage.js';
import type { HopObservation } from '../../hop/observation.js';
import { agentLeg } from '../facts.js';
import { counted, listed } from '../words.js';
import {
  behindDesync,
  type Conclusion,
  cutOff,
  has,
  isFound,
  isInside,
  nextCapture,
  open,
  outermostHop,
  type Question,
  ruledOut,
  supported,
  unackedConclusion,
} from './rule.js';
import { attemptsOf, examplePackets, lostElsewhere, packets } from './words.js';

export function agentCommandPath(question: Question): Conclusion {
  const { facts, each } = question;
  const ended = cutOff(question);
  if (ended !== null) return closedByAgent(question) ?? ended;
  const spoilt = behindDesync(question);
  if (spoilt !== null) return spoilt;
  if (has(question, 'ack-dropped', 'ack-lost') && isInside(question))
    return ruledOut(`the agent did answer: ${lostElsewhere(facts, each)}`);
  if (isFound(question, 'agent-ignores-commands')) {
    const { hop } = outermostHop(question);
    const pings = each.lives.reduce((sum, { answered }) => sum + answered, 0);
    return supported(
      `${attemptsOf(each)} TCP-ACKed from the agent's end${examplePackets(facts, each, hop)}, no CommandAck, and ${counted(pings, 'Ping')} after ${each.attempts === 1 ? 'it' : 'them'} answered on the same connection${each.failing.length === 1 ? '' : 's'}`,
    );
  }
  if (isFound(question, 'split-connection') && !has(question, 'unacked'))
    return open('commands went to an older connection than the one that the agent uses: see split-connection');
  if (isInside(question)) return ruledOut(`no command reached the agent: ${lostElsewhere(facts, each)}`);
  if (isFound(question, 'agent-unresponsive'))
    return open(
      'nothing at all returns, so whether a command brought it about cannot be seen: dump its threads before it is restarted',
    );
  if (isFound(question, 'agent-answers-nothing'))
    return open(
      'it answers neither Pings nor commands, so whether a command brought that about cannot be seen: dump its threads or tasks, and capture from before it begins',
    );
  if (has(question, 'unacked', 'behind') && !has(question, 'silent')) return unackedConclusion(question);
  if (each.sites.some(({ kind, how }) => kind === 'agent' && how === 'window'))
    return open('it does not read: whether a command brought that about cannot be seen; dump its threads');
  if (has(question, 'silent') && !isFound(question, 'middlebox-acks'))
    return open(
      `${attemptsOf(each)} TCP-ACKed from the agent's end and no CommandAck, but no Ping of the same time shows that it reads: capture for longer than two Ping intervals`,
    );
  return open(`not proven to have come to the agent: ${nextCapture(question)}`);
}

/** The agent's end itself closed each of these connections, just after it had TCP-ACKed a command: perhaps its process ends on it. */
function closedByAgent(question: Question): Conclusion | null {
  const { facts, each } = question;
  const told: string[] = [];
  for (const path of each.failing) {
    const leg = agentLeg(facts, path);
    if (leg === null || leg.connection.closedFrom !== 'client') return null;
    const { messages } = facts.views[leg.hop].observation as HopObservation;
    const rows = (facts.records.get(path)?.failed ?? [])
      .flatMap(({ threads }) => threads.map((thread) => path.fromServer.row(thread, leg.hop)))
      .filter((row) => row >= 0 && messages.tcpAckNs[row] <= leg.connection.closedNs);
    const row = rows.at(-1);
    if (row === undefined) return null;
    told.push(
      `${seconds(leg.connection.closedNs - messages.tcpAckNs[row])} after it had TCP-ACKed a command (${packets(facts, leg.hop, [messages.dataRefs(row)[0] ?? 0, messages.tcpAckRef[row], leg.connection.closedRef])})`,
    );
  }
  if (told.length === 0) return null;
  const words = `the agent's end closed ${told.length === 1 ? 'the connection' : 'the connections'} itself: ${listed(told)}`;
  return told.length === 1
    ? open(`${words}: look whether its process ends on the command, in its log and the service manager's`)
    : supported(`${words}: its process seems to end on them`);
}
