/**
 * What connections share: messages that hardly any other carries, counted for each pair. In: sightings. Out: pairs, the ones with the
 * most first, for group.ts, which decides whether they are one WebSocket.
 */

import type { MessageTable } from '../hop/message-table.js';
import type { HopObservation, ObservedConnection } from '../hop/observation.js';

/** Content, content with its masking key, or key and length alone: a proxy that copies leaves all alike, one that masks anew the content only. */
export type MarkKind = 0 | 1 | 2;

export interface SharingPair {
  x: number;
  y: number;
  kind: MarkKind;
  shared: number;
}

/** What a connection is known by: contents that hardly any other carries. */
interface Mark {
  digest: number;
  timeNs: number;
  /** Masked, or with an ID: no broadcast. */
  strong: boolean;
  kind: MarkKind;
  fromClient: boolean;
}

interface Holder extends Mark {
  sighting: number;
  hop: number;
}

/** More would make large captures slow and prove no more; the lowest digests are kept, the same at every hop. */
const MAX_MARKS = 512;
const MAX_HOLDERS = 16;
const MANY_ROWS = 1024;
const LEAST_KEYS = 3;
const KINDS = 3;
const WAYS = 2;
const TOGETHER_WITHIN_NS = 5e9;

export class SharedMarks {
  /** By pair, kind and direction. */
  private readonly votes = new Map<number, number>();
  /** Bits: 1 where the server said something, 2 where the client did. */
  private readonly saidBy: number[];
  /** Most that an end shares with any, by end, kind and the directions counted. */
  private readonly most = new Map<number, number>();
  private readonly found: SharingPair[] = [];
  /** By end: all that it shares anything with, and how much in all kinds together. */
  private readonly partners: Map<number, number>[];

  /** `servers`: of each sighting the server that it leads to, as its capture shows it. */
  constructor(
    private readonly sightings: readonly { hop: number; connection: ObservedConnection }[],
    observations: readonly (HopObservation | null)[],
    private readonly servers: readonly string[],
  ) {
    this.partners = sightings.map(() => new Map());
    this.saidBy = sightings.map(
      ({ connection: { fromServer, fromClient } }) =>
        (fromServer.rows.length > 0 ? 1 : 0) + (fromClient.rows.length > 0 ? 2 : 0),
    );
    this.count(observations, servers);
    const pairs = new Set([...this.votes.keys()].map((key) => Math.floor(key / WAYS)));
    for (const ofKind of pairs) {
      const pair = Math.floor(ofKind / KINDS);
      const [x, y] = [Math.floor(pair / sightings.length), pair % sightings.length];
      const kind = (ofKind % KINDS) as MarkKind;
      this.found.push({ x, y, kind, shared: this.sum(ofKind, 3) });
      for (const ways of [1, 2, 3])
        for (const end of [x, y]) {
          const key = this.ofEnd(end, kind, ways);
          this.most.set(key, Math.max(this.most.get(key) ?? 0, this.sum(ofKind, ways)));
        }
    }
    for (const { x, y, shared } of this.found)
      for (const [end, other] of [
        [x, y],
        [y, x],
      ])
        this.partners[end].set(other, (this.partners[end].get(other) ?? 0) + shared);
    // Agents of one build may mask with the same keys and say the same of the same length: what tells them apart is few messages.
    this.found.sort((a, b) => this.inAll(b) - this.inAll(a) || b.shared - a.shared);
  }

  private inAll({ x, y }: SharingPair): number {
    return this.partners[x].get(y) ?? 0;
  }

  /** One of the two shares as much with another connection to the other's server: which of them it is cannot be told. */
  isTied({ x, y }: SharingPair, isSame: (a: number, b: number) => boolean): boolean {
    const rivals = (end: number, other: number) =>
      [...this.partners[end]].some(
        ([each, shared]) =>
          each !== other &&
          this.servers[each] === this.servers[other] &&
          shared >= (this.partners[end].get(other) ?? 0) &&
          !isSame(each, other),
      );
    return rivals(x, y) || rivals(y, x);
  }

  pairs(): readonly SharingPair[] {
    return this.found;
  }

  /** Contents that both carry. */
  contents(x: number, y: number): number {
    return this.sum(this.ofPair(x, y, 0), 3);
  }

  /**
   * Far fewer than the best partner of one of them shares: chance, a broadcast, or a command offered again on another connection. Only
   * directions count that both captures show: where one was taken in one direction, half is all that there is.
   */
  isFarFewer({ x, y, kind }: SharingPair): boolean {
    const ways = this.saidBy[x] & this.saidBy[y];
    const shared = this.sum(this.ofPair(x, y, kind), ways);
    return [x, y].some((end) => shared * 2 < (this.most.get(this.ofEnd(end, kind, ways)) ?? 0));
  }

