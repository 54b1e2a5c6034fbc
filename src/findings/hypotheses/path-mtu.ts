/** path-mtu: whether only large packets are lost. RFC 791: every path takes packets of 576 octets, headers included. */

import { legName } from '../facts.js';
import { sentInward } from '../inward-unreachable.js';
import { sackedWords, segmentSizes } from '../large-frames-lost.js';
import { neverAcked, outermost } from '../tcp-waits.js';
import { tooBigOn } from '../too-big.js';
import {
  type Conclusion,
  endsAtAgent,
  has,
  isFound,
  isInside,
  nextCapture,
  open,
  outermostHop,
  pathWith,
  type Question,
  ruledOut,
  supported,
} from './rule.js';
import { lostElsewhere, packets } from './words.js';

const SMALL_OCTETS = 536;

export function pathMtu(question: Question): Conclusion {
  const { facts, each } = question;
  const large = pathWith(question, 'large-frames-lost');
  if (large !== null) {
    const leg = outermost(large.legs, neverAcked)?.leg;
    const { unacked } = leg?.connection.fromServer ?? { unacked: null };
    const hop = leg?.hop ?? 0;
    const errors = leg === undefined ? [] : tooBigOn(facts, leg);
    const passed = unacked !== null && unacked.sackedOctets > 0 ? `, while ${sackedWords(unacked)}` : '';
    const icmp =
      errors.length > 0
        ? `; ICMP says that they are too big (${packets(
            facts,
            hop,
            errors.map(({ ref }) => ref),
          )})`
        : '';
    return supported(
      `on ${legName(facts, hop)} segments of ${unacked === null ? '?' : segmentSizes(unacked)} octets were sent ${unacked?.transmissions} times and never TCP-ACKed (${packets(facts, hop, unacked?.refs ?? [])})${passed}${icmp}`,
    );
  }
  if (each.inconclusive) return open(`not followed to the agent: ${nextCapture(question)}`);
  if (has(question, 'unacked', 'behind')) return bySize(question);
  const answer = each.sites.find(({ how }) => how === 'ack-lost');
  if (answer !== undefined) {
    const waiting =
      answer.example === null ? null : (sentInward(facts, answer.example.path, answer.hop)?.unacked ?? null);
    if (waiting !== null && waiting.smallestOctets <= SMALL_OCTETS)
      return ruledOut(
        `even ${waiting.smallestOctets} octets are never TCP-ACKed on ${legName(facts, answer.hop)}, on their way back (${packets(facts, answer.hop + 1, waiting.refs)})`,
      );
    return open(
      `the size of what was lost on ${legName(facts, answer.hop)} is not known: a capture at its outer end would settle it`,
    );
  }
  if (has(question, 'silent', 'cut-off')) {
    if (isFound(question, 'middlebox-acks') || !endsAtAgent(question))
      return open(`TCP-ACKed by something before the agent: ${nextCapture(question)}`);
    const { hop } = outermostHop(question);
    const { fewestOctets, mostOctets } = each.tallies[hop];
    const sizes =
      fewestOctets === mostOctets ? `messages of ${mostOctets}` : `messages of ${fewestOctets} to ${mostOctets}`;
    return ruledOut(`${sizes} octets were TCP-ACKed whole on ${legName(facts, hop)}: size made no difference`);
  }
  if (isInside(question)) return ruledOut(lostElsewhere(facts, each));
  return ruledOut('packets are TCP-ACKed; it is the window that is closed');
}

function bySize({ facts, each }: Question): Conclusion {
  for (const path of each.failing) {
    const wait = outermost(path.legs, neverAcked);
    const unacked = wait?.leg.connection.fromServer.unacked ?? null;
    if (wait === null || unacked === null) continue;
    if (unacked.smallestOctets <= SMALL_OCTETS)
      return ruledOut(`even ${unacked.smallestOctets} octets are never TCP-ACKed on ${legName(facts, wait.leg.hop)}`);
    return open(
      `only segments of ${unacked.smallestOctets} octets and more wait on ${legName(facts, wait.leg.hop)}, nothing smaller was sent: ping -M do -s 1400 along it, and a capture with "icmp"`,
    );
  }
  return open('the segments that were not TCP-ACKed are not known: capture until one was sent again');
}
