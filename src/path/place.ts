/**
 * Which of several connections served on one host is a hop's leg, where hops further in were only named: some of them may run on
 * the same host. In: how many hops and legs stand where. Out: the leg's place among them, for legs.ts (SPEC.md, "path").
 */

import type { HopObservation } from '../hop/observation.js';
import { isLoopback } from './path.js';

export interface Standing {
  /** Connections of the path served on the hop's host, further out than the last leg that is known. */
  legs: number;
  /** Hops named between the last hop whose leg is known, or else the server's end, and this one. */
  inside: number;
  /** Hops named further out. */
  outside: number;
  /**
   * What stands next further in than the first of these legs: `known`, the last known leg or the server itself; `another` leg, which ends
   * elsewhere; or it does not show.
   */
  before: 'known' | 'another' | 'unknown';
}

/** From 0, from the server outward; null where the captures do not tell. */
export function placeAmong({ legs, inside, outside, before }: Standing): number | null {
  if (before === 'known' && inside < legs) return inside;
  const least = Math.max(0, legs - 1 - outside);
  const most = Math.min(before === 'another' ? inside - 1 : inside, legs - 1);
  return least === most ? least : null;
}

interface Ends {
  client: string;
  server: string;
}

const INWARD = new WeakMap<HopObservation, Ends[]>();

/** Whether a connection of the capture, of whichever path, leads from its host to another: the hop's way inward may be among these. */
export function leadsInward(observation: HopObservation, local: ReadonlySet<string>): boolean {
  return inwardEnds(observation).some(({ client, server }) => local.has(client) && !local.has(server));
}

function inwardEnds(observation: HopObservation): Ends[] {
  const known = INWARD.get(observation);
  if (known !== undefined) return known;
  const carrying = observation.connections.filter(
    (each) => each !== undefined && (each.protocol === 'websocket' || each.protocol === 'tls'),
  );
  const servers = new Set(carrying.map(({ serverAddress }) => serverAddress));
  const found = new Map<string, Ends>();
  for (const { clientAddress: client, serverAddress: server } of carrying)
    if (servers.has(client) && !isLoopback(server)) found.set(`${client} ${server}`, { client, server });
  const ends = [...found.values()];
  INWARD.set(observation, ends);
  return ends;
}
