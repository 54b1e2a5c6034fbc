/**
 * Which connections of which captures carry the same WebSocket. In: observations. Out: groups of sightings.
 * By Sec-WebSocket-Key where it is seen and tells apart; else by the bytes: masking keys and contents that only these share.
 * RFC 6455 section 4.1 (the key is random for each connection); proxies pass it through.
 */

import type { HopObservation, ObservedConnection } from '../hop/observation.js';
import { acceptOf } from '../http/opening-handshake.js';
import type { HopClock } from './hop-clock.js';
import { linkInTime } from './in-time.js';
import { type KeyedConnection, passesInStep, passesSteadily, Servers } from './own-key.js';
import { isLoopback, type LinkedBy } from './path.js';
import { SharedMarks } from './shared-marks.js';

export interface Sighting {
  hop: number;
  connection: ObservedConnection;
}

export interface Group {
  sightings: Sighting[];
  linkedBy: LinkedBy;
  /** Connections, of this group and others, that only the times of messages link with the innermost one of theirs. */
  timed: ReadonlySet<ObservedConnection>;
}

/** Legs of one chain open within this time of each other. */
const CHAIN_OPENS_WITHIN_NS = 30e9;
const MIN_SHARED = 2;
/** Sightings of one TCP connection in one capture. */
const TOGETHER_WITHIN_NS = 5e9;

