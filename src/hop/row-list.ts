/**
 * Numbers of rows of the message table, for one direction of a connection: most have few, some have thousands. In: sent-rows.ts.
 * Out: the observation.
 */

/** Connections by the thousand have no message at all: room is made with the first one. */
const FIRST_ROWS = 8;
const NO_ROWS = new Int32Array(0);

/** Row numbers in a column that grows, and whether they stand in stream order. */
export class RowList {
  private rows = NO_ROWS;
  private last = Number.NEGATIVE_INFINITY;
  count = 0;
  ordered = true;

  push(row: number, offset: number): void {
    if (this.count === this.rows.length) {
      const rows = new Int32Array(Math.max(FIRST_ROWS, this.count * 2));
      rows.set(this.rows);
      this.rows = rows;
    }
    this.rows[this.count++] = row;
    if (offset < this.last) this.ordered = false;
    this.last = offset;
  }

  /** The oldest is 0. */
  at(place: number): number {
    return this.rows[place];
  }

  toArray(): Int32Array {
    return this.count === 0 ? NO_ROWS : this.rows.slice(0, this.count);
  }
}

/** A queue of rows, oldest first. */
export class RowQueue {
  private rows = NO_ROWS;
  private head = 0;
  private end = 0;

  get isEmpty(): boolean {
    return this.head === this.end;
  }

  get length(): number {
    return this.end - this.head;
  }

  /** The oldest is 0. */
  at(place: number): number {
    return this.rows[this.head + place];
  }

  push(row: number): void {
    if (this.end === this.rows.length) {
      const live = this.rows.subarray(this.head);
      // Only where most of it is still waiting does it grow.
      const crowded = live.length * 2 > this.rows.length || live.length === 0;
      const rows = crowded ? new Int32Array(Math.max(FIRST_ROWS, this.rows.length * 2)) : this.rows;
      rows.set(live);
      this.rows = rows;
      this.end = live.length;
      this.head = 0;
    }
    this.rows[this.end++] = row;
  }

  shift(): number {
    const row = this.rows[this.head++];
    if (this.head === this.end) this.head = this.end = 0;
    return row;
  }
}
