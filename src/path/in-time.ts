/**
 * Legs told by time: what passes a hop takes about as long each time, so that the connection on which a message arrives just then, and no other one,
 * is the one it passed to. For legs whose octets tell nothing: a hop frames anew, writes JSON anew, and hardly anything passes. In: the
 * connections of all captures, and which of them are linked. Out: pairs to link, for group.ts.
 */

import type { HopObservation } from '../hop/observation.js';
import { DataRows } from './data-rows.js';
import { type KeyedConnection, namesContradict } from './own-key.js';
import { type Passage, passageOf } from './passage.js';

export interface Linking {
  /** The same for all of one path. */
  rootOf(x: number): number;
  /** By all that is known, but what they say. */
  mayBeOne(x: number, y: number): boolean;
  join(x: number, y: number): void;
}

/** A command's ID on another connection of that server within this time: it was offered to several, and tells nothing. */
const ALONE_WITHIN_NS = 1e9;
/** A message with an ID passes at about the usual time, one without exactly then: it is alike on all connections. */
const NAMED_WITHIN_NS = 20e6;
const LEAST_ALIKE = 5;
const OPENS_WITHIN_NS = 5e9;
const MOST_SERVERS = 16;
/** Linked connections that tell how long passing takes. */
const MOST_SAMPLED = 64;

export function linkInTime(
  keyed: readonly (KeyedConnection & { observation: HopObservation; hop: number })[],
  servers: readonly string[],
  linking: Linking,
): void {
  const places = [...new Set(servers)];
  if (places.length > MOST_SERVERS) return;
  const at = places.map((server) => servers.flatMap((each, i) => (each === server ? [i] : [])));
  const hops = at.map(([first]) => keyed[first].hop);
  const rows = new DataRows(keyed);
  const pairs = at.flatMap((_, a) => at.flatMap((_, b) => (a < b ? [[a, b]] : [])));
  pairs.sort((p, q) => Math.abs(hops[p[0]] - hops[p[1]]) - Math.abs(hops[q[0]] - hops[q[1]]));
  for (const [a, b] of pairs) {
    const [here, there] = [unlinked(at[a], at[b], linking), unlinked(at[b], at[a], linking)];
    if (here.length > 0 && there.length > 0) new Between(rows, keyed, at[a], at[b], here, there, linking).link();
  }
}

/** Those of `ends` that are of no path with any of the others. */
function unlinked(ends: readonly number[], others: readonly number[], { rootOf }: Linking): number[] {
  const roots = new Set(others.map((y) => rootOf(y)));
  return ends.filter((x) => !roots.has(rootOf(x)));
}

interface Shared {
  x: number;
  y: number;
  /** Messages with an ID that no other connection had at that time; and others. */
  named: number;
  alike: number;
}

/** Two servers, and the connections to them that are not linked with one to the other. */
class Between {
  private readonly shared = new Map<string, Shared>();
  private readonly passages: readonly (Passage | null)[];

  constructor(
    private readonly rows: DataRows,
    private readonly keyed: readonly KeyedConnection[],
    allHere: readonly number[],
    allThere: readonly number[],
    private readonly here: readonly number[],
    there: readonly number[],
    private readonly linking: Linking,
  ) {
    const byRoot = new Map(allThere.map((y) => [linking.rootOf(y), y]));
    const linked = allHere.flatMap((x) => {
      const y = byRoot.get(linking.rootOf(x));
      return y === undefined ? [] : [[x, y] as const];
    });
    const sample = linked.filter((_, i) => i % Math.ceil(linked.length / MOST_SAMPLED) === 0);
    const ends = [
      [...here, ...sample.map(([x]) => x)],
      [...there, ...sample.map(([, y]) => y)],
    ];
    this.passages = [0, 1].map((way) => passageOf(rows, way, ends[0], ends[1], sample));
    if (this.passages.some((passage) => passage !== null)) this.count(allHere, allThere, there);
  }

