/**
 * Builds the paths: groups connections over the hops, chooses the legs, brings clocks together, and follows each message over the
 * hops as a thread. In: observations by hop index, null where a hop was only named. Out: Paths and HopViews for delivery/.
 */

import { MessageFlag } from '../hop/message-table.js';
import type { HopObservation, ObservedHalf } from '../hop/observation.js';
import { ackMarks, isUnseen, stretchOf } from './ack-marks.js';
import { type AlignSide, align, sharedMessages } from './align.js';
import type { ProvenStretch } from './align-marks.js';
import { answersBetween, type TwoWays } from './answers.js';
import { type Agreement, type CarrySide, carryOver } from './carry-over.js';
import { type ClockDoubt, type ClockSample, clockOf, doubtsOf } from './clocks.js';
import { cutToRecords } from './cut-align.js';
import { type Group, groupConnections } from './group.js';
import { composed, type HopClock, ownClock } from './hop-clock.js';
import { type HopOrder, orderOf } from './hop-order.js';
import { chooseLegs, type UsualServers } from './legs.js';
import { serverOf } from './nodes.js';
import type { Passage } from './passage.js';
import type { HopView, Leg, Path } from './path.js';
import { ThreadTable } from './thread-table.js';
import { alignEncrypted, hasUnread } from './tls-align.js';
import { readInTwins } from './twin-capture.js';
import { twinSamples } from './twin-clock.js';
import { endBeyond, uncapturedHops } from './uncaptured.js';
import { UsualDelays } from './usual-delays.js';
import { isUnsound, isWholeHalf } from './whole.js';

/** So far apart, clocks are not compared without saying so. */
const FAR_NS = 1e9;

type Observations = readonly (HopObservation | null)[];

export function buildPaths(
  hopNames: readonly string[],
  observations: Observations,
): { paths: Path[]; views: HopView[]; order: HopOrder; unplaced: number[]; doubts: ClockDoubt[] } {
  readInTwins(observations);
  const restore = cutToRecords(observations);
  if (hasUnread(observations)) {
    const plain = linkPaths(groupConnections(observations), observations).paths;
    alignEncrypted(observations, hopClocks(plain, observations));
  }
  restore?.();
  let groups = groupConnections(observations);
  let { paths, unplaced } = linkPaths(groups, observations);
  let clocks = hopClocks(paths, observations);
  // Short connections through a hop that writes its own keys are told by their times: by clocks that the long ones have told.
  if (clocks.some((clock) => clock !== null && (Math.abs(clock.offsetNs) > FAR_NS || clock.pieces.length > 1))) {
    groups = groupConnections(observations, clocks);
    ({ paths, unplaced } = linkPaths(groups, observations));
    clocks = hopClocks(paths, observations);
  }
  const order = orderOf(groups, paths, observations);
  const views = hopNames.map((name, index) => ({
    index,
    name,
    observation: observations[index],
    clock: clocks[index],
    orderProven: isProven(order, observations, index),
  }));
  const usual = new UsualDelays();
  for (const path of paths)
    for (const direction of ['fromServer', 'fromClient'] as const) {
      path[direction] = threads(path, observations, clocks, direction, (inner, outer) =>
        usual.between(inner, outer, direction, () =>
          pairsOfSides(paths, observations, clocks, direction, inner, outer),
        ),
      );
    }
  return { paths, views, order, unplaced, doubts: doubtsOf(clocks) };
}

function isProven({ unproven }: HopOrder, observations: Observations, hop: number): boolean | null {
  if (observations[hop] === null || observations.findIndex((each) => each !== null) === hop) return null;
  return !unproven.some(({ outer }) => outer === hop);
}

