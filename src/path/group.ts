/**
 * Which connections of which captures carry the same WebSocket. In: observations. Out: groups of sightings.
 * By Sec-WebSocket-Key where it is seen and tells apart; else by the bytes: masking keys and contents that only these share.
 * RFC 6455 section 4.1 (the key is random for each connection); proxies pass it through.
 */

import type { MessageTable } from '../hop/message-table.js';
import type { HopObservation, ObservedConnection } from '../hop/observation.js';
import { type KeyedConnection, passesSteadily, Servers } from './own-key.js';
import { isLoopback, type LinkedBy } from './path.js';

export interface Sighting {
  hop: number;
  connection: ObservedConnection;
}

export interface Group {
  sightings: Sighting[];
  linkedBy: LinkedBy;
}

/** Legs of one chain open within this time of each other. */
const CHAIN_OPENS_WITHIN_NS = 30e9;
const MIN_SHARED = 2;

export function groupConnections(observations: readonly (HopObservation | null)[]): Group[] {
  const sightings: Sighting[] = [];
  observations.forEach((observation, hop) => {
    for (const connection of observation?.connections ?? [])
      if (connection?.protocol === 'websocket') sightings.push({ hop, connection });
  });
  const groups = new Groups(sightings);
  groups.joinByRecords();
  groups.joinByKey();
  groups.joinByInitialSequence();
  if (observations.filter((observation) => observation !== null).length > 1 || holdsNeighbours(sightings))
    groups.joinByBytes(observations);
  return groups.result();
}

/** In one capture, two connections can only be of one chain if the client of the one is where the other's server is. */
function holdsNeighbours(sightings: readonly Sighting[]): boolean {
  const servers = new Set(sightings.map(({ connection }) => connection.serverAddress));
  return sightings.some(
    ({ connection }) => servers.has(connection.clientAddress) || isLoopback(connection.clientAddress),
  );
}

class Groups {
  private readonly parent: number[];
  constructor(private readonly sightings: readonly Sighting[]) {
    this.parent = sightings.map((_, i) => i);
  }

  private root(i: number): number {
    while (this.parent[i] !== i) i = this.parent[i] = this.parent[this.parent[i]];
    return i;
  }

  private join(i: number, j: number): void {
    this.parent[this.root(j)] = this.root(i);
  }

  /** Encrypted connections that were aligned with a plain one (tls-align.ts). */
  joinByRecords(): void {
    this.sightings.forEach(({ connection }, i) => {
      const plain = connection.alignment?.plain;
      if (plain === undefined) return;
      const other = this.sightings.findIndex((each) => each.connection === plain);
      if (other >= 0) this.join(other, i);
    });
  }

  joinByKey(): void {
    const byKey = new Map<string, number[]>();
    this.sightings.forEach(({ connection }, i) => {
      const key = connection.handshake?.accepted ? connection.handshake.key : null;
      if (key) byKey.set(key, [...(byKey.get(key) ?? []), i]);
    });
    for (const members of byKey.values())
      if (this.tellsApart(members)) for (const i of members) this.join(members[0], i);
  }

  /** A client that always sends the same key gives itself away: in one capture, its connections open at different times, or at one server. */
  private tellsApart(members: readonly number[]): boolean {
    const byHop = new Map<number, number[]>();
    const atServer = new Map<string, string>();
    for (const i of members) {
      const { hop, connection } = this.sightings[i];
      const identity = tcpIdentity(connection);
      const server = `${hop} ${connection.serverAddress} ${connection.serverPort}`;
      // A chain passes each server once.
      if (identity !== null && (atServer.get(server) ?? identity) !== identity) return false;
      if (identity !== null) atServer.set(server, identity);
      byHop.set(hop, [...(byHop.get(hop) ?? []), connection.firstNs]);
    }
    for (const times of byHop.values())
      if (Math.max(...times) - Math.min(...times) > CHAIN_OPENS_WITHIN_NS || times.length > 8) return false;
    return true;
  }

