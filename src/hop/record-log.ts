/**
 * The undecrypted records of one direction with what TCP says of them: when they left, in which packets, when the TCP ACK covered them.
 * In: tls-layer.ts with records in stream order, and each advance of the TCP ACK. Out: rows of the record table. A row is completed when
 * it is added and again when it is TCP-ACKed, as a message's is: then the ledger may forget.
 */

import type { HalfStream } from '../tcp/half-stream.js';
import type { RecordTable } from './record-table.js';
import { RowList, RowQueue } from './row-list.js';
import { noteSent } from './sent-columns.js';

export class RecordLog {
  private readonly list = new RowList();
  /** Rows not yet TCP-ACKed. */
  private readonly waiting = new RowQueue();

  constructor(
    private readonly half: HalfStream,
    private readonly table: RecordTable,
  ) {}

  get rows(): Int32Array {
    return this.list.toArray();
  }

  add(from: number, to: number, flags: number): void {
    const row = this.table.add(from, to, flags);
    this.list.push(row, from);
    this.waiting.push(row);
    this.complete(row);
    this.acked();
  }

  acked(): void {
    const { waiting } = this;
    const { acks } = this.half;
    while (!waiting.isEmpty && this.table.to[waiting.at(0)] <= acks.offset) this.settle(waiting.shift());
    if (acks.hasSacked) for (let i = 0; i < waiting.length; i++) this.settle(waiting.at(i));
  }

  /** Octets from here on are still to be answered for. */
  needFrom(readerNeedsFrom: number): number {
    return this.waiting.isEmpty ? readerNeedsFrom : this.table.from[this.waiting.at(0)];
  }

  /** No packet will come any more: what was sent again without being TCP-ACKed is counted. */
  finish(): void {
    for (let i = 0; i < this.waiting.length; i++) this.complete(this.waiting.at(i));
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
    table.octetsSeen[row] = noteSent(table, row, this.half.ledger, table.from[row], table.to[row]);
  }
}
