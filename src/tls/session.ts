/**
 * One TLS connection: follows the handshake, takes the secrets from the key log and gives out application data with its place in
 * TCP. Sans-IO. In: hop/ with octets in order and gaps of both directions. Out: the sink gets plaintext, what was lost of it, and, once,
 * the word that nothing can be read. RFC 8446, RFC 5246; what cannot be proven by a tag or MAC is not given out as read.
 */

import { type CipherSuite, cipherSuite, cipherSuiteName } from './cipher-suite.js';
import { type Direction, DirectionState } from './direction.js';
import type { TlsFacts, TlsSink } from './facts.js';
import type { FoundSecrets, MasterSearch } from './find-keys.js';
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
import { KeySearch, ONLY_A_PART, ROUNDS } from './key-search.js';
import { ContentType, type TlsRecord } from './record.js';
import { type Plaintext, recordCipher } from './record-cipher.js';

export type { Direction } from './direction.js';

export type { LostPlaintext, TlsFacts, TlsSink } from './facts.js';

export { NO_KEYS } from './key-search.js';

const RENEGOTIATED = 'it was renegotiated, and the key log has no keys for what follows';
const UNCERTAIN_EARLY = 'the answer to its early data was not captured';
const DO_NOT_OPEN = 'the keys in the key log do not open its records';
/** OpenSSL sends two, Go one. */
const MOST_TICKETS = 4;
/** Room for some records in a hole of which nothing is known. */
const LEAST_LOST = 256;
const MAX_HELD = 256 << 10;
/** Records that nothing opens, one after the other, before the connection is given up. */
const MAX_FAILURES = 64;
/** In mid-connection nothing but a wrong guess makes as many in a row. */
const MAX_FAILURES_JOINING = 3;

