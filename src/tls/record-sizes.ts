/**
 * The records of a TLS connection that nobody decrypts: where they stand, and how long their plaintext can be. Sans-IO. In: hop/ with
 * octets in order and gaps of both directions. Out: the sink gets each record that may hold application data; `overheads()` tells what
 * of a record is not plaintext. Nothing is decrypted: the header, the ServerHello and a nonce that is sent along stand in the clear.
 */

import { cipherSuite } from './cipher-suite.js';
import { HandshakeReader, HandshakeType, parseServerHello } from './handshake.js';
import { ContentType, RECORD_HEADER, RecordReader, type TlsRecord } from './record.js';
import { overheadOf, possibleOverheads, type RecordLooks, type RecordOverhead } from './record-overhead.js';

export interface RecordSizesSink {
  /** One record in TCP octets [from, to), header included; a part of it may be missing. */
  sized(direction: 0 | 1, from: number, to: number): void;
  /** The last one: the stream ended within it. It would have ended at `to`. */
  sizedPart(direction: 0 | 1, from: number, to: number): void;
  /** Octets [from, to) hold records of which not even the number is known. */
  sizesLost(direction: 0 | 1, from: number, to: number): void;
}

/** So many records tell whether a nonce is sent along, or blocks are. */
const ENOUGH_LOOKS = 6;
const NONCE = 8;
/** Of a nonce that is counted up, or masked by a constant, these octets stay. */
const NONCE_STAYS = 6;

export class RecordSizes {
  private readonly readers: readonly [RecordReader, RecordReader];
  private readonly hellos: readonly [HandshakeReader, HandshakeReader];
  private readonly looks: readonly [Looks, Looks] = [new Looks(), new Looks()];
  private negotiated: RecordOverhead | null = null;
  private version = 0;

  constructor(private readonly sink: RecordSizesSink) {
    this.readers = [this.reader(0), this.reader(1)];
    this.hellos = [this.hello(), this.hello()];
  }

  read(direction: 0 | 1, bytes: Uint8Array, start: number, end: number, offset: number): void {
    this.readers[direction].read(bytes, start, end, offset);
  }

  gap(direction: 0 | 1, from: number, to: number): void {
    this.readers[direction].gap(from, to);
  }

  search(direction: 0 | 1, offset: number): void {
    this.readers[direction].search(offset);
  }

  needFrom(direction: 0 | 1): number {
    return this.readers[direction].needFrom;
  }

  finish(): void {
    for (const direction of [0, 1] as const) {
      const part = this.readers[direction].finish();
      if (part === null || part.type !== ContentType.applicationData) continue;
      this.sink.sizedPart(direction, part.startOffset, part.startOffset + RECORD_HEADER + part.length);
    }
  }

  /** One where it was negotiated in sight, else what is possible, likeliest first; empty where the suite is not known here. */
  overheads(): RecordOverhead[] {
    if (this.negotiated !== null) return [this.negotiated];
    return this.version !== 0 ? [] : possibleOverheads(looksOf(this.looks));
  }

  private reader(direction: 0 | 1): RecordReader {
    return new RecordReader({
      record: (record) => this.record(direction, record),
      damaged: (record) => {
        if (record.type === ContentType.applicationData) {
          if (this.negotiated === null) this.looks[direction].add(record);
          this.sink.sized(direction, record.startOffset, record.endOffset);
        } else this.hellos[direction].reset();
      },
      lost: (from, to) => {
        this.hellos[direction].reset();
        this.sink.sizesLost(direction, from, to);
      },
    });
  }

  private hello(): HandshakeReader {
    return new HandshakeReader({
      message: (type, body) => {
        if (type === HandshakeType.serverHello) this.serverHello(body);
      },
    });
  }

  private record(direction: 0 | 1, record: TlsRecord): void {
    if (record.type === ContentType.applicationData) {
      if (this.negotiated === null) this.looks[direction].add(record);
      this.sink.sized(direction, record.startOffset, record.endOffset);
    } else if (record.type === ContentType.handshake && this.version === 0)
      this.hellos[direction].read(record.bytes.subarray(record.start, record.end));
  }

  private serverHello(body: Uint8Array): void {
    const hello = parseServerHello(body);
    if (hello === null || hello.helloRetryRequest) return;
    this.version = hello.version;
    const suite = cipherSuite(hello.cipherSuite);
    if (suite !== null && (hello.version === 0x0304 || hello.version === 0x0303))
      this.negotiated = overheadOf(suite, hello.version);
  }
}

/** What the records of one direction look like from outside. */
class Looks {
  records = 0;
  alike = 0;
  rest = -1;
  sameRest = true;
  private readonly nonce = new Uint8Array(NONCE);

  add({ bytes, start, length, available }: TlsRecord): void {
    if (this.records > 0 && this.rest !== length % 16) this.sameRest = false;
    this.rest = length % 16;
    if (available >= NONCE) {
      let same = this.records > 0;
      for (let i = 0; i < NONCE_STAYS && same; i++) same = this.nonce[i] === bytes[start + i];
      if (same) this.alike++;
      this.nonce.set(bytes.subarray(start, start + NONCE));
    }
    this.records++;
  }
}

function looksOf(both: readonly [Looks, Looks]): RecordLooks {
  const records = both[0].records + both[1].records;
  const seen = both.filter((looks) => looks.records > 0);
  const pairs = seen.reduce((sum, looks) => sum + looks.records - 1, 0);
  const alike = both[0].alike + both[1].alike;
  const enough = records >= ENOUGH_LOOKS;
  const sameRest = seen.every((looks) => looks.sameRest && looks.rest === seen[0].rest);
  return {
    records,
    // Six equal octets in a row are no chance; a renegotiation begins them anew.
    explicitNonce: alike >= 1 && alike * 2 >= pairs,
    restModulo16: enough && sameRest ? seen[0].rest : -1,
  };
}
