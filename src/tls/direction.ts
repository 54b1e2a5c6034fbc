/**
 * What is known of one direction of a TLS connection: which keys protect the next record, and its number. In: session.ts.
 * Out: records opened. RFC 8446 section 7.2 and 5.3: each change of keys starts the numbers anew.
 */

import type { CipherSuite } from './cipher-suite.js';
import { findSequence } from './find-sequence.js';
import { HandshakeReader } from './handshake.js';
import { nextTrafficSecret, trafficKeys } from './key-schedule.js';
import { ContentType, RecordReader, type RecordSink, type TlsRecord } from './record.js';
import { type Plaintext, type RecordCipher, Tls13Cipher } from './record-cipher.js';

/** Of a TCP connection's two. */
export type Direction = 0 | 1;

/** The parts of a TLS 1.3 connection, in order; each has its secret. */
export type Epoch = 'early' | 'handshake' | 'application';

interface EpochKeys {
  epoch: Epoch;
  secret: Uint8Array;
}

/** After a hole the number may have moved on by no more than what fits into it, and never by more than this. */
const MAX_SKIPPED = 1 << 20;
/** Empty application data, TLS 1.3: no record is shorter. */
const LEAST_RECORD = 22;
/** The same in TLS 1.2, and the most records that are tried. */
const LEAST_RECORD_12 = 26;
const MAX_SKIPPED_12 = 1 << 16;
/** Room for some records in a hole of which nothing is known. */
const LEAST_LOST = 256;

export class DirectionState {
  readonly reader: RecordReader;
  readonly handshake: HandshakeReader;
  /** TLS 1.2: set by ChangeCipherSpec. TLS 1.3: of the current secret. */
  cipher: RecordCipher | null = null;
  /** TLS 1.2: keys of the handshake in progress. */
  pending: RecordCipher | null = null;
  /** Records are protected from here on, keys or not. */
  protected = false;
  sequence = 0;
  /** Octets of application data so far. */
  plain = 0;
  /** TCP octets of which it is not known how many records they held; -1 for none. */
  lostOctets = -1;
  lostFrom = 0;
  /** A record was opened. */
  proven = false;
  /** Joined in mid-connection by the other direction's keys: this one's number is still to be found. */
  joining = false;
  /** The ChangeCipherSpec came before the other side's ServerHello: what follows is held. */
  waits = false;
  /** TCP octets of records that may be application data and were not opened; -1 for none. */
  unopenedFrom = -1;
  unopenedTo = -1;
  /** Protected records that came before it was known how to read them. */
  held: TlsRecord[] = [];
  heldOctets = 0;
  /** Records that the last opening went past; NaN where keys changed among them. */
  skipped = 0;
  epoch: Epoch = 'handshake';
  /** KeyUpdates so far. */
  updates = 0;
  private suite: CipherSuite | null = null;
  private secret: Uint8Array | null = null;
  private later: EpochKeys[] = [];

  constructor(sink: RecordSink, onMessage: (type: number, body: Uint8Array) => void) {
    this.reader = new RecordReader(sink);
    this.handshake = new HandshakeReader({ message: onMessage });
  }

  /** The secrets of this direction in order; those that are not in the key log are left out. */
  setSecrets(suite: CipherSuite, secrets: EpochKeys[]): void {
    this.suite = suite;
    this.later = secrets.slice();
    this.protected = true;
    this.advance();
  }

  /** On to the next secret: of the next part of the connection, or after a KeyUpdate. */
  advance(): void {
    const { suite } = this;
    if (suite === null) return;
    const next = this.later.shift();
    if (next !== undefined) {
      this.epoch = next.epoch;
      this.secret = next.secret;
    } else if (this.secret !== null && this.epoch === 'application') {
      this.secret = nextTrafficSecret(suite, this.secret);
      this.updates++;
    } else return;
    this.cipher = new Tls13Cipher(suite, trafficKeys(suite, this.secret));
    this.sequence = 0;
  }

  /** Keys of a part that is over are not tried any more. */
  leave(epoch: Epoch): void {
    if (this.epoch !== epoch) return;
    if (this.later.length > 0) this.advance();
    else this.cipher = null;
  }

  /** In mid-connection: the number was found. */
  joinAt(suite: CipherSuite, secret: Uint8Array, sequence: number): void {
    this.setSecrets(suite, [{ epoch: 'application', secret }]);
    this.sequence = sequence;
  }

