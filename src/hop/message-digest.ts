/**
 * A short mark of a message's content, by which hops and replies are compared. In: message-reader.ts with a decoded payload. Out: the
 * digest column of the message table.
 */

import { hashOctets } from '../bytes/hash.js';

const DIGEST_HEAD = 8;
/** Up to so many octets all are covered: in a Heartbeat the agent's name stands in the middle. */
const DIGEST_WHOLE = 96;
/** Octets at the end of a payload that its digest covers. */
export const DIGEST_TAIL = 24;

/** Of opcode, length and the decoded payload, of a longer one its two ends: cheap, and equal wherever the message is. */
export function digestOf(opcode: number, bytes: Uint8Array, start: number, end: number): number {
  const headEnd = Math.min(end, start + DIGEST_HEAD);
  const head = hashOctets(bytes, start, headEnd, Math.imul(0x811c9dc5 ^ opcode, 0x01000193) ^ (end - start));
  if (end <= headEnd) return head;
  const from = end - start <= DIGEST_WHOLE ? headEnd : Math.max(headEnd, end - DIGEST_TAIL);
  return hashOctets(bytes, from, end, head);
}
