/**
 * One TLS connection: tells for each record what it is and whether it can be opened, and gives out application data with its place in
 * TCP. Sans-IO. In: hop/ with octets in order and gaps of both directions. Out: the sink gets plaintext, what was lost of it, and, once,
 * the word that nothing can be read. RFC 8446, RFC 5246; what cannot be proven by a tag or MAC is not given out as read.
 */

import { ConnectionState } from './connection-state.js';
import { type Direction, DirectionState } from './direction.js';
import type { TlsFacts, TlsSink } from './facts.js';
import type { KeyLog } from './key-log.js';
import { KeySearch, ONLY_A_PART } from './key-search.js';
import { LateKeys } from './late-keys.js';
import { Negotiation, RENEGOTIATED } from './negotiation.js';
import { DO_NOT_OPEN, PlaintextAccount } from './plaintext-account.js';
import { ContentType, type TlsRecord } from './record.js';
import type { Plaintext } from './record-cipher.js';

const MAX_HELD = 256 << 10;
/** Records that nothing opens, one after the other, before the connection is given up. */
const MAX_FAILURES = 64;
/** In mid-connection nothing but a wrong guess makes as many in a row. */
const MAX_FAILURES_JOINING = 3;

export class TlsSession {
  private readonly known: ConnectionState;
  private readonly keys: KeySearch;
  private readonly account: PlaintextAccount;
  private readonly negotiation: Negotiation;
  private readonly lateKeys: LateKeys;
  private failures = 0;
  private givenUp = false;
  /** The gap told of last was cut off a packet. */
  private inCut = false;

  constructor(
    keyLog: KeyLog | null,
    private readonly sink: TlsSink,
    /** Which direction is the client's, as far as is known; for the order of trying. */
    likelyClient: () => Direction,
  ) {
    const giveUp = (why: string) => this.giveUp(why);
    this.known = new ConnectionState([this.direction(0), this.direction(1)]);
    this.keys = new KeySearch(keyLog);
    this.account = new PlaintextAccount(this.known, sink);
    this.negotiation = new Negotiation(this.known, this.keys, this.account, { giveUp, release: () => this.release() });
    this.lateKeys = new LateKeys(this.known, this.keys, this.account, this.negotiation, giveUp, likelyClient);
  }

  get facts(): TlsFacts {
    return this.known.facts;
  }

  /** By what it said. */
  get clientDirection(): Direction | null {
    return this.known.clientDirection;
  }

  read(direction: Direction, bytes: Uint8Array, start: number, end: number, offset: number): void {
    if (!this.givenUp) this.known.directions[direction].reader.read(bytes, start, end, offset);
  }

  /** `cut`: by the snapshot length. */
  gap(direction: Direction, from: number, to: number, cut = false): void {
    this.inCut = cut;
    if (!this.givenUp) this.known.directions[direction].reader.gap(from, to);
  }

  /** The direction is not known from its beginning: find where a record starts. */
  search(direction: Direction, offset: number): void {
    this.known.directions[direction].reader.search(offset);
  }

  /** Offset of the first TCP octet of the direction that is not answered for yet. */
  needFrom(direction: Direction): number {
    const { held, reader } = this.known.directions[direction];
    return held.length > 0 ? held[0].startOffset : reader.needFrom;
  }

  /** No octets will come any more. What is there of a last record is given out as far as it goes. */
  finish(): void {
    const { known, facts } = this;
    if (!this.givenUp && known.awaitsServerHello && known.clientDirection !== null)
      this.seekHeld(known.clientDirection);
    if (this.givenUp) return;
    this.account.admitUnopened(DO_NOT_OPEN);
    for (const direction of [0, 1] as const) {
      const state = known.directions[direction];
      const part = state.reader.finish();
      const { cipher } = state;
      if (part === null || cipher === null || this.givenUp || state.lostOctets >= 0) continue;
      if (part.type !== ContentType.applicationData || (known.is13 && state.epoch !== 'application')) continue;
      const bytes = cipher.openPart(part, state.sequence);
      if (bytes.length > 0) this.account.give(direction, bytes, part);
    }
    // With keys that opened its handshake, it carried nothing else.
    const opened = known.directions.some(({ proven }) => proven);
    if (facts.decrypted || opened || facts.unreadable !== null) return;
    const { undecided } = this.keys;
    if (undecided !== null) facts.unreadable = undecided;
    else if (this.failures > 0) facts.unreadable = DO_NOT_OPEN;
    else if (facts.established) facts.unreadable = this.keys.why;
  }

