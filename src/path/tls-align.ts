/**
 * Reads encrypted connections without keys, as far as the sizes and times of their records allow: finds for each the plain WebSocket
 * that it carried, and puts in its place what the two aligned tell. In: observations, the clocks that plain legs give. Out: the
 * observations' connections, replaced where they could be aligned. Where two pairings are about as good, neither is taken.
 */

import type { HopObservation, ObservedConnection } from '../hop/observation.js';
import { groupConnections, type Sighting } from './group.js';
import type { HopClock } from './hop-clock.js';
import type { Observations } from './nodes.js';
import { walk } from './record-walk.js';
import { openingBits } from './tls-candidates.js';
import { ClocksBetween } from './tls-clock.js';
import { bitsOf, Columns, type Pair, pairsOf, turned, UsualDelays, type Way } from './tls-pairs.js';
import { alignedConnection, type Walked, type WalkedHalf } from './tls-rows.js';

/** Evidence that a pair must have, and that the next best must be short of it. */
const LEAST_BITS = 32;
const LEAST_ALIGNED = 4;
const AHEAD_BITS = 15;
/**
 * And for each record that ends where a message ends: by length alone like agents fit each other too, and so a long connection comes to
 * many bits. Where the delay through the hop is not steady, times bring nothing.
 */
const LEAST_BITS_EACH = 5;
/** Of the records in the time that both captures cover so many may be none of the plain connection's messages. */
const MOST_STRAYS = 0.4;
/** And so many, where as large a share of the messages has no record: then what fits may be chance. */
const MOST_LEFT_ON_BOTH = 0.15;
/** Pairs that are looked at closely for one encrypted connection. */
const MOST_WALKED = 6;
const WORTH_WALKING = 0.6;

interface Match {
  pair: Pair;
  walked: Walked;
  bits: number;
  /** Good enough to be taken, unless another one is about as good: that one need not be sound to be in doubt's way. */
  isSound: boolean;
}

export function hasUnread(observations: Observations): boolean {
  return observations.some((each) => each?.connections.some((connection) => connection?.records != null) ?? false);
}

/** Rows that one hop may have at most where every message is kept. */
const MOST_KEPT = 2e6;

/** Of some plain connection not every message has a row; so few that all could have one. */
export function isSample({ connections }: HopObservation): boolean {
  let messages = 0;
  let some = false;
  for (const connection of connections) {
    if (connection?.protocol !== 'websocket') continue;
    for (const { counts, rows } of [connection.fromServer, connection.fromClient]) {
      const count = counts.text + counts.binary + counts.ping + counts.pong + counts.close;
      messages += count;
      if (count > rows.length) some = true;
    }
  }
  return some && messages <= MOST_KEPT;
}

export function alignEncrypted(observations: Observations, clocks: readonly (HopClock | null)[]): void {
  const groups = groupConnections(observations).map(({ sightings }) => sightings);
  const encrypted = observations.flatMap((observation, hop) =>
    (observation?.connections ?? [])
      .filter((connection) => connection?.records != null && isWorthIt(connection))
      .map((connection): Sighting => ({ hop, connection })),
  );
  const matches: Match[][] = encrypted.map(() => []);
  const columns = new Columns(observations);
  const between = new ClocksBetween(observations, clocks, groups, encrypted);
  const pairs = encrypted.map((sighting) => pairsOf(sighting, groups, columns, between));
  const usual = new UsualDelays(pairs);
  for (const [i, each] of pairs.entries()) matches[i] = matchesOf(each, usual, columns, observations);
  for (const [i, found] of matches.entries()) {
    const [best, next] = found;
    if (!best?.isSound || (next !== undefined && best.bits - next.bits < AHEAD_BITS)) continue;
    if (isContested(best, i, matches)) continue;
    const { hop, connection } = encrypted[i];
    (observations[hop] as HopObservation).connections[connection.index] = alignedConnection(best.walked);
  }
}

function isWorthIt({ records }: ObservedConnection): boolean {
  return records !== null && records.fromServer.length + records.fromClient.length >= LEAST_ALIGNED;
}

