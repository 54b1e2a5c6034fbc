/**
 * What a connection did after the first attempt on it that failed: Pings answered or not, and the agent's own messages. In: facts.
 * Out: AgentCase.
 */

import { blindness } from '../../delivery/coverage.js';
import type { HopObservation } from '../../hop/observation.js';
import { commonNs, type Leg, localNs, type Path } from '../../path/path.js';
import type { Facts, Failed } from '../facts.js';
import { type Ping, pingLineOf } from '../ping-line.js';

/** A Pong may take its time. */
const ANSWER_WITHIN_NS = 1e9;

/** What one connection did after the first attempt on it that failed. */
export interface Life {
  path: Path;
  /** Where Pings are counted. */
  hop: number;
  answered: number;
  /** TCP-ACKed, given time, and not answered; from before the command on if no other was answered in between. */
  unanswered: number;
  ping: Ping | null;
  unansweredPing: Ping | null;
  /** When the agent's last message came, where it came after that; common clock, NaN for none. */
  messageNs: number;
}

/** At the outermost hop that shows Pings answered: a Pong further in is the agent's as well, where the outer capture ends too soon. */
export function lifeOf(facts: Facts, path: Path, failed: readonly Failed[]): Life | null {
  let firstNs = Number.POSITIVE_INFINITY;
  for (const each of failed)
    if (each.path === path) for (const timeNs of each.timesNs) firstNs = Math.min(firstNs, timeNs);
  const legs = path.legs.filter((leg) => leg !== null).reverse();
  const [outermost] = legs;
  if (outermost === undefined) return null;
  // At whichever hop they came to: what is lost further in is not the agent's silence.
  let messageNs = Number.NaN;
  for (const each of legs) {
    const lastNs = commonNs(facts.views[each.hop], each.connection.fromClient.lastMessageNs);
    if (!(lastNs <= messageNs)) messageNs = Number.isNaN(lastNs) ? messageNs : lastNs;
  }
  const spoke = messageNs > firstNs ? messageNs : Number.NaN;
  for (const leg of legs) {
    const seen = pingsSince(facts, leg, firstNs);
    if (seen.answered > 0) return { path, ...seen, messageNs: spoke };
  }
  return { path, ...pingsSince(facts, outermost, firstNs), messageNs: spoke };
}

function pingsSince(facts: Facts, { hop, connection }: Leg, firstNs: number): Omit<Life, 'path' | 'messageNs'> {
  const view = facts.views[hop];
  const observation = view.observation as HopObservation;
  const fromNs = localNs(view, firstNs);
  const line = pingLineOf(observation, connection);
  const answered = line.between(fromNs, Number.POSITIVE_INFINITY).filter(({ pongRow }) => pongRow >= 0);
  const graceNs = Math.max(ANSWER_WITHIN_NS, 2 * line.slowestNs);
  const lastAnsweredNs = line.pings.findLast(({ pongRow }) => pongRow >= 0)?.sentNs ?? Number.NEGATIVE_INFINITY;
  // Those before the command as well, if none was answered since: some servers wait for the Pong before they send the next.
  const unanswered = line
    .between(Math.min(fromNs, lastAnsweredNs + 1), Number.POSITIVE_INFINITY)
    .filter(
      ({ pongRow, tcpAcked, sentNs }) =>
        pongRow < 0 &&
        tcpAcked &&
        sentNs + graceNs < observation.lastNs &&
        blindness(observation, connection, connection.fromClient, { fromNs: sentNs, toNs: sentNs + graceNs }) === null,
    );
  return {
    hop,
    answered: answered.length,
    unanswered: unanswered.length,
    ping: answered[0] ?? null,
    unansweredPing: unanswered[0] ?? null,
  };
}
