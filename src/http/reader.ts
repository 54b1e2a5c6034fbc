/**
 * Reads one direction of an HTTP/1.1 connection: heads and bodies, one message after the other. Sans-IO: the same events
 * however the octets are cut. In: hop/ with octets in order. Out: the sink; after an Upgrade the rest is handed back.
 * RFC 9112 sections 6 and 7.
 */

import { type MessageHead, parseHead } from './message-head.js';

/** What follows a head: decided by the sink, which knows the request that a response answers. */
export type BodyRule = 'by-fields' | 'none' | 'upgraded' | 'hold';

export interface HttpSink {
  /** `from` and `to` are the stream offsets of the head, the empty line included. */
  head(head: MessageHead, from: number, to: number): BodyRule;
  body(bytes: Uint8Array, start: number, end: number): void;
  /** The message is whole; `to` is the offset after its last octet. */
  end(to: number): void;
}

const MAX_HEAD = 64 << 10;
const MAX_CHUNK_LINE = 4096;
const latin1 = new TextDecoder('latin1');

type State =
  | 'head'
  | 'length'
  | 'chunk-size'
  | 'chunk-data'
  | 'chunk-end'
  | 'trailer'
  | 'until-close'
  | 'stopped'
  | 'failed';

export class HttpReader {
  state: State = 'head';
  private readonly line = new ByteLine();
  private remaining = 0;
  private headFrom = 0;

  constructor(
    private readonly kind: 'request' | 'response',
    private readonly sink: HttpSink,
  ) {}

  /** Returns how far it read: less than `end` only after an Upgrade or on octets that are no HTTP. */
  read(bytes: Uint8Array, start: number, end: number, offset: number): number {
    let p = start;
    while (p < end && this.state !== 'stopped' && this.state !== 'failed') {
      if (this.state === 'head') p = this.readHead(bytes, p, end, offset + (p - start));
      else if (this.state === 'length' || this.state === 'chunk-data')
        p = this.readCounted(bytes, p, end, offset - start);
      else if (this.state === 'until-close') {
        this.sink.body(bytes, p, end);
        p = end;
      } else p = this.readLine(bytes, p, end, offset - start);
    }
    return p;
  }

  /** A gap: inside a body of known length it changes nothing about the framing; elsewhere the framing is lost. */
  gap(length: number, to: number): boolean {
    if (this.state === 'until-close') return true;
    if ((this.state === 'length' || this.state === 'chunk-data') && length <= this.remaining) {
      this.remaining -= length;
      if (this.remaining === 0) this.counted(to);
      return true;
    }
    this.state = 'failed';
    return false;
  }

  private readHead(bytes: Uint8Array, start: number, end: number, offset: number): number {
    if (this.line.length === 0) this.headFrom = offset;
    for (let p = start; p < end; p++) {
      const c = bytes[p];
      if (this.line.length === 0 && (c === 0x0d || c === 0x0a)) continue; // RFC 9112 section 2.2: empty lines before a request
      if (this.line.length === 0) this.headFrom = offset + (p - start);
      this.line.push(c);
      if (c !== 0x0a || !this.line.endsEmpty()) {
        if (this.line.length > MAX_HEAD) this.state = 'failed';
        if (this.state === 'failed') return p + 1;
        continue;
      }
      const head = parseHead(this.line.text());
      this.line.clear();
      if (head === null || head.kind !== this.kind) {
        this.state = 'failed';
        return p + 1;
      }
      const to = offset + (p - start) + 1;
      this.follow(head, this.sink.head(head, this.headFrom, to), to);
      return p + 1;
    }
    return end;
  }

  private follow(head: MessageHead, rule: BodyRule, to: number): void {
    if (rule === 'upgraded' || rule === 'hold') {
      this.state = 'stopped';
      return;
    }
    const length = head.fields.get('content-length');
    if (rule === 'none') this.sink.end(to);
    else if (head.fields.get('transfer-encoding')?.toLowerCase().includes('chunked')) this.state = 'chunk-size';
    else if (length !== undefined && /^\d{1,15}$/.test(length)) {
      this.remaining = Number(length);
      if (this.remaining > 0) this.state = 'length';
      else this.sink.end(to);
    } else if (this.kind === 'request') this.sink.end(to);
    else this.state = 'until-close';
  }

  private readCounted(bytes: Uint8Array, start: number, end: number, shift: number): number {
    const take = Math.min(this.remaining, end - start);
    this.sink.body(bytes, start, start + take);
    this.remaining -= take;
    if (this.remaining === 0) this.counted(start + take + shift);
    return start + take;
  }

  private counted(to: number): void {
    if (this.state === 'length') {
      this.state = 'head';
      this.sink.end(to);
    } else this.state = 'chunk-end';
  }

  /** Lines of the chunked coding: size, the empty one after the data, trailers (RFC 9112 section 7.1). */
  private readLine(bytes: Uint8Array, start: number, end: number, shift: number): number {
    for (let p = start; p < end; p++) {
      this.line.push(bytes[p]);
      if (bytes[p] !== 0x0a) {
        if (this.line.length > MAX_CHUNK_LINE) {
          this.state = 'failed';
          return p + 1;
        }
        continue;
      }
      const text = this.line.text().trim();
      this.line.clear();
      if (this.state === 'chunk-end') this.state = 'chunk-size';
      else if (this.state === 'chunk-size') this.chunk(text);
      else if (text === '') {
        this.state = 'head';
        this.sink.end(p + 1 + shift);
      }
      return p + 1;
    }
    return end;
  }

  private chunk(line: string): void {
    const size = /^([0-9a-fA-F]{1,12})(?:[ \t]*;.*)?$/.exec(line);
    if (size === null) {
      this.state = 'failed';
      return;
    }
    this.remaining = Number.parseInt(size[1], 16);
    this.state = this.remaining === 0 ? 'trailer' : 'chunk-data';
  }
}

const NOTHING = new Uint8Array(0);
/** For the next line: few connections are within a head at one time. */
let spareLine: Uint8Array = NOTHING;

/** Octets of a head or line until it is whole. */
class ByteLine {
  private bytes: Uint8Array = NOTHING;
  length = 0;

  push(octet: number): void {
    if (this.length === this.bytes.length) {
      this.enlarge();
    }
    this.bytes[this.length++] = octet;
  }

  /** Ends in an empty line, after at least one that is not. */
  endsEmpty(): boolean {
    const { bytes, length } = this;
    return (
      length >= 2 &&
      (bytes[length - 2] === 0x0a || (length >= 3 && bytes[length - 2] === 0x0d && bytes[length - 3] === 0x0a))
    );
  }

  text(): string {
    return latin1.decode(this.bytes.subarray(0, this.length));
  }

  clear(): void {
    this.length = 0;
    if (this.bytes.length <= 4096) spareLine = this.bytes;
    this.bytes = NOTHING;
  }

  private enlarge(): void {
    const { bytes } = this;
    if (bytes === NOTHING && spareLine !== NOTHING) {
      this.bytes = spareLine;
      spareLine = NOTHING;
      return;
    }
    this.bytes = new Uint8Array(Math.max(512, this.length * 2));
    this.bytes.set(bytes);
  }
}
