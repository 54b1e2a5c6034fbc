/**
 * What is kept of messages: columns of numbers, about 80 octets a row, no object per message and no payload.
 * In: message-reader.ts adds rows and completes them when they are TCP-ACKed. Out: path/ and delivery/ read the columns.
 * Times are nanoseconds since the observation's epoch, NaN where unknown; packets are running numbers of the hop, 0 for none.
 */

import { copied } from '../bytes/columns.js';
import { RefPool } from './ref-pool.js';

export const MessageFlag = {
  /** Sent by endpoint B of the connection. */
  fromB: 1,
  /** The stream ended inside the message. */
  partial: 2,
  /** Octets of it lie in a gap of the capture. */
  damaged: 4,
  compressed: 8,
  fragmented: 16,
  /** Compressed, and the context to inflate it is not known. */
  unreadable: 32,
  masked: 64,
  /** Not read here: another hop tells what stands at this place (path/carry-over.ts). */
  carried: 128,
  /** Not read whole, but what was read says what it is, and that it belongs to no command. */
  named: 256,
  /** No message: what else the frames of damaged ones may hold, which were several in one. */
  rest: 512,
} as const;

/**
 * Room for so many rows is set aside at once: memory that is never touched is never taken from the system, and growing would
 * copy. Beyond it the columns grow by half.
 */
const FIRST_ROWS = 1 << 19;

export class MessageTable {
  count = 0;
  connection = new Int32Array(FIRST_ROWS);
  flags = new Uint16Array(FIRST_ROWS);
  opcode = new Uint8Array(FIRST_ROWS);
  /** Stream offsets of the message's frames, first header to last octet (of a partial one: where it would have ended). */
  startOffset = new Float64Array(FIRST_ROWS);
  endOffset = new Float64Array(FIRST_ROWS);
  /** Decoded payload octets. */
  length = new Uint32Array(FIRST_ROWS);
  /** First octet first seen leaving; TCP ACK that covers all. */
  sentNs = new Float64Array(FIRST_ROWS);
  tcpAckNs = new Float64Array(FIRST_ROWS);
  firstRef = new Uint32Array(FIRST_ROWS);
  tcpAckRef = new Uint32Array(FIRST_ROWS);
  octetsSeen = new Uint32Array(FIRST_ROWS);
  retransmissions = new Uint16Array(FIRST_ROWS);
  /** Digest of the decoded payload's ends and length: equal on every leg, whatever a proxy did to the frames. */
  digest = new Int32Array(FIRST_ROWS);
  maskingKey = new Int32Array(FIRST_ROWS);
  /** Interned type and ID; -1 for none. */
  type = new Int32Array(FIRST_ROWS);
  id = new Int32Array(FIRST_ROWS);
  /** Pong of a Ping, Ping of a Pong; -1 for none. */
  pair = new Int32Array(FIRST_ROWS);
  /** Of fragmented messages with other frames between: where their own frames stand, start and end by turns. */
  readonly spans = new Map<number, Float64Array>();
  /** Where the data packets of a message that has several stand in the pool: their count, then the packets; 0 for none. */
  private moreAt = new Uint32Array(FIRST_ROWS);
  private readonly more = new RefPool();

  add(): number {
    if (this.count === this.connection.length) this.grow();
    const row = this.count++;
    this.type[row] = this.id[row] = this.pair[row] = -1;
    this.tcpAckNs[row] = Number.NaN;
    return row;
  }

  /** Octets of the message's own frames, headers included. */
  octets(row: number): number {
    const spans = this.spans.get(row);
    if (spans === undefined) return this.endOffset[row] - this.startOffset[row];
    let octets = 0;
    for (let i = 0; i < spans.length; i += 2) octets += spans[i + 1] - spans[i];
    return octets;
  }

  /** The running numbers of all packets that carried octets of the message. */
  dataRefs(row: number): number[] {
    const at = this.moreAt[row];
    if (at === 0) return this.firstRef[row] === 0 ? [] : [this.firstRef[row]];
    return this.more.list(at);
  }

  /** The first `count` of the list. */
  setDataRefs(row: number, refs: ArrayLike<number>, count = refs.length): void {
    this.firstRef[row] = count === 0 ? 0 : refs[0];
    this.moreAt[row] = count < 2 ? 0 : this.more.add(refs, count);
  }

  has(row: number, flag: number): boolean {
    return (this.flags[row] & flag) !== 0;
  }

  private grow(): void {
    const size = (this.count * 3) >> 1;
    this.connection = copied(this.connection, new Int32Array(size));
    this.flags = copied(this.flags, new Uint16Array(size));
    this.opcode = copied(this.opcode, new Uint8Array(size));
    this.startOffset = copied(this.startOffset, new Float64Array(size));
    this.endOffset = copied(this.endOffset, new Float64Array(size));
    this.length = copied(this.length, new Uint32Array(size));
    this.sentNs = copied(this.sentNs, new Float64Array(size));
    this.tcpAckNs = copied(this.tcpAckNs, new Float64Array(size));
    this.firstRef = copied(this.firstRef, new Uint32Array(size));
    this.tcpAckRef = copied(this.tcpAckRef, new Uint32Array(size));
    this.octetsSeen = copied(this.octetsSeen, new Uint32Array(size));
    this.retransmissions = copied(this.retransmissions, new Uint16Array(size));
    this.digest = copied(this.digest, new Int32Array(size));
    this.maskingKey = copied(this.maskingKey, new Int32Array(size));
    this.type = copied(this.type, new Int32Array(size));
    this.id = copied(this.id, new Int32Array(size));
    this.pair = copied(this.pair, new Int32Array(size));
    this.moreAt = copied(this.moreAt, new Uint32Array(size));
  }
}
