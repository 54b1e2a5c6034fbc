/**
 * What a connection did after the first attempt on it that failed: Pings answered or not, and the agent's own messages. In: facts.
 * Out: AgentCase.
 */

import { blindness } from '../../delivery/coverage.js';
import type { HopObservation } from '../../hop/observation.js';
import { commonNs, localNs, type Path } from '../../path/path.js';
import type { Facts, Failed } from '../facts.js';
import { type Ping, pingLineOf } from '../ping-line.js';

/** A Pong may take its time. */
const ANSWER_WITHIN_NS = 1e9;

/** What one connection did after the first attempt on it that failed. */
export interface Life {
  path: Path;
  /** The outermost hop that saw it; Pings are counted there. */
  hop: number;
  answered: number;
  /** TCP-ACKed, given time, and not answered; from before the command on if no other was answered in between. */
  unanswered: number;
  ping: Ping | null;
  unansweredPing: Ping | null;
  /** When the agent's last message came, where it came after that; common clock, NaN for none. */
  messageNs: number;
}

export function lifeOf(facts: Facts, path: Path, failed: readonly Failed[]): Life | null {
  const hop = path.legs.findLastIndex((leg) => leg !== null);
  const leg = path.legs[hop];
  if (leg == null) return null;
  const view = facts.views[hop];
  const observation = view.observation as HopObservation;
  let firstNs = Number.POSITIVE_INFINITY;
  for (const each of failed)
    if (each.path === path) for (const timeNs of each.timesNs) firstNs = Math.min(firstNs, timeNs);
  const fromNs = localNs(view, firstNs);
  const line = pingLineOf(observation, leg.connection);
  const after = line.between(fromNs, Number.POSITIVE_INFINITY);
  const graceNs = Math.max(ANSWER_WITHIN_NS, 2 * line.slowestNs);
  const lastAnsweredNs = line.pings.findLast(({ pongRow }) => pongRow >= 0)?.sentNs ?? Number.NEGATIVE_INFINITY;
  // Those before the command as well, if none was answered since: some servers wait for the Pong before they send the next.
  const unanswered = line.between(Math.min(fromNs, lastAnsweredNs + 1), Number.POSITIVE_INFINITY).filter(
    ({ pongRow, tcpAcked, sentNs }) =>
      pongRow < 0 &&
      tcpAcked &&
      sentNs + graceNs < observation.lastNs &&
      blindness(observation, leg.connection, leg.connection.fromClient, {
        fromNs: sentNs,
        toNs: sentNs + graceNs,
      }) === null,
  );
  const answered = after.filter(({ pongRow }) => pongRow >= 0);
  // At whichever hop they came to: what is lost further in is not the agent's silence.
  let messageNs = Number.NaN;
  for (const each of path.legs) {
    if (each === null) continue;
    const lastNs = commonNs(facts.views[each.hop], each.connection.fromClient.lastMessageNs);
    if (!(lastNs <= messageNs)) messageNs = Number.isNaN(lastNs) ? messageNs : lastNs;
  }
  return {
    path,
    hop,
    answered: answered.length,
    unanswered: unanswered.length,
    ping: answered[0] ?? null,
    unansweredPing: unanswered[0] ?? null,
    messageNs: messageNs > firstNs ? messageNs : Number.NaN,
  };
}
