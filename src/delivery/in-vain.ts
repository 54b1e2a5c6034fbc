/**
 * Whether a sender shows by itself that no TCP ACK came to it, where the capture holds no packet of the other direction. In: a half of a
 * connection. Out: hop-state.ts, judge.ts and the findings. RFC 6298: what is not TCP-ACKed is sent again, after twice as long each time.
 */

import type { ObservedHalf } from '../hop/observation.js';

/** What leaves so often was not TCP-ACKed in between, whatever the capture left out. */
export const SENT_IN_VAIN = 4;

/**
 * Its first octets that wait were sent again and again, nothing else since, and once more no earlier than `untilNs` (the capture's own clock):
 * none of them had been TCP-ACKed by then. A SACK of what follows them may have come.
 */
export function isSentInVain({ unacked, lastOctetsNs }: ObservedHalf, untilNs: number): boolean {
  if (unacked === null || unacked.transmissions < SENT_IN_VAIN) return false;
  return unacked.lastSentNs >= untilNs && lastOctetsNs <= unacked.lastSentNs;
}
