/**
 * One TLS connection: follows the handshake, takes the secrets from the key log and gives out application data with its place in
 * TCP. Sans-IO. In: hop/ with octets in order and gaps of both directions. Out: the sink gets plaintext, what was lost of it, and, once,
 * the word that nothing can be read. RFC 8446, RFC 5246; what cannot be proven by a tag or MAC is not given out as read.
 */

import { type CipherSuite, cipherSuite, cipherSuiteName } from './cipher-suite.js';
import { DirectionState } from './direction.js';
import { findSequence } from './find-sequence.js';
import {
  type ClientHello,
  HandshakeType,
  parseClientHello,
  parseEncryptedExtensions,
  parseServerHello,
  type ServerHello,
} from './handshake.js';
import type { ClientSecrets, KeyLog, TrafficLabel } from './key-log.js';
import { expandedKeys } from './key-schedule.js';
import { ContentType, type TlsRecord } from './record.js';
import { type Plaintext, recordCipher } from './record-cipher.js';

export type Direction = 0 | 1;

export interface TlsSink {
  /** Application data `bytes[start..end)` at `offset` of the plaintext; it stood in TCP octets [wireFrom, wireTo). */
  plaintext(direction: Direction, bytes: Uint8Array, offset: number, wireFrom: number, wireTo: number): void;
  /** So much application data could not be read; `exact` where its length is certain. */
  unread(direction: Direction, lost: LostPlaintext): void;
  /** Nothing of this connection can be read (any more): why, for a reason. */
  unreadable(why: string): void;
}

export interface LostPlaintext {
  from: number;
  to: number;
  exact: boolean;
  wireFrom: number;
  wireTo: number;
  why: string;
}

/** What a connection says of itself in the clear (in TLS 1.3 a part of it only with keys). */
export interface TlsFacts {
  /** `1.3`, `1.2`, …; null where no ServerHello was captured. */
  version: string | null;
  cipherSuite: string | null;
  serverName: string | null;
  /** The protocol that was agreed on, by ALPN. */
  alpn: string | null;
  handshake: 'seen' | 'missing';
  /** Both sides sent protected records: the handshake came to its end. */
  established: boolean;
  resumed: boolean;
  renegotiations: number;
  decrypted: boolean;
  /** Why not; null where it is. */
  unreadable: string | null;
  /** Description of a fatal alert that came in the clear or could be read; -1 for none. */
  alert: number;
}

export const NO_KEYS = 'the key log holds no keys for it';
const RENEGOTIATED = 'it was renegotiated, and the key log has no keys for what follows';
const MAX_HELD = 256 << 10;
/** Records that nothing opens, one after the other, before the connection is given up. */
const MAX_FAILURES = 64;
/** Mid-connection: records of each direction that are tried, and numbers: quickly first, further where nothing was found. */
const MAX_TRIED = 3;
const ROUNDS = [1 << 13, 1 << 18];
/** ChaCha20 has no quick sieve: so many numbers for all keys together. */
const MAX_TRIALS_SLOW = 1 << 15;
const SLOW = 100;

export class TlsSession {
  readonly facts: TlsFacts = {
    version: null,
    cipherSuite: null,
    serverName: null,
    alpn: null,
    handshake: 'missing',
    established: false,
    resumed: false,
    renegotiations: 0,
    decrypted: false,
    unreadable: null,
    alert: -1,
  };
  /** By what it said. */
  clientDirection: Direction | null = null;
  private readonly directions: readonly [DirectionState, DirectionState];
  private clientHello: ClientHello | null = null;
  private serverHello: ServerHello | null = null;
  private earlyDataAccepted: boolean | null = null;
  private failures = 0;
  private readonly tried = [0, 0];
  private givenUp = false;

  constructor(
    private readonly keyLog: KeyLog | null,
    private readonly sink: TlsSink,
    /** Which direction is the client's, as far as is known; for the order of trying. */
    private readonly likelyClient: () => Direction,
  ) {
    this.directions = [this.direction(0), this.direction(1)];
  }

  read(direction: Direction, bytes: Uint8Array, start: number, end: number, offset: number): void {
    if (!this.givenUp) this.directions[direction].reader.read(bytes, start, end, offset);
  }

  gap(direction: Direction, from: number, to: number): void {
    if (!this.givenUp) this.directions[direction].reader.gap(from, to);
  }

  /** The direction is not known from its beginning: find where a record starts. */
  search(direction: Direction, offset: number): void {
    this.directions[direction].reader.search(offset);
  }

  /** Offset of the first TCP octet of the direction that is not answered for yet. */
  needFrom(direction: Direction): number {
    const { held, reader } = this.directions[direction];
    return held.length > 0 ? held[0].startOffset : reader.needFrom;
  }