/** `unplaced`: hops of which some path's leg could not be told from other hops' legs. */
function linkPaths(groups: readonly Group[], observations: Observations): { paths: Path[]; unplaced: number[] } {
  const placings = {
    elsewhere: observations.map(() => new Set<string>()),
    untold: observations.map(() => new Set<Group>()),
  };
  const first = groups.map((group) => chooseLegs(group, observations, null, placings));
  const usual = usualServers(first, observations.length);
  const legs = groups.map((group, i) =>
    first[i].every((leg, hop) => isUsual(leg, usual[hop], placings.elsewhere[hop]))
      ? first[i]
      : chooseLegs(group, observations, usual, placings),
  );
  const found = groups
    .map((group, i) => ({ group, legs: legs[i] }))
    .filter((each) => each.legs.some((leg) => leg !== null));
  const startNs = (each: (Leg | null)[]) =>
    Math.min(...each.map((leg) => leg?.connection.firstNs ?? Number.POSITIVE_INFINITY));
  found.sort((a, b) => startNs(a.legs) - startNs(b.legs));
  const unplaced = placings.untold.flatMap((of, hop) => (of.size > 0 ? [hop] : []));
  const paths = found.map(({ group, legs: each }, i) => {
    const names = [...new Set(each.flatMap((leg) => leg?.connection.agentNames ?? []))];
    const alone = each.filter((leg) => leg !== null).length === 1;
    return {
      id: `c${i + 1}`,
      legs: alone ? each.map((leg) => leg && { ...leg, linkedBy: 'only' as const }) : each,
      agent: names[0] ?? null,
      names,
      uncaptured: uncapturedHops(group, each, observations),
      beyond: endBeyond(group, each, observations),
      unplaced: placings.untold.map((of) => of.has(group)),
      fromServer: new ThreadTable(observations.length),
      fromClient: new ThreadTable(observations.length),
    };
  });
  return { paths, unplaced };
}

/** A hop that was not told from others may be by its usual server. */
function isUsual(leg: Leg | null, usual: string | null, elsewhere: ReadonlySet<string>): boolean {
  if (leg === null) return elsewhere.size === 0;
  const server = serverOf(leg.connection);
  return usual === null ? !elsewhere.has(server) : server === usual;
}

/** Each hop's most frequent server endpoint among the paths with a leg at every hop; null where none stands out. */
function usualServers(all: (Leg | null)[][], hops: number): UsualServers {
  const most = Math.max(0, ...all.map((legs) => legs.filter((leg) => leg !== null).length));
  const full = all.filter((legs) => legs.filter((leg) => leg !== null).length === most);
  return Array.from({ length: hops }, (_, hop) => {
    const counts = new Map<string, number>();
    for (const legs of full) {
      const leg = legs[hop];
      if (leg !== null) counts.set(serverOf(leg.connection), (counts.get(serverOf(leg.connection)) ?? 0) + 1);
    }
    const [best] = [...counts].sort((a, b) => b[1] - a[1]);
    return best === undefined || best[1] * 2 <= full.length ? null : best[0];
  });
}

/**
 * By hop: its clock against the first captured hop's. A hop is reached from the inner hop
 * that shares most with it; null where no path joins it to the others in both directions.
 */
function hopClocks(paths: readonly Path[], observations: Observations): (HopClock | null)[] {
  const clocks: (HopClock | null)[] = observations.map(() => null);
  const first = observations.findIndex((observation) => observation !== null);
  if (first < 0) return clocks;
  const own = observations.map((observation) => ownClock(observation?.clockSteps ?? []));
  clocks[first] = own[first];
  for (let outer = first + 1; outer < observations.length; outer++) {
    if (observations[outer] === null) continue;
    for (let inner = outer - 1; inner >= first && clocks[outer] === null; inner--) {
      const base = clocks[inner];
      if (base === null) continue;
      const setBack = [first, inner, outer].some((hop) => (observations[hop]?.setBacks.length ?? 0) > 0);
      const samples = clockSamples(paths, observations, inner, outer, base, own[outer]);
      const relative =
        clockOf(samples, setBack) ??
        clockOf(twinClockSamples(paths, observations, inner, outer, base, own[outer]), setBack) ??
        clockOf([...samples, ...answerSamples(paths, observations, inner, outer, base, own[outer])], setBack);
      if (relative !== null) clocks[outer] = composed(own[outer], relative);
    }
  }
  return clocks;
}

function clockSamples(
  paths: readonly Path[],
  observations: Observations,
  inner: number,
  outer: number,
  base: HopClock,
  own: HopClock,
): ClockSample[] {
  const samples: ClockSample[] = [];
  for (const path of paths) {
    if (path.legs[inner] === null || path.legs[outer] === null) continue;
    for (const direction of ['fromServer', 'fromClient'] as const) {
      const a = sideOf(path.legs[inner] as Leg, observations, direction, null);
      const b = sideOf(path.legs[outer] as Leg, observations, direction, null);
      for (const [i, o] of sharedMessages(a, b, direction === 'fromServer')) {
        const sample = { innerNs: a.messages.sentNs[a.half.rows[i]], outerNs: b.messages.sentNs[b.half.rows[o]] };
        samples.push(...sampled(sample, direction === 'fromServer', base, own));
      }
    }
  }
  return samples;
}

