/**
 * The TLS layer of one connection, between TCP and what it carries. In: connection-stack.ts with TCP octets and gaps. Out: the stack
 * again, with plaintext and what was lost of it; and, for each direction, the map from plaintext to the TCP octets of its records, so
 * that a message names the records that carried it, hence packets and TCP ACKs.
 */

import type { GapKind, HalfStream } from '../tcp/half-stream.js';
import type { Direction } from '../tls/direction.js';
import type { LostPlaintext, TlsFacts, TlsSink } from '../tls/facts.js';
import type { KeyLog } from '../tls/key-log.js';
import type { RecordOverhead } from '../tls/record-overhead.js';
import { RecordSizes, type RecordSizesSink } from '../tls/record-sizes.js';
import { TlsSession } from '../tls/session.js';
import { RecordLog } from './record-log.js';
import { RecordMap } from './record-map.js';
import { RecordFlag, type RecordTable } from './record-table.js';

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

/** What is kept of a connection that cannot be read: rows of the record table by direction. */
export interface SizedRecords {
  /** What of a record is not plaintext: one where it was negotiated in sight, else what is possible. */
  overheads: readonly RecordOverhead[];
  rows: readonly [Int32Array, Int32Array];
}

export class TlsLayer implements TlsSink, RecordSizesSink {
  readonly maps: readonly [RecordMap, RecordMap] = [new RecordMap(), new RecordMap()];
  private readonly session: TlsSession;
  /** Follows the records as long as nothing of them was decrypted. */
  private sizes: RecordSizes | null;
  private readonly logs: readonly [RecordLog, RecordLog];

  constructor(
    private readonly owner: TlsOwner,
    keyLog: KeyLog,
    private readonly table: RecordTable,
    halves: readonly [HalfStream, HalfStream],
  ) {
    this.session = new TlsSession(keyLog, this, () => owner.clientDirection());
    this.sizes = table.isFull ? null : new RecordSizes(this);
    this.logs = [new RecordLog(halves[0], table), new RecordLog(halves[1], table)];
  }

  /** Its records are followed, for what their sizes say. */
  get keepsSizes(): boolean {
    return this.sizes !== null;
  }

  /** Null where the connection was decrypted, or its records were too many. */
  get sizedRecords(): SizedRecords | null {
    if (this.sizes === null) return null;
    return { overheads: this.sizes.overheads(), rows: [this.logs[0].rows, this.logs[1].rows] };
  }

  get facts(): TlsFacts {
    return this.session.facts;
  }

  get clientDirection(): Direction | null {
    return this.session.clientDirection;
  }

  data(half: HalfStream, bytes: Uint8Array, start: number, end: number, offset: number): void {
    this.session.read(half.direction, bytes, start, end, offset);
    if (this.sizes === null) return;
    if (this.facts.decrypted) this.sizes = null;
    else this.sizes.read(half.direction, bytes, start, end, offset);
    if (this.table.isFull) this.giveUpSizes();
  }

  gap(half: HalfStream, from: number, to: number, kind: GapKind): void {
    this.session.gap(half.direction, from, to, kind === 'cut');
    this.sizes?.gap(half.direction, from, to);
  }

  acked(half: HalfStream): void {
    if (this.sizes !== null) this.logs[half.direction].acked();
  }

  /** The direction was seen before it was known to be TLS: records are to be found. */
  search(direction: Direction, offset: number): void {
    this.session.search(direction, offset);
    this.sizes?.search(direction, offset);
  }

  finish(): void {
    this.session.finish();
    this.sizes?.finish();
    if (this.sizes !== null) for (const log of this.logs) log.finish();
  }

  /** The first TCP octet that is still needed, where the plaintext is needed from an offset on; what is before it is dropped here too. */
  needFrom(half: HalfStream, plainFrom: number): number {
    const map = this.maps[half.direction];
    map.prune(plainFrom, half.acks.offset);
    const { direction } = half;
    const sized =
      this.sizes === null ? Number.POSITIVE_INFINITY : this.logs[direction].needFrom(this.sizes.needFrom(direction));
    // Where nothing can be read the session stands still, and needs nothing.
    if (this.sizes !== null && this.facts.unreadable !== null) return sized;
    return Math.min(map.startOf(plainFrom), this.session.needFrom(direction), sized);
  }

  private giveUpSizes(): void {
    this.sizes = null;
    if (this.facts.unreadable !== null) this.owner.unreadable(this.facts.unreadable);
  }

  // --- RecordSizesSink ---------------------------------------------------------------------------------------------------

  sized(direction: 0 | 1, from: number, to: number): void {
    this.logs[direction].add(from, to, 0);
  }

  sizedPart(direction: 0 | 1, from: number, to: number): void {
    this.logs[direction].add(from, to, RecordFlag.partial);
  }

  sizesLost(direction: 0 | 1, from: number, to: number): void {
    this.logs[direction].add(from, to, RecordFlag.lost);
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
