/**
 * A short mark of a message's content, by which hops and replies are compared. In: message-reader.ts with a decoded payload. Out: the
 * digest column of the message table.
 */

import { hashOctets } from '../bytes/hash.js';

const DIGEST_HEAD = 8;
/** Octets at the end of a payload that its digest covers. */
export const DIGEST_TAIL = 24;

/** Of opcode, length and both ends of the decoded payload: cheap, and equal wherever the message is. */
export function digestOf(opcode: number, bytes: Uint8Array, start: number, end: number): number {
  const headEnd = Math.min(end, start + DIGEST_HEAD);
  const head = hashOctets(bytes, start, headEnd, Math.imul(0x811c9dc5 ^ opcode, 0x01000193) ^ (end - start));
  return end <= headEnd ? head : hashOctets(bytes, Math.max(headEnd, end - DIGEST_TAIL), end, head);
}
