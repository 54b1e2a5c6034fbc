/**
 * Reads the frames of one direction of a WebSocket connection whose frame boundary is known. Sans-IO: the same frames however
 * the octets are cut. A frame that lies in one view is handed on in place; one that spans views is copied together, and no more is ever
 * allocated than octets came. In: frame-stream.ts. Out: the sink. RFC 6455 section 5.
 */

import { Frame, headerFault } from './frame.js';

export interface FrameSink {
  /** A frame is whole (or damaged, or partial at the end of the stream). Valid for the call only. */
  frame(frame: Frame): void;
}

/** Fewer octets are copied sooner one by one than through a view. */
const SHORT_COPY = 128;
/** Longer payloads are counted, not kept: 4 MiB hold any command. */
const MAX_KEPT_PAYLOAD = 4 << 20;
const HEADER_OCTETS = 14;
const NOTHING = new Uint8Array(0);
/** Buffers of frames that are done, for the next ones: of thousands of connections few are within a frame at one time. */
const spare: Uint8Array[] = [];
const MAX_SPARE = 8;
const MAX_SPARE_OCTETS = 65536;

export class FrameReader {
  readonly frame = new Frame();
  /** Set where octets stand that cannot be a frame: nothing is read any more. */
  fault: string | null = null;
  rsv1Allowed = true;
  private header = NOTHING;
  private headerHad = 0;
  private inPayload = false;
  private remaining = 0;
  private kept: Uint8Array = NOTHING;
  private keptLength = 0;

  constructor(private readonly sink: FrameSink) {}

  /** Stream offset at which the frame in progress began, or the next one will. */
  get boundary(): number {
    return this.inPayload || this.headerHad > 0 ? this.frame.startOffset : this.position;
  }
  private position = 0;

  get midFrame(): boolean {
    return this.inPayload || this.headerHad > 0;
  }

  /** A frame starts at this offset. */
  startAt(offset: number): void {
    this.fault = null;
    this.inPayload = false;
    this.headerHad = 0;
    this.keptLength = 0;
    this.position = offset;
  }

  /** Returns how far it read: `end`, or where the octets stopped being frames. */
  read(bytes: Uint8Array, start: number, end: number, offset: number): number {
    let p = start;
    const shift = offset - start;
    while (p < end) {
      if (!this.inPayload) {
        if (this.headerHad === 0) this.frame.startOffset = p + shift;
        const after = this.headerHad === 0 ? this.headerInPlace(bytes, p, end) : this.headerAcross(bytes, p, end);
        if (this.fault !== null) return p;
        p = after;
        if (!this.inPayload) break;
        if (this.remaining > 0 && p >= end) break;
      }
      const take = Math.min(this.remaining, end - p);
      if (take === this.remaining && this.keptLength === 0 && !this.frame.damaged) {
        this.remaining = 0;
        this.emit(bytes, p, p + take);
      } else {
        this.keep(bytes, p, p + take);
        this.remaining -= take;
        if (this.remaining === 0) this.emit(this.kept, 0, this.keptLength);
      }
      p += take;
    }
    this.position = end + shift;
    return p;
  }

  /** Octets [from, to) will not come. True where the frame boundary is still known behind them. */
  gap(from: number, to: number): boolean {
    if (!this.inPayload) return false;
    this.frame.damaged = true;
    const known = to - from <= this.remaining;
    this.remaining = known ? this.remaining - (to - from) : 0;
    if (this.remaining === 0) this.emit(this.kept, 0, this.keptLength);
    this.position = to;
    return known;
  }

  /** The stream is over. A frame in progress is handed on as partial if its header is whole. */
  finish(): void {
    if (!this.inPayload) return;
    this.frame.partial = true;
    this.emit(this.kept, 0, this.keptLength);
  }

  /** The frame in progress, if its header is whole. */
  get inProgress(): Frame | null {
    return this.inPayload ? this.frame : null;
  }

