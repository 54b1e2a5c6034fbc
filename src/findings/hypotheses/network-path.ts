/** network-path: whether packets were lost between the hops, or between the last one and the agent. */

import { seconds } from '../../delivery/coverage.js';
import { legName } from '../facts.js';
import { neverAcked } from '../tcp-waits.js';
import { counted } from '../words.js';
import {
  type Conclusion,
  endsAtAgent,
  has,
  isFound,
  nextCapture,
  open,
  outermostHop,
  pathWith,
  type Question,
  ruledOut,
  supported,
} from './rule.js';
import { ackWords, allAttempts, becameOf, examplePackets, lostElsewhere, packets, siteCount } from './words.js';

export function networkPath(question: Question): Conclusion {
  const { facts, found, each } = question;
  const lost = each.sites.find(({ how }) => how === 'unacked' || how === 'behind' || how === 'ack-lost');
  if (lost !== undefined) {
    const leg = lost.example?.path.legs[lost.hop] ?? null;
    const wait = leg === null ? null : neverAcked(leg);
    const tried =
      wait === null || lost.how === 'ack-lost'
        ? ''
        : `, sent again for ${seconds(wait.toNs - wait.fromNs)} (${packets(facts, lost.hop, leg?.connection.fromServer.unacked?.refs ?? [])})`;
    const talks =
      wait !== null && wait.leg.connection.fromClient.lastSeenNs > wait.fromNs + 1e9
        ? '; packets of the other end still arrive'
        : '';
    const size = isFound(question, 'large-frames-lost') ? '; only large ones: see path-mtu' : '';
    return supported(`${siteCount(lost)} ${becameOf(facts, lost)}${tried}${talks}${size}`);
  }
  const unread = pathWith(question, 'peer-unreachable');
  if (each.inconclusive && unread !== null) {
    const told = found.findings.find(({ id, agents }) => id === 'peer-unreachable' && agents.includes(each.agent));
    return supported(
      told?.evidence[0] === undefined
        ? 'see peer-unreachable'
        : `${told.evidence[0].text} (#${told.evidence[0].packets.join(',')}; see peer-unreachable)`,
    );
  }
  const elsewhere = found.findings.find(({ id, agents }) => id === 'peer-unreachable' && agents.length === 0);
  const heard = each.lives.some(({ answered }) => answered > 0);
  if (each.inconclusive && elsewhere !== undefined && !heard && each.failing.some((path) => path.legs.at(-1) === null))
    return open(
      `a connection that cannot be read is dead, and may be this agent's: ${elsewhere.evidence[0]?.text ?? 'see peer-unreachable'}`,
    );
  if (each.inconclusive) return open(`not followed to the agent: ${nextCapture(question)}`);
  const { name, hop } = outermostHop(question);
  if (has(question, 'silent', 'cut-off')) {
    if (isFound(question, 'middlebox-acks') || !endsAtAgent(question))
      return open(`TCP ACKs on ${legName(facts, hop)} need not be the agent's: ${nextCapture(question)}`);
    const tally = each.tallies[hop];
    if (tally.slowestAckNs > facts.court.ackTimeoutNs)
      return open(
        `TCP-ACKed on ${legName(facts, hop)} only after ${seconds(tally.slowestAckNs)}: a capture on the agent's machine would tell loss from a slow host`,
      );
    if (unread !== null)
      return open(
        `${allAttempts(each)} left ${name}, ${ackWords(tally)}; but what was sent on ${unread.id} later was never TCP-ACKed (peer-unreachable): whether commands were lost there, whole captures until their deadline would tell`,
      );
    const back = each.lives.reduce((sum, { answered }) => sum + answered, 0);
    return ruledOut(
      `${allAttempts(each)} left ${name}${examplePackets(facts, each, hop)}, ${ackWords(tally)}${back > 0 ? `; ${counted(back, 'Pong')} came back after them` : ''}`,
    );
  }
  if (has(question, 'window'))
    return ruledOut(`the other end TCP-ACKs and announces a closed window: packets pass, and nobody reads`);
  return ruledOut(lostElsewhere(facts, each));
}
