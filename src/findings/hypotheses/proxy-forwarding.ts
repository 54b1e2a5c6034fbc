/** proxy-forwarding:<hop>: whether a hop sent on what it took in, commands outward and CommandAcks inward. One for each hop but the innermost. */

import { clockTime } from '../cite.js';
import { agentLeg } from '../facts.js';
import { type Desync, desyncOn, suspectsOf } from '../protocol-desync.js';
import { isOrderKnown } from '../stream-order.js';
import { counted, listed } from '../words.js';
import {
  type Conclusion,
  has,
  isFound,
  nextCapture,
  open,
  placeOf,
  type Question,
  ruledOut,
  supported,
} from './rule.js';
import {
  ackWords,
  allAttempts,
  attemptsOf,
  becameOf,
  examplePackets,
  lostElsewhere,
  packets,
  rowPackets,
} from './words.js';

export function proxyForwarding(question: Question, hop: number): Conclusion {
  const { facts, each } = question;
  const { name, observation } = facts.views[hop];
  const spoilt = each.paths
    .map((path) => desyncOn(path, 'fromServer'))
    .find((desync) => desync !== null && suspectsOf(desync).includes(hop));
  if (spoilt != null) return spoiltConclusion(question, spoilt, name);
  const own = each.sites.filter((site) => site.kind === 'hop' && site.hop === hop);
  if (own.length > 0) {
    const [site] = own;
    const row = site.example === null ? -1 : site.example.path.fromServer.row(site.example.thread, hop - 1);
    const arrived = row >= 0 && site.how === 'dropped' ? ` (arrived in ${rowPackets(facts, hop - 1, row)})` : '';
    return supported(
      `${own.map((one) => `${counted(one.count, 'attempt')} ${becameOf(facts, one)}`).join('; ')}${arrived}`,
    );
  }
  if (each.sites.length > 0 && each.sites.every((site) => placeOf(question, site) < 2 * hop && !isAnswer(site.how)))
    return ruledOut(`none of them came as far as ${name}: ${lostElsewhere(facts, each)}`);
  const swallowed = each.answers?.find(({ hop: seen }) => hop <= seen && hop > innerCaptured(question, seen));
  if (swallowed !== undefined && !isFound(question, 'origin-restarted')) {
    const inner = facts.views[innerCaptured(question, swallowed.hop)]?.name;
    return open(
      `the agent's CommandAck came to ${facts.views[swallowed.hop].name} (${rowPackets(facts, swallowed.hop, swallowed.row)})${inner === undefined ? '' : ` and was not seen at ${inner}`}: whether ${name} sent it on, a capture on both sides of ${name} would tell`,
    );
  }
  const tally = each.tallies[hop];
  // What was lost before it never came to it.
  const before = each.sites
    .filter((site) => placeOf(question, site) < 2 * hop && site.how !== 'unsent' && !isAnswer(site.how))
    .reduce((sum, { count }) => sum + count, 0);
  if (each.attempts > 0 && tally.passed >= each.attempts - before) {
    if (each.mayHaveKept[hop])
      return open(
        `what came to ${name} from the server went on; whether a CommandAck came to it and went no further is not known: a capture at ${name} that is whole from before the command to the end of its deadline would settle it`,
      );
    if (observation === null || tally.left < tally.passed)
      return ruledOut(`what came to ${name} was seen leaving it further out (${counted(tally.passed, 'attempt')})`);
    const all = before > 0 ? `all ${tally.left} that came to it` : allAttempts(each);
    const passed = `${all} left ${name}${examplePackets(facts, each, hop)}, ${ackWords(tally)}`;
    // The agent answers nothing on a connection of which the beginning was not captured: its stream may have been spoilt here.
    const unsure = each.lives.some(
      ({ path, answered }) => answered === 0 && agentLeg(facts, path) !== null && !isOrderKnown(facts, path),
    );
    return unsure && has(question, 'silent')
      ? open(
          `${passed}; the agent answered no Ping after them, and not all that left for it from the connection's opening on was read: whether ${name} spoilt the stream, a capture without gaps from its next reconnect on would tell`,
        )
      : ruledOut(passed);
  }
  const waiting = each.sites.filter(
    ({ kind, how }) => (kind === 'leg' && how === 'unacked') || how === 'behind' || how === 'window',
  );
  const behind = waiting.filter((site) => placeOf(question, site) > 2 * hop).reduce((sum, { count }) => sum + count, 0);
  // TCP takes nothing more from it: what stays in the hop then is not dropped by it.
  if (behind > 0 && tally.passed === 0)
    return ruledOut(`what comes to ${name} waits there: ${lostElsewhere(facts, each)}`);
  if (behind >= each.attempts - before - tally.passed && behind > 0)
    return ruledOut(
      `${counted(tally.passed, 'attempt')} left ${name}${examplePackets(facts, each, hop)}, and the others wait behind them: ${lostElsewhere(facts, each)}`,
    );
  if (observation === null) return open(`${name} was not captured: a capture there would settle it`);
  const held = each.failing.every((path) => path.legs[hop] !== null);
  if (held)
    return open(
      `${each.attempts - before - tally.passed} of ${attemptsOf(each)} not seen leaving ${name}: a capture at ${name} that is whole from before the command to the end of its deadline would settle it`,
    );
  return open(
    `${each.attempts - before - tally.passed} of ${attemptsOf(each)} not seen leaving ${name}, for want of a capture that tells: ${nextCapture(question)}`,
  );
}

/** A stream that was spoilt at this hop, or at one of several. */
function spoiltConclusion({ facts }: Question, desync: Desync, name: string): Conclusion {
  const { hop, wholeAt, span } = desync;
  const view = facts.views[hop];
  const since = `from ${clockTime(view, span.fromNs)} on (${packets(facts, hop, [span.ref])})`;
  if (wholeAt < 0)
    return open(
      `what left ${view.name} is no stream of frames ${since}; whether it came so to ${name}, a capture further in that is whole from the connection's opening on would tell`,
    );
  const suspects = suspectsOf(desync).map((each) => facts.views[each].name);
  if (suspects.length === 1)
    return supported(
      `what came to it was whole frames, and what left ${view.name} is none ${since}: it, or something between the captures, changed the octets`,
    );
  return open(
    `what left ${facts.views[wholeAt].name} is whole frames, and what left ${view.name} is none ${since}: which of ${listed(suspects)} changed the octets, whole captures of both sides of each would tell`,
  );
}

/** The next hop inward of which there is a capture; -1 for none. */
function innerCaptured({ facts }: Question, hop: number): number {
  return facts.views.slice(0, hop).findLastIndex(({ observation }) => observation !== null);
}

function isAnswer(how: string): boolean {
  return how === 'ack-dropped' || how === 'ack-lost';
}
