/**
 * The orders in which hops may stand where the captures do not prove the one given, and a path as it would be in one of them. In: what is
 * proven of pairs of hops. Out: delivery/ judges an attempt in each of them, and claims what they agree on.
 */

import type { HopView, Path } from './path.js';

/** All orders of five hops. Beyond that, each hop moved to each other place. */
const MOST_ORDERS = 120;

/**
 * Orders of the hops, as hop indices by place, that keep every proven pair; without the one given. Of hops that are not among
 * `movable` nothing is asked: they stay where they are. `proven[a]` has b: a is nearer to the server than b.
 */
export function otherOrders(movable: readonly number[], proven: readonly ReadonlySet<number>[]): number[][] {
  const places = [...movable].sort((a, b) => a - b);
  const found: number[][] = [];
  const isAllowed = (next: number, left: readonly number[]) =>
    !left.some((hop) => hop !== next && proven[hop].has(next));
  const extend = (taken: number[], left: readonly number[]): void => {
    if (left.length === 0) found.push(taken);
    for (const next of left) {
      if (found.length > MOST_ORDERS) return;
      if (!isAllowed(next, left)) continue;
      extend(
        [...taken, next],
        left.filter((hop) => hop !== next),
      );
    }
  };
  extend([], places);
  const orders = found.length > MOST_ORDERS ? moved(places).filter((each) => keeps(each, proven)) : found;
  return orders
    .filter((each) => each.some((hop, i) => hop !== places[i]))
    .map((each) => {
      const order = proven.map((_, hop) => hop);
      each.forEach((hop, i) => {
        order[places[i]] = hop;
      });
      return order;
    });
}

function keeps(order: readonly number[], proven: readonly ReadonlySet<number>[]): boolean {
  return order.every((outer, i) => !order.slice(0, i).some((inner) => proven[outer].has(inner)));
}

function moved(hops: readonly number[]): number[][] {
  return hops.flatMap((hop) => {
    const rest = hops.filter((each) => each !== hop);
    return hops.map((_, place) => [...rest.slice(0, place), hop, ...rest.slice(place)]);
  });
}

/** The hops as they would be seen in another order. */
export function viewsInOrder(views: readonly HopView[], order: readonly number[]): HopView[] {
  return order.map((hop, index) => ({ ...views[hop], index }));
}

/** The path with the same legs in another order. */
export function pathInOrder(path: Path, order: readonly number[]): Path {
  return {
    ...path,
    legs: order.map((hop, place) => {
      const leg = path.legs[hop];
      return leg === null ? null : { ...leg, hop: place };
    }),
    uncaptured: order.map((hop) => path.uncaptured[hop] ?? null),
    unplaced: order.map((hop) => path.unplaced[hop]),
    fromServer: path.fromServer.inOrder(order),
    fromClient: path.fromClient.inOrder(order),
  };
}
