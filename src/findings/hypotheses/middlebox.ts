/** middlebox: something past the captured hops that ends TCP or takes Text out. Seldom ruled out without a capture at the agent. */

import { seconds } from '../../delivery/coverage.js';
import { agentLeg } from '../facts.js';
import { pingTimes } from '../middlebox-acks.js';
import {
  type Conclusion,
  cutOff,
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
import { allAttempts, lostElsewhere, pingPackets } from './words.js';

export function middlebox(question: Question): Conclusion {
  const { facts, each } = question;
  const ended = cutOff(question);
  if (ended !== null) return ended;
  const { name } = outermostHop(question);
  const path = pathWith(question, 'middlebox-acks');
  if (path !== null) {
    const times = pingTimes(facts, path);
    return supported(
      `past ${name} Pings are usually TCP-ACKed within ${seconds(times?.ackNs ?? 0)} and answered in ${seconds(times?.pongNs ?? 0)} at best: something nearer than the agent seems to end TCP (inferred)`,
    );
  }
  if (isInside(question)) return ruledOut(`lost before anything past ${name}: ${lostElsewhere(facts, each)}`);
  if (each.inconclusive) return open(`not followed to the agent: ${nextCapture(question)}`);
  for (const { path: failing } of each.lives) {
    const record = facts.records.get(failing);
    const first = Math.min(...(record?.failed.flatMap(({ timesNs }) => timesNs[0]) ?? []));
    if (record !== undefined && record.lastDeliveredNs > first && agentLeg(facts, failing) !== null)
      return ruledOut(`on ${failing.id} other commands were delivered after the first that failed: Text passes`);
  }
  if (has(question, 'unacked', 'behind'))
    return open(
      `nothing past ${name} TCP-ACKs it: a capture on both sides of each device there would tell whether one drops it`,
    );
  if (isFound(question, 'receiver-window-closed'))
    return open(`a device that ends TCP could close the window as well: ${nextCapture(question)}`);
  const life = each.lives.find(({ ping }) => ping !== null);
  const times = life === undefined ? null : pingTimes(facts, life.path);
  const alike =
    times === null
      ? ''
      : `TCP ACKs (${seconds(times.ackNs)}) and Pongs (${seconds(times.pongNs)} at best${life === undefined ? '' : `, ${pingPackets(facts, life)}`}) return alike, so nothing shows one; `;
  return open(`${alike}only a capture on the agent's machine tells whether ${allAttempts(each)} came out there`);
}
