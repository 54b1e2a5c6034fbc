/**
 * The undecrypted records of one direction with what TCP says of them: when they left, in which packets, when the TCP ACK covered them.
 * In: tls-layer.ts with records in stream order, and each advance of the TCP ACK. Out: rows of the record table. A row is completed when
 * it is added and again when it is TCP-ACKed, as a message's is: then the ledger may forget.
 */

import type { HalfStream } from '../tcp/half-stream.js';
import type { RecordTable } from './record-table.js';

export class RecordLog {
  private list = new Int32Array(8);
  private count = 0;
  /** The oldest row that waits for its TCP ACK. */
  private waitingHead = 0;

  constructor(
    private readonly half: HalfStream,
    private readonly table: RecordTable,
  ) {}

  get rows(): Int32Array {
    return this.list.slice(0, this.count);
  }

  add(from: number, to: number, flags: number): void {
    if (this.count === this.list.length) {
      const list = new Int32Array(this.count * 2);
      list.set(this.list);
      this.list = list;
    }
    const row = this.table.add(from, to, flags);
    this.list[this.count++] = row;
    this.complete(row);
    this.acked();
  }

  acked(): void {
    const { acks } = this.half;
    while (this.waitingHead < this.count) {
      const row = this.list[this.waitingHead];
      if (this.table.to[row] > acks.offset) break;
      this.settle(row);
      this.waitingHead++;
    }
    if (acks.hasSacked) for (let i = this.waitingHead; i < this.count; i++) this.settle(this.list[i]);
  }

  /** Octets from here on are still to be answered for. */
  needFrom(readerNeedsFrom: number): number {
    return this.waitingHead < this.count ? this.table.from[this.list[this.waitingHead]] : readerNeedsFrom;
  }

  /** No packet will come any more: what was sent again without being TCP-ACKed is counted. */
  finish(): void {
    for (let i = this.waitingHead; i < this.count; i++) this.complete(this.list[i]);
  }

  private settle(row: number): void {
    const { table, half } = this;
    if (!Number.isNaN(table.tcpAckNs[row])) return;
    const cover = half.acks.cover(table.from[row], table.to[row]);
    if (cover === null) return;
    if (table.from[row] < half.resentTo) this.complete(row);
    table.tcpAckNs[row] = cover.timeNs;
    table.tcpAckRef[row] = cover.ref;
  }

  private complete(row: number): void {
    const { table } = this;
    const { ledger } = this.half;
    const from = table.from[row];
    const to = table.to[row];
    const carriers = ledger.carriersInTurn(from, to);
    if (carriers > 0) {
      table.sentNs[row] = ledger.soleTimeNs;
      table.octetsSeen[row] = to - from;
      table.setDataRefs(row, ledger.carriers, carriers);
      return;
    }
    const range = ledger.range(from, to);
    table.sentNs[row] = range.firstSentNs;
    table.octetsSeen[row] = range.octetsSeen;
    table.retransmissions[row] = Math.min(range.retransmissions, 0xffff);
    table.setDataRefs(row, range.refs, range.refs.length);
  }
}
