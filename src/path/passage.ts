/**
 * How long what passes from one server's connections to another's takes, with whatever their captures' clocks differ by: told by messages that only
 * one connection of each carries. Known before it is known which connections belong together, and where no clock can be set. In: data
 * rows. Out: Passage for in-time.ts.
 */

import type { DataRow, DataRows } from './data-rows.js';

export interface Passage {
  delayNs: number;
  /** Most take this much more or less. */
  spreadNs: number;
}

/** Apart from the usual by more it is another message, or was held back. */
const USUAL_WITHIN_NS = 50e6;
const LEAST_SAMPLES = 3;
const LEAST_SPREAD_NS = 1e6;
const MOST_COPIES = 4;

/** `linked`: pairs of connections that belong together. Null where too little passes, or it takes now this long and now that. */
export function passageOf(
  rows: DataRows,
  way: number,
  here: readonly number[],
  there: readonly number[],
  linked: readonly (readonly [number, number])[],
): Passage | null {
  const index = rows.indexOf(there);
  const delays: number[] = [];
  for (const [key, own] of rows.indexOf(here).entries())
    if (own[0].way === way && own[0].named) addDelays(own, index.get(key), delays);
  for (const [x, y] of linked) {
    const other = rows.indexOf([y]);
    for (const [key, own] of rows.indexOf([x]).entries())
      if (own[0].way === way && !own[0].named) addDelays(own, other.get(key), delays);
  }
  return usualOf(delays);
}

/** Of what both show equally often, on one connection each: it was offered several times, or said several times. */
function addDelays(own: readonly DataRow[], others: readonly DataRow[], delays: number[]): void {
  if (own.length !== others.length || own.length > MOST_COPIES) return;
  if (own.some(({ end }) => end !== own[0].end) || others.some(({ end }) => end !== others[0].end)) return;
  own.forEach((row, i) => {
    delays.push(others[i].timeNs - row.timeNs);
  });
}

export function usualOf(delays: number[]): Passage | null {
  delays.sort((a, b) => a - b);
  const delayNs = delays[delays.length >> 1];
  const off = delays.map((each) => Math.abs(each - delayNs)).filter((each) => each <= USUAL_WITHIN_NS);
  if (off.length < LEAST_SAMPLES || off.length * 3 < delays.length * 2) return null;
  off.sort((a, b) => a - b);
  return { delayNs, spreadNs: Math.max(LEAST_SPREAD_NS, off[Math.floor(off.length * 0.9)]) };
}