/** Where one of them holds one direction only, answers are all that goes the other way. */
function answerSamples(
  paths: readonly Path[],
  observations: Observations,
  inner: number,
  outer: number,
  base: HopClock,
  own: HopClock,
): ClockSample[] {
  return paths.flatMap(({ legs }) => {
    if (legs[inner] === null || legs[outer] === null) return [];
    const found = answersBetween(bothWays(legs[inner], observations), bothWays(legs[outer], observations));
    return found.flatMap((each) => sampled(each, each.outward, base, own));
  });
}

/** Where too few messages are known for what they are: the inner hop's legs as the outer hop's capture holds them. */
function twinClockSamples(
  paths: readonly Path[],
  observations: Observations,
  inner: number,
  outer: number,
  base: HopClock,
  own: HopClock,
): ClockSample[] {
  const legs = paths.flatMap((path) => path.legs[inner] ?? []);
  const [a, b] = [observations[inner] as HopObservation, observations[outer] as HopObservation];
  return [...twinSamples(legs, a, b)].flatMap((each) => sampled(each, each.way === 'fromServer', base, own));
}

function bothWays(leg: Leg, observations: Observations): TwoWays {
  return {
    fromServer: sideOf(leg, observations, 'fromServer', null),
    fromClient: sideOf(leg, observations, 'fromClient', null),
    whole: leg.connection.handshake?.accepted === true,
    accepted: hasEndOfHandshake(leg),
  };
}

function hasEndOfHandshake({ connection }: Leg): boolean {
  return connection.accept !== null || connection.handshake?.accepted === true;
}

/** Two moments by the captures' own clocks, as a sample where both are known. */
function sampled(
  { innerNs, outerNs }: { innerNs: number; outerNs: number },
  outward: boolean,
  base: HopClock,
  own: HopClock,
): ClockSample[] {
  const [commonNs, timeNs] = [base.toCommon(innerNs), own.toCommon(outerNs)];
  if (Number.isNaN(commonNs) || Number.isNaN(timeNs)) return [];
  const commonWithinNs = base.uncertaintyAt(commonNs);
  return Number.isFinite(commonWithinNs) ? [{ timeNs, commonNs, commonWithinNs, outward }] : [];
}

function sideOf(
  leg: Leg,
  observations: Observations,
  direction: 'fromServer' | 'fromClient',
  clock: HopClock | null,
): AlignSide {
  const half: ObservedHalf = leg.connection[direction];
  const { messages, strings, lastNs } = observations[leg.hop] as HopObservation;
  return { half, messages, strings, clock, endNs: lastNs };
}

/** Of all paths that have legs at both hops. */
function* pairsOfSides(
  paths: readonly Path[],
  observations: Observations,
  clocks: readonly (HopClock | null)[],
  direction: 'fromServer' | 'fromClient',
  inner: number,
  outer: number,
): Generator<[AlignSide, AlignSide]> {
  for (const { legs } of paths) {
    const [a, b] = [legs[inner], legs[outer]];
    if (a !== null && b !== null)
      yield [sideOf(a, observations, direction, clocks[inner]), sideOf(b, observations, direction, clocks[outer])];
  }
}

/** Whether any message of a leg has no row at an inner hop yet. */
function isMissing(table: ThreadTable, threadAt: Int32Array, hop: number): boolean {
  for (const thread of threadAt) if (thread < 0 || table.row(thread, hop) < 0) return true;
  return false;
}

function replace(threadAt: Int32Array, thread: number, by: number): void {
  const position = threadAt.indexOf(thread);
  if (position >= 0) threadAt[position] = by;
}

