/**
 * Several messages in one: the objects of a JSON array (a JSON-RPC batch, say) or objects that follow one another (JSON lines).
 * In: hop/message-reader.ts with a decoded payload. Out: where each object stands. RFC 8259.
 */

import { skipNested } from './key-scan.js';

const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const COMMA = 0x2c;
const SPACE = 0x20;
const NONE: readonly number[] = [];
/** Each may become a row of the message table: of one message no more are told apart. */
const MAX_OBJECTS = 1024;

/**
 * Start and end of each object in turn; of the last one, if it is cut off, the end of the octets. Empty where anything but objects stands there:
 * such an array is one message, in an encoding of its own.
 */
export function objectsIn(bytes: Uint8Array, start: number, end: number): readonly number[] {
  let p = start;
  while (p < end && bytes[p] <= SPACE) p++;
  if (bytes[p] === OPENING_BRACKET) p++;
  const found: number[] = [];
  while (p < end) {
    const c = bytes[p];
    if (c === OPENING_BRACE) {
      const close = skipNested(bytes, p, end);
      if (found.push(p, close) >= MAX_OBJECTS * 2) return found;
      p = close;
    } else if (c === COMMA || c === CLOSING_BRACKET || c <= SPACE) p++;
    else return NONE;
  }
  return found;
}

/** Whether another object follows at `start`. */
export function anotherFollows(bytes: Uint8Array, start: number, end: number): boolean {
  let p = start;
  while (p < end && (bytes[p] <= SPACE || bytes[p] === COMMA)) p++;
  return p < end && bytes[p] === OPENING_BRACE;
}
