/**
 * The TLS layer of one connection, between TCP and what it carries. In: connection-stack.ts with TCP octets and gaps. Out: the stack
 * again, with plaintext and what was lost of it; and, for each direction, the map from plaintext to the TCP octets of its records, so
 * that a message names the records that carried it, hence packets and TCP ACKs.
 */

import type { GapKind, HalfStream } from '../tcp/half-stream.js';
import type { KeyLog } from '../tls/key-log.js';
import { type Direction, type LostPlaintext, type TlsFacts, TlsSession, type TlsSink } from '../tls/session.js';
import { RecordMap } from './record-map.js';

export { NO_KEYS } from '../tls/session.js';

export interface TlsOwner {
  plaintext(direction: Direction, bytes: Uint8Array, start: number, end: number, offset: number): void;
  /** A record stays closed that may hold plaintext. */
  unopened(direction: Direction): void;
  /** `exact`: the plaintext goes on at `lost.to` for certain. */
  unread(direction: Direction, lost: LostPlaintext): void;
  /** Nothing more can be read. */
  unreadable(why: string): void;
  clientDirection(): Direction;
}

export class TlsLayer implements TlsSink {
  readonly maps: readonly [RecordMap, RecordMap] = [new RecordMap(), new RecordMap()];
  private readonly session: TlsSession;

  constructor(
    private readonly owner: TlsOwner,
    keyLog: KeyLog,
  ) {
    this.session = new TlsSession(keyLog, this, () => owner.clientDirection());
  }

  get facts(): TlsFacts {
    return this.session.facts;
  }

  get clientDirection(): Direction | null {
    return this.session.clientDirection;
  }

  data(half: HalfStream, bytes: Uint8Array, start: number, end: number, offset: number): void {
    this.session.read(half.direction, bytes, start, end, offset);
  }

  gap(half: HalfStream, from: number, to: number, _kind: GapKind): void {
    this.session.gap(half.direction, from, to);
  }

  /** The direction was seen before it was known to be TLS: records are to be found. */
  search(direction: Direction, offset: number): void {
    this.session.search(direction, offset);
  }

  finish(): void {
    this.session.finish();
  }

  /** The first TCP octet that is still needed, where the plaintext is needed from an offset on; what is before it is dropped here too. */
  needFrom(half: HalfStream, plainFrom: number): number {
    const map = this.maps[half.direction];
    map.prune(plainFrom, half.acks.offset);
    return Math.min(map.startOf(plainFrom), this.session.needFrom(half.direction));
  }

  // --- TlsSink -----------------------------------------------------------------------------------------------------------

  plaintext(direction: Direction, bytes: Uint8Array, offset: number, wireFrom: number, wireTo: number): void {
    this.maps[direction].add(offset, offset + bytes.length, wireFrom, wireTo);
    this.owner.plaintext(direction, bytes, 0, bytes.length, offset);
  }

  unopened(direction: Direction): void {
    this.owner.unopened(direction);
  }

  unread(direction: Direction, lost: LostPlaintext): void {
    if (lost.to > lost.from) this.maps[direction].add(lost.from, lost.to, lost.wireFrom, lost.wireTo);
    this.owner.unread(direction, lost);
  }

  unreadable(why: string): void {
    this.owner.unreadable(why);
  }
}
