/**
 * The frames of one direction, whatever happens to it: read while the boundary is known, looked for while it is not.
 * In: hop/ with octets in order and gaps. Out: the sink gets frames, and spans that could not be decoded. RFC 6455.
 */

import type { Frame } from './frame.js';
import { FrameReader, type FrameSink } from './frame-reader.js';
import { boundaryBits, findBoundary, type SearchHint } from './frame-search.js';

export interface FrameStreamSink extends FrameSink {
  /** Octets [from, to) could not be read as frames; what stands there is unknown. */
  undecoded(from: number, to: number, why: string): void;
}

const MAX_SEARCHED = 128 << 10;
/** More is a hole, behind which frames are looked for anew. */
const MAX_LEAP = 4096;
const NOTHING = new Uint8Array(0);
const NONE: number[] = [];

export class FrameStream implements FrameSink {
  readonly reader: FrameReader;
  /** Offset at which what is being searched begins; NaN while the boundary is known. */
  private searchFrom = Number.NaN;
  private why = '';
  private buffer: Uint8Array = NOTHING;
  private length = 0;
  private boundaries: number[] = NONE;
  /** What of it was not captured, start and end by turns. */
  private unknown: number[] = NONE;
  private nextSweep = 1024;
  /** Frames were read, so that this is WebSocket for certain. */
  frames = 0;

  /** Bits of evidence by which the boundary was found where no handshake told it, the least of several times; NaN for never. */
  foundByBits = Number.NaN;

  constructor(
    private readonly sink: FrameStreamSink,
    readonly hint: SearchHint,
  ) {
    this.reader = new FrameReader(this);
  }

  frame(frame: Frame): void {
    this.frames++;
    this.sink.frame(frame);
  }

  get searching(): boolean {
    return this.searchFrom >= 0;
  }

  /** Octets from here on are not yet answered for. */
  get needFrom(): number {
    return this.searching ? this.searchFrom : this.reader.boundary;
  }

  get searched(): number {
    return this.length;
  }

  startAt(offset: number): void {
    this.searchFrom = Number.NaN;
    this.reader.startAt(offset);
  }

  search(offset: number, why: string): void {
    this.searchFrom = offset;
    this.why = why;
    this.length = 0;
    this.boundaries = NONE;
    this.unknown = NONE;
    this.nextSweep = 1024;
  }

  read(bytes: Uint8Array, start: number, end: number, offset: number): void {
    if (this.searching) {
      this.collect(bytes, start, end, offset);
      return;
    }
    const stopped = this.reader.read(bytes, start, end, offset);
    if (this.reader.fault === null) return;
    const at = this.reader.frame.startOffset;
    this.search(at, `no WebSocket frame can start here: ${this.reader.fault}`);
    this.collect(bytes, stopped, end, offset + (stopped - start));
  }

  gap(from: number, to: number): void {
    if (this.searching) {
      this.attempt(to - from > MAX_LEAP || this.length < 1024);
      if (this.searching) {
        this.leap(from, to);
        return;
      }
    }
    const { reader } = this;
    if (reader.gap(from, to)) return;
    // What was read of a header is not known, and the rest of a frame that reaches into the hole is.
    const unknownFrom = reader.midFrame ? reader.boundary : Math.max(from, Math.min(to, reader.frame.endOffset));
    this.search(unknownFrom, 'octets before it are missing from the capture');
  }

  finish(): void {
    if (this.searching) this.attempt(true);
    if (this.searching) {
      if (this.length > 0) this.sink.undecoded(this.searchFrom, this.searchFrom + this.length, this.why);
    } else this.reader.finish();
  }

  /** Frames are looked for on both sides of what was not captured: of cut packets only together are there enough. */
  private leap(from: number, to: number): void {
    if (this.length === 0 || from !== this.searchFrom + this.length || to - from > MAX_LEAP) {
      if (this.length > 0) this.sink.undecoded(this.searchFrom, this.searchFrom + this.length, this.why);
      this.search(this.searchFrom + this.length, this.why);
      return;
    }
    if (this.length + to - from > MAX_SEARCHED) this.discard();
    this.reserve(to - from);
    if (this.unknown === NONE) this.unknown = [];
    this.unknown.push(this.length, this.length + to - from);
    this.length += to - from;
  }

  private reserve(octets: number): void {
    if (this.length + octets <= this.buffer.length) return;
    const buffer = new Uint8Array(Math.max(4096, this.buffer.length * 2, this.length + octets));
    buffer.set(this.buffer.subarray(0, this.length));
    this.buffer = buffer;
  }

  private collect(bytes: Uint8Array, start: number, end: number, offset: number): void {
    if (this.length === 0) {
      if (offset > this.searchFrom) this.sink.undecoded(this.searchFrom, offset, this.why);
      this.searchFrom = offset;
    }
    if (this.length + end - start > MAX_SEARCHED) this.discard();
    this.reserve(end - start);
    if (this.boundaries === NONE) this.boundaries = [];
    this.boundaries.push(this.length);
    this.buffer.set(bytes.subarray(start, end), this.length);
    this.length += end - start;
    const sweep = this.length >= this.nextSweep;
    if (sweep) this.nextSweep = this.length * 2;
    this.attempt(sweep);
  }

  private attempt(everywhere: boolean): void {
    const at = findBoundary(this.buffer, this.length, this.boundaries, this.hint, everywhere, this.unknown);
    if (at < 0) return;
    const from = this.searchFrom;
    if (at > 0) this.sink.undecoded(from, from + at, this.why);
    const { buffer, length, unknown } = this;
    const bits = boundaryBits(buffer, length, this.boundaries, this.hint, at, unknown);
    if (!(bits >= this.foundByBits)) this.foundByBits = bits;
    this.startAt(from + at);
    this.buffer = NOTHING;
    this.boundaries = NONE;
    this.unknown = NONE;
    this.length = 0;
    let p = at;
    for (let i = 0; i < unknown.length; i += 2) {
      const [start, end] = [unknown[i], unknown[i + 1]];
      if (end <= p) continue;
      if (start > p) this.read(buffer, p, start, from + p);
      this.gap(from + start, from + end);
      p = end;
    }
    if (p < length) this.read(buffer, p, length, from + p);
  }

  /** The older half has had its chance. */
  private discard(): void {
    const half = this.length >> 1;
    this.sink.undecoded(this.searchFrom, this.searchFrom + half, this.why);
    this.buffer.copyWithin(0, half, this.length);
    this.length -= half;
    this.searchFrom += half;
    this.boundaries = this.boundaries.filter((position) => position >= half).map((position) => position - half);
    if (this.unknown.length > 0) this.unknown = shifted(this.unknown, half);
    this.nextSweep = this.length;
  }
}

/** Stretches, start and end by turns, without what lies before `from`, counted from there. */
function shifted(stretches: readonly number[], from: number): number[] {
  const left: number[] = [];
  for (let i = 0; i < stretches.length; i += 2)
    if (stretches[i + 1] > from) left.push(Math.max(0, stretches[i] - from), stretches[i + 1] - from);
  return left;
}
