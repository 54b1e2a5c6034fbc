/** agent-receive-loop: the agent's process does not read its socket any more, or hangs while it reads. */

import type { HopObservation } from '../../hop/observation.js';
import { localNs } from '../../path/path.js';
import { clockTime } from '../cite.js';
import { isOrderKnown } from '../stream-order.js';
import { counted } from '../words.js';
import {
  behindDesync,
  type Conclusion,
  cutOff,
  has,
  isFound,
  isInside,
  nextCapture,
  open,
  type Question,
  ruledOut,
  supported,
  unackedConclusion,
} from './rule.js';
import { lostElsewhere, packets, pingPackets } from './words.js';

export function agentReceiveLoop(question: Question): Conclusion {
  const { facts, found, each } = question;
  const ended = cutOff(question);
  if (ended !== null) return ended;
  const spoilt = behindDesync(question);
  if (spoilt !== null) return spoilt;
  if (isFound(question, 'agent-unresponsive')) {
    const pings = each.lives.reduce((sum, { unanswered }) => sum + unanswered, 0);
    return supported(
      `${pings === 0 ? 'Pings' : counted(pings, 'Ping')} since the last Pong ${pings === 1 ? 'was' : 'were'} TCP-ACKed and not answered, and no message came: the kernel lives, the process does not`,
    );
  }
  if (each.sites.some(({ kind, how }) => kind === 'agent' && how === 'window'))
    return supported('the agent keeps its TCP window closed: its process does not read its socket');
  if (isInside(question))
    return answeredWords(question) ?? ruledOut(`it does not come to that: ${lostElsewhere(facts, each)}`);
  if (has(question, 'unacked', 'behind')) return unackedConclusion(question);
  if (each.inconclusive) return answeredWords(question) ?? open(`not followed to the agent: ${nextCapture(question)}`);
  if (isFound(question, 'middlebox-acks'))
    return answeredWords(question) ?? open(`TCP ACKs need not be the agent's: ${nextCapture(question)}`);
  const stuck = each.lives.find(
    ({ path, answered, unanswered, messageNs }) =>
      answered === 0 &&
      (unanswered > 1 || (unanswered > 0 && found.has(path, 'agent-answers-nothing'))) &&
      !Number.isNaN(messageNs),
  );
  if (stuck?.unansweredPing != null) {
    const view = facts.views[stuck.hop];
    const { messages } = view.observation as HopObservation;
    const { row } = stuck.unansweredPing;
    const known = isOrderKnown(facts, stuck.path);
    const because = `${counted(stuck.unanswered, 'Ping')} ${known ? 'since the last Pong ' : ''}${stuck.unanswered === 1 ? 'was' : 'were'} TCP-ACKed and not answered (${packets(facts, stuck.hop, [messages.firstRef[row], messages.tcpAckRef[row]])}), while its own messages came until ${clockTime(view, localNs(view, stuck.messageNs))}: it sends, and does not handle what comes in`;
    return known
      ? supported(because)
      : open(
          `${because}, or the stream to it was spoilt where this capture cannot see it: a capture without gaps from its next reconnect on would tell`,
        );
  }
  return answeredWords(question) ?? open(`${unansweredWords(question)}: capture for longer than two Ping intervals`);
}

function unansweredWords({ each: { lives } }: Question): string {
  const heard = lives.filter(({ answered, unanswered }) => answered > 0 && unanswered === 0).length;
  if (heard === 0) return 'no Ping after the commands shows whether it reads on';
  return `Pings after the commands were answered on ${heard} of ${counted(lives.length, 'connection')}, so it read on there, and nothing shows whether it does on the others`;
}

/** Its WebSocket layer read past the commands on each connection. */
function answeredWords({ facts, each }: Question): Conclusion | null {
  if (each.lives.length === 0 || !each.lives.every(({ answered, unanswered }) => answered > 0 && unanswered === 0))
    return null;
  const total = each.lives.reduce((sum, { answered }) => sum + answered, 0);
  return ruledOut(
    `${counted(total, 'Ping')} sent after the first command that failed were answered on the same connection (${pingPackets(facts, each.lives[0])}): it reads on`,
  );
}
