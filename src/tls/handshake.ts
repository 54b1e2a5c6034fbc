/**
 * Handshake messages of one direction: put together across records, the hellos parsed. In: session.ts with the content of handshake
 * records, decrypted or plain. Out: message types, ClientHello, ServerHello. RFC 8446 section 4, RFC 5246 section 7.4.
 */

import { uint16 } from '../bytes/integers.js';

export const HandshakeType = {
  helloRequest: 0,
  clientHello: 1,
  serverHello: 2,
  newSessionTicket: 4,
  endOfEarlyData: 5,
  encryptedExtensions: 8,
  certificate: 11,
  finished: 20,
  keyUpdate: 24,
} as const;

const Extension = {
  serverName: 0,
  alpn: 16,
  encryptThenMac: 22,
  preSharedKey: 41,
  earlyData: 42,
  supportedVersions: 43,
} as const;

/** Hellos are parsed; of longer messages (certificates) only the end is waited for. */
const MAX_KEPT = 1 << 16;
const MAX_LISTED = 256;

export interface ClientHello {
  random: Uint8Array;
  sessionId: Uint8Array;
  cipherSuites: number[];
  /** Highest version offered. */
  version: number;
  serverName: string | null;
  alpn: string[];
  preSharedKey: boolean;
  earlyData: boolean;
}

export interface ServerHello {
  random: Uint8Array;
  sessionId: Uint8Array;
  version: number;
  cipherSuite: number;
  /** RFC 3749: records are compressed before they are encrypted. */
  compressed: boolean;
  /** RFC 8446 section 4.1.3: it asks for another ClientHello. */
  helloRetryRequest: boolean;
  alpn: string | null;
  encryptThenMac: boolean;
  preSharedKey: boolean;
}

export interface HandshakeSink {
  /** `body` is what was kept of the message's body, all of it unless it is long. */
  message(type: number, body: Uint8Array): void;
}

export class HandshakeReader {
  private head = new Uint8Array(4);
  private had = 0;
  private body = new Uint8Array(0);
  private kept = 0;
  private remaining = 0;

  constructor(private readonly sink: HandshakeSink) {}

  /** A message is in progress: the next record of this direction goes on with it. */
  get midMessage(): boolean {
    return this.had > 0;
  }

  reset(): void {
    this.had = 0;
  }

  read(bytes: Uint8Array): void {
    let p = 0;
    while (p < bytes.length) {
      if (this.had < 4) {
        this.head[this.had++] = bytes[p++];
        if (this.had < 4) continue;
        this.remaining = (this.head[1] << 16) | (this.head[2] << 8) | this.head[3];
        this.kept = 0;
      }
      const take = Math.min(this.remaining, bytes.length - p);
      this.keep(bytes, p, Math.min(take, MAX_KEPT - this.kept));
      this.remaining -= take;
      p += take;
      if (this.remaining > 0) return;
      this.had = 0;
      this.sink.message(this.head[0], this.body.slice(0, this.kept));
    }
  }

  private keep(bytes: Uint8Array, at: number, length: number): void {
    if (this.kept + length > this.body.length) {
      const body = new Uint8Array(Math.max(512, this.body.length * 2, this.kept + length));
      body.set(this.body.subarray(0, this.kept));
      this.body = body;
    }
    this.body.set(bytes.subarray(at, at + length), this.kept);
    this.kept += length;
  }
}

/** Null where the message is not whole. */
export function parseClientHello(body: Uint8Array): ClientHello | null {
  const fields = new Fields(body);
  const legacyVersion = fields.uint16();
  const random = fields.take(32);
  const sessionId = fields.vector(1);
  const suites = fields.vector(2);
  fields.vector(1); // compression methods
  if (fields.failed) return null;
  const hello: ClientHello = {
    random,
    sessionId,
    cipherSuites: pairs(suites),
    version: legacyVersion,
    serverName: null,
    alpn: [],
    preSharedKey: false,
    earlyData: false,
  };
  for (const [type, content] of fields.extensions()) {
    const extension = new Fields(content);
    if (type === Extension.serverName) {
      const names = new Fields(extension.vector(2));
      if (names.uint8() === 0) hello.serverName = latin1(names.vector(2)) || null;
    } else if (type === Extension.alpn) hello.alpn = protocols(extension.vector(2));
    else if (type === Extension.preSharedKey) hello.preSharedKey = true;
    else if (type === Extension.earlyData) hello.earlyData = true;
    else if (type === Extension.supportedVersions)
      // RFC 8701: values that only test tolerance are no versions.
      for (const version of pairs(extension.vector(1)))
        if (version >> 8 === 3) hello.version = Math.max(hello.version, version);
  }
  return hello;
}