/** Another encrypted connection to the same server fits the same plain one about as well. */
function isContested(best: Match, at: number, matches: readonly Match[][]): boolean {
  const { encrypted, group } = best.pair;
  return matches.some((others, i) => {
    const rival = i === at ? undefined : others.find(({ pair }) => pair.group === group);
    if (rival === undefined) return false;
    const other = rival.pair.encrypted;
    if (other.hop !== encrypted.hop || other.connection.serverPort !== encrypted.connection.serverPort) return false;
    if (other.connection.serverAddress !== encrypted.connection.serverAddress) return false;
    return rival.bits > best.bits - AHEAD_BITS;
  });
}

/** The best first; of one WebSocket the best only. */
function matchesOf(pairs: readonly Pair[], usual: UsualDelays, columns: Columns, observations: Observations): Match[] {
  for (const pair of pairs) pair.bits = bitsOf(pair, usual.of(pair, 'fromServer'), usual.of(pair, 'fromClient'));
  const sorted = [...pairs].sort((a, b) => b.bits - a.bits);
  const worth = sorted.filter(({ bits }) => bits >= sorted[0].bits * WORTH_WALKING).slice(0, MOST_WALKED);
  const matches = new Map<number, Match>();
  for (const pair of worth) {
    const walked = walkedOf(pair, usual, columns, observations);
    const { fromServer, fromClient } = walked;
    const walkedBits = fromServer.walk.bits + fromClient.walk.bits;
    const bits = walkedBits + openingBits(pair.plain.connection, pair.encrypted.connection, pair.clockNs, pair);
    const aligned = fromServer.walk.aligned + fromClient.walk.aligned;
    const strayed = strays(walked, pair.clockNs);
    const isSound =
      bits >= LEAST_BITS &&
      aligned >= LEAST_ALIGNED &&
      walkedBits >= aligned * LEAST_BITS_EACH &&
      strayed <= MOST_STRAYS &&
      Math.min(strayed, unmatched(walked)) <= MOST_LEFT_ON_BOTH;
    if (!(bits <= (matches.get(pair.group)?.bits ?? Number.NEGATIVE_INFINITY)))
      matches.set(pair.group, { pair, walked, bits, isSound });
  }
  return [...matches.values()].sort((a, b) => b.bits - a.bits);
}

/** The share of records that fit no message, though the other capture covers their time. */
function strays({ plain, fromServer, fromClient }: Walked, clockNs: number): number {
  let seen = 0;
  let strays = 0;
  for (const { records, walk: found } of [fromServer, fromClient]) {
    let begun = false;
    for (let i = 0; i < records.count; i++) {
      const timeNs = records.timeNs[i] - clockNs;
      const fits = found.to[i] > found.from[i];
      begun ||= fits;
      if (!begun || records.lost[i] === 1 || records.most[i] === 0) continue;
      if (timeNs < plain.observation.firstNs || timeNs > plain.observation.lastNs) continue;
      seen++;
      if (!fits) strays++;
    }
  }
  return strays / Math.max(1, seen);
}

/** The share of messages that have no record, though records were seen before and after them. */
function unmatched({ fromServer, fromClient }: Walked): number {
  let seen = 0;
  let unmatched = 0;
  for (const { units, records, walk: found } of [fromServer, fromClient]) {
    for (let unit = 0; unit < units.count; unit++) {
      const timeNs = units.timeNs[unit];
      if (units.opaque[unit] === 1) continue;
      if (!(timeNs >= records.timeNs[0] && timeNs <= records.timeNs[records.count - 1])) continue;
      seen++;
      if (found.record[unit] < 0) unmatched++;
    }
  }
  return unmatched / Math.max(1, seen);
}

function walkedOf(pair: Pair, usual: UsualDelays, columns: Columns, observations: Observations): Walked {
  const { plain, encrypted, overhead, clockNs, order, slackNs } = pair;
  const half = (way: Way): WalkedHalf => {
    const units = columns.unitsOf(plain, clockNs, way);
    const records = columns.recordsOf(encrypted, overhead, way);
    const times = { order: turned(order, way), usualNs: usual.of(pair, way), slackNs };
    return { units, records, walk: walk(units, records, times), slackNs };
  };
  const seen = ({ hop, connection }: Sighting) => ({
    observation: observations[hop] as HopObservation,
    connection,
    hop,
  });
  return {
    plain: seen(plain),
    encrypted: seen(encrypted),
    overhead,
    fromServer: half('fromServer'),
    fromClient: half('fromClient'),
  };
}
