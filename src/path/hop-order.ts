/**
 * Whether the hops were given in the order in which they stand, from the server outward: an order that the captures contradict
 * makes every verdict name the wrong hop. In: groups and paths. Out: the pair of hops that stands the wrong way round, the pairs of
 * which nothing tells, and the other orders in which the hops may stand then.
 */

import { type AlignSide, sharedMessages } from './align.js';
import type { Group } from './group.js';
import { commonAddress, localAddresses, servedHere } from './legs.js';
import { type Node, nodesInOrder, type Observations, provenOrder, sightingsAt } from './nodes.js';
import { otherOrders } from './other-orders.js';
import type { Path } from './path.js';

/** Two hops, by index: the first was given before the second, and stands further out. */
export type Misorder = readonly [number, number];

/** Two captured hops next to each other in the order given, of which nothing shows which is nearer to the server. */
export interface Unproven {
  inner: number;
  outer: number;
  /** Times of messages speak against the order, though too few to be sure. */
  doubtful: boolean;
}

export interface HopOrder {
  misordered: Misorder | null;
  unproven: Unproven[];
  /** Hops by place, from the server outward: the orders, other than the one given, that nothing contradicts. */
  others: number[][];
}

/** How often captures spoke for the order given, and against it, by pair of hops. */
export class OrderVotes {
  private readonly kept = new Map<number, number>();
  private readonly broken = new Map<number, number>();

  constructor(private readonly hops: number) {}

  add(first: number, second: number, isKept: boolean): void {
    const votes = isKept ? this.kept : this.broken;
    votes.set(first * this.hops + second, (votes.get(first * this.hops + second) ?? 0) + 1);
  }

  /** True and false where enough speaks for it and next to nothing for the contrary; null where that is not so. */
  isKept(first: number, second: number, least: number): boolean | null {
    const pair = first * this.hops + second;
    const [kept, broken] = [this.kept.get(pair) ?? 0, this.broken.get(pair) ?? 0];
    if (kept >= least && kept > broken * CLEAR_MAJORITY) return true;
    if (broken >= least && broken > kept * CLEAR_MAJORITY) return false;
    return null;
  }
}

const CLEAR_MAJORITY = 8;
const LEAST_CONTRADICTIONS = 8;
const LEAST_CONFIRMATIONS = 3;
/** Two processors may stamp packets of one moment this far out of order, and two clocks may drift apart as fast. */
const STAMPED_WITHIN_NS = 50e3;
const DRIFT = 500e-6;

/** What the connections prove of the order comes first; times decide where they prove nothing. */
export function orderOf(groups: readonly Group[], paths: readonly Path[], observations: Observations): HopOrder {
  const order: HopOrder = { misordered: null, unproven: [], others: [] };
  const captured = observations.flatMap((observation, hop) => (observation === null ? [] : [hop]));
  if (captured.length < 2) return order;
  const byConnections = new OrderVotes(observations.length);
  for (const group of groups) voteByConnections(group, observations, byConnections);
  voteByHosts(paths, observations, byConnections);
  let times: OrderVotes | undefined;
  const byTimes = (): OrderVotes => {
    times ??= votesByTimes(paths, observations);
    return times;
  };
  const isKept = (inner: number, outer: number): boolean | null => {
    const proven = byConnections.isKept(inner, outer, 1);
    if (proven !== null) return proven;
    if (byTimes().isKept(inner, outer, LEAST_CONTRADICTIONS) === false) return false;
    return byTimes().isKept(inner, outer, LEAST_CONFIRMATIONS) === true ? true : null;
  };
  // A capture without any connection to judge stands where it was given.
  const carrying = captured.filter((hop) =>
    observations[hop]?.connections.some((each) => each?.protocol === 'websocket' || each?.protocol === 'tls'),
  );
  const proven = observations.map(() => new Set<number>());
  for (let i = 0; i < captured.length; i++)
    for (let j = i + 1; j < captured.length; j++) {
      const [inner, outer] = [captured[i], captured[j]];
      const kept = isKept(inner, outer);
      if (kept === false) order.misordered ??= [inner, outer];
      if (kept === true) proven[inner].add(outer);
      if (kept === null && carrying.indexOf(outer) === carrying.indexOf(inner) + 1 && carrying.includes(inner))
        order.unproven.push({ inner, outer, doubtful: byTimes().isKept(inner, outer, LEAST_CONFIRMATIONS) === false });
    }
  if (order.unproven.length > 0 && order.misordered === null) order.others = otherOrders(carrying, proven);
  return order;
}

/** Says of each pair of hops whether the connections served at the one lie further in than those served at the other. */
function voteByConnections(group: Group, observations: Observations, votes: OrderVotes): void {
  const nodes = nodesInOrder(group, observations);
  const own: number[][] = [];
  const asClient: number[][] = [];
  observations.forEach((_, hop) => {
    const local = localAddresses(nodes, hop, observations);
    const here = nodes.flatMap((node, n) => (sightingsAt(node, hop).length > 0 ? [n] : []));
    const served = here.filter((n) => sightingsAt(nodes[n], hop).some((each) => servedHere(each.connection, local)));
    // The one connection of a capture that does not tell where it was taken is taken for the hop's leg.
    own[hop] = served.length === 0 && local.size === 0 && here.length === 1 ? here : served;
    asClient[hop] = here.filter((n) =>
      sightingsAt(nodes[n], hop).every(
        ({ connection }) => local.has(connection.clientAddress) && !local.has(connection.serverAddress),
      ),
    );
  });
  const inner = provenPairs(nodes, observations);
  const provenInner = (n: number, m: number) => inner[n][m] && !inner[m][n];
  for (let a = 0; a < own.length; a++)
    for (let b = a + 1; b < own.length; b++) {
      const kept =
        own[a].some((n) => asClient[b].includes(n)) || own[a].some((n) => own[b].some((m) => provenInner(n, m)));
      const broken =
        own[b].some((n) => asClient[a].includes(n)) || own[a].some((n) => own[b].some((m) => provenInner(m, n)));
      // A host that runs two hops serves connections on either side of another's.
      if (kept || broken) votes.add(a, b, kept);
    }
}