/** SHA-256 of "HelloRetryRequest". */
const RETRY_RANDOM = 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c';

export function parseServerHello(body: Uint8Array): ServerHello | null {
  const fields = new Fields(body);
  const legacyVersion = fields.uint16();
  const random = fields.take(32);
  const sessionId = fields.vector(1);
  const cipherSuite = fields.uint16();
  const compressed = fields.uint8() > 0;
  if (fields.failed) return null;
  const hello: ServerHello = {
    random,
    sessionId,
    version: legacyVersion,
    cipherSuite,
    compressed,
    helloRetryRequest: Buffer.from(random).toString('hex') === RETRY_RANDOM,
    alpn: null,
    encryptThenMac: false,
    preSharedKey: false,
  };
  for (const [type, content] of fields.extensions()) {
    const extension = new Fields(content);
    if (type === Extension.supportedVersions) hello.version = extension.uint16();
    else if (type === Extension.alpn) hello.alpn = protocols(extension.vector(2))[0] ?? null;
    else if (type === Extension.encryptThenMac) hello.encryptThenMac = true;
    else if (type === Extension.preSharedKey) hello.preSharedKey = true;
  }
  return hello;
}

/** The server's choice in TLS 1.3, where it stands in EncryptedExtensions. */
export function parseEncryptedExtensions(body: Uint8Array): { alpn: string | null; earlyData: boolean } {
  const found = { alpn: null as string | null, earlyData: false };
  for (const [type, content] of new Fields(body).extensions()) {
    if (type === Extension.alpn) found.alpn = protocols(new Fields(content).vector(2))[0] ?? null;
    else if (type === Extension.earlyData) found.earlyData = true;
  }
  return found;
}

/** Fields one after the other; from the first that is not whole on everything reads as empty. */
class Fields {
  private at = 0;
  failed = false;

  constructor(private readonly bytes: Uint8Array) {}

  take(length: number): Uint8Array {
    if (this.failed || this.at + length > this.bytes.length) {
      this.failed = true;
      return new Uint8Array(0);
    }
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  uint8(): number {
    const bytes = this.take(1);
    return bytes.length === 1 ? bytes[0] : -1;
  }

  uint16(): number {
    const bytes = this.take(2);
    return bytes.length === 2 ? uint16(bytes, 0) : -1;
  }

  vector(lengthOctets: 1 | 2): Uint8Array {
    const length = lengthOctets === 1 ? this.uint8() : this.uint16();
    return this.take(Math.max(0, length));
  }

  *extensions(): Generator<[number, Uint8Array]> {
    if (this.at === this.bytes.length) return; // RFC 5246 section 7.4.1.4: they may be left out
    const all = new Fields(this.vector(2));
    for (let i = 0; i < MAX_LISTED; i++) {
      const type = all.uint16();
      const content = all.vector(2);
      if (all.failed) return;
      yield [type, content];
    }
  }
}

function pairs(bytes: Uint8Array): number[] {
  const values: number[] = [];
  for (let at = 0; at + 2 <= bytes.length && values.length < MAX_LISTED; at += 2) values.push(uint16(bytes, at));
  return values;
}

function protocols(bytes: Uint8Array): string[] {
  const fields = new Fields(bytes);
  const names: string[] = [];
  while (names.length < MAX_LISTED) {
    const name = fields.vector(1);
    if (fields.failed) break;
    names.push(latin1(name));
  }
  return names;
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes);
}