  /** No octets will come any more. What is there of a last record is given out as far as it goes. */
  finish(): void {
    if (this.givenUp) return;
    for (const direction of [0, 1] as const) {
      const state = this.directions[direction];
      const part = state.reader.finish();
      const { cipher } = state;
      if (part === null || cipher === null || this.givenUp || state.lostOctets >= 0) continue;
      if (part.type !== ContentType.applicationData || (this.is13 && state.epoch !== 'application')) continue;
      const bytes = cipher.openPart(part, state.sequence);
      if (bytes.length > 0) this.give(direction, bytes, part);
    }
    if (!this.facts.decrypted && this.facts.unreadable === null)
      this.facts.unreadable = this.facts.established ? this.whyUnread() : null;
  }

  private get is13(): boolean {
    return this.facts.version === '1.3';
  }

  private direction(direction: Direction): DirectionState {
    return new DirectionState(
      {
        record: (record) => this.record(direction, record),
        damaged: (record) => this.damaged(direction, record),
        lost: (from, to) => this.lost(direction, from, to),
      },
      (type, body) => this.message(direction, type, body),
    );
  }

  // --- records -----------------------------------------------------------------------------------------------------------

  private record(direction: Direction, record: TlsRecord): void {
    if (this.givenUp) return;
    const state = this.directions[direction];
    if (record.type === ContentType.changeCipherSpec) {
      // In a renegotiation it is protected like all else, and counts.
      if (!this.is13 && state.cipher !== null && this.open12(state, record) === null) this.failed(direction, record);
      else this.changeCipherSpec(direction);
      return;
    }
    if (record.type === ContentType.applicationData || state.protected) {
      if (this.directions[direction ^ 1].protected) this.facts.established = true;
      this.protected(direction, record);
      return;
    }
    const content = record.bytes.subarray(record.start, record.end);
    if (record.type === ContentType.handshake) state.handshake.read(content);
    else if (record.type === ContentType.alert) this.alert(content);
  }

  private protected(direction: Direction, record: TlsRecord): void {
    const state = this.directions[direction];
    if (this.serverHello === null && state.cipher === null) {
      if (this.clientHello === null) this.join(direction, record);
      // Early data, or the other side's hello was captured a little later.
      else if (!state.hold(record, MAX_HELD)) this.giveUp('too much came before the ServerHello');
      return;
    }
    if (this.waitsForEarlyData(direction)) {
      if (!state.hold(record, MAX_HELD)) this.giveUp('too much came before the EncryptedExtensions');
      return;
    }
    this.open(direction, record);
  }

  private open(direction: Direction, record: TlsRecord): void {
    const state = this.directions[direction];
    // RFC 8446 section 5: in TLS 1.3 nothing but application data is the outside of a protected record.
    if (this.is13 && record.type !== ContentType.applicationData) {
      if (record.type === ContentType.alert) this.alert(record.bytes.subarray(record.start, record.end));
      return;
    }
    state.skipped = 0;
    const opened = this.is13 ? state.open13(record) : this.open12(state, record);
    if (opened === null) {
      this.failed(direction, record);
      return;
    }
    this.failures = 0;
    state.proven = true;
    if (state.lostOctets >= 0) this.found(direction, record.startOffset);
    this.content(direction, opened, record);
  }

  private open12(state: DirectionState, record: TlsRecord): Plaintext | null {
    const { cipher } = state;
    if (cipher === null) return null;
    const most = state.lostOctets < 0 ? 0 : Math.min(1 << 16, Math.ceil(state.lostOctets / 26) + 1);
    for (let ahead = 0; ahead <= most; ahead++) {
      const opened = cipher.open(record, state.sequence + ahead);
      if (opened === null) continue;
      state.skipped = ahead;
      state.sequence += ahead + 1;
      return opened;
    }
    return null;
  }

  private content(direction: Direction, { type, bytes }: Plaintext, record: TlsRecord): void {
    const state = this.directions[direction];
    if (type === ContentType.handshake) state.handshake.read(bytes);
    else if (type === ContentType.alert) this.alert(bytes);
    else if (type === ContentType.applicationData) {
      // RFC 8446 section 4.2.10: refused early data is sent again, and is no part of the stream.
      if (this.is13 && state.epoch === 'early' && this.earlyDataAccepted === false) return;
      this.facts.decrypted = true;
      if (bytes.length > 0) this.give(direction, bytes, record);
    }
  }