  private ofPair(x: number, y: number, kind: MarkKind): number {
    return (Math.min(x, y) * this.sightings.length + Math.max(x, y)) * KINDS + kind;
  }

  private ofEnd(end: number, kind: MarkKind, ways: number): number {
    return (end * KINDS + kind) * 4 + ways;
  }

  private sum(ofKind: number, ways: number): number {
    const of = (way: number) => ((ways >> way) & 1 ? (this.votes.get(ofKind * WAYS + way) ?? 0) : 0);
    return of(0) + of(1);
  }

  private count(observations: readonly (HopObservation | null)[], servers: readonly string[]): void {
    const holders = new Map<number, Holder[]>();
    this.sightings.forEach(({ hop, connection }, sighting) => {
      for (const mark of marksOf(connection, (observations[hop] as HopObservation).messages)) {
        const list = holders.get(mark.digest);
        if (list === undefined) holders.set(mark.digest, [{ sighting, hop, ...mark }]);
        else if (list.length < MAX_HOLDERS) list.push({ sighting, hop, ...mark });
      }
    });
    for (const list of holders.values()) {
      if (list.length < 2 || list.length >= MAX_HOLDERS) continue;
      const atServer = new Map<string, number>();
      for (const { sighting } of list) atServer.set(servers[sighting], (atServer.get(servers[sighting]) ?? 0) + 1);
      const isOnlyOne = ({ sighting }: Holder) => atServer.get(servers[sighting]) === 1;
      for (let x = 0; x < list.length; x++)
        for (let y = x + 1; y < list.length; y++) {
          const [a, b] = [list[x], list[y]];
          if (a.sighting === b.sighting || a.fromClient !== b.fromClient || !tellsTogether(a, b, isOnlyOne)) continue;
          const key = this.ofPair(a.sighting, b.sighting, a.kind) * WAYS + (a.fromClient ? 1 : 0);
          this.votes.set(key, (this.votes.get(key) ?? 0) + 1);
        }
    }
  }
}

/** What is no broadcast, or seen on no other connection to the same server: one capture may hold a hop's two legs, to two servers. */
function tellsTogether(a: Holder, b: Holder, isOnlyOne: (holder: Holder) => boolean): boolean {
  if (a.hop === b.hop && !(Math.abs(a.timeNs - b.timeNs) < TOGETHER_WITHIN_NS)) return false;
  return (a.strong && b.strong) || (isOnlyOne(a) && isOnlyOne(b));
}

function marksOf(connection: ObservedConnection, messages: MessageTable): Iterable<Mark> {
  const marks = new Map<number, Mark>();
  for (const half of [connection.fromClient, connection.fromServer]) {
    const fromClient = half === connection.fromClient;
    const keysTell = areRandom(half.rows, messages);
    for (const row of half.rows) {
      // Of a long connection a share that is the same at every hop.
      if (half.rows.length > MANY_ROWS && (messages.digest[row] & 0x700) !== 0) continue;
      const key = messages.maskingKey[row];
      const timeNs = messages.sentNs[row];
      const digest = messages.digest[row];
      const mark = (value: number, strong: boolean, kind: MarkKind) =>
        marks.set(value, { digest: value, timeNs, strong, kind, fromClient });
      if (key !== 0) mark(digest ^ Math.imul(key, 0x85ebca6b), true, 1);
      // Of a packet that was cut the header is there, and with it a key that no other frame has.
      if (keysTell && key !== 0) mark(Math.imul(key, 0x27d4eb2f) ^ messages.octets(row) ^ 0x5bd1e995, true, 2);
      if (messages.opcode[row] >= 8) continue;
      if (messages.id[row] >= 0 || messages.length[row] >= 48) mark(digest, messages.id[row] >= 0, 0);
    }
  }
  if (marks.size <= MAX_MARKS) return marks.values();
  return [...marks.values()].sort((a, b) => a.digest - b.digest).slice(0, MAX_MARKS);
}

/** Some clients always mask with the same key, or with few: they tell nothing. */
function areRandom(rows: Int32Array, { maskingKey }: MessageTable): boolean {
  const keys = new Set<number>();
  const looked = Math.min(rows.length, MANY_ROWS);
  let masked = 0;
  for (let i = 0; i < looked; i++) {
    if (maskingKey[rows[i]] === 0) continue;
    keys.add(maskingKey[rows[i]]);
    masked++;
  }
  return masked >= LEAST_KEYS && keys.size === masked;
}
