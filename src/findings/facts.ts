/**
 * What the rules look at: the paths and, of the commands, only numbers. In: gather.ts fills it in one pass over the commands.
 * Out: the rules. Of a failed attempt its thread, time and command number are kept (about 24 octets), never a verdict.
 */

import type { CommandCourt } from '../delivery/judge-command.js';
import { outermostIsCertain } from '../delivery/order-doubt.js';
import type { HopReport, Outcome, Summary } from '../delivery/verdict.js';
import type { ObservedDispatch } from '../hop/observation.js';
import { commonNs, type HopView, type Leg, type Path } from '../path/path.js';

/** Attempts on one path that failed in one way, of commands that were never delivered; in order of time. */
export interface Failed {
  path: Path;
  outcome: Outcome;
  lostAt: string | null;
  /** One entry an attempt: command number, thread in `path.fromServer`, and when it was first seen leaving (common clock). */
  commands: number[];
  threads: number[];
  timesNs: number[];
}

export interface PathRecord {
  path: Path;
  failed: Failed[];
  delivered: number;
  /** The latest attempt that was delivered: when, and which; NaN and -1 for none. */
  lastDeliveredNs: number;
  lastDeliveredThread: number;
  /** Its command number; -1 for none. */
  lastDeliveredCommand: number;
  /** Commands whose first attempt went out here (the delivered ones: where they were delivered). */
  byOutcome: Partial<Record<Outcome, number>>;
}

/** A command that was asked for and never sent. */
export interface Unsent {
  command: number;
  agent: string | null;
  /** Common clock; NaN where no dispatch was captured. */
  askedNs: number;
  dispatch: ObservedDispatch | null;
}

export interface Facts {
  court: CommandCourt;
  views: readonly HopView[];
  /** The paths in question: all, or those of the agents asked for. */
  paths: readonly Path[];
  /** All paths by every name that their agent goes by. */
  pathsByName: ReadonlyMap<string, readonly Path[]>;
  hops: readonly HopReport[];
  records: ReadonlyMap<Path, PathRecord>;
  unsent: readonly Unsent[];
  inconclusive: readonly { command: number; reason: string }[];
  inconclusiveCount: number;
  summary: Summary;
}

/** The leg at the last hop of all: only there a TCP ACK may be the agent's. Null where it was not captured, the path goes on, or that hop may not be the last. */
export function agentLeg(facts: Facts, path: Path): Leg | null {
  const leg = path.legs[facts.views.length - 1] ?? null;
  return leg === null || facts.court.goesOnTo(path) !== null || !outermostIsCertain(facts.court) ? null : leg;
}

export function failedOn(facts: Facts, path: Path, outcome: Outcome): Failed[] {
  return facts.records.get(path)?.failed.filter((failed) => failed.outcome === outcome) ?? [];
}

/** Whoever stands at the other end of a hop's leg, by name. */
export function beyond(facts: Facts, path: Path, hop: number): string {
  return facts.views[hop + 1]?.name ?? facts.court.goesOnTo(path) ?? path.agent ?? 'the agent';
}

/** `npm->agent`: a leg's name as the contract writes it. */
export function legName(facts: Facts, hop: number): string {
  return `${facts.views[hop].name}->${facts.views[hop + 1]?.name ?? 'agent'}`;
}

/** When the hop's capture stops telling of this connection. */
export function seenUntilNs(facts: Facts, leg: Leg): number {
  const { closedNs } = leg.connection;
  const endNs = facts.views[leg.hop].observation?.lastNs ?? Number.NaN;
  return Number.isNaN(closedNs) ? endNs : Math.min(closedNs, endNs);
}

/** The agent's paths whose innermost leg was open at that time (common clock). */
export function openPaths({ views, pathsByName }: Facts, agent: string | null, timeNs: number): Path[] {
  return (agent === null ? [] : (pathsByName.get(agent) ?? [])).filter(({ legs: [leg] }) => {
    if (leg === null) return false;
    const { firstNs, closedNs } = leg.connection;
    return commonNs(views[0], firstNs) <= timeNs && !(commonNs(views[0], closedNs) < timeNs);
  });
}

/** Infinity for none; unlike Math.min(...times) for any number of them. */
export function earliest(times: Iterable<number>): number {
  let first = Number.POSITIVE_INFINITY;
  for (const time of times) if (time < first) first = time;
  return first;
}