  private give(direction: Direction, bytes: Uint8Array, record: TlsRecord): void {
    const state = this.directions[direction];
    const offset = state.plain;
    state.plain += bytes.length;
    this.sink.plaintext(direction, bytes, offset, record.startOffset, record.endOffset);
  }

  private failed(direction: Direction, record: TlsRecord): void {
    const state = this.directions[direction];
    if (state.cipher === null) {
      if (this.facts.renegotiations > 0) this.giveUp(RENEGOTIATED);
      return;
    }
    // Refused early data of which the key is not known: RFC 8446 section 4.2.10.
    const early = this.clientHello?.earlyData === true && direction === this.clientDirection;
    if (early && state.epoch !== 'application') return;
    // Without the handshake's secret its records stay closed; the first one that opens is number 0.
    if (this.is13 && (state.epoch !== 'application' || !state.proven) && !state.joining) {
      if (++this.failures >= MAX_FAILURES) this.giveUp('the keys in the key log do not open its records');
      return;
    }
    if (++this.failures >= (state.joining ? MAX_TRIED : MAX_FAILURES)) {
      this.giveUp('the keys in the key log do not open its records');
      return;
    }
    if (state.lostOctets >= 0) {
      state.lostOctets += record.endOffset - record.startOffset;
      return;
    }
    state.sequence++;
    this.skip(direction, record, 'a record could not be decrypted');
  }

  // --- holes -------------------------------------------------------------------------------------------------------------

  private damaged(direction: Direction, record: TlsRecord): void {
    if (this.givenUp) return;
    const state = this.directions[direction];
    if (!state.protected && record.type !== ContentType.applicationData) {
      state.handshake.reset();
      return;
    }
    if (record.type === ContentType.changeCipherSpec) return;
    if (this.is13 && state.epoch !== 'application') {
      state.handshake.reset();
      state.sequence++;
      return;
    }
    if (state.lostOctets >= 0) {
      state.lostOctets += record.endOffset - record.startOffset;
      return;
    }
    state.sequence++;
    this.skip(direction, record, 'octets of a TLS record are missing from the capture');
  }

  /** One record of known length was not read. */
  private skip(direction: Direction, record: TlsRecord, why: string): void {
    const state = this.directions[direction];
    if (state.cipher === null) return;
    const length = state.cipher.plainLength(record.length);
    this.unread(direction, Math.max(0, length), length >= 0, record.startOffset, record.endOffset, why);
  }

  private lost(direction: Direction, from: number, to: number): void {
    const state = this.directions[direction];
    if (this.givenUp || (!state.protected && this.clientHello === null)) return;
    state.handshake.reset();
    if (state.lostOctets < 0) {
      state.lostOctets = 0;
      state.lostFrom = from;
    }
    state.lostOctets += to - from;
  }

  /** The first record behind a hole was opened: its number says how many were lost, and their headers and tags are known. */
  private found(direction: Direction, to: number): void {
    const state = this.directions[direction];
    const { lostOctets, skipped, cipher, joining } = state;
    state.lostOctets = -1;
    state.joining = false;
    if (joining || cipher === null || (this.is13 && state.epoch !== 'application')) return;
    const overhead = 5 + (1 << 10) - cipher.plainLength(1 << 10);
    const certain = skipped >= 0 && cipher.plainLength(1 << 10) >= 0;
    const length = certain ? Math.max(0, lostOctets - skipped * overhead) : lostOctets;
    const why = 'octets of TLS records are missing from the capture';
    this.unread(direction, length, certain, state.lostFrom, to, why);
  }

  private unread(direction: Direction, length: number, exact: boolean, wireFrom: number, wireTo: number, why: string) {
    const state = this.directions[direction];
    const from = state.plain;
    state.plain += length;
    if (length > 0 || !exact) this.sink.unread(direction, { from, to: state.plain, exact, wireFrom, wireTo, why });
  }

  // --- handshake ---------------------------------------------------------------------------------------------------------

  private message(direction: Direction, type: number, body: Uint8Array): void {
    if (this.givenUp) return;
    const state = this.directions[direction];
    if (type === HandshakeType.clientHello) this.client(direction, body);
    else if (type === HandshakeType.serverHello) this.server(direction, body);
    else if (!this.is13) return;
    else if (type === HandshakeType.encryptedExtensions) {
      const extensions = parseEncryptedExtensions(body);
      this.facts.alpn = extensions.alpn;
      this.earlyDataAccepted = extensions.earlyData;
      this.releaseHeld();
    } else if (type === HandshakeType.endOfEarlyData) state.leave('early');
    else if (type === HandshakeType.finished) {
      if (direction !== this.clientDirection && this.earlyDataAccepted === null) this.earlyDataAccepted = false;
      state.leave('handshake');
      this.releaseHeld();
    } else if (type === HandshakeType.keyUpdate) state.advance();
  }

