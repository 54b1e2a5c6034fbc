/** origin-write-path: whether the innermost hop itself wrote the commands, and wrote them whole. */

import { beyond, openPaths } from '../facts.js';
import { counted } from '../words.js';
import { type Conclusion, isFound, nextCapture, open, type Question, ruledOut, supported } from './rule.js';
import { ackWords, allAttempts, becameOf, examplePackets, packets, whereOf } from './words.js';

export function originWritePath(question: Question): Conclusion {
  const { facts, each } = question;
  const [{ name, observation }] = facts.views;
  const [tally] = each.tallies;
  const half = each.sites.find(({ how, hop }) => how === 'partial' && hop === 0);
  if (half !== undefined)
    return supported(`${counted(half.count, 'attempt')} ${becameOf(facts, half)}: its write never completed`);
  const unsent = each.sites.find(({ how, hop }) => how === 'unsent' && hop === 0);
  if (unsent !== undefined) return neverSent(question, unsent.count);
  const behind = each.sites.find(({ how }) => how === 'behind');
  if (behind !== undefined)
    return open(
      `${counted(behind.count, 'command')} never left ${name} while its connection took nothing more (${whereOf(facts, behind)}): back-pressure; ${name}'s log would tell what its write waited for`,
    );
  if (each.sites.some(({ how }) => how === 'window') && each.unsent.length > 0)
    return open(
      `${counted(each.unsent.length, 'command')} never left ${name} while TCP took nothing more (window closed): back-pressure; ${name}'s log would tell what its write waited for`,
    );
  if (tally.passed < each.attempts || each.attempts === 0)
    return open(
      observation === null
        ? `${name} was not captured: a capture there would settle it`
        : `not every attempt was seen whole at ${name}: ${nextCapture(question)}`,
    );
  if (observation === null || tally.left < each.attempts)
    return ruledOut(
      `${allAttempts(each)} ${each.attempts === 1 ? 'was' : 'were'} seen leaving a hop further out, so ${name} had written them`,
    );
  const seen = `${allAttempts(each)} left ${name} whole${examplePackets(facts, each, 0)}`;
  if (tally.acked === each.attempts) return ruledOut(`${seen}, ${ackWords(tally)}`);
  if (each.tallies.length > 1 && each.tallies[1].passed > 0)
    return ruledOut(`${seen}, and went on; ${each.attempts - tally.acked} of them were not TCP-ACKed`);
  return open(
    `${seen}, but ${each.attempts - tally.acked} were never TCP-ACKed by ${beyond(facts, each.failing[0], 0)}: a capture at its end would tell the leg from ${name}'s socket`,
  );
}

function neverSent(question: Question, count: number): Conclusion {
  const { facts, each } = question;
  const [{ name }] = facts.views;
  const connected = each.unsent.some(({ agent, askedNs }) => openPaths(facts, agent, askedNs).length > 0);
  const hop = facts.court.log.dispatches.get(each.unsent[0].command)?.hop ?? 0;
  const asked = packets(facts, hop, [each.unsent[0].dispatch?.askedRef ?? 0]);
  if (!connected)
    return open(
      `${counted(count, 'command')} asked for (${asked}) while no WebSocket of the agent was open at ${name}: nothing to write to; find out first why it was not connected`,
    );
  const everywhere = isFound(question, 'dispatch-stalled') ? ', as on every other connection (dispatch-stalled)' : '';
  return supported(
    `${counted(count, 'command')} asked for over HTTP (${asked}) with its WebSocket open, and no frame with ${count === 1 ? 'it' : 'them'} left ${name}${everywhere}`,
  );
}