  /** Some senders always begin with the same numbers: another key, other ports at both ends, or another time in the same capture veto. */
  private mayBeOneTcp(x: number, y: number): boolean {
    const [a, b] = [this.sightings[x].connection, this.sightings[y].connection];
    const [keyA, keyB] = [a.handshake?.key, b.handshake?.key];
    if (keyA && keyB && keyA !== keyB) return false;
    if (a.clientPort !== b.clientPort && a.serverPort !== b.serverPort) return false;
    return this.sightings[x].hop !== this.sightings[y].hop || Math.abs(a.firstNs - b.firstNs) < TOGETHER_WITHIN_NS;
  }

  /** One TCP connection seen in several captures (or several times in one) has the same initial sequence numbers, whatever NAT did. */
  joinByInitialSequence(): void {
    const byNumbers = new Map<string, number>();
    this.sightings.forEach(({ connection }, i) => {
      const identity = tcpIdentity(connection);
      if (identity === null) return;
      const other = byNumbers.get(identity);
      if (other === undefined) byNumbers.set(identity, i);
      else if (this.mayBeOneTcp(other, i)) this.join(other, i);
    });
  }

  /** Votes of messages that only a few connections carry. */
  joinByBytes(observations: readonly (HopObservation | null)[]): void {
    const passedThrough = this.keysPassedThrough();
    const servers = new Servers(this.sightings);
    const votes = this.votes(observations);
    const count = this.sightings.length;
    const best = new Map<number, number>();
    const hops = observations.length;
    // Captures of other hops may be longer: what one of them shares says nothing of another one.
    const ofEnd = (end: number, other: number, ofKind: number) =>
      (end * hops + this.sightings[other].hop) * MARK_KINDS + (ofKind % MARK_KINDS);
    const pairOf = (ofKind: number): [number, number] => {
      const pair = Math.floor(ofKind / MARK_KINDS);
      return [Math.floor(pair / count), pair % count];
    };
    for (const [ofKind, shared] of votes) {
      const [x, y] = pairOf(ofKind);
      for (const key of [ofEnd(x, y, ofKind), ofEnd(y, x, ofKind)]) best.set(key, Math.max(best.get(key) ?? 0, shared));
    }
    for (const [ofKind, shared] of [...votes].sort((a, b) => b[1] - a[1])) {
      const [x, y] = pairOf(ofKind);
      if (this.root(x) === this.root(y) || shared < MIN_SHARED) continue;
      if (this.timesContradict(x, y) || this.serversContradict(x, y)) continue;
      if (this.keysContradict(x, y, passedThrough)) {
        const rivals = ofKind % MARK_KINDS === 0 ? () => this.rivals(x, y, shared, votes, servers) : null;
        if (rivals === null || !this.hasOwnKey(x, y, servers, observations, rivals)) continue;
      }
      // Far fewer than the best partner shares: chance, a broadcast, or a command offered again on another connection.
      else if ([ofEnd(x, y, ofKind), ofEnd(y, x, ofKind)].some((key) => shared * 2 < (best.get(key) ?? 0))) continue;
      this.join(x, y);
    }
  }

  /** By pair of sightings and kind of mark: a proxy that copies leaves all kinds alike, one that masks anew the content only. */
  private votes(observations: readonly (HopObservation | null)[]): Map<number, number> {
    const holders = new Map<number, Holder[]>();
    this.sightings.forEach(({ hop, connection }, sighting) => {
      for (const mark of marksOf(connection, (observations[hop] as HopObservation).messages)) {
        const list = holders.get(mark.digest);
        if (list === undefined) holders.set(mark.digest, [{ sighting, hop, ...mark }]);
        else if (list.length < MAX_HOLDERS) list.push({ sighting, hop, ...mark });
      }
    });
    const votes = new Map<number, number>();
    for (const list of holders.values()) {
      if (list.length < 2 || list.length >= MAX_HOLDERS) continue;
      const perHop = new Map<number, number>();
      for (const { hop } of list) perHop.set(hop, (perHop.get(hop) ?? 0) + 1);
      for (let x = 0; x < list.length; x++)
        for (let y = x + 1; y < list.length; y++) {
          if (list[x].sighting === list[y].sighting || !tellsTogether(list[x], list[y], perHop)) continue;
          const low = Math.min(list[x].sighting, list[y].sighting);
          const pair = low * this.sightings.length + Math.max(list[x].sighting, list[y].sighting);
          const ofKind = pair * MARK_KINDS + list[x].kind;
          votes.set(ofKind, (votes.get(ofKind) ?? 0) + 1);
        }
    }
    return votes;
  }

