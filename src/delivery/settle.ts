/**
 * Which capture would settle what stays open (SPEC.md, `inconclusive`). In: an attempt, its states and the reply. Out: the end of its
 * reason, empty where the reason says it already.
 */

import type { HopView, Leg } from '../path/path.js';
import { seconds } from './coverage.js';
import type { Judged } from './hop-state.js';
import type { Attempt, JudgedReply } from './judge.js';

const SAID = 'would settle it';

/** A capture of one hop that leaves nothing open. */
export function wholeCapture({ name }: HopView, ackTimeoutNs: number): string {
  return `; a whole capture at ${name} (both directions, no gaps, -s 0) from before the connection opens to ${seconds(ackTimeoutNs)} after the command ${SAID}`;
}

export function settledBy(attempt: Attempt, reply: JudgedReply | null, reason: string): string {
  if (reason.includes(SAID)) return '';
  const { views, path, ackTimeoutNs } = attempt;
  if (attempt.steppedAt(attempt.sentNs, reply === null ? attempt.deadlineNs : reply.firstNs + ackTimeoutNs) !== null)
    return `; captures whose clocks nobody sets meanwhile ${SAID}`;
  const view = views[reply === null ? openHop(attempt.states) : openReplyHop(reply.states)];
  const leg = (reply?.path ?? path).legs[view.index] ?? null;
  if (view.observation === null) return `; a capture at ${view.name} ${SAID}`;
  const encrypted = leg === null ? view.observation.connections.some((each) => each?.protocol === 'tls') : false;
  if (encrypted || leg?.connection.alignment?.of === 'records')
    return isCut(leg) ? `; ${wholeAndKeys(view)}` : `; the TLS keys of ${view.name} (--keylog) ${SAID}`;
  return wholeCapture(view, ackTimeoutNs);
}

/** Keys open no records that were cut. */
function wholeAndKeys({ name }: HopView): string {
  return `whole packets at ${name} (-s 0), and the TLS keys (--keylog), ${SAID}`;
}

function isCut(leg: Leg | null): boolean {
  return leg !== null && leg.connection.fromServer.cutOctets + leg.connection.fromClient.cutOctets > 0;
}

/** Where the message was seen last, unless that hop's TCP ACK is known: then the next hop outward. */
function openHop(states: readonly Judged[]): number {
  const furthest = states.findLastIndex(({ sentNs }) => !Number.isNaN(sentNs));
  if (furthest >= 0 && states[furthest].state !== 'tcp-acked') return furthest;
  return Math.min(furthest + 1, states.length - 1);
}

/** The next hop inward of where the reply was seen last. */
function openReplyHop(states: readonly Judged[]): number {
  const innermost = states.findIndex(({ sentNs }) => !Number.isNaN(sentNs));
  return Math.max(0, innermost - 1);
}
