/**
 * Which plain connection an encrypted one may belong to, before it is looked at closely: by lengths and times of a few messages, and by
 * what both say of their opening. In: columns of both. Out: how much speaks for a pair, in bits.
 */

import type { ObservedConnection } from '../hop/observation.js';
import { promptnessBits, type Records, type Units, type WalkTimes } from './record-walk.js';

export interface QuickMatch {
  tried: number;
  hits: number;
  /** What lay between those messages and their records. */
  delaysNs: number[];
}

const MOST_TRIED = 32;
const NEAR_NS = 400e6;
const MISS_BITS = -3;
const HIT_BITS = 4;

/** Messages, spread over the time that both cover, for which there is a record of their length at their time. */
export function quickMatch(units: Units, records: Records, times: Omit<WalkTimes, 'usualNs'>): QuickMatch {
  const match: QuickMatch = { tried: 0, hits: 0, delaysNs: [] };
  if (records.count === 0 || units.count === 0) return match;
  const firstNs = records.timeNs[0] - times.slackNs;
  const lastNs = records.timeNs[records.count - 1] + times.slackNs;
  const within: number[] = [];
  for (let unit = 0; unit < units.count; unit++)
    if (units.opaque[unit] === 0 && units.timeNs[unit] >= firstNs && units.timeNs[unit] <= lastNs) within.push(unit);
  const step = Math.max(1, within.length / MOST_TRIED);
  for (let i = 0; i < within.length; i += step) {
    const unit = within[Math.floor(i)];
    match.tried++;
    const delayNs = nearest(units, unit, records, times);
    if (Number.isNaN(delayNs)) continue;
    match.hits++;
    match.delaysNs.push(delayNs);
  }
  return match;
}

export function quickBits({ tried, hits, delaysNs }: QuickMatch, usualNs: number): number {
  let bits = (tried - hits) * MISS_BITS;
  for (const delayNs of delaysNs) bits += HIT_BITS + promptnessBits(delayNs, usualNs);
  return bits;
}

/** What usually lies between: the median, over what fits. Clocks that are not known well may make it negative. */
export function usualDelay(delaysNs: readonly number[]): number {
  const sorted = [...delaysNs].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

/** How long before its message (or after) the nearest record of its length was; NaN for none. */
function nearest(units: Units, unit: number, records: Records, { order, slackNs }: Omit<WalkTimes, 'usualNs'>): number {
  const length = units.end[unit] - units.start[unit];
  const timeNs = units.timeNs[unit];
  const fromNs = order > 0 ? timeNs - slackNs : timeNs - NEAR_NS;
  const toNs = order > 0 ? timeNs + NEAR_NS : timeNs + slackNs;
  let best = Number.NaN;
  for (let i = firstAt(records.timeNs, records.count, fromNs); i < records.count; i++) {
    if (records.timeNs[i] > toNs) break;
    if (records.lost[i] === 1 || records.least[i] > length || records.most[i] < length) continue;
    const delayNs = order * (records.timeNs[i] - timeNs);
    if (!(Math.abs(delayNs) >= Math.abs(best))) best = delayNs;
  }
  return best;
}

function firstAt(timesNs: Float64Array, count: number, fromNs: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timesNs[middle] < fromNs) low = middle + 1;
    else high = middle;
  }
  return low;
}

const FORWARDED_BITS = 4;
const NOT_FORWARDED_BITS = -6;
const OPENED_BITS = 5;
const OPENED_NS = 2e6;
const OPENED_WRONG_BITS = -20;

/** What the openings say: the outer connection opens first, and the request on the inner one names the outer one's client. */
export function openingBits(
  plain: ObservedConnection,
  encrypted: ObservedConnection,
  clockNs: number,
  { order, slackNs }: Pick<WalkTimes, 'order' | 'slackNs'>,
): number {
  let bits = 0;
  if (!Number.isNaN(plain.openedNs) && !Number.isNaN(encrypted.openedNs)) {
    const laterNs = order * (plain.openedNs + clockNs - encrypted.openedNs);
    bits += laterNs < -slackNs ? OPENED_WRONG_BITS : OPENED_BITS - Math.log2(1 + Math.abs(laterNs) / OPENED_NS);
  }
  const named = plain.handshake?.forwardedFor ?? [];
  if (order > 0 && named.length > 0)
    bits += named.map(bare).includes(bare(encrypted.clientAddress)) ? FORWARDED_BITS : NOT_FORWARDED_BITS;
  return bits;
}

export function bare(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
}
