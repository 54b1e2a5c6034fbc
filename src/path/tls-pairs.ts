/**
 * Which plain connections an encrypted one may belong to, by lengths and times of some messages; and what both are made of for a closer
 * look. In: sightings of both. Out: pairs, the likeliest first.
 */

import type { HopObservation, ObservedHalf, ObservedRecords } from '../hop/observation.js';
import type { RecordOverhead } from '../tls/record-overhead.js';
import type { Sighting } from './group.js';
import { isLoopback } from './path.js';
import type { Records } from './record-walk.js';
import { type QuickMatch, quickBits, quickMatch, usualDelay } from './tls-candidates.js';
import type { ClocksBetween } from './tls-clock.js';
import { type MessageUnits, recordsOf, unitsOf } from './tls-units.js';

const LEAST_HITS = 3;
const MOST_COMPARED = 8;
/** Another capture of the same WebSocket is worth a look where it has so much more of it. */
const HOLDS_MORE = 1.05;
/** Connections this far apart in time have nothing to do with each other. */
const APART_NS = 1e9;

export type Way = 'fromServer' | 'fromClient';

export interface Pair {
  group: number;
  plain: Sighting;
  encrypted: Sighting;
  overhead: RecordOverhead;
  order: 1 | -1;
  clockNs: number;
  slackNs: number;
  fromServer: QuickMatch;
  fromClient: QuickMatch;
  bits: number;
}

/** The likeliest plain connections for one that is encrypted, the best first. */
export function pairsOf(
  encrypted: Sighting,
  groups: readonly Sighting[][],
  columns: Columns,
  between: ClocksBetween,
): Pair[] {
  const pairs = groups.flatMap((group, g) => quickPairs(encrypted, group, g, columns, between));
  for (const pair of pairs)
    pair.bits = bitsOf(pair, usualDelay(pair.fromServer.delaysNs), usualDelay(pair.fromClient.delaysNs));
  return pairs.sort((a, b) => b.bits - a.bits).slice(0, MOST_COMPARED);
}

export function bitsOf({ fromServer, fromClient }: Pair, serverNs: number, clientNs: number): number {
  return quickBits(fromServer, serverNs) + quickBits(fromClient, clientNs);
}

/**
 * What usually lies between a message and its record, by hops and direction: the same for all connections of a proxy, so that one that is
 * always a little late (another agent's, that does the same a moment later) is found out.
 */
export class UsualDelays {
  private readonly delays = new Map<string, number[]>();

  constructor(pairs: readonly Pair[][]) {
    for (const [best] of pairs) {
      if (best === undefined) continue;
      for (const way of ['fromServer', 'fromClient'] as const) {
        const key = keyOf(best, way);
        this.delays.set(key, [...(this.delays.get(key) ?? []), usualDelay(best[way].delaysNs)]);
      }
    }
  }

  of(pair: Pair, way: Way): number {
    return usualDelay(this.delays.get(keyOf(pair, way)) ?? []);
  }
}

function keyOf({ plain, encrypted, order }: Pair, way: string): string {
  return `${plain.hop} ${encrypted.hop} ${order} ${way}`;
}

function quickPairs(
  encrypted: Sighting,
  group: readonly Sighting[],
  g: number,
  columns: Columns,
  between: ClocksBetween,
): Pair[] {
  return sightingsFor(group, encrypted, between).flatMap((plain) => pairsWith(plain, encrypted, g, columns, between));
}

function pairsWith(plain: Sighting, encrypted: Sighting, g: number, columns: Columns, between: ClocksBetween): Pair[] {
  const clock = between.of(plain.hop, encrypted.hop);
  if (clock === null) return [];
  const { connection } = encrypted;
  const clockNs = clock.offsetNs;
  if (plain.connection.lastNs + clockNs < connection.firstNs - APART_NS) return [];
  if (plain.connection.firstNs + clockNs > connection.lastNs + APART_NS) return [];
  const order = orderOf(plain, encrypted);
  const { slackNs } = clock;
  const pairs: Pair[] = [];
  for (const overhead of connection.records?.overheads ?? []) {
    const match = (way: Way) => {
      const units = columns.unitsOf(plain, clockNs, way);
      return quickMatch(units, columns.recordsOf(encrypted, overhead, way), { order: turned(order, way), slackNs });
    };
    const [fromServer, fromClient] = [match('fromServer'), match('fromClient')];
    if (fromServer.hits + fromClient.hits < LEAST_HITS) continue;
    pairs.push({ group: g, plain, encrypted, overhead, order, clockNs, slackNs, fromServer, fromClient, bits: 0 });
  }
  return pairs;
}

/**
 * Where the WebSocket was read: best in the same capture, else at the nearest hop, further in rather than out; and where another
 * capture holds more of it, there too.
 */
function sightingsFor(group: readonly Sighting[], { hop }: Sighting, between: ClocksBetween): Sighting[] {
  const distance = (each: Sighting) => Math.abs(each.hop - hop) * 2 + (each.hop > hop ? 1 : 0);
  const held = ({ connection }: Sighting) => connection.fromServer.rows.length + connection.fromClient.rows.length;
  const known = group.filter((each) => between.of(each.hop, hop) !== null);
  known.sort((a, b) => distance(a) - distance(b) || held(b) - held(a));
  const [best, ...others] = known;
  if (best === undefined) return [];
  const [fullest] = others.filter((each) => held(each) > held(best) * HOLDS_MORE).sort((a, b) => held(b) - held(a));
  return fullest === undefined ? [best] : [best, fullest];
}

export function turned(order: 1 | -1, way: Way): 1 | -1 {
  return (way === 'fromServer' ? order : -order) as 1 | -1;
}

function orderOf(plain: Sighting, encrypted: Sighting): 1 | -1 {
  if (plain.hop !== encrypted.hop) return plain.hop < encrypted.hop ? 1 : -1;
  // Agents open the outer connection first; proxies end TLS on their outer side.
  const [a, b] = [plain.connection, encrypted.connection];
  if (a.openedNs >= b.openedNs || Number.isNaN(a.openedNs) || Number.isNaN(b.openedNs)) return 1;
  return isLoopback(b.clientAddress) || a.serverAddress === b.clientAddress ? -1 : 1;
}

/** Messages and records as columns, made once for each connection. */
export class Columns {
  private readonly units = new Map<ObservedHalf, { clockNs: number; units: MessageUnits }>();
  private readonly records = new Map<Int32Array, { overhead: RecordOverhead; records: Records }[]>();

  constructor(private readonly observations: readonly (HopObservation | null)[]) {}

  unitsOf({ hop, connection }: Sighting, clockNs: number, way: Way): MessageUnits {
    const half = connection[way];
    const known = this.units.get(half);
    if (known !== undefined && known.clockNs === clockNs) return known.units;
    const units = unitsOf(half, (this.observations[hop] as HopObservation).messages, clockNs);
    this.units.set(half, { clockNs, units });
    return units;
  }

  recordsOf({ hop, connection }: Sighting, overhead: RecordOverhead, way: Way): Records {
    const rows = (connection.records as ObservedRecords)[way];
    const known = this.records.get(rows) ?? [];
    const same = known.find((each) => each.overhead === overhead);
    if (same !== undefined) return same.records;
    const records = recordsOf(rows, (this.observations[hop] as HopObservation).records, overhead);
    this.records.set(rows, [...known, { overhead, records }]);
    return records;
  }
}
