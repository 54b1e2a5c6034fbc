/**
 * What is kept of messages: columns of numbers, about 80 octets a row, no object per message and no payload.
 * In: message-reader.ts adds rows and completes them when they are TCP-ACKed. Out: path/ and delivery/ read the columns.
 * Times are nanoseconds since the observation's epoch, NaN where unknown; packets are running numbers of the hop, 0 for none.
 */

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
} as const;

/** Rows that address space is set aside for: 33 million, a capture of many millions of commands. */
const MAX_ROWS = 1 << 25;

/** Buffers that grow in place: the views on them follow, nothing is copied, and nothing old waits for the collector. */
class Columns {
  private rows = 64;
  private readonly buffers: { buffer: ArrayBuffer; octets: number }[] = [];

  of(octets: number): ArrayBuffer {
    const buffer = new ArrayBuffer(this.rows * octets, { maxByteLength: MAX_ROWS * octets });
    this.buffers.push({ buffer, octets });
    return buffer;
  }

  reserve(rows: number): void {
    if (rows <= this.rows) return;
    if (rows > MAX_ROWS) throw new RangeError(`more than ${MAX_ROWS} messages to keep: analyse the capture in parts`);
    this.rows = Math.min(MAX_ROWS, this.rows + Math.max(64, this.rows >> 1));
    for (const { buffer, octets } of this.buffers) buffer.resize(this.rows * octets);
  }
}

export class MessageTable {
  count = 0;
  private readonly columns = new Columns();
  readonly connection = new Int32Array(this.columns.of(Int32Array.BYTES_PER_ELEMENT));
  readonly flags = new Uint8Array(this.columns.of(Uint8Array.BYTES_PER_ELEMENT));
  readonly opcode = new Uint8Array(this.columns.of(Uint8Array.BYTES_PER_ELEMENT));
  /** Stream offsets of the message's frames, first header to last octet (of a partial one: where it would have ended). */
  readonly startOffset = new Float64Array(this.columns.of(Float64Array.BYTES_PER_ELEMENT));
  readonly endOffset = new Float64Array(this.columns.of(Float64Array.BYTES_PER_ELEMENT));
  /** Decoded payload octets. */
  readonly length = new Uint32Array(this.columns.of(Uint32Array.BYTES_PER_ELEMENT));
  /** First octet first seen leaving; TCP ACK that covers all. */
  readonly sentNs = new Float64Array(this.columns.of(Float64Array.BYTES_PER_ELEMENT));
  readonly tcpAckNs = new Float64Array(this.columns.of(Float64Array.BYTES_PER_ELEMENT));
  readonly firstRef = new Uint32Array(this.columns.of(Uint32Array.BYTES_PER_ELEMENT));
  readonly tcpAckRef = new Uint32Array(this.columns.of(Uint32Array.BYTES_PER_ELEMENT));
  readonly octetsSeen = new Uint32Array(this.columns.of(Uint32Array.BYTES_PER_ELEMENT));
  readonly retransmissions = new Uint16Array(this.columns.of(Uint16Array.BYTES_PER_ELEMENT));
  /** Digest of the decoded payload's ends and length: equal on every leg, whatever a proxy did to the frames. */
  readonly digest = new Int32Array(this.columns.of(Int32Array.BYTES_PER_ELEMENT));
  readonly maskingKey = new Int32Array(this.columns.of(Int32Array.BYTES_PER_ELEMENT));
  /** Interned type and ID; -1 for none. */
  readonly type = new Int32Array(this.columns.of(Int32Array.BYTES_PER_ELEMENT));
  readonly id = new Int32Array(this.columns.of(Int32Array.BYTES_PER_ELEMENT));
  /** Pong of a Ping, Ping of a Pong; -1 for none. */
  readonly pair = new Int32Array(this.columns.of(Int32Array.BYTES_PER_ELEMENT));
  /** Of fragmented messages with other frames between: where their own frames stand, start and end by turns. */
  readonly spans = new Map<number, Float64Array>();
  /** Where the data packets of a message that has several stand in the pool: their count, then the packets; 0 for none. */
  private readonly moreAt = new Uint32Array(this.columns.of(Uint32Array.BYTES_PER_ELEMENT));
  private pool = new Uint32Array(256);
  private poolUsed = 1;

  add(): number {
    this.columns.reserve(this.count + 1);
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
    const refs: number[] = [];
    for (let i = 1; i <= this.pool[at]; i++) refs.push(this.pool[at + i]);
    return refs;
  }

  setDataRefs(row: number, refs: readonly number[]): void {
    this.firstRef[row] = refs[0] ?? 0;
    if (refs.length < 2) return;
    if (this.poolUsed + refs.length + 1 > this.pool.length)
      this.pool = copied(this.pool, new Uint32Array(Math.max(this.pool.length * 2, this.poolUsed + refs.length + 1)));
    this.moreAt[row] = this.poolUsed;
    this.pool[this.poolUsed++] = refs.length;
    for (const ref of refs) this.pool[this.poolUsed++] = ref;
  }

  has(row: number, flag: number): boolean {
    return (this.flags[row] & flag) !== 0;
  }
}

function copied<T extends Int32Array | Uint32Array | Uint16Array | Uint8Array | Float64Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
