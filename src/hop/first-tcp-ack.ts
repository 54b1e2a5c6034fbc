/**
 * Whether the TCP ACK of a message that was captured may not be the first one. In: the row of a message at a hop. Out: delivery/, and findings/
 * that time TCP ACKs. No sequence number tells of a packet that only TCP-ACKs and that the capture lost; the next one covers the same octets, later.
 */

import { hasLost } from './loss-times.js';
import type { HopObservation } from './observation.js';

/** TCP ACKs come at once, or some 40 ms later: of one this quick nothing is worth doubting. */
const ACKED_SOON_NS = 20e6;

/** The capture is known to have lost packets between the message and its TCP ACK, so the delay is an upper bound. */
export function mayBeAckedEarlier(observation: HopObservation, row: number): boolean {
  const { sentNs, tcpAckNs } = observation.messages;
  return tcpAckNs[row] - sentNs[row] > ACKED_SOON_NS && hasLost(observation, sentNs[row], tcpAckNs[row]);
}