  private client(direction: Direction, body: Uint8Array): void {
    const hello = parseClientHello(body);
    if (hello === null) return;
    if (this.serverHello !== null && !this.serverHello.helloRetryRequest) {
      this.facts.renegotiations++;
      this.serverHello = null;
    }
    this.clientHello = hello;
    this.clientDirection = direction;
    this.facts.serverName = hello.serverName;
    this.facts.handshake = 'seen';
  }

  private server(direction: Direction, body: Uint8Array): void {
    const hello = parseServerHello(body);
    if (hello === null) return;
    this.clientDirection = (direction ^ 1) as Direction;
    const { facts } = this;
    if (hello.helloRetryRequest) {
      this.serverHello = hello;
      this.earlyDataAccepted = false;
      return;
    }
    this.serverHello = hello;
    facts.version = versionName(hello.version);
    facts.cipherSuite = cipherSuiteName(hello.cipherSuite);
    facts.alpn = hello.alpn;
    facts.resumed = hello.preSharedKey;
    if (this.clientHello === null) {
      this.giveUp('its ClientHello was not captured');
      return;
    }
    const secrets = this.keyLog?.of(this.clientHello.random) ?? null;
    const suite = cipherSuite(hello.cipherSuite);
    if (secrets === null) this.giveUp(facts.renegotiations > 0 ? RENEGOTIATED : this.whyUnread());
    else if (suite === null) this.giveUp(`its cipher suite ${facts.cipherSuite} is not known here`);
    else if (hello.version === 0x0304) this.start13(suite, secrets);
    else if (hello.version === 0x0303) this.start12(suite, secrets, this.clientHello, hello);
    else this.giveUp(`it is TLS ${facts.version}, which is not read here`);
  }

  private start13(suite: CipherSuite, secrets: ClientSecrets): void {
    const of = (epoch: 'early' | 'handshake' | 'application', label: TrafficLabel) => {
      const secret = secrets.get(label);
      return secret === undefined ? [] : [{ epoch, secret }];
    };
    const client = [
      ...(this.clientHello?.earlyData ? of('early', 'CLIENT_EARLY_TRAFFIC_SECRET') : []),
      ...of('handshake', 'CLIENT_HANDSHAKE_TRAFFIC_SECRET'),
      ...of('application', 'CLIENT_TRAFFIC_SECRET_0'),
    ];
    const server = [
      ...of('handshake', 'SERVER_HANDSHAKE_TRAFFIC_SECRET'),
      ...of('application', 'SERVER_TRAFFIC_SECRET_0'),
    ];
    if (client.at(-1)?.epoch !== 'application' || server.at(-1)?.epoch !== 'application') {
      this.giveUp('the key log holds only a part of its secrets');
      return;
    }
    // Without the secret that reads EncryptedExtensions: a PSK that was taken is the best sign there is.
    if (server.length === 1) this.earlyDataAccepted = this.facts.resumed;
    const clientDirection = this.clientDirection ?? 0;
    this.directions[clientDirection].setSecrets(suite, client);
    this.directions[clientDirection ^ 1].setSecrets(suite, server);
    this.releaseHeld();
  }

  private start12(suite: CipherSuite, secrets: ClientSecrets, client: ClientHello, server: ServerHello): void {
    const master = secrets.get('CLIENT_RANDOM');
    if (master === undefined) {
      this.giveUp('the key log holds only a part of its secrets');
      return;
    }
    const keys = expandedKeys(suite, master, client.random, server.random);
    const clientDirection = this.clientDirection ?? 0;
    this.directions[clientDirection].pending = recordCipher(suite, keys.client, 0x0303, server.encryptThenMac);
    this.directions[clientDirection ^ 1].pending = recordCipher(suite, keys.server, 0x0303, server.encryptThenMac);
    this.releaseHeld();
  }

  /** In TLS 1.3 it says nothing (RFC 8446 appendix D.4); before, the next record is protected by the new keys. */
  private changeCipherSpec(direction: Direction): void {
    if (this.is13 || (this.serverHello === null && this.facts.renegotiations === 0)) return;
    if (this.serverHello?.helloRetryRequest) return;
    const state = this.directions[direction];
    state.cipher = state.pending;
    state.pending = null;
    state.protected = true;
    state.sequence = 0;
  }

  private waitsForEarlyData(direction: Direction): boolean {
    return (
      this.is13 &&
      direction === this.clientDirection &&
      this.clientHello?.earlyData === true &&
      this.earlyDataAccepted === null
    );
  }