export class TlsSession {
  readonly facts: TlsFacts = {
    version: null,
    cipherSuite: null,
    serverName: null,
    alpn: null,
    handshake: 'missing',
    clientRandom: null,
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
  private readonly keys: KeySearch;
  private clientHello: ClientHello | null = null;
  private serverHello: ServerHello | null = null;
  private earlyDataAccepted: boolean | null = null;
  private earlyDropped: { from: number; to: number } | null = null;
  /** TLS 1.2 and no secret under the client's random: those of other connections are tried. */
  private masterSearch: MasterSearch | null = null;
  private failures = 0;
  private givenUp = false;

  constructor(
    keyLog: KeyLog | null,
    private readonly sink: TlsSink,
    /** Which direction is the client's, as far as is known; for the order of trying. */
    private readonly likelyClient: () => Direction,
  ) {
    this.keys = new KeySearch(keyLog);
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
    if (!this.givenUp && this.awaitsServerHello && this.clientDirection !== null) this.seekHeld(this.clientDirection);
    if (this.givenUp) return;
    this.admitUnopened(DO_NOT_OPEN);
    for (const direction of [0, 1] as const) {
      const state = this.directions[direction];
      const part = state.reader.finish();
      const { cipher } = state;
      if (part === null || cipher === null || this.givenUp || state.lostOctets >= 0) continue;
      if (part.type !== ContentType.applicationData || (this.is13 && state.epoch !== 'application')) continue;
      const bytes = cipher.openPart(part, state.sequence);
      if (bytes.length > 0) this.give(direction, bytes, part);
    }
    // With keys that opened its handshake, it carried nothing else.
    const opened = this.directions.some(({ proven }) => proven);
    if (this.facts.decrypted || opened || this.facts.unreadable !== null) return;
    const { undecided } = this.keys;
    if (undecided !== null) this.facts.unreadable = undecided;
    else if (this.failures > 0) this.facts.unreadable = DO_NOT_OPEN;
    else if (this.facts.established) this.facts.unreadable = this.keys.why;
  }

  /** None was read so far, or only one that asks for another ClientHello. */
  private get awaitsServerHello(): boolean {
    return this.clientHello !== null && (this.serverHello === null || this.serverHello.helloRetryRequest);
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
    if (this.isAhead(direction, record)) {
      state.waits = true;
      if (!state.hold(record, MAX_HELD)) this.seekHeld(direction);
      return;
    }
    if (record.type === ContentType.changeCipherSpec) {
      // In a renegotiation it is protected like all else, and counts.
      if (!this.is13 && state.cipher !== null && this.open12(state, record) === null) this.failed(direction, record);
      else this.changeCipherSpec(direction);
      return;
    }
    if (!state.protected && state.pending !== null && this.opensPending(direction, record)) return;
    if (record.type === ContentType.applicationData || state.protected) {
      if (!this.is13 && this.directions[direction ^ 1].protected) this.facts.established = true;
      this.protected(direction, record);
      return;
    }
    const content = record.bytes.subarray(record.start, record.end);
    if (record.type === ContentType.handshake) state.handshake.read(content);
    else if (record.type === ContentType.alert) this.alert(content);
  }

  /** Captured before the ServerHello to which it answers: packets of both directions are not always in order. */
  private isAhead(direction: Direction, record: TlsRecord): boolean {
    if (this.directions[direction].waits) return true;
    const begun = this.serverHello !== null || this.facts.version !== null || this.facts.renegotiations > 0;
    return (
      record.type === ContentType.changeCipherSpec &&
      !begun &&
      this.clientHello !== null &&
      direction === this.clientDirection
    );
  }

  private protected(direction: Direction, record: TlsRecord): void {
    const state = this.directions[direction];
    if (this.masterSearch !== null) {
      this.seekMaster(direction, record, this.masterSearch);
      return;
    }
    if (this.clientHello === null && state.cipher === null) {
      if (this.serverHello === null) this.join(direction, record);
      else this.seek(direction, record);
      return;
    }
    if (this.awaitsServerHello && state.cipher === null) {
      if (direction !== this.clientDirection) this.seek(direction, record);
      // Early data, or the other side's hello was captured a little later.
      else if (!state.hold(record, MAX_HELD)) this.seekHeld(direction);
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
    if (state.unopenedFrom >= 0) this.openedAtLast(direction, DO_NOT_OPEN);
    if (state.lostOctets >= 0) this.found(direction, record.startOffset);
    this.content(direction, opened, record);
  }

  /** TLS 1.2: the ChangeCipherSpec may lie in a hole before this record; before application data there was one. */
  private opensPending(direction: Direction, record: TlsRecord): boolean {
    const state = this.directions[direction];
    const { pending, lostOctets } = state;
    if (lostOctets < 0 && record.type !== ContentType.applicationData) return false;
    state.cipher = pending;
    state.lostOctets = Math.max(lostOctets, LEAST_LOST);
    const opened = this.open12(state, record);
    if (opened === null) {
      state.cipher = null;
      state.lostOctets = lostOctets;
      return false;
    }
    state.pending = null;
    state.protected = true;
    state.proven = true;
    if (state.unopenedFrom >= 0) this.openedAtLast(direction, DO_NOT_OPEN);
    // Number 0 is Finished: behind it nothing else was lost, behind others not even how much is certain.
    if (state.sequence <= 2) state.lostOctets = -1;
    else {
      state.skipped = Number.NaN;
      this.found(direction, record.startOffset);
    }
    this.content(direction, opened, record);
    return true;
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
      if (this.is13 && state.epoch === 'early' && this.earlyDataAccepted === false) {
        this.earlyDropped ??= { from: record.startOffset, to: record.endOffset };
        return;
      }
      this.facts.decrypted = true;
      if (!this.is13 || state.epoch === 'application') this.facts.established ||= direction === this.clientDirection;
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
      this.unopened(direction, record);
      if (this.facts.renegotiations > 0) this.giveUp(RENEGOTIATED);
      else if (this.is13) this.giveUp(ONLY_A_PART);
      else if (++this.failures >= MAX_FAILURES) this.giveUp(DO_NOT_OPEN);
      return;
    }
    // Early data of which the key is not known, refused (RFC 8446 section 4.2.10) or lost.
    const early = this.clientHello?.earlyData === true && direction === this.clientDirection;
    if (early && state.epoch !== 'application') {
      if (this.earlyDataAccepted)
        this.skip(direction, record, 'the key log does not hold the secret of its early data', false);
      return;
    }
    // Without the handshake's secret its records stay closed; the first one that opens is number 0.
    if (this.is13 && (state.epoch !== 'application' || !state.proven) && !state.joining) {
      this.unopened(direction, record);
      if (++this.failures >= MAX_FAILURES) this.giveUp(DO_NOT_OPEN);
      return;
    }
    if (state.joining) this.unopened(direction, record);
    if (++this.failures >= (state.joining ? MAX_FAILURES_JOINING : MAX_FAILURES)) {
      this.giveUp(DO_NOT_OPEN);
      return;
    }
    if (state.lostOctets >= 0) {
      state.lostOctets += record.endOffset - record.startOffset;
      return;
    }
    state.sequence++;
    this.skip(direction, record, 'a record could not be decrypted', false);
  }

  private unopened(direction: Direction, { type, startOffset, endOffset }: TlsRecord): void {
    const state = this.directions[direction];
    if (type !== ContentType.applicationData) return;
    if (state.unopenedFrom < 0) {
      state.unopenedFrom = startOffset;
      this.sink.unopened(direction);
    }
    state.unopenedTo = endOffset;
  }

  /** A record was opened: what was not before it was the handshake, or is missing. */
  private openedAtLast(direction: Direction, why: string): void {
    const state = this.directions[direction];
    const { unopenedFrom, unopenedTo } = state;
    state.unopenedFrom = -1;
    const first = state.sequence === 1 && state.updates === 0;
    if (this.is13 && !state.joining && (state.epoch !== 'application' || first)) return;
    this.unread(direction, 0, false, unopenedFrom, unopenedTo, why);
  }

  /** What is still closed at the end is missing from what was read, where anything was. */
  private admitUnopened(why: string): void {
    for (const direction of [0, 1] as const) {
      const state = this.directions[direction];
      for (const record of state.held) this.unopened(direction, record);
      const { unopenedFrom, unopenedTo } = state;
      if (unopenedFrom < 0 || !this.facts.decrypted) continue;
      state.unopenedFrom = -1;
      this.unread(direction, 0, false, unopenedFrom, unopenedTo, why);
    }
  }

  // --- holes -------------------------------------------------------------------------------------------------------------

  private damaged(direction: Direction, record: TlsRecord): void {
    if (this.givenUp) return;
    const state = this.directions[direction];
    if (!state.protected && record.type !== ContentType.applicationData) {
      state.handshake.reset();
      return;
    }
    if (record.type === ContentType.changeCipherSpec) {
      this.changeCipherSpec(direction);
      return;
    }
    if (this.is13 && state.epoch !== 'application') {
      state.handshake.reset();
      state.sequence++;
      return;
    }
    if (state.lostOctets >= 0) {
      state.lostOctets += record.endOffset - record.startOffset;
      return;
    }
    const certain = !this.mayBeTicket(direction, state.sequence++);
    this.skip(direction, record, 'octets of a TLS record are missing from the capture', certain);
  }

  /** One record of known length was not read. */
  private skip(direction: Direction, record: TlsRecord, why: string, certain = true): void {
    const state = this.directions[direction];
    if (state.cipher === null || (!this.is13 && record.type !== ContentType.applicationData)) return;
    const length = state.cipher.plainLength(record.length);
    this.unread(direction, Math.max(0, length), certain && length >= 0, record.startOffset, record.endOffset, why);
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
    // The first record of its part of the connection: what was lost was handshake.
    if (this.is13 && Number.isNaN(skipped) && state.sequence === 1 && state.updates === 0) return;
    const overhead = 5 + (1 << 10) - cipher.plainLength(1 << 10);
    const number = state.sequence - 1 - skipped;
    const certain = skipped >= 0 && cipher.plainLength(1 << 10) >= 0 && !this.mayBeTicket(direction, number);
    const length = certain ? Math.max(0, lostOctets - skipped * overhead) : lostOctets;
    const why = 'octets of TLS records are missing from the capture';
    this.unread(direction, length, certain, state.lostFrom, to, why);
  }

  /** RFC 8446 section 4.6.1: a server sends tickets behind its handshake, in records like those of application data. */
  private mayBeTicket(direction: Direction, number: number): boolean {
    return this.is13 && direction !== this.clientDirection && number < MOST_TICKETS;
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
    } else if (type === HandshakeType.endOfEarlyData) {
      // Only said where it was taken (RFC 8446 section 4.5), which the server's answer would have told before.
      if (this.earlyDropped !== null)
        this.unread(direction, 0, false, this.earlyDropped.from, this.earlyDropped.to, UNCERTAIN_EARLY);
      this.earlyDropped = null;
      state.leave('early');
    } else if (type === HandshakeType.finished) {
      if (direction === this.clientDirection) this.facts.established = true;
      else this.earlyDataAccepted ??= false;
      state.leave('handshake');
      this.releaseHeld();
    } else if (type === HandshakeType.keyUpdate) state.advance();
  }