  get secrets(): { suite: CipherSuite; secret: Uint8Array } | null {
    return this.suite === null || this.secret === null ? null : { suite: this.suite, secret: this.secret };
  }

  /** TLS 1.2: from here on the pending keys protect the records. */
  changeCipherSpec(): void {
    // What was lost of the handshake before it is no application data.
    if (!this.protected) this.lostOctets = -1;
    this.cipher = this.pending;
    this.pending = null;
    this.protected = true;
    this.sequence = 0;
  }

  /** Opens a record of TLS 1.2: behind a hole with a later number. Null where nothing fits; `skipped` then stays. */
  open12(record: TlsRecord): Plaintext | null {
    const { cipher } = this;
    if (cipher === null) return null;
    const most = this.lostOctets < 0 ? 0 : Math.min(MAX_SKIPPED_12, Math.ceil(this.lostOctets / LEAST_RECORD_12) + 1);
    for (let ahead = 0; ahead <= most; ahead++) {
      const opened = cipher.open(record, this.sequence + ahead);
      if (opened === null) continue;
      this.skipped = ahead;
      this.sequence += ahead + 1;
      return opened;
    }
    return null;
  }

  /** The same where the ChangeCipherSpec may lie in a hole before this record; before application data there was one. */
  openPending12(record: TlsRecord): Plaintext | null {
    const { pending, lostOctets } = this;
    if (pending === null || (lostOctets < 0 && record.type !== ContentType.applicationData)) return null;
    this.cipher = pending;
    this.lostOctets = Math.max(lostOctets, LEAST_LOST);
    const opened = this.open12(record);
    if (opened === null) {
      this.cipher = null;
      this.lostOctets = lostOctets;
      return null;
    }
    this.pending = null;
    this.protected = true;
    return opened;
  }

  /**
   * Opens a record of TLS 1.3: by the keys at hand; by the next ones, whose announcement may lie in a hole; with a later number.
   * What fits is proven by the tag. Null where nothing fits; `skipped` then stays.
   */
  open13(record: TlsRecord): Plaintext | null {
    if (this.cipher === null || this.suite === null || this.secret === null) return null;
    const most = this.lostOctets < 0 ? 0 : Math.min(MAX_SKIPPED, Math.ceil(this.lostOctets / LEAST_RECORD) + 1);
    const opened = this.cipher.open(record, this.sequence) ?? this.openAhead(record, this.suite, this.secret, most);
    if (opened !== null) {
      this.sequence++;
      return opened;
    }
    // Two secrets ahead at most: handshake and application, or two KeyUpdates.
    const ahead = [...this.later];
    if (ahead.length === 0 && this.epoch === 'application') {
      const next = nextTrafficSecret(this.suite, this.secret);
      ahead.push({ epoch: 'application', secret: next });
      if (most > 0) ahead.push({ epoch: 'application', secret: nextTrafficSecret(this.suite, next) });
    }
    for (let i = 0; i < ahead.length; i++) {
      const at = findSequence(record, this.suite, ahead[i].secret, { from: 0, to: most + 1 });
      if (at < 0) continue;
      for (let step = 0; step <= i; step++) this.advance();
      const found = (this.cipher as RecordCipher).open(record, at);
      this.sequence = at + 1;
      this.skipped = Number.NaN;
      return found;
    }
    return null;
  }

  private openAhead(record: TlsRecord, suite: CipherSuite, secret: Uint8Array, most: number): Plaintext | null {
    if (most === 0 || this.cipher === null) return null;
    const at = findSequence(record, suite, secret, { from: this.sequence + 1, to: this.sequence + 1 + most });
    if (at < 0) return null;
    this.skipped = at - this.sequence;
    this.sequence = at;
    return this.cipher.open(record, at);
  }

  takeHeld(): TlsRecord[] {
    const { held } = this;
    this.held = [];
    this.heldOctets = 0;
    return held;
  }

  hold(record: TlsRecord, limit: number): boolean {
    const octets = record.end - record.headerAt;
    if (this.heldOctets + octets > limit) return false;
    const bytes = record.bytes.slice(record.headerAt, record.end);
    this.held.push({ ...record, bytes, headerAt: 0, start: record.start - record.headerAt, end: octets });
    this.heldOctets += octets;
    return true;
  }
}
