/**
 * Records against messages, made up by hand: which reading is taken, what another would be short of, and where nothing can be told.
 * Times in milliseconds; what a reading must be follows from how each case was made.
 */
import { describe, expect, it } from 'vitest';
import { Fate, type Records, type Units, type Walk, walk } from '../../src/path/record-walk.js';

const CERTAIN = 8;

/** Messages [length, time]; records [length, time] or [least, most, time]. */
function walked(
  messages: [number, number][],
  records: ([number, number] | [number, number, number])[],
  { order = 1 as 1 | -1, from = 500 } = {},
): Walk {
  const units: Units = {
    count: messages.length,
    start: new Float64Array(messages.length),
    end: new Float64Array(messages.length),
    timeNs: Float64Array.from(messages, ([, atMs]) => atMs * 1e6),
    opaque: new Uint8Array(messages.length),
    webSocketFrom: from,
  };
  let at = from;
  messages.forEach(([length], i) => {
    units.start[i] = at;
    at += length;
    units.end[i] = at;
  });
  const bounds = records.map((each) => (each.length === 2 ? [each[0], ...each] : each));
  const columns: Records = {
    count: records.length,
    least: Float64Array.from(bounds, ([least]) => least),
    most: Float64Array.from(bounds, ([, most]) => most),
    timeNs: Float64Array.from(bounds, ([, , atMs]) => atMs * 1e6),
    lost: new Uint8Array(records.length),
    acked: new Uint8Array(records.length).fill(1),
  };
  return walk(units, columns, { order, usualNs: 0, slackNs: 5e6 });
}

const PING = 6;
const COMMAND = 131;
/** Two minutes of everyday traffic, each message a millisecond later on the other leg. */
const everyday: [number, number][] = [
  [51, 0],
  [3482, 1],
  [PING, 2000],
  [COMMAND, 3100],
  [PING, 4000],
  [118, 5300],
  [PING, 6000],
  [COMMAND, 7700],
  [PING, 8000],
];
const later = (messages: [number, number][], byMs = 1): [number, number][] =>
  messages.map(([length, atMs]) => [length, atMs + byMs]);

describe('what a proxy copies', () => {
  it('record for record', () => {
    const { record, margin, aligned } = walked(everyday, later(everyday));
    expect([...record]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(aligned).toBe(9);
    expect(Math.min(...margin)).toBeGreaterThan(CERTAIN);
  });

  it('towards the server, where the record is there first', () => {
    const { record, margin } = walked(everyday, later(everyday, -1), { order: -1 });
    expect([...record]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(Math.min(...margin)).toBeGreaterThan(CERTAIN);
  });

  it('behind handshake, tickets and a response head of any length', () => {
    const before: [number, number][] = [
      [900, -30],
      [281, -30],
      [250, -20],
      [250, -20],
      [129, -1],
    ];
    const { record } = walked(everyday, [...before, ...later(everyday)]);
    expect([...record]).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13]);
  });

  it('the first messages in one record with the response head', () => {
    const head = 129;
    const [first, second, ...rest] = everyday;
    const { record, from, to } = walked(everyday, [[head + first[0] + second[0], 2], ...later(rest)]);
    expect([...record]).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 7]);
    expect([from[0], to[0]]).toEqual([500, 500 + first[0] + second[0]]);
  });

  it('two messages in one record, and one in three', () => {
    const records: [number, number][] = [
      [51 + 3482, 2],
      [PING, 2001],
      [COMMAND + PING, 4001],
      [50, 5301],
      [60, 5301],
      [8, 5301],
      [PING, 6001],
    ];
    const together = everyday.map(([length, atMs]): [number, number] => [length, atMs === 3100 ? 3999 : atMs]);
    const { record, margin } = walked(together.slice(0, 7), records);
    expect([...record]).toEqual([0, 0, 1, 2, 2, 5, 6]);
    expect(Math.min(...margin)).toBeGreaterThan(CERTAIN);
  });

  it('lengths that padding leaves open', () => {
    const padded = later(everyday).map(([length, atMs]): [number, number, number] => {
      const least = length - (length % 16);
      return [least, least + 15, atMs];
    });
    const { record, margin } = walked(everyday, padded);
    expect([...record]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(Math.min(...margin)).toBeGreaterThan(CERTAIN);
  });

  it('from the middle on', () => {
    const { record } = walked(everyday, later(everyday).slice(3));
    expect([...record]).toEqual([Fate.none, Fate.none, Fate.none, 0, 1, 2, 3, 4, 5]);
  });
});

describe('what a hop does not pass on', () => {
  it('a dropped message is told from the others', () => {
    const { record, margin } = walked(everyday, later(everyday.filter((_, i) => i !== 3)));
    expect([...record]).toEqual([0, 1, 2, Fate.dropped, 3, 4, 5, 6, 7]);
    expect(margin[3]).toBeGreaterThan(CERTAIN);
  });

  it('of two alike that came together it is not told which one was dropped', () => {
    const twins: [number, number][] = [...everyday, [COMMAND, 9000], [COMMAND, 9000.4], [PING, 10_000], [PING, 12_000]];
    const passed = twins.filter((_, i) => i !== 10);
    const { margin } = walked(twins, later(passed, 1));
    expect(Math.min(margin[9], margin[10])).toBeLessThan(CERTAIN);
    expect(margin[11]).toBeGreaterThan(CERTAIN);
  });

  it('of two alike that came seconds apart it is', () => {
    const twins: [number, number][] = [...everyday, [COMMAND, 9000], [PING, 10_000], [COMMAND, 11_000], [PING, 12_000]];
    const { record, margin } = walked(twins, later(twins.filter((_, i) => i !== 9)));
    expect([...record.slice(9)]).toEqual([Fate.dropped, 9, 10, 11]);
    expect(Math.min(margin[9], margin[11])).toBeGreaterThan(CERTAIN);
  });

  it('a record of the hop itself is none of them', () => {
    const own: [number, number] = [COMMAND, 5000];
    const records = [...later(everyday), own].sort((a, b) => a[1] - b[1]);
    const { record, inserted, from } = walked(everyday, records);
    expect([...record]).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9]);
    expect(inserted[5]).toBe(1);
    expect(from[5]).toBeNaN();
  });

  it('what never left has no record', () => {
    const { record } = walked(everyday, later(everyday.slice(0, 7)));
    expect([...record.slice(7)]).toEqual([Fate.none, Fate.none]);
  });
});

describe('what cannot be', () => {
  it('a record before its message', () => {
    const { record } = walked(everyday, later(everyday, -200));
    expect([...record].every((each) => each < 0)).toBe(true);
  });

  it('lengths that have nothing to do with the messages', () => {
    const records = later(everyday).map(([length, atMs], i): [number, number] => [length + 40 + 7 * i, atMs]);
    const { bits, aligned } = walked(everyday, records);
    expect(aligned).toBeLessThan(3);
    expect(bits).toBeLessThan(40);
  });
});
