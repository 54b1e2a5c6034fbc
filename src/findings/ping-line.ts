/**
 * The server's Pings on one leg in order of time, each with its TCP ACK and its Pong. In: an observation. Out: rules that compare
 * commands with the Pings of the same period. Long captures keep only the first Pings of a connection: then `whole` is false.
 */

import type { HopObservation, ObservedConnection } from '../hop/observation.js';

const PING = 9;

export interface Ping {
  row: number;
  sentNs: number;
  tcpAcked: boolean;
  /** Row of its Pong, -1 where none came. */
  pongRow: number;
}

/** Several rules ask for the same one. */
const known = new WeakMap<ObservedConnection, PingLine>();

export function pingLineOf(observation: HopObservation, connection: ObservedConnection): PingLine {
  let line = known.get(connection);
  if (line === undefined) {
    line = new PingLine(observation, connection);
    known.set(connection, line);
  }
  return line;
}

export class PingLine {
  readonly pings: Ping[] = [];
  /** Every Ping that was seen has its row. */
  readonly whole: boolean;
  /** The longest round trip seen; 0 where none was. */
  readonly slowestNs: number;

  constructor(
    observation: HopObservation,
    private readonly connection: ObservedConnection,
    /** No more than this many, the first ones. */
    most = Number.POSITIVE_INFINITY,
  ) {
    const { messages } = observation;
    for (const row of connection.fromServer.rows) {
      if (messages.opcode[row] !== PING) continue;
      if (this.pings.length >= most) break;
      const tcpAcked = messages.endOffset[row] <= connection.fromServer.ackedTo;
      this.pings.push({ row, sentNs: messages.sentNs[row], tcpAcked, pongRow: messages.pair[row] });
    }
    this.slowestNs = connection.pings.roundTripsNs.reduce((slowest, each) => Math.max(slowest, each), 0);
    this.whole = this.pings.length >= connection.fromServer.counts.ping;
  }

  /** Sent in [fromNs, toNs), on the hop's own clock. */
  between(fromNs: number, toNs: number): Ping[] {
    const found: Ping[] = [];
    for (let at = this.lowerBound(fromNs); at < this.pings.length && this.pings[at].sentNs < toNs; at++)
      found.push(this.pings[at]);
    return found;
  }

  /** The first one sent at that time or later; null for none. */
  nextAfter(timeNs: number): Ping | null {
    return this.pings[this.lowerBound(timeNs)] ?? null;
  }

  /** All were answered, but perhaps the last one. */
  get allAnswered(): boolean {
    const { sent, answered } = this.connection.pings;
    return answered > 0 && answered >= sent - 1;
  }

  private lowerBound(timeNs: number): number {
    let low = 0;
    let high = this.pings.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.pings[middle].sentNs < timeNs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
