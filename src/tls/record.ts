/**
 * Reads the records of one direction of a TLS connection. Sans-IO: the same records however the octets are cut. A record that lies in
 * one view is handed on in place; one that spans views is copied together. In: session.ts with octets in order, and gaps. Out: the
 * sink gets each record with its place in the TCP stream. RFC 8446 section 5.1, RFC 5246 section 6.2.
 *
 *   startOffset                                endOffset
 *   | type 1 | version 2 | length 2 | fragment |
 */

export const ContentType = {
  changeCipherSpec: 20,
  alert: 21,
  handshake: 22,
  applicationData: 23,
  heartbeat: 24,
} as const;

export const RECORD_HEADER = 5;
/** RFC 5246 section 6.2.3 allows 2048 octets beyond the plaintext's 2^14; TLS 1.3 fewer. */
const MAX_FRAGMENT = (1 << 14) + 2048;
/** While a record boundary is looked for: two records of the largest size hold at least one boundary. */
const MAX_SEARCHED = 2 * (MAX_FRAGMENT + RECORD_HEADER);
/** A boundary is believed at a place that starts as many headers in a row, or at one that ends with the octets at hand. */
const CHAIN = 3;

/** One record, header and fragment; valid for the call only. */
export class TlsRecord {
  type = 0;
  version = 0;
  bytes: Uint8Array = new Uint8Array(0);
  /** The header's first octet, and the fragment's first and last, in `bytes`. */
  headerAt = 0;
  start = 0;
  end = 0;
  /** Octets of the fragment that the header announces: more than there are where the stream ended within it. */
  length = 0;
  /** Octets of the fragment that are there, from its first one on. */
  available = 0;
  startOffset = 0;
  endOffset = 0;
}

export interface RecordSink {
  record(record: TlsRecord): void;
  /** The record whose header was read has a hole; the next one stands at its `endOffset`. */
  damaged(record: TlsRecord): void;
  /** Octets [from, to) hold records of which not even the number is known. */
  lost(from: number, to: number): void;
}

export class RecordReader {
  private readonly record = new TlsRecord();
  private buffer = new Uint8Array(0);
  private had = 0;
  /** Octets that a record still needs, of which a part fell into a hole. */
  private skipping = 0;
  private searching = false;
  private lostFrom = 0;
  private searchFrom = 0;
  /** Offset of the first octet that belongs to no whole record yet. */
  needFrom = 0;

  constructor(private readonly sink: RecordSink) {}

  /** The stream is not known from its beginning, or no record starts where one must. */
  search(offset: number): void {
    this.searching = true;
    this.lostFrom = offset;
    this.searchFrom = offset;
    this.had = 0;
    this.skipping = 0;
    this.needFrom = offset;
  }

  get isSearching(): boolean {
    return this.searching;
  }

  read(bytes: Uint8Array, start: number, end: number, offset: number): void {
    let p = start;
    const shift = offset - start;
    while (p < end) {
      if (this.searching) {
        this.collect(bytes, p, end, p + shift);
        return;
      }
      if (this.skipping > 0) {
        const skip = Math.min(this.skipping, end - p);
        this.skipping -= skip;
        p += skip;
        if (this.skipping === 0) this.skipped();
        continue;
      }
      if (this.had === 0) {
        this.needFrom = p + shift;
        if (end - p >= RECORD_HEADER) {
          if (!isHeader(bytes, p)) {
            this.search(p + shift);
            continue;
          }
          const length = (bytes[p + 3] << 8) | bytes[p + 4];
          const next = p + RECORD_HEADER + length;
          if (next <= end) {
            this.emit(bytes, p, length, p + shift);
            p = next;
            this.needFrom = p + shift;
            continue;
          }
        }
      }
      p = this.append(bytes, p, end);
    }
  }

  /** Octets [from, to) will not come. */
  gap(from: number, to: number): void {
    if (this.searching) {
      this.attempt(true);
      if (this.searching && this.endsInCut(to)) this.begin();
      if (this.searching) this.restartSearch(to);
      else this.gap(from, to);
      return;
    }
    if (this.skipping > 0 || (this.had >= RECORD_HEADER && isHeader(this.buffer, 0))) {
      const { record } = this;
      if (this.skipping === 0) {
        this.describe(this.buffer, 0, (this.buffer[3] << 8) | this.buffer[4], this.needFrom);
        record.available = this.had - RECORD_HEADER;
        this.skipping = record.endOffset - from;
      }
      if (to - from <= this.skipping) {
        this.skipping -= to - from;
        this.had = 0;
        if (this.skipping === 0) this.skipped();
        return;
      }
      this.sink.damaged(record);
      this.skipping = 0;
      this.search(record.endOffset);
      this.restartSearch(to);
      return;
    }
    this.search(this.needFrom);
    this.restartSearch(to);
  }

  /** The stream is over: the record in progress, as far as it is there; null where there is none. */
  finish(): TlsRecord | null {
    if (this.searching) {
      this.attempt(true);
      if (this.searching) {
        if (this.searchFrom + this.had > this.lostFrom) this.sink.lost(this.lostFrom, this.searchFrom + this.had);
        return null;
      }
    }
    if (this.skipping > 0) {
      this.sink.damaged(this.record);
      return null;
    }
    if (this.had <= RECORD_HEADER || !isHeader(this.buffer, 0)) return null;
    this.describe(this.buffer, 0, (this.buffer[3] << 8) | this.buffer[4], this.needFrom);
    this.record.end = this.had;
    this.record.endOffset = this.needFrom + this.had;
    return this.record;
  }