  private releaseHeld(): void {
    for (const direction of [0, 1] as const) {
      const state = this.directions[direction];
      if (state.held.length === 0 || this.waitsForEarlyData(direction)) continue;
      const { held } = state;
      state.held = [];
      state.heldOctets = 0;
      for (const record of held) this.open(direction, record);
    }
  }

  private alert(content: Uint8Array): void {
    // RFC 8446 section 6: level and description; close_notify is how connections end.
    if (content.length >= 2 && content[0] === 2 && this.facts.alert < 0) this.facts.alert = content[1];
  }

  // --- in mid-connection -------------------------------------------------------------------------------------------------

  /** No hello was captured: is there a secret in the key log that opens this record, under any number? */
  private join(direction: Direction, record: TlsRecord): void {
    if (this.directions[direction ^ 1].cipher !== null) return;
    if (this.keyLog === null || this.keyLog.size === 0) {
      this.giveUp(this.whyUnread());
      return;
    }
    const states = this.directions;
    for (const range of ROUNDS) {
      // The long round once: what it does not find, it would not find for the next record either.
      if (range !== ROUNDS[0] && this.tried[0] + this.tried[1] > 0) break;
      const found = this.tryAll(direction, record, range);
      if (found === null) continue;
      const { client, clientDirection, suite, secrets, sequence } = found;
      this.keyLog.claim(client);
      this.clientDirection = clientDirection;
      this.facts.version = '1.3';
      this.facts.cipherSuite = suite.name;
      const other = (direction ^ 1) as Direction;
      const secretOf = (which: Direction) =>
        secrets.get(which === clientDirection ? 'CLIENT_TRAFFIC_SECRET_0' : 'SERVER_TRAFFIC_SECRET_0') as Uint8Array;
      states[direction].joinAt(suite, secretOf(direction), sequence);
      states[other].joinAt(suite, secretOf(other), 0);
      // The other direction's number is as unknown as this one's was.
      states[other].lostOctets = ROUNDS[1] * 22;
      states[other].lostFrom = states[other].reader.needFrom;
      states[other].joining = true;
      this.open(direction, record);
      return;
    }
    if (++this.tried[direction] < MAX_TRIED) return;
    const { size, spent } = this.keyLog;
    this.giveUp(
      `the capture starts in mid-connection, and ${spent ? 'there are too many keys in the key log to try them all' : `none of the ${size} keys in the key log fits`}`,
    );
  }

  private tryAll(direction: Direction, record: TlsRecord, to: number) {
    const likely = this.likelyClient();
    const from = to === ROUNDS[0] ? 0 : ROUNDS[0];
    const keyLog = this.keyLog as KeyLog;
    const candidates = [...keyLog.unclaimed()];
    const slow = Math.floor(MAX_TRIALS_SLOW / Math.max(1, candidates.length));
    for (const clientDirection of [likely, (likely ^ 1) as Direction]) {
      const label: TrafficLabel = direction === clientDirection ? 'CLIENT_TRAFFIC_SECRET_0' : 'SERVER_TRAFFIC_SECRET_0';
      for (const [client, secrets] of candidates) {
        const secret = secrets.get(label);
        if (secret === undefined || !secrets.has('CLIENT_TRAFFIC_SECRET_0')) continue;
        for (const id of secret.length === 48 ? [0x1302] : [0x1301, 0x1303]) {
          const suite = cipherSuite(id) as CipherSuite;
          const quick = suite.protection === 'gcm';
          // Once a connection: what the first record does not find, the next would not either.
          if (!quick && (from > 0 || this.tried[0] + this.tried[1] > 0)) continue;
          const range = { from, to: quick ? to : Math.min(to, Math.max(1 << 9, slow)) };
          if (range.to <= from || !keyLog.spend((range.to - from) * (quick ? 1 : SLOW))) continue;
          const sequence = findSequence(record, suite, secret, range);
          if (sequence >= 0) return { client, clientDirection, suite, secrets, sequence };
        }
      }
    }
    return null;
  }

  // --- the end -----------------------------------------------------------------------------------------------------------

  private whyUnread(): string {
    return this.keyLog === null || this.keyLog.size === 0 ? 'no keys were given (--keylog)' : NO_KEYS;
  }

  private giveUp(why: string): void {
    if (this.givenUp) return;
    this.givenUp = true;
    this.facts.unreadable = why;
    this.sink.unreadable(why);
  }
}

function versionName(version: number): string {
  return version >> 8 === 3 && (version & 0xff) >= 1 ? `1.${(version & 0xff) - 1}` : `0x${version.toString(16)}`;
}
