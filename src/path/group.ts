/**
 * Which connections of which captures carry the same WebSocket. In: observations. Out: groups of sightings.
 * By Sec-WebSocket-Key where it is seen and tells apart; else by the bytes: masking keys and contents that only these share.
 * RFC 6455 section 4.1 (the key is random for each connection); proxies pass it through.
 */

import type { HopObservation, ObservedConnection, ObservedHalf } from '../hop/observation.js';
import type { LinkedBy } from './path.js';

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
  groups.joinByKey();
  groups.joinByInitialSequence();
  if (observations.filter((observation) => observation !== null).length > 1 || sightings.length > 1)
    groups.joinByBytes(observations);
  return groups.result();
}

class Groups {
  private readonly parent: number[];
  private readonly byBytes = new Set<number>();

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

  joinByKey(): void {
    const byKey = new Map<string, number[]>();
    this.sightings.forEach(({ connection }, i) => {
      const key = connection.handshake?.accepted ? connection.handshake.key : null;
      if (key) byKey.set(key, [...(byKey.get(key) ?? []), i]);
    });
    for (const members of byKey.values())
      if (this.tellsApart(members)) for (const i of members) this.join(members[0], i);
  }

  /** A client that always sends the same key gives itself away: in one capture, its connections open at different times. */
  private tellsApart(members: readonly number[]): boolean {
    const byHop = new Map<number, number[]>();
    for (const i of members) {
      const { hop, connection } = this.sightings[i];
      byHop.set(hop, [...(byHop.get(hop) ?? []), connection.firstNs]);
    }
    for (const times of byHop.values())
      if (Math.max(...times) - Math.min(...times) > CHAIN_OPENS_WITHIN_NS || times.length > 8) return false;
    return true;
  }

  /** One TCP connection seen in several captures (or several times in one) has the same initial sequence numbers, whatever NAT did. */
  joinByInitialSequence(): void {
    const byNumbers = new Map<string, number>();
    this.sightings.forEach(({ connection }, i) => {
      const identity = tcpIdentity(connection);
      if (identity === null) return;
      const other = byNumbers.get(identity);
      if (other === undefined) byNumbers.set(identity, i);
      else this.join(other, i);
    });
  }

  /** Votes of messages whose digest belongs to few connections only. */
  joinByBytes(observations: readonly (HopObservation | null)[]): void {
    const holders = new Map<number, number[]>();
    this.sightings.forEach((sighting, i) => {
      const { messages } = observations[sighting.hop] as HopObservation;
      for (const digest of new Set(digestsOf(sighting.connection, messages))) {
        const list = holders.get(digest);
        if (list === undefined) holders.set(digest, [i]);
        else if (list.length < 16) list.push(i);
      }
    });
    const votes = new Map<number, number>();
    const count = this.sightings.length;
    for (const list of holders.values()) {
      if (list.length < 2 || list.length >= 16) continue;
      // A content that two connections of one capture carry at the same hop's place does not tell them apart, unless they are one chain.
      for (let x = 0; x < list.length; x++)
        for (let y = x + 1; y < list.length; y++) {
          const pair = list[x] * count + list[y];
          votes.set(pair, (votes.get(pair) ?? 0) + 1);
        }
    }
    const best = new Map<number, number>();
    for (const [pair, shared] of votes)
      for (const end of [Math.floor(pair / count), pair % count]) best.set(end, Math.max(best.get(end) ?? 0, shared));
    for (const [pair, shared] of [...votes].sort((a, b) => b[1] - a[1])) {
      const x = Math.floor(pair / count);
      const y = pair % count;
      if (this.root(x) === this.root(y) || shared < MIN_SHARED) continue;
      // Far fewer than the best partner shares: chance, or a broadcast.
      if (shared * 2 < (best.get(x) ?? 0) || shared * 2 < (best.get(y) ?? 0)) continue;
      if (this.contradicts(x, y)) continue;
      this.byBytes.add(this.root(x)).add(this.root(y));
      this.join(x, y);
    }
  }

  /** Both have a handshake with a key, and the keys differ: proxies that write their own key exist, so only times speak then. */
  private contradicts(x: number, y: number): boolean {
    const a = this.sightings[x].connection;
    const b = this.sightings[y].connection;
    return this.sightings[x].hop === this.sightings[y].hop && (a.lastNs < b.firstNs || b.lastNs < a.firstNs);
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
  const keys = new Set(group.sightings.map(({ connection }) => connection.handshake?.key ?? null));
  return keys.size === 1 && !keys.has(null) ? 'sec-websocket-key' : 'bytes';
}

/** Both initial sequence numbers; null where one was not captured. */
export function tcpIdentity(connection: ObservedConnection): string | null {
  const { client, server } = connection.initialSequence;
  return client < 0 || server < 0 ? null : `${client}/${server}`;
}

function* digestsOf(connection: ObservedConnection, messages: HopObservation['messages']): Generator<number> {
  for (const half of [connection.fromClient, connection.fromServer]) yield* digestsOfHalf(half, messages);
}

function* digestsOfHalf(half: ObservedHalf, messages: HopObservation['messages']): Generator<number> {
  for (const row of half.rows) {
    // Short and frequent ones (Pings, Heartbeats) are left to their masking keys; unmasked ones need an ID to tell.
    const key = messages.maskingKey[row];
    if (key !== 0) yield messages.digest[row] ^ key;
    if (messages.id[row] >= 0 || messages.length[row] >= 48) yield messages.digest[row];
  }
}
