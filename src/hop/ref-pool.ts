/**
 * Lists of running packet numbers, of which most rows of a table have one number only and need no list. In: message-table.ts and
 * record-table.ts. Out: a place for each list, and the list again.
 */

import { copied } from '../bytes/columns.js';

export class RefPool {
  /** Lists one behind the other, each with its count before it. Place 0 is none. */
  private pool = new Uint32Array(64);
  private used = 1;

  /** Keeps the first `count` of the list; where it stands now. */
  add(refs: ArrayLike<number>, count: number): number {
    const at = this.used;
    if (at + count + 1 > this.pool.length)
      this.pool = copied(this.pool, new Uint32Array(Math.max(this.pool.length * 2, at + count + 1)));
    this.pool[this.used++] = count;
    for (let i = 0; i < count; i++) this.pool[this.used++] = refs[i];
    return at;
  }

  list(at: number): number[] {
    return Array.from(this.pool.subarray(at + 1, at + 1 + this.pool[at]));
  }
}
