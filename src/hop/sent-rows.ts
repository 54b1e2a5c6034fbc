/**
 * The rows of one direction's messages: written when a message is whole, with the packets that carried it, and completed when a TCP ACK
 * covers it. In: message-reader.ts. Out: rows of the message table; to the ledger, what is still needed of it.
 * The offsets of messages are the stream's; where it was decrypted, `records` tells where its octets stood in TCP.
 */

import type { HalfStream } from '../tcp/half-stream.js';
import { type Frame, Opcode } from '../websocket/frame.js';
import type { HopContext } from './hop-context.js';
import { MessageFlag } from './message-table.js';
import type { RecordMap } from './record-map.js';
import { RowList, RowQueue } from './row-list.js';
import { noteSent } from './sent-columns.js';

const NONE: number[] = [];
/** In the place of an opcode: octets that no message was read from. */
const UNREAD = 0xff;
const MAX_UNREAD_ROWS = 1 << 17;
/** What is sent again is among the latest messages. */
const MAX_LOOKED_BACK = 256;

export class SentRows {
  /** Where the octets of a decrypted stream stood in TCP; null where they are TCP's own. */
  records: RecordMap | null = null;
  /** In the order in which the messages were complete; and those that could not be read whole. */
  readonly rows = new RowList();
  unsound: number[] = NONE;
  /** One row for each segment of which no message could be read; null for none. */
  unread: RowList | null = null;
  /** Rows of Pings that a TCP ACK covers. */
  pingsAcked = 0;
  /** Where the message at hand begins, and where its frames stand if others stand between: start and end by turns. */
  messageFrom = 0;
  spans: number[] = NONE;
  /** Rows not yet TCP-ACKed. */
  private readonly waiting = new RowQueue();

  constructor(
    private readonly half: HalfStream,
    private readonly context: HopContext,
    private readonly connection: { readonly connection: number },
  ) {}

  /** A message begins. */
  begin(offset: number): void {
    this.messageFrom = offset;
    if (this.spans.length > 0) this.spans = NONE;
  }

  addSpan(frame: Frame): void {
    if (this.spans === NONE) this.spans = [];
    const { spans } = this;
    if (spans.at(-1) === frame.startOffset) spans[spans.length - 1] = frame.endOffset;
    else spans.push(frame.startOffset, frame.endOffset);
  }

  /** The first octet that a row still waits for, `otherwise` where none does. */
  neededFrom(otherwise: number): number {
    return this.waiting.isEmpty ? otherwise : this.context.messages.startOffset[this.waiting.at(0)];
  }

  /** No TCP ACK will come any more: what waits for one waits in vain. */
  finish(): void {
    while (!this.waiting.isEmpty) {
      const row = this.waiting.shift();
      if (Number.isNaN(this.context.messages.tcpAckNs[row])) this.complete(row);
    }
  }

  /** The TCP ACK moved on: rows that it covers are complete. */
  acked(): void {
    const { waiting, half } = this;
    if (waiting.isEmpty) return;
    const { messages } = this.context;
    do {
      const row = waiting.at(0);
      const end = this.wireEnd(messages.endOffset[row]);
      if (end > half.acks.offset) break;
      if (end > half.acks.previous) this.settle(row, half.acks.timeNs, half.acks.ref);
      else this.settleCovered(row);
      waiting.shift();
    } while (!waiting.isEmpty);
    if (half.acks.hasSacked)
      for (let i = 0; i < waiting.length; i++) {
        const row = waiting.at(i);
        if (Number.isNaN(messages.tcpAckNs[row])) this.settleCovered(row);
      }
  }

  /** Offsets are read from the frame and not passed: doubles as arguments would be allocated. */
  keep(frame: Frame, opcode: number, length: number, digest: number, flags: number): number {
    const { messages, clock } = this.context;
    const { half } = this;
    const from = opcode >= Opcode.close ? frame.startOffset : this.messageFrom;
    const to = frame.endOffset;
    const row = messages.add();
    messages.connection[row] = this.connection.connection;
    messages.opcode[row] = opcode;
    messages.flags[row] = flags | (half.direction === 1 ? MessageFlag.fromB : 0);
    messages.startOffset[row] = from;
    messages.endOffset[row] = to;
    messages.length[row] = length;
    messages.digest[row] = digest;
    if (opcode < Opcode.close && this.spans.length > 2) messages.spans.set(row, Float64Array.from(this.spans));
    if (this.isFresh(from)) {
      messages.sentNs[row] = clock.timeNs;
      messages.firstRef[row] = clock.ref;
      messages.octetsSeen[row] = messages.octets(row);
    } else this.complete(row);
    this.rows.push(row, from);
    if ((flags & (MessageFlag.unreadable | MessageFlag.damaged)) !== 0) this.noteUnsound(row);
    if ((flags & MessageFlag.partial) === 0 && half.acks.offset >= this.wireEnd(to)) this.settleCovered(row);
    else this.waiting.push(row);
    return row;
  }

