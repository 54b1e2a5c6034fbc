/**
 * The path of one agent's WebSocket: its legs, one per hop, server outward. In: observations of all hops. Out: delivery/ judges on it.
 */

import type { HopObservation, ObservedConnection } from '../hop/observation.js';
import type { HopClock } from './hop-clock.js';
import type { ThreadTable } from './thread-table.js';

export type LinkedBy = 'sec-websocket-key' | 'bytes' | 'tls-record-sizes' | 'only';

export interface Leg {
  /** Index of the hop in the order given. */
  hop: number;
  connection: ObservedConnection;
  linkedBy: LinkedBy;
  /** Only the times of messages link it with the innermost leg. */
  inTime: boolean;
}

export interface Path {
  id: string;
  /** By hop index; null where the hop's capture does not hold this connection (or there is none). */
  legs: (Leg | null)[];
  agent: string | null;
  /** All names that the agent goes by. */
  names: string[];
  /** By hop: the address of a hop that stands between its leg and the next inner one's, and was neither captured nor named. */
  uncaptured: (string | null)[];
  /** Where a connection ends that a capture shows further out than the last leg: that leg does not end at the agent. */
  beyond: string | null;
  /** By hop: whether its capture holds several connections of the path, and nothing tells which of them is its leg. */
  unplaced: boolean[];
  /** Messages of each direction, matched over the hops. */
  fromServer: ThreadTable;
  fromClient: ThreadTable;
}

/** The captured hops, in order, with what brings their times to one clock. */
export interface HopView {
  index: number;
  name: string;
  /** Null where the hop was only named. */
  observation: HopObservation | null;
  /** Brings the observation's times to the first hop's clock and back; null where it cannot be known. */
  clock: HopClock | null;
  /** Whether the captures prove that it stands further out than the captured hop given before it; null for the first one. */
  orderProven: boolean | null;
}

/** Time on the first captured hop's clock, NaN stays NaN. */
export function commonNs(view: HopView, timeNs: number): number {
  return view.clock === null ? timeNs : view.clock.toCommon(timeNs);
}

/** And back: a common time on this hop's clock. */
export function localNs(view: HopView, timeNs: number): number {
  return view.clock === null ? timeNs : view.clock.toLocal(timeNs);
}

/** How far a common time may be off on this hop's clock. */
export function withinNs(view: HopView, commonTimeNs: number): number {
  return view.clock === null ? Number.POSITIVE_INFINITY : view.clock.uncertaintyAt(commonTimeNs);
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.');
}

/** IPv4 in IPv6 is the same address. */
export function plainAddress(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
}