  private client(direction: Direction, body: Uint8Array): void {
    const hello = parseClientHello(body);
    if (hello === null) return;
    const { serverHello } = this;
    // Captured behind the ServerHello that answers it.
    const late = this.clientHello === null && serverHello !== null;
    if (serverHello !== null && !late && !serverHello.helloRetryRequest) {
      this.facts.renegotiations++;
      this.serverHello = null;
    }
    this.clientHello = hello;
    this.clientDirection = direction;
    this.facts.serverName = hello.serverName;
    this.facts.handshake = 'seen';
    this.facts.clientRandom = Buffer.from(hello.random).toString('hex');
    if (!late || serverHello.helloRetryRequest || this.directions.some(({ cipher }) => cipher !== null)) return;
    this.masterSearch = null;
    this.begin(serverHello);
  }

  private server(direction: Direction, body: Uint8Array): void {
    const hello = parseServerHello(body);
    if (hello === null) return;
    this.clientDirection = (direction ^ 1) as Direction;
    const { facts } = this;
    if (hello.helloRetryRequest) {
      this.serverHello = hello;
      this.earlyDataAccepted = false;
      this.releaseHeld();
      return;
    }
    this.serverHello = hello;
    facts.version = versionName(hello.version);
    facts.cipherSuite = cipherSuiteName(hello.cipherSuite);
    facts.alpn = hello.alpn;
    this.begin(hello);
  }

