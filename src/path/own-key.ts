/**
 * Whether a hop between two connections writes a Sec-WebSocket-Key of its own, so that two keys are yet one WebSocket. In: two
 * connections with different keys, and what else was seen at their servers. Such a hop ends WebSocket on both sides (RFC 6455
 * section 4.1: each client chooses its key), masks anew and may compress on one side only: only contents and times are left.
 */

import type { MessageTable } from '../hop/message-table.js';
import type { ObservedConnection } from '../hop/observation.js';
import { plainAddress } from './path.js';

export interface KeyedConnection {
  hop: number;
  connection: ObservedConnection;
  messages: MessageTable;
}

/** What passes through a hop takes the same time each time, nearly. */
const STEADY_WITHIN_NS = 1e9;
/** A hop opens its inner connection so soon after the outer one. */
const OPENS_WITHIN_NS = 5e9;
const LEAST_STEADY = 2;
/** Shorter ones without an ID are Heartbeats, alike on all connections. */
const TELLS_FROM = 48;

/** Servers of two connections between which a key was seen to pass: no hop between them writes its own. */
export class KeyPassages {
  private readonly passages = new Set<string>();

  constructor(sightings: readonly Pick<KeyedConnection, 'hop' | 'connection'>[]) {
    const byKey = new Map<string, Set<string>>();
    for (const { hop, connection } of sightings) {
      const key = connection.handshake?.key;
      if (key) byKey.set(key, (byKey.get(key) ?? new Set()).add(serverAt(hop, connection)));
    }
    for (const servers of byKey.values())
      for (const a of servers) for (const b of servers) if (a !== b) this.passages.add(`${a}|${b}`);
  }

  passBetween(a: Pick<KeyedConnection, 'hop' | 'connection'>, b: Pick<KeyedConnection, 'hop' | 'connection'>): boolean {
    return this.passages.has(`${serverAt(a.hop, a.connection)}|${serverAt(b.hop, b.connection)}`);
  }
}

export function serverAt(hop: number, { serverAddress, serverPort }: ObservedConnection): string {
  return `${hop} ${serverAddress} ${serverPort}`;
}

/**
 * Whether two connections live together and pass the same messages at a steady distance in time. A connection that is made again
 * and offered the old commands again fails this: it opens when its forerunner is gone, or the distances differ. One of another
 * agent that gets the same commands fails, too: what the agent says is not the same, nor is its name.
 */
export function passesSteadily(a: KeyedConnection, b: KeyedConnection): boolean {
  if (a.connection.lastNs < b.connection.firstNs || b.connection.lastNs < a.connection.firstNs) return false;
  if (namesContradict(a.connection, b.connection)) return false;
  const fromAgent = distances(a, b, 'fromClient');
  if (fromAgent.length === 0) return false;
  const apart = [...fromAgent, ...distances(a, b, 'fromServer')];
  if (apart.length < LEAST_STEADY) return false;
  const middle = apart.sort((x, y) => x - y)[apart.length >> 1];
  const steady = apart.filter((each) => Math.abs(each - middle) <= STEADY_WITHIN_NS).length;
  const opened = openedApart(a.connection, b.connection);
  return steady >= LEAST_STEADY && steady * 3 >= apart.length * 2 && Math.abs(opened - middle) <= OPENS_WITHIN_NS;
}

/** Opened within seconds of each other by their captures' own clocks. */
export function openedTogether(a: ObservedConnection, b: ObservedConnection): boolean {
  return Math.abs(openedApart(a, b)) <= OPENS_WITHIN_NS;
}

function openedApart(a: ObservedConnection, b: ObservedConnection): number {
  const apart = b.openedNs - a.openedNs;
  return Number.isNaN(apart) ? b.firstNs - a.firstNs : apart;
}

/** Of the messages that both carry, each once: how much later `b` has it. */
function distances(a: KeyedConnection, b: KeyedConnection, way: 'fromServer' | 'fromClient'): number[] {
  const apart: number[] = [];
  const here = timesOf(a, way);
  for (const [digest, timeNs] of timesOf(b, way)) {
    const other = here.get(digest);
    if (other !== undefined && !Number.isNaN(other) && !Number.isNaN(timeNs)) apart.push(timeNs - other);
  }
  return apart;
}

function namesContradict({ agentNames: a }: ObservedConnection, { agentNames: b }: ObservedConnection): boolean {
  return a.length > 0 && b.length > 0 && !a.some((name) => b.includes(name));
}

/** By digest; NaN for what comes more than once. */
function timesOf({ connection, messages }: KeyedConnection, way: 'fromServer' | 'fromClient'): Map<number, number> {
  const times = new Map<number, number>();
  for (const row of connection[way].rows) {
    if (messages.opcode[row] >= 8 || (messages.id[row] < 0 && messages.length[row] < TELLS_FROM)) continue;
    const digest = messages.digest[row];
    times.set(digest, times.has(digest) ? Number.NaN : messages.sentNs[row]);
  }
  return times;
}

/** X-Forwarded-For of `inner` names a client that came to the server of `outer`, and it is not the one of `outer`. */
export function forwardsAnother(
  inner: ObservedConnection,
  outer: ObservedConnection,
  clientsAtOuter: ReadonlySet<string>,
): boolean {
  const named = inner.handshake?.forwardedFor.map(plainAddress) ?? [];
  return !named.includes(plainAddress(outer.clientAddress)) && named.some((address) => clientsAtOuter.has(address));
}