  private emit(bytes: Uint8Array, start: number, end: number): void {
    const { frame } = this;
    frame.bytes = bytes;
    frame.payloadStart = start;
    frame.payloadEnd = end;
    this.inPayload = false;
    this.headerHad = 0;
    this.sink.frame(frame);
    this.keptLength = 0;
    if (this.kept !== NOTHING) this.giveBack();
    frame.damaged = false;
    frame.partial = false;
  }

  private keep(bytes: Uint8Array, start: number, end: number): void {
    if (this.frame.damaged) return; // behind a hole nothing can be placed
    const length = Math.min(end - start, MAX_KEPT_PAYLOAD - this.keptLength);
    if (this.keptLength + length > this.kept.length) {
      this.enlarge(this.keptLength + length);
    }
    if (length < SHORT_COPY) for (let i = 0; i < length; i++) this.kept[this.keptLength + i] = bytes[start + i];
    else this.kept.set(bytes.subarray(start, start + length), this.keptLength);
    this.keptLength += length;
  }

  private enlarge(octets: number): void {
    if (this.kept === NOTHING && spare.length > 0) this.kept = spare.pop() as Uint8Array;
    if (this.kept.length >= octets) return;
    const kept = new Uint8Array(Math.min(Math.max(1024, this.kept.length * 2, octets), MAX_KEPT_PAYLOAD));
    kept.set(this.kept.subarray(0, this.keptLength));
    this.kept = kept;
  }

  private giveBack(): void {
    if (this.kept.length <= MAX_SPARE_OCTETS && spare.length < MAX_SPARE) spare.push(this.kept);
    this.kept = NOTHING;
  }

  private headerInPlace(bytes: Uint8Array, p: number, end: number): number {
    if (end - p >= 2) {
      const length = headerLength(bytes[p + 1]);
      if (end - p >= length) {
        this.parse(bytes, p);
        return p + length;
      }
    }
    return this.headerAcross(bytes, p, end);
  }

  private headerAcross(bytes: Uint8Array, p: number, end: number): number {
    if (this.header === NOTHING) this.header = new Uint8Array(HEADER_OCTETS);
    const { header } = this;
    while (p < end) {
      header[this.headerHad++] = bytes[p++];
      if (this.headerHad >= 2 && this.headerHad === headerLength(header[1])) {
        this.parse(header, 0);
        break;
      }
    }
    return p;
  }

  private parse(bytes: Uint8Array, p: number): void {
    const { frame } = this;
    const first = bytes[p];
    const second = bytes[p + 1];
    this.fault = headerFault(first, second, this.rsv1Allowed);
    if (this.fault !== null) return;
    frame.fin = (first & 0x80) !== 0;
    frame.rsv1 = (first & 0x40) !== 0;
    frame.opcode = first & 0x0f;
    frame.masked = (second & 0x80) !== 0;
    let length = second & 0x7f;
    let at = p + 2;
    if (length === 126) {
      length = (bytes[at] << 8) | bytes[at + 1];
      at += 2;
    } else if (length === 127) {
      const high = ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
      const low = ((bytes[at + 4] << 24) | (bytes[at + 5] << 16) | (bytes[at + 6] << 8) | bytes[at + 7]) >>> 0;
      if (high > 0x1fffff) {
        this.fault = 'a frame claims more than 2^53 octets';
        return;
      }
      length = high * 0x1_0000_0000 + low;
      at += 8;
    }
    frame.maskingKey = frame.masked
      ? bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
      : 0;
    if (frame.masked) at += 4;
    frame.payloadLength = length;
    frame.endOffset = frame.startOffset + (at - p) + length;
    this.inPayload = true;
    this.remaining = length;
  }
}

/** Octets of a header whose second octet is this. */
export function headerLength(second: number): number {
  const length = second & 0x7f;
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + ((second & 0x80) !== 0 ? 4 : 0);
}