  private begin(hello: ServerHello): void {
    const { facts } = this;
    const suite = cipherSuite(hello.cipherSuite);
    if (suite === null) this.giveUp(`its cipher suite ${facts.cipherSuite} is not known here`);
    else if (hello.version === 0x0304) this.begin13(suite, hello);
    else if (hello.version === 0x0303) this.begin12(suite, hello);
    else this.giveUp(`it is TLS ${facts.version}, which is not read here`);
    this.releaseHeld();
  }

  private begin13(suite: CipherSuite, hello: ServerHello): void {
    this.facts.resumed = hello.preSharedKey;
    if (this.clientHello === null) {
      // The first protected record shows whose secrets they are.
      if (!this.keys.hasKeys) this.giveUp(this.keys.why);
      return;
    }
    const secrets = this.keys.of(this.clientHello);
    if (secrets === null) this.giveUp(this.keys.why);
    else this.start13(suite, secrets);
  }

  private begin12(suite: CipherSuite, hello: ServerHello): void {
    const client = this.clientHello;
    // RFC 5246 section 7.4.1.3; with a ticket, RFC 5077 section 3.4.
    const { sessionId } = hello;
    this.facts.resumed = sessionId.length > 0 && client !== null && Buffer.compare(sessionId, client.sessionId) === 0;
    if (hello.compressed) {
      this.giveUp('its records are compressed (RFC 3749), which is not read here');
      return;
    }
    const secrets = client === null ? null : this.keys.of(client);
    if (client !== null && secrets !== null) {
      this.start12(suite, secrets, client, hello);
      return;
    }
    if (client === null || this.facts.resumed) this.masterSearch = this.keys.masterSearch(suite, client, hello);
    if (this.masterSearch === null) this.giveUp(this.facts.renegotiations > 0 ? RENEGOTIATED : this.keys.why);
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
    const whole = client.at(-1)?.epoch === 'application' && server.at(-1)?.epoch === 'application';
    // A handshake that was broken off has no further secrets; what it said of that can be read.
    if (!whole && client.length === 0 && server.length === 0) {
      this.giveUp(ONLY_A_PART);
      return;
    }
    // Without the secret that reads EncryptedExtensions: a PSK that was taken is the best sign there is.
    if (server[0]?.epoch === 'application') this.earlyDataAccepted = this.facts.resumed;
    const clientDirection = this.clientDirection ?? 0;
    this.directions[clientDirection].setSecrets(suite, client);
    this.directions[clientDirection ^ 1].setSecrets(suite, server);
  }

  private start12(suite: CipherSuite, secrets: ClientSecrets, client: ClientHello, server: ServerHello): void {
    const master = secrets.get('CLIENT_RANDOM');
    if (master === undefined) {
      this.giveUp(ONLY_A_PART);
      return;
    }
    const keys = expandedKeys(suite, master, client.random, server.random);
    const clientDirection = this.clientDirection ?? 0;
    this.directions[clientDirection].pending = recordCipher(suite, keys.client, 0x0303, server.encryptThenMac);
    this.directions[clientDirection ^ 1].pending = recordCipher(suite, keys.server, 0x0303, server.encryptThenMac);
  }

