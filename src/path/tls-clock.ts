/**
 * The clocks of two captures, of which one holds encrypted connections: the same capture's own, what plain legs of both tell, else what
 * the records themselves tell: at the right difference many messages have a record of just their length at just their time. In: all
 * connections of both hops. Out: what to add to a time of the plain hop, or null where no difference stands out.
 */

import type { HopObservation } from '../hop/observation.js';
import type { RecordOverhead } from '../tls/record-overhead.js';
import type { Sighting } from './group.js';
import type { HopClock } from './hop-clock.js';

/** Packets of one capture come out of order by less. */
const ONE_CAPTURE_SLACK_NS = 5e6;
const SLACK_NS = 30e6;
/** Beyond, two captures' clocks tell nothing. */
const MOST_SLACK_NS = 1e9;
const BIN_NS = 4e6;
const MOST_VOTES = 3e5;
const MOST_CANDIDATES = 48;
/** Around a candidate messages are looked for this far, and counted where their differences lie this close together. */
const NEAR_NS = 12e6;
const DENSE_NS = 2e6;
const MOST_ROWS = 4000;
/** The best difference must have so much more than any other that is not next to it. */
const STANDS_OUT = 1.25;
const LEAST_HITS = 5;
const NEXT_BINS = 8;

interface Times {
  way: 0 | 1;
  plain: number[];
  encrypted: number[];
}

interface Between {
  /** What to add to a time of the plain hop to have it on the encrypted hop's clock. */
  offsetNs: number;
  slackNs: number;
}

/** Clocks between the hops: the same capture's own, what the plain legs tell, else what the records themselves tell. */
export class ClocksBetween {
  private readonly known = new Map<number, Between | null>();

  constructor(
    private readonly observations: readonly (HopObservation | null)[],
    private readonly clocks: readonly (HopClock | null)[],
    private readonly groups: readonly Sighting[][],
    private readonly encrypted: readonly Sighting[],
  ) {}

  of(plainHop: number, hop: number): Between | null {
    if (plainHop === hop) return { offsetNs: 0, slackNs: ONE_CAPTURE_SLACK_NS };
    const key = plainHop * this.observations.length + hop;
    let found = this.known.get(key);
    if (found === undefined) {
      found = this.measured(plainHop, hop);
      this.known.set(key, found);
    }
    return found;
  }

  private measured(plainHop: number, hop: number): Between | null {
    const [a, b] = [this.clocks[plainHop], this.clocks[hop]];
    if (a !== null && b !== null) {
      const slackNs = SLACK_NS + a.uncertaintyNs + b.uncertaintyNs;
      return slackNs > MOST_SLACK_NS ? null : { offsetNs: b.offsetNs - a.offsetNs, slackNs };
    }
    const plain = this.groups.flatMap((group) => group.filter((each) => each.hop === plainHop).slice(0, 1));
    const encrypted = this.encrypted.filter((each) => each.hop === hop);
    const offsetNs = clockByRecords(plain, encrypted, this.observations);
    return offsetNs === null ? null : { offsetNs, slackNs: 2 * SLACK_NS };
  }
}

function clockByRecords(
  plain: readonly Sighting[],
  encrypted: readonly Sighting[],
  observations: readonly (HopObservation | null)[],
): number | null {
  const lengths = new Map<number, Times>();
  const timesOf = (way: 0 | 1, length: number) => {
    const key = length * 2 + way;
    const times = lengths.get(key) ?? { way, plain: [], encrypted: [] };
    lengths.set(key, times);
    return times;
  };
  const ways = [
    [0, 'fromServer'],
    [1, 'fromClient'],
  ] as const;
  const overheads = new Map<string, RecordOverhead>();
  for (const { hop, connection } of encrypted) {
    const { records: table } = observations[hop] as HopObservation;
    const { records } = connection;
    if (records === null) continue;
    // Where it was not negotiated in sight, the likeliest will do: it is the votes of all that count.
    for (const overhead of records.overheads.slice(0, 3))
      overheads.set(`${overhead.fixed} ${overhead.padding}`, overhead);
    for (const [w, way] of ways)
      for (const row of records[way].subarray(0, MOST_ROWS))
        if (!Number.isNaN(table.sentNs[row]))
          timesOf(w, table.to[row] - table.from[row] - 5).encrypted.push(table.sentNs[row]);
  }
  for (const { hop, connection } of plain) {
    const { messages } = observations[hop] as HopObservation;
    for (const [w, way] of ways)
      for (const row of connection[way].rows.subarray(0, MOST_ROWS)) {
        const octets = messages.endOffset[row] - messages.startOffset[row];
        const fragments = new Set([...overheads.values()].flatMap((overhead) => fragmentLengths(overhead, octets)));
        for (const length of fragments)
          if (lengths.has(length * 2 + w)) timesOf(w, length).plain.push(messages.sentNs[row]);
      }
  }
  return peak([...lengths.values()].filter((times) => times.plain.length > 0));
}

