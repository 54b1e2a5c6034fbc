/**
 * The path of one agent's WebSocket: its legs, one per hop, server outward. In: observations of all hops. Out: delivery/ judges on it.
 */

import type { HopObservation, ObservedConnection } from '../hop/observation.js';
import type { ThreadTable } from './thread-table.js';

export type LinkedBy = 'sec-websocket-key' | 'bytes' | 'tls-record-sizes' | 'only';

export interface Leg {
  /** Index of the hop in the order given. */
  hop: number;
  connection: ObservedConnection;
  linkedBy: LinkedBy;
}

export interface Path {
  id: string;
  /** By hop index; null where the hop's capture does not hold this connection (or there is none). */
  legs: (Leg | null)[];
  agent: string | null;
  /** All names that the agent goes by. */
  names: string[];
  /** Messages of each direction, matched over the hops. */
  fromServer: ThreadTable;
  fromClient: ThreadTable;
}

/** Clock of a hop minus the first hop's, nanoseconds. */
export interface ClockOffset {
  offsetNs: number;
  uncertaintyNs: number;
  /** False where messages contradict every one offset: a clock was stepped, or drifts. */
  steady: boolean;
}

/** The captured hops, in order, with what brings their times to one clock. */
export interface HopView {
  index: number;
  name: string;
  /** Null where the hop was only named. */
  observation: HopObservation | null;
  /** What to subtract from the observation's times to get the first hop's clock; null where it cannot be known. */
  clock: ClockOffset | null;
  /** Whether the captures prove that it stands further out than the captured hop given before it; null for the first one. */
  orderProven: boolean | null;
}

/** Time on the first captured hop's clock, NaN stays NaN. */
export function commonNs(view: HopView, timeNs: number): number {
  return timeNs - (view.clock?.offsetNs ?? 0);
}

/** And back: a common time on this hop's clock. */
export function localNs(view: HopView, timeNs: number): number {
  return timeNs + (view.clock?.offsetNs ?? 0);
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.');
}
