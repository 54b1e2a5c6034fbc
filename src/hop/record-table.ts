/**
 * The TLS records that nobody decrypts: columns of numbers, about 50 octets a row, no octet of their contents. In: record-log.ts.
 * Out: path/ aligns them with a plain leg. Offsets are TCP's, times nanoseconds since the observation's epoch (NaN where unknown),
 * packets running numbers of the hop.
 */

import { copied } from '../bytes/columns.js';
import { RefPool } from './ref-pool.js';

export const RecordFlag = {
  /** Octets of which it is not known how many records they held. */
  lost: 1,
  /** The stream ended within it. */
  partial: 2,
} as const;

/** Of all connections of a hop. Beyond, records are not kept, and their connections stay unread. */
const MAX_ROWS = 1 << 21;

export class RecordTable {
  count = 0;
  flags = new Uint8Array(16);
  /** Of the record, header included; of a partial one where it would have ended. */
  from = new Float64Array(16);
  to = new Float64Array(16);
  sentNs = new Float64Array(16);
  tcpAckNs = new Float64Array(16);
  tcpAckRef = new Uint32Array(16);
  octetsSeen = new Uint32Array(16);
  retransmissions = new Uint16Array(16);
  private firstRef = new Uint32Array(16);
  /** Where the packets of a record that came in several stand in the pool: their count, then the packets; 0 for none. */
  private moreAt = new Uint32Array(16);
  private readonly more = new RefPool();

  get isFull(): boolean {
    return this.count >= MAX_ROWS;
  }

  add(from: number, to: number, flags: number): number {
    if (this.count === this.from.length) this.grow();
    const row = this.count++;
    this.from[row] = from;
    this.to[row] = to;
    this.flags[row] = flags;
    this.sentNs[row] = Number.NaN;
    this.tcpAckNs[row] = Number.NaN;
    return row;
  }

  dataRefs(row: number): number[] {
    const at = this.moreAt[row];
    if (at === 0) return this.firstRef[row] === 0 ? [] : [this.firstRef[row]];
    return this.more.list(at);
  }

  setDataRefs(row: number, refs: ArrayLike<number>, count: number): void {
    this.firstRef[row] = count === 0 ? 0 : refs[0];
    this.moreAt[row] = count < 2 ? 0 : this.more.add(refs, count);
  }

  private grow(): void {
    const size = Math.max(1024, (this.count * 3) >> 1);
    this.flags = copied(this.flags, new Uint8Array(size));
    this.from = copied(this.from, new Float64Array(size));
    this.to = copied(this.to, new Float64Array(size));
    this.sentNs = copied(this.sentNs, new Float64Array(size));
    this.tcpAckNs = copied(this.tcpAckNs, new Float64Array(size));
    this.tcpAckRef = copied(this.tcpAckRef, new Uint32Array(size));
    this.octetsSeen = copied(this.octetsSeen, new Uint32Array(size));
    this.retransmissions = copied(this.retransmissions, new Uint16Array(size));
    this.firstRef = copied(this.firstRef, new Uint32Array(size));
    this.moreAt = copied(this.moreAt, new Uint32Array(size));
  }
}
