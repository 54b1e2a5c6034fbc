/**
 * The account of a connection's plaintext: where in it each record's content stands, and what of it was not read, because the capture has
 * a hole or no key fits. In: session.ts with records opened, closed, damaged and lost. Out: the sink, with offsets that hold on behind
 * what is missing where its length is certain. RFC 8446 section 5, RFC 5246 section 6.2.
 */

import type { ConnectionState } from './connection-state.js';
import type { Direction } from './direction.js';
import type { TlsSink } from './facts.js';
import { ContentType, type TlsRecord } from './record.js';

export const DO_NOT_OPEN = 'the keys in the key log do not open its records';
/** OpenSSL sends two, Go one. */
const MOST_TICKETS = 4;

export class PlaintextAccount {
  constructor(
    private readonly known: ConnectionState,
    private readonly sink: TlsSink,
  ) {}

  /** Content of a record that was opened. */
  give(direction: Direction, bytes: Uint8Array, record: TlsRecord): void {
    const state = this.known.directions[direction];
    const offset = state.plain;
    state.plain += bytes.length;
    this.sink.plaintext(direction, bytes, offset, record.startOffset, record.endOffset);
  }

  /** It may turn out that the record was one of the handshake. */
  unopened(direction: Direction, { type, startOffset, endOffset }: TlsRecord): void {
    const state = this.known.directions[direction];
    if (type !== ContentType.applicationData) return;
    if (state.unopenedFrom < 0) {
      state.unopenedFrom = startOffset;
      this.sink.unopened(direction);
    }
    state.unopenedTo = endOffset;
  }

  /** A record was opened: what was not before it was the handshake, or is missing. */
  openedAtLast(direction: Direction): void {
    const state = this.known.directions[direction];
    const { unopenedFrom, unopenedTo } = state;
    if (unopenedFrom < 0) return;
    state.unopenedFrom = -1;
    const first = state.sequence === 1 && state.updates === 0;
    if (this.known.is13 && !state.joining && (state.epoch !== 'application' || first)) return;
    this.unread(direction, 0, false, unopenedFrom, unopenedTo, DO_NOT_OPEN);
  }

  /** What is still closed at the end is missing from what was read, where anything was. */
  admitUnopened(why: string): void {
    for (const direction of [0, 1] as const) {
      const state = this.known.directions[direction];
      for (const record of state.held) this.unopened(direction, record);
      const { unopenedFrom, unopenedTo } = state;
      if (unopenedFrom < 0 || !this.known.facts.decrypted) continue;
      state.unopenedFrom = -1;
      this.unread(direction, 0, false, unopenedFrom, unopenedTo, why);
    }
  }

  /** One record of known length was not read. */
  skip(direction: Direction, record: TlsRecord, why: string, certain: boolean): void {
    const state = this.known.directions[direction];
    if (state.cipher === null || (!this.known.is13 && record.type !== ContentType.applicationData)) return;
    const length = state.cipher.plainLength(record.length);
    this.unread(direction, Math.max(0, length), certain && length >= 0, record.startOffset, record.endOffset, why);
  }

  /** TCP octets are missing: how many records stood there is not known. */
  lost(direction: Direction, from: number, to: number): void {
    const state = this.known.directions[direction];
    if (!state.protected && this.known.clientHello === null) return;
    state.handshake.reset();
    if (state.lostOctets < 0) {
      state.lostOctets = 0;
      state.lostFrom = from;
    }
    state.lostOctets += to - from;
  }

  /** A record's header is there, octets of its body are missing. */
  damaged(direction: Direction, record: TlsRecord): void {
    const state = this.known.directions[direction];
    if (this.known.is13 && state.epoch !== 'application') {
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

  /** The first record behind a hole was opened: its number says how many were lost, and their headers and tags are known. */
  found(direction: Direction, to: number): void {
    const state = this.known.directions[direction];
    const { lostOctets, skipped, cipher, joining } = state;
    const { is13 } = this.known;
    state.lostOctets = -1;
    state.joining = false;
    if (joining || cipher === null || (is13 && state.epoch !== 'application')) return;
    // The first record of its part of the connection: what was lost was handshake.
    if (is13 && Number.isNaN(skipped) && state.sequence === 1 && state.updates === 0) return;
    const overhead = 5 + (1 << 10) - cipher.plainLength(1 << 10);
    const number = state.sequence - 1 - skipped;
    const certain = skipped >= 0 && cipher.plainLength(1 << 10) >= 0 && !this.mayBeTicket(direction, number);
    const length = certain ? Math.max(0, lostOctets - skipped * overhead) : lostOctets;
    const why = 'octets of TLS records are missing from the capture';
    this.unread(direction, length, certain, state.lostFrom, to, why);
  }

  /** So much of the plaintext is missing; it stood in TCP octets [wireFrom, wireTo). */
  unread(direction: Direction, length: number, exact: boolean, wireFrom: number, wireTo: number, why: string): void {
    const state = this.known.directions[direction];
    const from = state.plain;
    state.plain += length;
    if (length > 0 || !exact) this.sink.unread(direction, { from, to: state.plain, exact, wireFrom, wireTo, why });
  }

  /** RFC 8446 section 4.6.1: a server sends tickets behind its handshake, in records like those of application data. */
  private mayBeTicket(direction: Direction, number: number): boolean {
    return this.known.is13 && direction !== this.known.clientDirection && number < MOST_TICKETS;
  }
}