  /** Not the same connection in two captures: another one that has the key, too. */
  private keysPassedThrough(): Set<string> {
    const connections = new Map<string, Set<string>>();
    for (const { connection } of this.sightings) {
      const key = connection.handshake?.key;
      if (!key) continue;
      const { clientAddress, clientPort, serverAddress, serverPort } = connection;
      const identity = tcpIdentity(connection) ?? `${clientAddress} ${clientPort} ${serverAddress} ${serverPort}`;
      connections.set(key, (connections.get(key) ?? new Set()).add(identity));
    }
    return new Set([...connections].filter(([, seen]) => seen.size > 1).map(([key]) => key));
  }

  /** Two different keys are two WebSockets, unless a proxy writes its own: then neither is on another leg. */
  private keysContradict(x: number, y: number, passedThrough: ReadonlySet<string>): boolean {
    const a = this.sightings[x].connection.handshake?.key;
    const b = this.sightings[y].connection.handshake?.key;
    return Boolean(a && b && a !== b && (passedThrough.has(a) || passedThrough.has(b)));
  }

  /**
   * Two keys, and yet one WebSocket: a hop between writes its own. No key passes there, X-Forwarded-For does not name another
   * agent, the messages pass steadily, and at neither server does half as much pass to another connection.
   */
  private hasOwnKey(
    x: number,
    y: number,
    servers: Servers,
    observations: readonly (HopObservation | null)[],
    rivals: () => [number, number][],
  ): boolean {
    const others = this.members(y);
    for (const i of this.members(x))
      for (const j of others)
        if (servers.keysPass(i, j) || servers.forwardsAnother(i, j) || servers.forwardsAnother(j, i)) return false;
    const passes = (i: number, j: number) => passesSteadily(this.keyed(i, observations), this.keyed(j, observations));
    return passes(x, y) && !rivals().some(([i, j]) => passes(i, j));
  }

  private keyed(end: number, observations: readonly (HopObservation | null)[]): KeyedConnection {
    const { hop, connection } = this.sightings[end];
    return { connection, messages: (observations[hop] as HopObservation).messages };
  }

  /** Pairs of one of the two and another connection at the other's server that share half as many contents. */
  private rivals(
    x: number,
    y: number,
    shared: number,
    votes: ReadonlyMap<number, number>,
    servers: Servers,
  ): [number, number][] {
    const rivals: [number, number][] = [];
    for (const [end, other] of [
      [x, y],
      [y, x],
    ]) {
      for (let each = 0; each < this.sightings.length; each++) {
        if (each === end || servers.of[each] !== servers.of[other] || this.root(each) === this.root(other)) continue;
        const pair = Math.min(end, each) * this.sightings.length + Math.max(end, each);
        if ((votes.get(pair * MARK_KINDS) ?? 0) * 2 >= shared) rivals.push([end, each]);
      }
    }
    return rivals;
  }

  /** Two connections of one chain live at the same time. */
  private timesContradict(x: number, y: number): boolean {
    const a = this.sightings[x].connection;
    const b = this.sightings[y].connection;
    return this.sightings[x].hop === this.sightings[y].hop && (a.lastNs < b.firstNs || b.lastNs < a.firstNs);
  }

