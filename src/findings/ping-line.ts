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
  /** Every Ping that was seen has its row. */
  readonly whole: boolean;
  /** The longest round trip seen; 0 where none was. */
  readonly slowestNs: number;
  /** Rows of the Pings: most connections need no more than their number. */
  private readonly rows: Int32Array;
  private all: Ping[] | null = null;

  constructor(
    private readonly observation: HopObservation,
    private readonly connection: ObservedConnection,
  ) {
    const { opcode } = observation.messages;
    this.rows = connection.fromServer.rows.filter((row) => opcode[row] === PING);
    this.slowestNs = connection.pings.roundTripsNs.reduce((slowest, each) => Math.max(slowest, each), 0);
    this.whole = this.rows.length >= connection.fromServer.counts.ping;
  }

  get pings(): readonly Ping[] {
    this.all ??= this.first(this.rows.length);
    return this.all;
  }

  /** No more than this many, the first ones. */
  first(most: number): Ping[] {
    return Array.from(this.rows.subarray(0, most), (row) => this.ping(row));
  }

  /** Sent in [fromNs, toNs), on the hop's own clock. */
  between(fromNs: number, toNs: number): Ping[] {
    const { sentNs } = this.observation.messages;
    const found: Ping[] = [];
    for (let at = this.lowerBound(fromNs); at < this.rows.length && sentNs[this.rows[at]] < toNs; at++)
      found.push(this.ping(this.rows[at]));
    return found;
  }

  /** The first one sent at that time or later; null for none. */
  nextAfter(timeNs: number): Ping | null {
    const at = this.lowerBound(timeNs);
    return at < this.rows.length ? this.ping(this.rows[at]) : null;
  }

  private ping(row: number): Ping {
    const { messages } = this.observation;
    const tcpAcked = messages.endOffset[row] <= this.connection.fromServer.ackedTo;
    return { row, sentNs: messages.sentNs[row], tcpAcked, pongRow: messages.pair[row] };
  }

  /** All were answered, but perhaps the last one. */
  get allAnswered(): boolean {
    const { sent, answered } = this.connection.pings;
    return answered > 0 && answered >= sent - 1;
  }

  private lowerBound(timeNs: number): number {
    const { sentNs } = this.observation.messages;
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sentNs[this.rows[middle]] < timeNs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