  /** All that is shared, just at the time. */
  private count(allHere: readonly number[], allThere: readonly number[], there: readonly number[]): void {
    const own = this.here.flatMap((x) => this.rows.of(x));
    const keys = new Set(own.flatMap(({ key, named }) => (named ? [key] : [])));
    const [namedHere, namedThere] = [this.rows.indexOfKeys(allHere, keys), this.rows.indexOfKeys(allThere, keys)];
    const said = this.rows.indexOf(there);
    for (const { end: x, key, timeNs, way, named } of own) {
      const passage = this.passages[way];
      if (passage === null || passage === undefined) continue;
      const dueNs = timeNs + passage.delayNs;
      if (!named) for (const y of said.near(key, dueNs, 2 * passage.spreadNs)) this.add(x, y, named);
      else if (namedHere.isAlone(key, timeNs, ALONE_WITHIN_NS) && namedThere.isAlone(key, dueNs, ALONE_WITHIN_NS))
        for (const y of said.near(key, dueNs, Math.max(NAMED_WITHIN_NS, 2 * passage.spreadNs))) this.add(x, y, named);
    }
  }

  private add(x: number, y: number, named: boolean): void {
    const key = `${x} ${y}`;
    const shared = this.shared.get(key) ?? { x, y, named: 0, alike: 0 };
    if (named) shared.named++;
    else shared.alike++;
    this.shared.set(key, shared);
  }

  link(): void {
    const all = [...this.shared.values()].filter(({ x, y }) => this.livesAgree(x, y));
    all.sort((a, b) => b.named - a.named || b.alike - a.alike);
    const byEnd = new Map<number, Shared[]>();
    for (const pair of all)
      for (const end of [pair.x, pair.y]) {
        const same = byEnd.get(end);
        if (same === undefined) byEnd.set(end, [pair]);
        else same.push(pair);
      }
    for (const pair of all) {
      const { x, y } = pair;
      if (!this.linking.mayBeOne(x, y)) continue;
      const rivals = [...(byEnd.get(x) ?? []), ...(byEnd.get(y) ?? [])].filter((each) => each !== pair);
      if (pair.named > 0) {
        if (rivals.some(({ named, alike }) => named * 2 > pair.named || alike > pair.alike + pair.named)) continue;
      } else if (!this.keepsStep(pair) || rivals.some(({ named, alike }) => named > 0 || alike * 3 > pair.alike))
        continue;
      this.linking.join(x, y);
    }
  }

  /** Nearly all that both said in the time that both captures show. */
  private keepsStep({ x, y, alike }: Shared): boolean {
    if (alike < LEAST_ALIKE) return false;
    const [a, b] = [this.keyed[x], this.keyed[y]];
    const fewest = [0, 1].map((way) => {
      const passage = this.passages[way];
      if (passage === null || passage === undefined) return 0;
      const [lifeA, lifeB] = [this.rows.lifeOf(x), this.rows.lifeOf(y)];
      const fromNs = Math.max(lifeA.fromNs, lifeB.fromNs - passage.delayNs);
      const toNs = Math.min(lifeA.toNs, lifeB.toNs - passage.delayNs);
      const said = (end: number, shiftNs: number) =>
        this.rows
          .of(end)
          .filter((row) => row.way === way && row.timeNs - shiftNs >= fromNs && row.timeNs - shiftNs <= toNs).length;
      return Math.min(said(x, 0), said(y, passage.delayNs));
    });
    return !namesContradict(a.connection, b.connection) && alike * 5 >= (fewest[0] + fewest[1]) * 4;
  }

  /** A hop opens its inner connection soon after the outer one: what was there long before is another one. */
  private livesAgree(x: number, y: number): boolean {
    const [a, b] = [this.rows.lifeOf(x), this.rows.lifeOf(y)];
    if (namesContradict(this.keyed[x].connection, this.keyed[y].connection)) return false;
    const delayNs = (this.passages[0] ?? this.passages[1])?.delayNs ?? 0;
    const [openedA, openedB] = [a.openedNs, b.openedNs - delayNs];
    if (!Number.isNaN(openedA) && !Number.isNaN(openedB)) return Math.abs(openedA - openedB) <= OPENS_WITHIN_NS;
    if (!Number.isNaN(openedA)) return b.fromNs - delayNs >= openedA - OPENS_WITHIN_NS;
    if (!Number.isNaN(openedB)) return a.fromNs >= openedB - OPENS_WITHIN_NS;
    return true;
  }
}