  /** A chain passes each server once: two connections to one server, seen at one hop, are two chains, whatever they share. */
  private serversContradict(x: number, y: number): boolean {
    const left = this.members(x);
    return this.members(y).some((j) =>
      left.some((i) => {
        const a = this.sightings[i];
        const b = this.sightings[j];
        return a.hop === b.hop && isAtOneServer(a.connection, b.connection) && !isTwin(a.connection, b.connection);
      }),
    );
  }

  private members(i: number): number[] {
    const root = this.root(i);
    const members: number[] = [];
    for (let j = 0; j < this.parent.length; j++) if (this.root(j) === root) members.push(j);
    return members;
  }

  result(): Group[] {
    const groups = new Map<number, Group>();
    this.sightings.forEach((sighting, i) => {
      const root = this.root(i);
      const group = groups.get(root) ?? { sightings: [], linkedBy: 'only' as LinkedBy };
      group.sightings.push(sighting);
      groups.set(root, group);
    });
    for (const group of groups.values()) if (group.sightings.length > 1) group.linkedBy = linkOf(group);
    return [...groups.values()];
  }
}

function linkOf(group: Group): LinkedBy {
  const read = group.sightings.filter(({ connection }) => connection.alignment === null);
  if (read.length < 2) return 'tls-record-sizes';
  const keys = new Set(read.map(({ connection }) => connection.handshake?.key ?? null));
  return keys.size === 1 && !keys.has(null) ? 'sec-websocket-key' : 'bytes';
}

function isAtOneServer(a: ObservedConnection, b: ObservedConnection): boolean {
  return a.serverAddress === b.serverAddress && a.serverPort === b.serverPort;
}

/** Two capture streams cannot stand this close together in both directions by chance. */
const TWIN_WITHIN = 1 << 24;

/** One TCP connection seen twice, its client's address translated between: its sequence numbers are the same. */
function isTwin(a: ObservedConnection, b: ObservedConnection): boolean {
  if (a.clientAddress === b.clientAddress && a.clientPort === b.clientPort) return true;
  return (['fromClient', 'fromServer'] as const).every(
    (way) => Math.abs((a[way].baseSequence - b[way].baseSequence) | 0) < TWIN_WITHIN,
  );
}

/** Both initial sequence numbers; null where one was not captured. */
export function tcpIdentity(connection: ObservedConnection): string | null {
  const { client, server } = connection.initialSequence;
  return client < 0 || server < 0 ? null : `${client}/${server}`;
}

/** What a connection is known by: contents that hardly any other carries. */
interface Mark {
  digest: number;
  timeNs: number;
  /** Masked, or with an ID: no broadcast. */
  strong: boolean;
  /** Content, content with its masking key, or key and length alone. */
  kind: 0 | 1 | 2;
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
const MARK_KINDS = 3;
const TOGETHER_WITHIN_NS = 5e9;

function tellsTogether(a: Holder, b: Holder, perHop: ReadonlyMap<number, number>): boolean {
  if (a.hop === b.hop) return a.strong && b.strong && Math.abs(a.timeNs - b.timeNs) < TOGETHER_WITHIN_NS;
  return (a.strong && b.strong) || (perHop.get(a.hop) === 1 && perHop.get(b.hop) === 1);
}

function marksOf(connection: ObservedConnection, messages: MessageTable): Iterable<Mark> {
  const marks = new Map<number, Mark>();
  for (const half of [connection.fromClient, connection.fromServer]) {
    const keysTell = areRandom(half.rows, messages);
    for (const row of half.rows) {
      // Of a long connection a share that is the same at every hop.
      if (half.rows.length > MANY_ROWS && (messages.digest[row] & 0x700) !== 0) continue;
      const key = messages.maskingKey[row];
      const timeNs = messages.sentNs[row];
      const digest = messages.digest[row];
      const mark = (value: number, strong: boolean, kind: Mark['kind']) =>
        marks.set(value, { digest: value, timeNs, strong, kind });
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
