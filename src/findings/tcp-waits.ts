/**
 * How long one leg could not move towards the agent, and why: nothing TCP-ACKed, or the window closed. In: an observation's blocked
 * intervals and what was left unacked. Out: rules peer-unreachable, large-frames-lost, receiver-window-closed.
 */

import { isSentInVain } from '../delivery/in-vain.js';
import type { Leg } from '../path/path.js';
import { type Facts, seenUntilNs } from './facts.js';

export interface Wait {
  leg: Leg;
  /** On the hop's own clock. */
  fromNs: number;
  toNs: number;
  /** It lasted to the end of what was seen. */
  open: boolean;
  ref: number;
  endRef: number;
}

/** What was sent and never TCP-ACKed, however often it was sent again; null where that did not happen or is not certain. */
export function neverAcked(leg: Leg): Wait | null {
  const { fromServer, fromClient } = leg.connection;
  const { unacked } = fromServer;
  if (unacked === null) return null;
  // One direction only: TCP ACKs could not be seen.
  if (fromClient.packets === 0 && !isSentInVain(fromServer, Number.NEGATIVE_INFINITY)) return null;
  const wait = fromServer.blocked.find((each) => each.kind === 'unacked' && each.toNs === Number.POSITIVE_INFINITY);
  if (wait === undefined || unacked.transmissions < LEAST_TRANSMISSIONS) return null;
  if (!(unacked.lastSentNs - wait.fromNs >= LEAST_WAIT_NS)) return null;
  return { leg, fromNs: wait.fromNs, toNs: unacked.lastSentNs, open: true, ref: wait.ref, endRef: 0 };
}

/** Fewer and shorter ones are everyday loss: exponential back-off sends the third one after a second or so (RFC 6298). */
const LEAST_TRANSMISSIONS = 3;
const LEAST_WAIT_NS = 1.2e9;

/** The longest time that the receiver's window was closed; null where that was no more than a moment. */
export function windowClosed(facts: Facts, leg: Leg): Wait | null {
  let longest: Wait | null = null;
  for (const each of leg.connection.fromServer.blocked) {
    if (each.kind !== 'window-closed') continue;
    const open = each.toNs === Number.POSITIVE_INFINITY;
    const toNs = open ? seenUntilNs(facts, leg) : each.toNs;
    if (toNs - each.fromNs < LEAST_CLOSED_NS) continue;
    if (longest === null || toNs - each.fromNs > longest.toNs - longest.fromNs)
      longest = { leg, fromNs: each.fromNs, toNs, open, ref: each.ref, endRef: each.endRef };
  }
  return longest;
}

const LEAST_CLOSED_NS = 2e9;

/** Of a path's legs the outermost for which there is an answer: further in the same wait is back-pressure. */
export function outermost<T>(legs: readonly (Leg | null)[], ask: (leg: Leg) => T | null): T | null {
  for (let hop = legs.length - 1; hop >= 0; hop--) {
    const leg = legs[hop];
    const answer = leg === null ? null : ask(leg);
    if (answer !== null) return answer;
  }
  return null;
}
