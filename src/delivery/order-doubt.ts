/**
 * Where the captures do not prove the order in which the hops were given: an attempt is judged in every order that they leave open, and
 * what depends on the order is not claimed. In: the court and the other orders. Out: one court for each of them.
 */

import { Role } from '../message/profile.js';
import { pathInOrder, viewsInOrder } from '../path/other-orders.js';
import { commonNs, type HopView, type Path } from '../path/path.js';
import type { Entry } from './commands.js';
import type { Ruling } from './judge.js';
import type { CommandCourt } from './judge-command.js';

/** What a court knows of what lies beyond the outermost leg. */
export type BeyondTheLast = Pick<CommandCourt, 'goesOnTo' | 'goesOnBecause' | 'takenForAgent' | 'mayBeProxy'>;

/** One of these orders: its court, and the entries of the log as they stand in it. */
export class OtherOrder {
  readonly views: HopView[];
  readonly court: CommandCourt;
  private readonly known = new Map<Path, Path>();

  constructor(
    court: CommandCourt,
    private readonly order: readonly number[],
    /** By hop as given: hopsTied(). */
    private readonly tied: readonly number[],
    beyond: (views: readonly HopView[], paths: readonly Path[]) => BeyondTheLast,
  ) {
    this.views = viewsInOrder(court.views, order);
    const paths = court.paths.map((path) => this.path(path));
    this.court = { ...court, views: this.views, paths, otherOrders: [], ...beyond(this.views, paths) };
  }

  path(path: Path): Path {
    const known = this.known.get(path) ?? pathInOrder(path, this.order);
    this.known.set(path, known);
    return known;
  }

  entry(entry: Entry): Entry {
    return { ...entry, path: this.path(entry.path), timeNs: this.seenNs(entry) };
  }

  /**
   * Whether the order given is to be believed of a reply that was seen at the innermost hop of that order, and here only at a hop (by its place)
   * with others further in: no connection ties any of those to it, so nothing that was captured speaks for their place here.
   * For what accuses nobody; `given` is the innermost place that saw the reply as the hops were given.
   */
  isIdle(given: number, here: number): boolean {
    if (given < 0 || here < 0) return false;
    const group = this.tied[this.order[here]];
    return this.order
      .slice(0, here)
      .every((hop, place) => hop < given || this.views[place].observation === null || this.tied[hop] !== group);
  }

  /** Common time at what is then the innermost hop that saw it. */
  private seenNs({ path, thread, role, timeNs }: Entry): number {
    const threads = this.path(path)[role === Role.command ? 'fromServer' : 'fromClient'];
    for (const view of this.views) {
      const row = threads.row(thread, view.index);
      const sentNs = row < 0 ? Number.NaN : commonNs(view, view.observation?.messages.sentNs[row] ?? Number.NaN);
      if (!Number.isNaN(sentNs)) return sentNs;
    }
    return timeNs;
  }
}

/** Hops by group, in numbers: those of one group have connections linked with each other, if only over further ones. */
export function hopsTied(hops: number, paths: readonly Path[]): number[] {
  const group = Array.from({ length: hops }, (_, hop) => hop);
  for (const { legs } of paths) {
    const first = legs.findIndex((leg) => leg !== null);
    for (let hop = first + 1; first >= 0 && hop < hops; hop++) {
      const [into, from] = [group[first], group[hop]];
      if (legs[hop] === null || into === from) continue;
      for (let i = 0; i < hops; i++) if (group[i] === from) group[i] = into;
    }
  }
  return group;
}

/** What is so in the order given, and not in another one that is as good. */
export function undecidedByOrder({ orderNote }: CommandCourt, { lastHop, reason }: Ruling, other: OtherOrder): Ruling {
  const names = other.views.filter(({ observation }) => observation !== null).map(({ name }) => name);
  return {
    outcome: 'inconclusive',
    lastHop,
    lostAt: null,
    late: false,
    reason: () =>
      `${orderNote}, and what can be said depends on it: as given, ${reason()}; in the order ${names.join(', ')} that would not hold. A capture that holds the opening of these connections would settle it`,
  };
}

/** The innermost captured hop is the same whichever of the orders is true. */
export function innermostIsCertain({ views, otherOrders }: CommandCourt): boolean {
  return isCertain(views, otherOrders, (each) => each.find(({ observation }) => observation !== null));
}

/** And the outermost one. */
export function outermostIsCertain({ views, otherOrders }: CommandCourt): boolean {
  return isCertain(views, otherOrders, (each) => each[each.length - 1]);
}

function isCertain(
  views: readonly HopView[],
  orders: readonly OtherOrder[],
  pick: (views: readonly HopView[]) => HopView | undefined,
): boolean {
  return orders.every((order) => pick(order.views)?.name === pick(views)?.name);
}