  private skipped(): void {
    this.needFrom = this.record.endOffset;
    this.sink.damaged(this.record);
  }

  /** Takes octets of the record in progress; returns the position behind those that it took. */
  private append(bytes: Uint8Array, p: number, end: number): number {
    while (p < end) {
      const wanted = this.had < RECORD_HEADER ? RECORD_HEADER : this.wanted();
      const take = Math.min(wanted - this.had, end - p);
      this.room(this.had + take);
      this.buffer.set(bytes.subarray(p, p + take), this.had);
      this.had += take;
      p += take;
      if (this.had < RECORD_HEADER) continue;
      if (!isHeader(this.buffer, 0)) {
        const head = this.buffer.slice(0, this.had);
        const at = this.needFrom;
        this.search(at);
        this.collect(head, 0, head.length, at);
        return p;
      }
      if (this.had < this.wanted()) continue;
      const length = this.had - RECORD_HEADER;
      this.had = 0;
      const at = this.needFrom;
      this.needFrom = at + RECORD_HEADER + length;
      this.emit(this.buffer, 0, length, at);
      return p;
    }
    return p;
  }

  private wanted(): number {
    return RECORD_HEADER + ((this.buffer[3] << 8) | this.buffer[4]);
  }

  private emit(bytes: Uint8Array, at: number, length: number, offset: number): void {
    this.describe(bytes, at, length, offset);
    this.sink.record(this.record);
  }

  private describe(bytes: Uint8Array, at: number, length: number, offset: number): void {
    const { record } = this;
    record.type = bytes[at];
    record.version = (bytes[at + 1] << 8) | bytes[at + 2];
    record.bytes = bytes;
    record.headerAt = at;
    record.start = at + RECORD_HEADER;
    record.length = length;
    record.available = length;
    record.end = record.start + length;
    record.startOffset = offset;
    record.endOffset = offset + RECORD_HEADER + length;
  }

  private room(length: number): void {
    if (length <= this.buffer.length) return;
    const buffer = new Uint8Array(Math.min(MAX_SEARCHED, Math.max(2048, this.buffer.length * 2, length)));
    buffer.set(this.buffer.subarray(0, this.had));
    this.buffer = buffer;
  }

  // --- the boundary is not known ---------------------------------------------------------------------------------------

  /** Of a packet that was cut its first octets are there: the header of a record that ends just where the packet did. */
  private endsInCut(to: number): boolean {
    if (this.had < RECORD_HEADER || !isHeader(this.buffer, 0)) return false;
    return this.searchFrom + this.wanted() === to;
  }

  /** What is collected begins a record. */
  private begin(): void {
    this.searching = false;
    if (this.searchFrom > this.lostFrom) this.sink.lost(this.lostFrom, this.searchFrom);
    this.needFrom = this.searchFrom;
  }

  private restartSearch(offset: number): void {
    this.had = 0;
    this.searchFrom = offset;
  }

  private collect(bytes: Uint8Array, start: number, end: number, offset: number): void {
    let p = start;
    while (p < end && this.searching) {
      if (this.had === 0) this.searchFrom = offset + (p - start);
      const take = Math.min(MAX_SEARCHED - this.had, end - p);
      this.room(this.had + take);
      this.buffer.set(bytes.subarray(p, p + take), this.had);
      this.had += take;
      p += take;
      this.attempt(false);
      if (this.searching && this.had === MAX_SEARCHED) {
        const half = this.had >> 1;
        this.buffer.copyWithin(0, half, this.had);
        this.had -= half;
        this.searchFrom += half;
      }
    }
    if (p < end) this.read(bytes, p, end, offset + (p - start));
  }

  /** Looks for a place from which headers run on, each where the one before it says. */
  private attempt(last: boolean): void {
    const { buffer, had } = this;
    for (let at = 0; at + RECORD_HEADER <= had; at++) {
      if (!isHeader(buffer, at) || !isChain(buffer, at, had, last)) continue;
      this.searching = false;
      const from = this.searchFrom;
      if (from + at > this.lostFrom) this.sink.lost(this.lostFrom, from + at);
      const rest = buffer.slice(at, had);
      this.had = 0;
      this.needFrom = from + at;
      this.read(rest, 0, rest.length, from + at);
      return;
    }
  }
}

/** Whether a record of application data starts here, for streams whose beginning was not captured. */
export function startsWithRecord(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start >= RECORD_HEADER &&
    bytes[start] === ContentType.applicationData &&
    bytes[start + 2] === 3 &&
    isHeader(bytes, start) &&
    isChain(bytes.subarray(start, end), 0, end - start, true, 1)
  );
}

function isHeader(bytes: Uint8Array, at: number): boolean {
  const type = bytes[at];
  const length = (bytes[at + 3] << 8) | bytes[at + 4];
  return (
    type >= ContentType.changeCipherSpec &&
    type <= ContentType.heartbeat &&
    bytes[at + 1] === 3 &&
    bytes[at + 2] <= 4 &&
    length <= MAX_FRAGMENT &&
    (length > 0 || type === ContentType.applicationData)
  );
}

function isChain(bytes: Uint8Array, at: number, had: number, last: boolean, least = 2): boolean {
  let p = at;
  for (let links = 1; ; links++) {
    p += RECORD_HEADER + ((bytes[p + 3] << 8) | bytes[p + 4]);
    if (p === had || links >= CHAIN) return true;
    // The last record may be cut by the end of what there is; one before it must be whole.
    if (p > had || had - p < RECORD_HEADER) return links >= least && (p <= had || last);
    if (!isHeader(bytes, p)) return false;
  }
}