/** `clocks`: by hop, where they are known already; times of two captures are else compared as they stand. */
export function groupConnections(
  observations: readonly (HopObservation | null)[],
  clocks: readonly (HopClock | null)[] = [],
): Group[] {
  const sightings: Sighting[] = [];
  observations.forEach((observation, hop) => {
    for (const connection of observation?.connections ?? [])
      if (connection?.protocol === 'websocket') sightings.push({ hop, connection });
  });
  const groups = new Groups(sightings, clocks);
  groups.joinByRecords();
  groups.joinByKey();
  groups.joinByInitialSequence();
  groups.joinByPlace();
  if (observations.filter((observation) => observation !== null).length > 1 || holdsNeighbours(sightings))
    groups.joinByBytes(observations);
  if (observations.filter((observation) => observation !== null).length > 1) groups.joinInTime(observations);
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
  /** As the groups were before times joined any. */
  private untimed: readonly number[] | null = null;
  constructor(
    private readonly sightings: readonly Sighting[],
    private readonly clocks: readonly (HopClock | null)[],
  ) {
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
    const keys = this.sightings.map(({ connection }) => openedBy(connection));
    // Of an opening only the response was captured: the key is known by its SHA-1, if another capture has it.
    const byAccept = new Map<string, string>();
    if (this.sightings.some(({ connection }) => connection.accept !== null))
      for (const key of keys) if (key) byAccept.set(acceptOf(key), key);
    this.sightings.forEach(({ connection: { accept } }, i) => {
      const key = keys[i] ?? (accept === null ? null : (byAccept.get(accept) ?? `accept ${accept}`));
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

  /** The same in mid-connection, in another capture: between the same endpoints, and both streams stand at the same numbers. */
  joinByPlace(): void {
    const byEnds = new Map<string, number[]>();
    this.sightings.forEach(({ hop, connection }, i) => {
      const { clientAddress, clientPort, serverAddress, serverPort } = connection;
      const ends = `${clientAddress} ${clientPort} ${serverAddress} ${serverPort}`;
      const same = byEnds.get(ends) ?? [];
      byEnds.set(ends, [...same, i]);
      const other = same.find((each) => {
        const { connection: seen, hop: at } = this.sightings[each];
        if (at === hop || (tcpIdentity(seen) !== null && tcpIdentity(connection) !== null)) return false;
        return standTogether(seen, connection);
      });
      if (other !== undefined && this.mayBeOneTcp(other, i)) this.join(other, i);
    });
  }

  /** Votes of messages that only a few connections carry. */
  joinByBytes(observations: readonly (HopObservation | null)[]): void {
    const passedThrough = this.keysPassedThrough();
    const servers = new Servers(this.sightings);
    const marks = new SharedMarks(this.sightings, observations, servers.of);
    for (const pair of marks.pairs()) {
      const { x, y, kind, shared } = pair;
      if (this.root(x) === this.root(y) || (shared < MIN_SHARED && kind !== 0)) continue;
      if (this.timesContradict(x, y) || this.serversContradict(x, y)) continue;
      if (marks.isTied(pair, (a, b) => this.isOne(a, b) || this.timesContradict(a, b))) continue;
      // A hop may drop much, or write a key of its own.
      const few = shared < MIN_SHARED || marks.isFarFewer(pair);
      if (few || this.keysContradict(x, y, passedThrough))
        if (kind !== 0 || !this.passesAlone(x, y, servers, observations, marks)) continue;
      this.join(x, y);
    }
  }

  /** What no octets link: by the times at which messages pass. */
  joinInTime(observations: readonly (HopObservation | null)[]): void {
    const servers = new Servers(this.sightings);
    const keyed = this.sightings.map(({ hop }, i) => ({
      ...this.keyed(i, observations),
      observation: observations[hop] as HopObservation,
      hop,
    }));
    this.untimed = this.sightings.map((_, i) => this.root(i));
    linkInTime(keyed, servers.of, {
      rootOf: (x) => this.root(x),
      mayBeOne: (x, y) => {
        if (this.root(x) === this.root(y) || this.timesContradict(x, y) || this.serversContradict(x, y)) return false;
        const [members, others] = [this.members(x), this.members(y)];
        return !members.some((i) =>
          others.some(
            (j) =>
              (this.haveTwoKeys(i, j) && servers.keysPass(i, j)) ||
              servers.forwardsAnother(i, [j]) ||
              servers.forwardsAnother(j, [i]),
          ),
        );
      },
      join: (x, y) => this.join(x, y),
    });
  }

  /** Of one path already, or one TCP connection seen twice. */
  private isOne(i: number, j: number): boolean {
    return this.root(i) === this.root(j) || isTwin(this.sightings[i].connection, this.sightings[j].connection);
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
    const passes = (i: number) => passedThrough.has(this.sightings[i].connection.handshake?.key ?? '');
    return this.haveTwoKeys(x, y) && (passes(x) || passes(y));
  }

  private haveTwoKeys(x: number, y: number): boolean {
    const a = this.sightings[x].connection.handshake?.key;
    const b = this.sightings[y].connection.handshake?.key;
    return Boolean(a && b && a !== b);
  }

  /**
   * One WebSocket though the keys are two (a hop between writes its own), or though little passes. No key is seen to pass there,
   * X-Forwarded-For does not name another agent, the messages pass steadily, and at neither server does half as much pass to another
   * connection.
   */
  private passesAlone(
    x: number,
    y: number,
    servers: Servers,
    observations: readonly (HopObservation | null)[],
    marks: SharedMarks,
  ): boolean {
    const [members, others] = [this.members(x), this.members(y)];
    if (members.some((i) => servers.forwardsAnother(i, others) || others.some((j) => servers.keysPass(i, j))))
      return false;
    if (others.some((j) => servers.forwardsAnother(j, members))) return false;
    const passes = (i: number, j: number) => {
      const [a, b] = [this.keyed(i, observations), this.keyed(j, observations)];
      return passesSteadily(a, b) || passesInStep(a, b);
    };
    return passes(x, y) && !this.rivals(x, y, servers, marks).some(([i, j]) => passes(i, j));
  }

  private keyed(end: number, observations: readonly (HopObservation | null)[]): KeyedConnection {
    const { hop, connection } = this.sightings[end];
    return { connection, messages: (observations[hop] as HopObservation).messages, clock: this.clocks[hop] ?? null };
  }

  /** Pairs of one of the two and another connection at the other's server that share half as many contents. */
  private rivals(x: number, y: number, servers: Servers, marks: SharedMarks): [number, number][] {
    const shared = marks.contents(x, y);
    const rivals: [number, number][] = [];
    for (const [end, other] of [
      [x, y],
      [y, x],
    ]) {
      for (let each = 0; each < this.sightings.length; each++) {
        if (each === end || servers.of[each] !== servers.of[other] || this.root(each) === this.root(other)) continue;
        if (marks.contents(end, each) * 2 >= shared) rivals.push([end, each]);
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
    const timed = this.timed();
    this.sightings.forEach((sighting, i) => {
      const root = this.root(i);
      const group = groups.get(root) ?? { sightings: [], linkedBy: 'only' as LinkedBy, timed };
      group.sightings.push(sighting);
      groups.set(root, group);
    });
    for (const group of groups.values()) if (group.sightings.length > 1) group.linkedBy = linkOf(group);
    return [...groups.values()];
  }

  /** Connections that times joined to the innermost hop's first one of their group. */
  private timed(): ReadonlySet<ObservedConnection> {
    const timed = new Set<ObservedConnection>();
    const first = new Map<number, number>();
    this.untimed?.forEach((root, i) => {
      const innermost = first.get(this.root(i));
      if (innermost === undefined) first.set(this.root(i), root);
      else if (innermost !== root) timed.add(this.sightings[i].connection);
    });
    return timed;
  }
}

/** The key of its opening, if the server took it; null where that was not captured. In a capture of one direction nobody says so. */
function openedBy({ handshake, fromServer }: ObservedConnection): string | null {
  return handshake?.accepted || fromServer.packets === 0 ? (handshake?.key ?? null) : null;
}

function linkOf(group: Group): LinkedBy {
  const read = group.sightings.filter(({ connection }) => connection.alignment === null);
  if (read.length < 2)
    return group.sightings.some(({ connection }) => connection.alignment?.of === 'records')
      ? 'tls-record-sizes'
      : 'bytes';
  const keys = new Set(
    read.flatMap(({ connection }) => (connection.accept === null ? [connection.handshake?.key ?? null] : [])),
  );
  return keys.size === 1 && !keys.has(null) ? 'sec-websocket-key' : 'bytes';
}

function isAtOneServer(a: ObservedConnection, b: ObservedConnection): boolean {
  return a.serverAddress === b.serverAddress && a.serverPort === b.serverPort;
}

/** Two capture streams cannot stand this close together in both directions by chance. */
const TWIN_WITHIN = 1 << 24;

/** One TCP connection seen twice, its client's address translated between: its sequence numbers are the same. */
export function isTwin(a: ObservedConnection, b: ObservedConnection): boolean {
  return (a.clientAddress === b.clientAddress && a.clientPort === b.clientPort) || standTogether(a, b);
}

/** In the numbers of both their streams. */
export function standTogether(a: ObservedConnection, b: ObservedConnection): boolean {
  return (['fromClient', 'fromServer'] as const).every(
    (way) => Math.abs((a[way].baseSequence - b[way].baseSequence) | 0) < TWIN_WITHIN,
  );
}

/** Both initial sequence numbers; null where one was not captured. */
export function tcpIdentity(connection: ObservedConnection): string | null {
  const { client, server } = connection.initialSequence;
  return client < 0 || server < 0 ? null : `${client}/${server}`;
}
