/**
 * Messages that a hop wrote anew: the same type and ID on both sides, and another content (JSON with other white space, keys in another order, a
 * field more). In: rows of two legs, and what was matched by content. Out: pairs of what is left, for align.ts. The proof is weaker than
 * content: a command that was offered again has the same ID, too, so that what tells them apart is their order and their time.
 */

import { MessageFlag, type MessageTable } from '../hop/message-table.js';
import type { ObservedHalf } from '../hop/observation.js';
import type { ByteStringTable } from '../message/byte-string-table.js';

export interface NamedRows {
  half: ObservedHalf;
  messages: MessageTable;
  /** Of its IDs; null where both sides are of one table. */
  strings: ByteStringTable | null;
}

const UNSOUND = MessageFlag.partial | MessageFlag.damaged | MessageFlag.unreadable;

/** What type and ID say; null where a message has not both, or was not read whole. */
function meaningOf({ messages, strings }: NamedRows, row: number): number | null {
  const [type, id] = [messages.type[row], messages.id[row]];
  if (type < 0 || id < 0 || (messages.flags[row] & UNSOUND) !== 0) return null;
  const [a, b] = strings === null ? [type, id] : [strings.hashOf(type), strings.hashOf(id)];
  return Math.imul(a, 0x85ebca6b) ^ b;
}

function isRewritten(inner: NamedRows, i: number, outer: NamedRows, o: number): boolean {
  if (inner.messages.digest[i] === outer.messages.digest[o]) return false;
  const meaning = meaningOf(inner, i);
  return meaning !== null && meaning === meaningOf(outer, o);
}

/** By position, of messages that no content matched: those whose type and ID occur once on each side. */
export function rewrittenOnce(
  inner: NamedRows,
  outer: NamedRows,
  matched: readonly [number, number][],
): [number, number][] {
  const [left, right] = [0, 1].map((k) => new Set(matched.map((pair) => pair[k])));
  const wanted = onceOf(outer, right);
  if (wanted.size === 0) return [];
  const pairs: [number, number][] = [];
  for (const [meaning, i] of onceOf(inner, left)) {
    const o = wanted.get(meaning);
    if (o !== undefined && isRewritten(inner, inner.half.rows[i], outer, outer.half.rows[o])) pairs.push([i, o]);
  }
  return pairs;
}

/** Type and ID that occur once, by position; those of what is matched by content left out. */
function onceOf(side: NamedRows, matched: ReadonlySet<number>): Map<number, number> {
  const positions = new Map<number, number>();
  const twice = new Set<number>();
  side.half.rows.forEach((row, position) => {
    const meaning = meaningOf(side, row);
    if (meaning === null) return;
    if (positions.has(meaning)) twice.add(meaning);
    positions.set(meaning, position);
  });
  for (const [meaning, position] of positions)
    if (twice.has(meaning) || matched.has(position)) positions.delete(meaning);
  return positions;
}

/**
 * Completes `result` (by outer position the inner one, or -1) between what is matched already, from the end backwards. `fits` tells whether two
 * rows may be one message by their times.
 */
export function matchRewritten(
  inner: NamedRows,
  outer: NamedRows,
  result: Int32Array,
  fits: (innerRow: number, outerRow: number) => boolean,
): void {
  const taken = new Set(result);
  let before = inner.half.rows.length;
  for (let o = result.length - 1; o >= 0; o--) {
    if (result[o] >= 0) {
      before = result[o];
      continue;
    }
    const row = outer.half.rows[o];
    if (meaningOf(outer, row) === null) continue;
    for (let i = before - 1; i >= 0 && !taken.has(i); i--) {
      const other = inner.half.rows[i];
      if (!isRewritten(inner, other, outer, row) || !fits(other, row)) continue;
      result[o] = before = i;
      break;
    }
  }
}
