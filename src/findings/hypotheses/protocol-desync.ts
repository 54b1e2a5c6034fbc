/** protocol-desync: octets that are no frame where one must start, so that the receiver cannot read on (after an oversized ConfigUpdate, say). */

import { clockTime } from '../cite.js';
import { counted } from '../words.js';
import { type Conclusion, cutOff, has, isInside, open, pathWith, type Question, ruledOut, supported } from './rule.js';
import { hopsRead, pingPackets } from './words.js';

export function protocolDesync(question: Question): Conclusion {
  const { facts, each } = question;
  const ended = cutOff(question);
  if (ended !== null) return ended;
  const desync = pathWith(question, 'protocol-desync');
  if (desync !== null) {
    const leg = desync.legs.find(
      (one) => one !== null && one.connection.fromServer.blind.length + one.connection.fromClient.blind.length > 0,
    );
    const span = leg == null ? undefined : [...leg.connection.fromServer.blind, ...leg.connection.fromClient.blind][0];
    const at =
      leg == null || span === undefined
        ? ''
        : ` at ${clockTime(facts.views[leg.hop], span.fromNs)} on ${facts.views[leg.hop].name}'s leg`;
    return supported(`octets that are no WebSocket frame${at}, on ${desync.id}`);
  }
  const paths = each.failing.length > 0 ? each.failing : each.paths;
  if (paths.length === 0) return open('no connection of the agent was captured');
  const unread = paths.find((path) =>
    path.legs.some(
      (leg) =>
        leg !== null && (leg.connection.fromServer.blind.length > 0 || leg.connection.fromServer.gaps.length > 0),
    ),
  );
  if (unread !== undefined)
    return open(
      `not every octet to the agent on ${unread.id} could be read: capture again without gaps, from before the connection opens`,
    );
  const half = each.sites.find(({ how }) => how === 'partial');
  if (half !== undefined)
    return ruledOut(
      `every frame that began was a valid one; the last on ${facts.views[half.hop].name}'s leg was only half written, and nothing came after it`,
    );
  const whole = `what left for the agent is whole frames to the end on every leg that was read (${hopsRead(facts, paths)})`;
  if (isInside(question)) return ruledOut(whole);
  if (has(question, 'unacked', 'behind') && !has(question, 'silent'))
    return ruledOut(`${whole}; what fails is TCP below them`);
  const answered = each.lives.reduce((sum, life) => sum + life.answered, 0);
  const shown = each.lives.find(({ ping }) => ping !== null);
  if (answered > 0 && shown !== undefined && each.lives.every((life) => life.answered > 0))
    return ruledOut(
      `${whole}, and ${counted(answered, 'Ping')} behind the commands in them were answered (${pingPackets(facts, shown)})`,
    );
  return open(
    `${whole}; whether the agent reads them so cannot be seen, since ${answered > 0 ? 'not on every connection a Ping was answered after them' : 'no Ping after them was answered'}: its log, or a capture on its machine`,
  );
}
