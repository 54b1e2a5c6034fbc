/**
 * Whether an agent can read what is sent to it as frames: a stream that was spoilt once stays spoilt, and a capture that starts later
 * finds whole frames in it all the same. In: an agent's path. Out: agent-answers-nothing and the hypotheses about agent and proxies.
 */

import type { HopObservation } from '../hop/observation.js';
import { commonNs, type Path } from '../path/path.js';
import { agentLeg, type Facts } from './facts.js';
import { pingLineOf } from './ping-line.js';

/** Followed from its first octet on, or shown to be in order by an answer of the agent's within the capture; and read whole since. */
export function isOrderKnown(facts: Facts, path: Path): boolean {
  const leg = agentLeg(facts, path);
  if (leg === null) return false;
  const { connection, hop } = leg;
  const { pings } = pingLineOf(facts.views[hop].observation as HopObservation, connection);
  const answered = pings.findLast(({ pongRow }) => pongRow >= 0);
  const begun = connection.fromServer.webSocketFrom >= 0 || (facts.records.get(path)?.delivered ?? 0) > 0;
  if (answered === undefined) return begun && isReadSince(facts, path, Number.NEGATIVE_INFINITY);
  return isReadSince(facts, path, commonNs(facts.views[hop], answered.sentNs));
}

/** Every octet to the agent was read from then on (common clock), on every leg that was captured. */
export function isReadSince({ views }: Facts, { legs }: Path, sinceNs: number): boolean {
  return legs.every((leg) => {
    if (leg === null) return true;
    const { blind, gaps } = leg.connection.fromServer;
    return [...blind, ...gaps].every(({ toNs }) => commonNs(views[leg.hop], toNs) < sinceNs);
  });
}

/** `the stream to it was spoilt before the capture of this connection began`. */
export function spoiltBefore(connections = 1): string {
  return connections === 1
    ? 'the stream to it was spoilt before the capture of this connection began'
    : 'the streams to them were spoilt before the capture of these connections began';
}