  /** Octets [from, to) could not be read: a row for each segment that carried some of them, so that TCP answers for what stood there. */
  keepUnread(from: number, to: number): void {
    const { messages } = this.context;
    const { half } = this;
    // Of decrypted streams the records are what was lost, not segments.
    if (this.records !== null || this.context.listing) return;
    const pieces = half.ledger.pieces(from, to);
    for (let i = 0; i < pieces.length && this.context.unreadRows < MAX_UNREAD_ROWS; i += 2) {
      const row = messages.add();
      this.context.unreadRows++;
      messages.connection[row] = this.connection.connection;
      messages.opcode[row] = UNREAD;
      messages.flags[row] = MessageFlag.damaged | (half.direction === 1 ? MessageFlag.fromB : 0);
      messages.startOffset[row] = pieces[i];
      messages.endOffset[row] = pieces[i + 1];
      this.complete(row);
      this.unread ??= new RowList();
      this.unread.push(row, pieces[i]);
      if (half.acks.offset >= pieces[i + 1]) this.settleCovered(row);
      else this.waiting.push(row);
    }
  }

  private noteUnsound(row: number): void {
    if (this.unsound === NONE) this.unsound = [];
    this.unsound.push(row);
  }

  /**
   * TCP octets that were TCP-ACKed came once more: the rows that they belong to are complete, and get the packet as well. Of decrypted streams the
   * place of old records is not known any more.
   */
  sentAgain(from: number, to: number): void {
    if (this.records !== null) return;
    const { messages, clock } = this.context;
    const { rows } = this;
    for (let i = rows.count - 1; i >= Math.max(0, rows.count - MAX_LOOKED_BACK); i--) {
      const row = rows.at(i);
      if (messages.endOffset[row] <= from) return;
      // Of one that waits, the ledger will tell.
      if (messages.startOffset[row] >= to || Number.isNaN(messages.tcpAckNs[row])) continue;
      messages.retransmissions[row] = Math.min(messages.retransmissions[row] + 1, 0xffff);
      messages.setDataRefs(row, [...messages.dataRefs(row), clock.ref]);
    }
  }

  /** By whichever TCP ACK or SACK covered it first, if one did. */
  private settleCovered(row: number): void {
    const { messages } = this.context;
    const from = this.wireStart(messages.startOffset[row]);
    const cover = this.half.acks.cover(from, this.wireEnd(messages.endOffset[row]));
    if (cover !== null) this.settle(row, cover.timeNs, cover.ref);
  }

  private settle(row: number, ackNs: number, ackRef: number): void {
    const { messages } = this.context;
    if (!Number.isNaN(messages.tcpAckNs[row])) return;
    if (this.wireStart(messages.startOffset[row]) < this.half.resentTo) this.complete(row);
    messages.tcpAckNs[row] = ackNs;
    if (messages.opcode[row] === Opcode.ping) this.pingsAcked++;
    messages.tcpAckRef[row] = ackRef;
  }

  /** Times and packets from the ledger. */
  private complete(row: number): void {
    const { messages } = this.context;
    const start = messages.startOffset[row];
    const end = messages.endOffset[row];
    const from = this.wireStart(start);
    const to = this.records === null ? end : this.records.endOfKnown(end);
    const spans = messages.spans.get(row);
    if (spans !== undefined) {
      this.completeSpans(row, spans);
      return;
    }
    messages.octetsSeen[row] = this.seen(start, end, noteSent(messages, row, this.half.ledger, from, to), from, to);
  }

  /** The same for a message with other frames between its own. */
  private completeSpans(row: number, spans: Float64Array): void {
    const { messages } = this.context;
    const refs = new Set<number>();
    let seen = 0;
    let resent = 0;
    for (let i = 0; i < spans.length; i += 2) {
      const from = this.wireStart(spans[i]);
      const to = this.records === null ? spans[i + 1] : this.records.endOfKnown(spans[i + 1]);
      const range = this.half.ledger.range(from, to);
      if (i === 0) messages.sentNs[row] = range.firstSentNs;
      seen += this.seen(spans[i], spans[i + 1], range.octetsSeen, from, to);
      resent += range.retransmissions;
      for (const ref of range.refs) refs.add(ref);
    }
    messages.octetsSeen[row] = seen;
    messages.retransmissions[row] = Math.min(resent, 0xffff);
    messages.setDataRefs(
      row,
      [...refs].sort((a, b) => a - b),
    );
  }

  // --- where the octets of the stream stood in TCP ------------------------------------------------------------------

  /** End of the stream so far. */
  get next(): number {
    return this.records === null ? this.half.next : this.records.next;
  }

  wireStart(offset: number): number {
    return this.records === null ? offset : this.records.startOf(offset);
  }

  wireEnd(offset: number): number {
    return this.records === null ? offset : this.records.endOf(offset);
  }

  /** All octets from here on left just now, in the packet at hand, and never before. */
  isFresh(from: number): boolean {
    return this.wireStart(from) >= this.half.freshFrom;
  }

  /** Octets of [start, end) that were seen, given how many of the TCP octets [from, to) that carried them were. */
  private seen(start: number, end: number, wireSeen: number, from: number, to: number): number {
    if (this.records === null) return wireSeen;
    return Math.max(0, Math.min(end, this.records.next) - start - (to - from - wireSeen));
  }
}