  private direction(direction: Direction): DirectionState {
    return new DirectionState(
      {
        record: (record) => this.record(direction, record),
        damaged: (record) => this.damaged(direction, record),
        lost: (from, to) => {
          if (!this.givenUp) this.account.lost(direction, from, to);
        },
      },
      (type, body) => {
        if (!this.givenUp) this.negotiation.message(direction, type, body);
      },
    );
  }

  // --- what a record is --------------------------------------------------------------------------------------------------

  private record(direction: Direction, record: TlsRecord): void {
    if (this.givenUp) return;
    const { known } = this;
    const state = known.directions[direction];
    if (this.isAhead(direction, record)) {
      state.waits = true;
      if (!state.hold(record, MAX_HELD)) this.seekHeld(direction);
      return;
    }
    if (record.type === ContentType.changeCipherSpec) {
      // In a renegotiation it is protected like all else, and counts.
      if (!known.is13 && state.cipher !== null && state.open12(record) === null) this.failed(direction, record);
      else this.negotiation.changeCipherSpec(direction);
      return;
    }
    if (!state.protected && this.opensPending(direction, record)) return;
    if (record.type === ContentType.applicationData || state.protected) {
      if (!known.is13 && known.directions[direction ^ 1].protected) known.facts.established = true;
      this.protected(direction, record);
      return;
    }
    const content = record.bytes.subarray(record.start, record.end);
    if (record.type === ContentType.handshake) state.handshake.read(content);
    else if (record.type === ContentType.alert) this.alert(content);
  }

  /** Captured before the ServerHello to which it answers: packets of both directions are not always in order. */
  private isAhead(direction: Direction, record: TlsRecord): boolean {
    const { known } = this;
    if (known.directions[direction].waits) return true;
    const begun = known.serverHello !== null || known.facts.version !== null || known.facts.renegotiations > 0;
    return (
      record.type === ContentType.changeCipherSpec &&
      !begun &&
      known.clientHello !== null &&
      direction === known.clientDirection
    );
  }

  private protected(direction: Direction, record: TlsRecord): void {
    const { known, lateKeys } = this;
    const state = known.directions[direction];
    if (known.masterSearch !== null) {
      if (lateKeys.seekMaster(direction, record, known.masterSearch)) this.open(direction, record);
      return;
    }
    if (known.clientHello === null && state.cipher === null) {
      if (known.serverHello !== null) this.seek(direction, record);
      else if (lateKeys.join(direction, record)) this.open(direction, record);
      return;
    }
    if (known.awaitsServerHello && state.cipher === null) {
      if (direction !== known.clientDirection) this.seek(direction, record);
      // Early data, or the other side's hello was captured a little later.
      else if (!state.hold(record, MAX_HELD)) this.seekHeld(direction);
      return;
    }
    if (known.waitsForEarlyData(direction)) {
      if (!state.hold(record, MAX_HELD)) this.giveUp('too much came before the EncryptedExtensions');
      return;
    }
    this.open(direction, record);
  }

  /** One of the hellos was not captured. */
  private seek(direction: Direction, record: TlsRecord): void {
    if (!this.lateKeys.seek(direction, record)) return;
    this.release();
    this.open(direction, record);
  }

  // --- records that are held back ----------------------------------------------------------------------------------------

  private release(): void {
    for (const direction of [0, 1] as const) {
      const state = this.known.directions[direction];
      state.waits = false;
      if (state.held.length === 0 || this.known.waitsForEarlyData(direction)) continue;
      for (const record of state.takeHeld()) this.record(direction, record);
    }
  }

  /** From the side that sends the ServerHello nothing more will come, or too much came before it. */
  private seekHeld(direction: Direction): void {
    const state = this.known.directions[direction];
    state.waits = false;
    for (const record of state.takeHeld()) {
      if (this.givenUp) return;
      if (record.type !== ContentType.applicationData) continue;
      if (state.cipher === null) this.seek(direction, record);
      else this.protected(direction, record);
    }
  }

  // --- opening -----------------------------------------------------------------------------------------------------------

