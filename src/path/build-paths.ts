/**
 * Builds the paths: groups connections over the hops, chooses the legs, brings clocks together, and follows each message over the
 * hops as a thread. In: observations by hop index, null where a hop was only named. Out: Paths and HopViews for delivery/.
 */

import { type ClockDoubt, doubtsOf } from './clocks.js';
import { cutToRecords } from './cut-align.js';
import { type Group, groupConnections } from './group.js';
import { hopClocks } from './hop-clocks.js';
import { type HopOrder, orderOf } from './hop-order.js';
import { chooseLegs, type UsualServers } from './legs.js';
import type { Observations } from './nodes.js';
import { serverOf } from './nodes.js';
import type { HopView, Leg, Path } from './path.js';
import { pairsOfSides } from './sides.js';
import { ThreadTable } from './thread-table.js';
import { threads } from './threads.js';
import { alignEncrypted, hasUnread } from './tls-align.js';
import { readInTwins } from './twin-capture.js';
import { endBeyond, uncapturedHops } from './uncaptured.js';
import { UsualDelays } from './usual-delays.js';

/** So far apart, clocks are not compared without saying so. */
const FAR_NS = 1e9;

export function buildPaths(
  hopNames: readonly string[],
  observations: Observations,
): { paths: Path[]; views: HopView[]; order: HopOrder; doubts: ClockDoubt[] } {
  readInTwins(observations);
  const restore = cutToRecords(observations);
  if (hasUnread(observations)) {
    const plain = linkPaths(groupConnections(observations), observations);
    alignEncrypted(observations, hopClocks(plain, observations));
  }
  restore?.();
  let groups = groupConnections(observations);
  let paths = linkPaths(groups, observations);
  let clocks = hopClocks(paths, observations);
  // Short connections through a hop that writes its own keys are told by their times: by clocks that the long ones have told.
  if (clocks.some((clock) => clock !== null && (Math.abs(clock.offsetNs) > FAR_NS || clock.pieces.length > 1))) {
    groups = groupConnections(observations, clocks);
    paths = linkPaths(groups, observations);
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
  return { paths, views, order, doubts: doubtsOf(clocks) };
}

function isProven({ unproven }: HopOrder, observations: Observations, hop: number): boolean | null {
  if (observations[hop] === null || observations.findIndex((each) => each !== null) === hop) return null;
  return !unproven.some(({ outer }) => outer === hop);
}

function linkPaths(groups: readonly Group[], observations: Observations): Path[] {
  const first = groups.map((group) => chooseLegs(group, observations, null));
  const usual = usualServers(first, observations.length);
  const legs = groups.map((group, i) =>
    first[i].every((leg, hop) => leg === null || usual[hop] === null || serverOf(leg.connection) === usual[hop])
      ? first[i]
      : chooseLegs(group, observations, usual),
  );
  const found = groups
    .map((group, i) => ({ group, legs: legs[i] }))
    .filter((each) => each.legs.some((leg) => leg !== null));
  const startNs = (each: (Leg | null)[]) =>
    Math.min(...each.map((leg) => leg?.connection.firstNs ?? Number.POSITIVE_INFINITY));
  found.sort((a, b) => startNs(a.legs) - startNs(b.legs));
  return found.map(({ group, legs: each }, i) => {
    const names = [...new Set(each.flatMap((leg) => leg?.connection.agentNames ?? []))];
    const alone = each.filter((leg) => leg !== null).length === 1;
    return {
      id: `c${i + 1}`,
      legs: alone ? each.map((leg) => leg && { ...leg, linkedBy: 'only' as const }) : each,
      agent: names[0] ?? null,
      names,
      uncaptured: uncapturedHops(group, each, observations),
      beyond: endBeyond(group, each, observations),
      fromServer: new ThreadTable(observations.length),
      fromClient: new ThreadTable(observations.length),
    };
  });
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