/** Follows the messages of one direction over all legs of a path. */
function threads(
  path: Path,
  observations: Observations,
  clocks: readonly (HopClock | null)[],
  direction: 'fromServer' | 'fromClient',
  usualDelay: (inner: number, outer: number) => Passage | null,
): ThreadTable {
  if (observations.length === 1)
    return ThreadTable.ofOneHop(path.legs[0]?.connection[direction].rows ?? new Int32Array(0));
  const table = new ThreadTable(observations.length);
  const inward: { side: AlignSide; threadAt: Int32Array; hop: number; leg: Leg }[] = [];
  const agreements: Agreement[] = [];
  for (const leg of path.legs) {
    if (leg === null) continue;
    const side = sideOf(leg, observations, direction, clocks[leg.hop]);
    const { rows } = side.half;
    const threadAt = new Int32Array(rows.length).fill(-1);
    // The neighbour first; what its capture missed may stand in one further in.
    for (const before of inward) {
      const unread = !isWholeHalf(side.half) || !isWholeHalf(before.side.half);
      if (!unread && !isMissing(table, threadAt, before.hop)) continue;
      const usual = unread ? usualDelay(before.hop, leg.hop) : null;
      const { inner, mode, proven } = align(before.side, side, direction === 'fromServer', usual);
      if (mode !== 'offsets' && (unread || isUnsound(side.half) || isUnsound(before.side.half))) table.doubt();
      if (unread)
        agreements.push({ inner: before.hop, outer: leg.hop, proven: [...proven, ...byAcks(before, { side, leg })] });
      for (let position = 0; position < rows.length; position++) {
        if (inner[position] < 0) continue;
        const thread = before.threadAt[inner[position]];
        if (threadAt[position] >= 0) {
          // The neighbour saw it, and did not know it for what the hop further in saw.
          if (threadAt[position] !== thread && table.merge(threadAt[position], thread)) {
            for (const each of inward) replace(each.threadAt, threadAt[position], thread);
            threadAt[position] = thread;
          }
          continue;
        }
        if (table.row(thread, leg.hop) >= 0) continue;
        threadAt[position] = thread;
        table.set(thread, leg.hop, rows[position]);
      }
    }
    for (let position = 0; position < rows.length; position++) {
      if (threadAt[position] >= 0) continue;
      threadAt[position] = table.add();
      table.set(threadAt[position], leg.hop, rows[position]);
    }
    inward.unshift({ side, threadAt, hop: leg.hop, leg });
  }
  for (const { side, hop } of inward) tellOfParts(table, side, hop, observations);
  if (agreements.length > 0)
    carryOver(
      table,
      inward.map((each) => carrySide(path, observations, each)),
      agreements,
    );
  return table;
}

/** Where one of two legs shows nothing of a direction but its TCP ACKs. */
function byAcks(inner: { side: AlignSide; leg: Leg }, outer: { side: AlignSide; leg: Leg }): ProvenStretch[] {
  const isInner = isUnseen(inner.side.half);
  if (isInner === isUnseen(outer.side.half)) return [];
  const [unseen, read] = isInner ? [inner, outer] : [outer, inner];
  const found = ackMarks(unseen.side, read.side, hasEndOfHandshake(unseen.leg));
  return found === null ? [] : [stretchOf(found, isInner)];
}

function carrySide(
  path: Path,
  observations: Observations,
  { side, threadAt, hop }: { side: AlignSide; threadAt: Int32Array; hop: number },
): CarrySide {
  const { connection } = path.legs[hop] as Leg;
  const plain = connection.tls === null && connection.alignment === null;
  const observation = observations[hop] as HopObservation;
  const { half } = side;
  return {
    hop,
    connection: connection.index,
    half,
    observation,
    rows: half.rows,
    threadAt,
    plain,
    read: connection.alignment === null,
  };
}

/** Messages of which a hop has only a part, and another one all. */
function tellOfParts(table: ThreadTable, { half }: AlignSide, hop: number, observations: Observations): void {
  if (half.unsound.length === 0) return;
  const unsound = new Set(half.unsound);
  const isWhole = (other: number, row: number) =>
    row >= 0 && !(observations[other] as HopObservation).messages.has(row, UNSOUND);
  for (let thread = 0; thread < table.count; thread++) {
    const row = table.row(thread, hop);
    if (!unsound.has(row)) continue;
    for (let other = 0; other < table.hops; other++)
      if (other !== hop && isWhole(other, table.row(thread, other))) table.know(hop, row);
  }
}

const UNSOUND = MessageFlag.partial | MessageFlag.damaged | MessageFlag.unreadable;