/** Of CBC either way of authenticating: the MAC within the blocks, or behind them. */
function fragmentLengths({ fixed, padding }: RecordOverhead, octets: number): number[] {
  if (padding === 0) return [octets + fixed];
  const mac = fixed - 16;
  const blocks = (count: number) => padding * Math.ceil(count / padding);
  return [16 + blocks(octets + mac + 1), 16 + blocks(octets + 1) + mac];
}

/** The difference at which most messages have a record; null where another is about as good: periodic traffic fits again a period later. */
function peak(lengths: Times[]): number | null {
  const sampled = sample(lengths);
  const candidates = coarse(sampled)
    .map((bin) => near(sampled, bin * BIN_NS))
    .sort((a, b) => b.hits - a.hits);
  const [best] = candidates;
  if (best === undefined || best.hits < LEAST_HITS) return null;
  const rival = candidates.find(({ offsetNs }) => Math.abs(offsetNs - best.offsetNs) > NEXT_BINS * BIN_NS);
  return rival !== undefined && rival.hits * STANDS_OUT > best.hits ? null : best.offsetNs;
}

/** The rarest lengths first: they say most. Of frequent ones a share of the messages. */
function sample(lengths: Times[]): Times[] {
  const cost = ({ plain, encrypted }: Times) => plain.length * encrypted.length;
  const sampled: Times[] = [];
  let spent = 0;
  for (const times of lengths.sort((a, b) => cost(a) - cost(b))) {
    if (spent > MOST_VOTES) break;
    const step = Math.max(1, Math.ceil((cost(times) * 4) / MOST_VOTES));
    const plain = times.plain.filter((_, i) => i % step === 0);
    spent += plain.length * times.encrypted.length;
    sampled.push({ way: times.way, plain, encrypted: times.encrypted.sort((a, b) => a - b) });
  }
  return sampled;
}

/** Bins of differences that occur most, each pair of times weighted by how rare its length is. */
function coarse(lengths: readonly Times[]): number[] {
  const bins = new Map<number, number>();
  for (const { plain, encrypted } of lengths) {
    const weight = 1 / Math.max(plain.length, encrypted.length);
    for (const plainNs of plain)
      for (const recordNs of encrypted) {
        const bin = Math.round((recordNs - plainNs) / BIN_NS);
        bins.set(bin, (bins.get(bin) ?? 0) + weight);
      }
  }
  const votes = (bin: number) => (bins.get(bin - 1) ?? 0) + (bins.get(bin) ?? 0) + (bins.get(bin + 1) ?? 0);
  const sorted = [...bins.keys()].map((bin) => ({ bin, votes: votes(bin) })).sort((a, b) => b.votes - a.votes);
  return sorted.slice(0, MOST_CANDIDATES).map(({ bin }) => bin);
}

/**
 * How many messages have a record at just this difference, and the difference itself. What goes out is later by what lies between,
 * what comes in earlier, by about as much for all: the clocks' difference is in the middle.
 */
function near(lengths: readonly Times[], aboutNs: number): { hits: number; offsetNs: number } {
  let hits = 0;
  const centres: number[] = [];
  for (const way of [0, 1]) {
    const differences: number[] = [];
    for (const times of lengths) {
      if (times.way !== way) continue;
      for (const plainNs of times.plain) {
        const differenceNs = nearest(times.encrypted, plainNs + aboutNs) - plainNs;
        if (Math.abs(differenceNs - aboutNs) <= NEAR_NS) differences.push(differenceNs);
      }
    }
    if (differences.length === 0) continue;
    const { count, centreNs } = densest(differences.sort((a, b) => a - b));
    hits += count;
    centres.push(centreNs);
  }
  const sum = centres.reduce((total, centreNs) => total + centreNs, 0);
  return { hits, offsetNs: centres.length === 0 ? aboutNs : sum / centres.length };
}

function nearest(sorted: readonly number[], wanted: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  const before = sorted[low - 1] ?? Number.NEGATIVE_INFINITY;
  return wanted - before < sorted[low] - wanted ? before : sorted[low];
}

/** The stretch of DENSE_NS that holds most. */
function densest(sorted: readonly number[]): { count: number; centreNs: number } {
  let best = { count: 0, centreNs: Number.NaN };
  for (let first = 0, last = 0; last < sorted.length; last++) {
    while (sorted[last] - sorted[first] > DENSE_NS) first++;
    const count = last - first + 1;
    if (count > best.count) best = { count, centreNs: sorted[first + (count >> 1)] };
  }
  return best;
}
