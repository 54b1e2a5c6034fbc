/**
 * Whether an agent can read what is sent to it as frames: a stream that was spoilt once stays spoilt, and a capture that starts later
 * finds whole frames in it all the same. In: an agent's path. Out: agent-answers-nothing and the hypotheses about agent and proxies.
 */

import type { HopObservation } from '../hop/observation.js';
import { commonNs, type Leg, type Path } from '../path/path.js';
import { agentLeg, type Facts } from './facts.js';
import { pingLineOf } from './ping-line.js';

/**
 * The leg to the agent was followed from its first octet on, or an answer of the agent's shows that it was in order then; and all of it was
 * read since.
 */
export function isOrderKnown(facts: Facts, path: Path): boolean {
  const leg = agentLeg(facts, path);
  if (leg === null) return false;
  const { connection, hop } = leg;
  const { pings } = pingLineOf(facts.views[hop].observation as HopObservation, connection);
  const answeredNs = pings.findLast(({ pongRow }) => pongRow >= 0)?.sentNs ?? Number.NEGATIVE_INFINITY;
  const begun = connection.fromServer.webSocketFrom >= 0 || (facts.records.get(path)?.delivered ?? 0) > 0;
  return (
    (begun || answeredNs > Number.NEGATIVE_INFINITY) && isReadSince(facts, leg, commonNs(facts.views[hop], answeredNs))
  );
}

/** Every octet to the agent was read on that leg from then on (common clock). */
export function isReadSince({ views }: Facts, { hop, connection }: Leg, sinceNs: number): boolean {
  const { blind, gaps } = connection.fromServer;
  return [...blind, ...gaps].every(({ toNs }) => commonNs(views[hop], toNs) < sinceNs);
}

/** `the stream to it was spoilt before the capture of this connection began`. */
export function spoiltBefore(connections = 1): string {
  return connections === 1
    ? 'the stream to it was spoilt before the capture of this connection began'
    : 'the streams to them were spoilt before the capture of these connections began';
}