  /** In TLS 1.3 it says nothing (RFC 8446 appendix D.4); before, the next record is protected by the new keys. */
  private changeCipherSpec(direction: Direction): void {
    if (this.is13 || (this.serverHello === null && this.facts.renegotiations === 0)) return;
    if (this.serverHello?.helloRetryRequest) return;
    const state = this.directions[direction];
    // What was lost of the handshake before it is no application data.
    if (!state.protected) state.lostOctets = -1;
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
      state.waits = false;
      if (state.held.length === 0 || this.waitsForEarlyData(direction)) continue;
      const { held } = state;
      state.held = [];
      state.heldOctets = 0;
      for (const record of held) this.record(direction, record);
    }
  }

  private alert(content: Uint8Array): void {
    // RFC 8446 section 6: level and description; close_notify is how connections end.
    if (content.length >= 2 && content[0] === 2 && this.facts.alert < 0) this.facts.alert = content[1];
  }

  // --- in mid-connection -------------------------------------------------------------------------------------------------

  private join(direction: Direction, record: TlsRecord): void {
    if (this.directions[direction ^ 1].cipher !== null) return;
    const found = this.heeded(this.keys.join(direction, record, this.likelyClient()));
    if (found === null) {
      this.unopened(direction, record);
      return;
    }
    const { clientDirection, suite, secrets } = found;
    this.clientDirection = clientDirection;
    this.facts.version = '1.3';
    this.facts.cipherSuite = suite.name;
    const other = (direction ^ 1) as Direction;
    const secretOfOther = secrets.get(
      other === clientDirection ? 'CLIENT_TRAFFIC_SECRET_0' : 'SERVER_TRAFFIC_SECRET_0',
    );
    this.directions[direction].joinAt(suite, found.secret, found.sequence);
    this.directions[other].joinAt(suite, secretOfOther as Uint8Array, 0);
    // The other direction's number is as unknown as this one's was.
    this.numberUnknown(other);
    this.open(direction, record);
  }

  /** One of the hellos was not captured. */
  private seek(direction: Direction, record: TlsRecord): void {
    const { clientHello, serverHello, clientDirection } = this;
    if (clientDirection === null) return;
    const found = this.heeded(this.keys.seek(direction, record, { clientHello, serverHello, clientDirection }));
    if (found === null) {
      this.unopened(direction, record);
      return;
    }
    this.facts.version = '1.3';
    this.facts.cipherSuite = found.suite.name;
    const unknown = (clientHello === null ? clientDirection : clientDirection ^ 1) as Direction;
    if (this.directions[unknown].lostOctets < 0) this.numberUnknown(unknown);
    // Whether early data was taken stood with the ServerHello.
    this.earlyDataAccepted ??= false;
    this.start13(found.suite, found.secrets);
    this.releaseHeld();
    this.open(direction, record);
  }

  private heeded(found: FoundSecrets | string | null): FoundSecrets | null {
    if (typeof found !== 'string') return found;
    this.giveUp(found);
    return null;
  }

  /** From the side that sends the ServerHello nothing more will come, or too much came before it. */
  private seekHeld(direction: Direction): void {
    const state = this.directions[direction];
    const { held } = state;
    state.held = [];
    state.heldOctets = 0;
    state.waits = false;
    for (const record of held) {
      if (this.givenUp) return;
      if (record.type !== ContentType.applicationData) continue;
      if (state.cipher === null) this.seek(direction, record);
      else this.protected(direction, record);
    }
  }

  private seekMaster(direction: Direction, record: TlsRecord, search: MasterSearch): void {
    const found = this.keys.master(search, direction, direction === this.clientDirection, record);
    if (found === null) this.unopened(direction, record);
    if (typeof found === 'string') this.giveUp(found);
    if (typeof found === 'string' || found === null) return;
    this.masterSearch = null;
    for (const each of [0, 1] as const) {
      const state = this.directions[each];
      const cipher = each === this.clientDirection ? found.client : found.server;
      if (state.protected) state.cipher = cipher;
      else state.pending = cipher;
    }
    this.directions[direction].sequence = found.sequence;
    this.open(direction, record);
  }

  private numberUnknown(direction: Direction): void {
    const state = this.directions[direction];
    state.lostOctets = ROUNDS[1] * 22;
    state.lostFrom = state.reader.needFrom;
    state.joining = true;
  }

  // --- the end -----------------------------------------------------------------------------------------------------------

  private giveUp(why: string): void {
    if (this.givenUp) return;
    this.givenUp = true;
    this.admitUnopened(why);
    this.facts.unreadable = why;
    this.sink.unreadable(why);
  }
}

function versionName(version: number): string {
  return version >> 8 === 3 && (version & 0xff) >= 1 ? `1.${(version & 0xff) - 1}` : `0x${version.toString(16)}`;
}