/** By two nodes: whether the one is proven to lie further in, by itself or over others between them. */
function provenPairs(nodes: readonly Node[], observations: Observations): boolean[][] {
  const inner = nodes.map((a) => nodes.map((b) => a !== b && provenOrder(a, b, observations) < 0));
  for (let between = 0; between < nodes.length; between++)
    for (let a = 0; a < nodes.length; a++)
      for (let b = 0; b < nodes.length; b++) inner[a][b] ||= inner[a][between] && inner[between][b];
  return inner;
}

/** A hop whose leg comes from another hop's host is that one's inner neighbour, also where the other one's own leg cannot be read. */
function voteByHosts(paths: readonly Path[], observations: Observations, votes: OrderVotes): void {
  const hosts = observations.map(commonAddress);
  const isServedAt = (a: number, b: number) =>
    hosts[b] !== null &&
    paths.some(({ legs }) => {
      const connection = legs[a]?.connection;
      return connection?.clientAddress === hosts[b] && connection.serverAddress !== hosts[b];
    });
  for (let a = 0; a < hosts.length; a++)
    for (let b = a + 1; b < hosts.length; b++) {
      const [kept, broken] = [isServedAt(a, b), isServedAt(b, a)];
      if (kept !== broken) votes.add(a, b, kept);
    }
}

/**
 * By time: what goes outward is seen further in first, what comes inward further out, so between neighbouring moments the difference of
 * two hops' clocks is never smaller by the messages that go outward than by those that come inward. True of any two clocks.
 */
function votesByTimes(paths: readonly Path[], observations: Observations): OrderVotes {
  const votes = new OrderVotes(observations.length);
  for (const { legs } of paths)
    for (let inner = 0; inner < legs.length; inner++)
      for (let outer = inner + 1; outer < legs.length; outer++) {
        const sides = (way: 'fromServer' | 'fromClient') =>
          [inner, outer].map((hop): AlignSide | null => {
            const half = legs[hop]?.connection[way];
            const observation = observations[hop];
            if (half === undefined || observation == null) return null;
            const { messages, strings, lastNs } = observation;
            return { half, messages, strings, clock: null, endNs: lastNs };
          });
        const seen = differences(sides('fromServer'), sides('fromClient'));
        for (const isKept of comparisons(seen)) votes.add(inner, outer, isKept);
        for (let i = confirmations(seen); i > 0; i--) votes.add(inner, outer, true);
      }
  return votes;
}

/** Of one message, seen at both hops. */
interface Difference {
  atNs: number;
  differenceNs: number;
  outward: boolean;
}

function differences(outward: (AlignSide | null)[], inward: (AlignSide | null)[]): Difference[] {
  return [...differencesOf(outward, true), ...differencesOf(inward, false)]
    .filter(({ differenceNs }) => !Number.isNaN(differenceNs))
    .sort((a, b) => a.atNs - b.atNs);
}

function* comparisons(seen: readonly Difference[]): Generator<boolean> {
  for (let i = 1; i < seen.length; i++) {
    const [a, b] = [seen[i - 1], seen[i]];
    if (a.outward === b.outward) continue;
    const excess = (a.outward ? 1 : -1) * (a.differenceNs - b.differenceNs);
    const slackNs = STAMPED_WITHIN_NS + DRIFT * (b.atNs - a.atNs);
    if (excess <= slackNs && excess >= -slackNs) continue;
    yield excess > 0;
    i++; // each message is heard once
  }
}

/** Clocks that drift steadily drift so between two messages that one of the other direction stands between; what is left is a change of drift. */
const DRIFT_CHANGES = 20e-6;
const LONGEST_BETWEEN_NS = 20e9;

/**
 * How often a message of the one direction took its time by what one of the other direction before it and one behind it say of the clocks
 * between them. Drift does not matter there, so messages further apart are compared: it confirms an order, and is too fine to refuse one.
 */
function confirmations(seen: readonly Difference[]): number {
  let found = 0;
  for (let i = 1; i + 1 < seen.length; i++) {
    const [before, at, after] = [seen[i - 1], seen[i], seen[i + 1]];
    const betweenNs = after.atNs - before.atNs;
    if (before.outward !== after.outward || before.outward === at.outward) continue;
    if (betweenNs > LONGEST_BETWEEN_NS || betweenNs <= 0) continue;
    const share = (at.atNs - before.atNs) / betweenNs;
    const clockNs = before.differenceNs + share * (after.differenceNs - before.differenceNs);
    const excess = (at.outward ? 1 : -1) * (at.differenceNs - clockNs);
    if (Math.abs(excess) <= STAMPED_WITHIN_NS + DRIFT_CHANGES * betweenNs) continue;
    if (excess < 0) return 0;
    found++;
    i++;
  }
  return found;
}

function differencesOf([inner, outer]: (AlignSide | null)[], outward: boolean) {
  if (inner === null || outer === null) return [];
  return [...sharedMessages(inner, outer, outward)].map(([i, o]) => {
    const atNs = inner.messages.sentNs[inner.half.rows[i]];
    return { atNs, differenceNs: outer.messages.sentNs[outer.half.rows[o]] - atNs, outward };
  });
}