  private open(direction: Direction, record: TlsRecord): void {
    const { is13 } = this.known;
    const state = this.known.directions[direction];
    // RFC 8446 section 5: in TLS 1.3 nothing but application data is the outside of a protected record.
    if (is13 && record.type !== ContentType.applicationData) {
      if (record.type === ContentType.alert) this.alert(record.bytes.subarray(record.start, record.end));
      return;
    }
    state.skipped = 0;
    const opened = is13 ? state.open13(record) : state.open12(record);
    if (opened === null) {
      this.failed(direction, record);
      return;
    }
    this.failures = 0;
    state.proven = true;
    this.account.openedAtLast(direction);
    if (state.lostOctets >= 0) this.account.found(direction, record.startOffset);
    this.content(direction, opened, record);
  }

  private opensPending(direction: Direction, record: TlsRecord): boolean {
    const state = this.known.directions[direction];
    const opened = state.openPending12(record);
    if (opened === null) return false;
    state.proven = true;
    this.account.openedAtLast(direction);
    // Number 0 is Finished: behind it nothing else was lost, behind others not even how much is certain.
    if (state.sequence <= 2) state.lostOctets = -1;
    else {
      state.skipped = Number.NaN;
      this.account.found(direction, record.startOffset);
    }
    this.content(direction, opened, record);
    return true;
  }

  private content(direction: Direction, { type, bytes }: Plaintext, record: TlsRecord): void {
    const { known } = this;
    const state = known.directions[direction];
    if (type === ContentType.handshake) state.handshake.read(bytes);
    else if (type === ContentType.alert) this.alert(bytes);
    else if (type === ContentType.applicationData) {
      if (known.is13 && state.epoch === 'early' && known.earlyDataAccepted === false) {
        this.negotiation.dropEarly(record);
        return;
      }
      known.facts.decrypted = true;
      if (!known.is13 || state.epoch === 'application') known.facts.established ||= direction === known.clientDirection;
      if (bytes.length > 0) this.account.give(direction, bytes, record);
    }
  }

  private alert(content: Uint8Array): void {
    // RFC 8446 section 6: level and description; close_notify is how connections end.
    if (content.length >= 2 && content[0] === 2 && this.facts.alert < 0) this.facts.alert = content[1];
  }

  // --- what cannot be opened ---------------------------------------------------------------------------------------------

  private failed(direction: Direction, record: TlsRecord): void {
    const { known, account } = this;
    const state = known.directions[direction];
    if (state.cipher === null) {
      account.unopened(direction, record);
      if (known.facts.renegotiations > 0) this.giveUp(RENEGOTIATED);
      else if (known.is13) this.giveUp(ONLY_A_PART);
      else if (++this.failures >= MAX_FAILURES) this.giveUp(DO_NOT_OPEN);
      return;
    }
    // Early data of which the key is not known, refused (RFC 8446 section 4.2.10) or lost.
    const early = known.clientHello?.earlyData === true && direction === known.clientDirection;
    if (early && state.epoch !== 'application') {
      if (known.earlyDataAccepted)
        account.skip(direction, record, 'the key log does not hold the secret of its early data', false);
      return;
    }
    // Without the handshake's secret its records stay closed; the first one that opens is number 0.
    if (known.is13 && (state.epoch !== 'application' || !state.proven) && !state.joining) {
      account.unopened(direction, record);
      if (++this.failures >= MAX_FAILURES) this.giveUp(DO_NOT_OPEN);
      return;
    }
    if (state.joining) account.unopened(direction, record);
    if (++this.failures >= (state.joining ? MAX_FAILURES_JOINING : MAX_FAILURES)) {
      this.giveUp(DO_NOT_OPEN);
      return;
    }
    if (state.lostOctets >= 0) {
      state.lostOctets += record.endOffset - record.startOffset;
      return;
    }
    state.sequence++;
    account.skip(direction, record, 'a record could not be decrypted', false);
  }

  private damaged(direction: Direction, record: TlsRecord): void {
    if (this.givenUp) return;
    const state = this.known.directions[direction];
    if (!state.protected && record.type !== ContentType.applicationData) {
      if (record.type === ContentType.handshake && record.available > 0)
        this.keys.helloDamaged(record.bytes[record.start], this.inCut);
      state.handshake.reset();
    } else if (record.type === ContentType.changeCipherSpec) this.negotiation.changeCipherSpec(direction);
    else this.account.damaged(direction, record);
  }

  private giveUp(why: string): void {
    if (this.givenUp) return;
    this.givenUp = true;
    this.account.admitUnopened(why);
    this.facts.unreadable = why;
    this.sink.unreadable(why);
  }
}
