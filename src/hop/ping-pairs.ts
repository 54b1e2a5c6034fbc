/**
 * Pairs each Pong with the Ping that it answers, by payload. In: connection-stack.ts with control frames in order. Out: counts, round
 * trips, and the pair column of the message table. RFC 6455 section 5.5.2 and 5.5.3: a Pong echoes the payload of the Ping; a peer
 * may answer only the latest of several.
 */

import type { HopContext } from './hop-context.js';

const MAX_WAITING = 64;
const FIRST_WAITING = 4;
const NONE = new Float64Array(0);
const MAX_ROUND_TRIPS = 1024;
const LATE_NS = 250e6;

/** Of connections by the thousand only the server's side pings: a side that never did has none of its own. */
const NO_TRIPS: number[] = [];

class Pinger {
  sent = 0;
  answered = 0;
  roundTripsNs = NO_TRIPS;
  readonly waiting = new Waiting();
  /** Pongs whose Ping was not read yet: one that begins a stream is held back until it is certain. */
  early: Waiting | null = null;
  /** The last round trip of which there is no doubt. */
  usualNs = Number.NaN;
}

export interface PingCounts {
  readonly sent: number;
  readonly answered: number;
  readonly roundTripsNs: number[];
}

const NEVER: PingCounts = { sent: 0, answered: 0, roundTripsNs: NO_TRIPS };

export class PingPairs {
  /** By the sender of the Pings. */
  private a: Pinger | null = null;
  private b: Pinger | null = null;

  sentBy(direction: 0 | 1): PingCounts {
    return (direction === 0 ? this.a : this.b) ?? NEVER;
  }

  sent(direction: 0 | 1, digest: number, row: number, context: HopContext): void {
    const by = this.pinger(direction);
    by.sent++;
    const { early } = by;
    const at = early === null ? -1 : early.find(digest);
    if (early !== null && at >= 0 && early.time(at) >= timeOf(row, context)) {
      pair(by, row, early.row(at), early.time(at) - timeOf(row, context), context);
      early.remove(at);
    } else by.waiting.push(digest, row, timeOf(row, context));
  }

  answered(direction: 0 | 1, digest: number, row: number, context: HopContext): void {
    const by = this.pinger((direction ^ 1) as 0 | 1);
    const { waiting } = by;
    const timeNs = timeOf(row, context);
    const at = waiting.answered(digest, timeNs - latestTripNs(by.usualNs));
    if (at < 0) {
      by.early ??= new Waiting();
      by.early.push(digest, row, timeNs);
      return;
    }
    pair(by, waiting.row(at), row, timeNs - waiting.time(at), context);
    // Pongs keep the order of the Pings: one that reads the same and was sent before will not be answered any more.
    for (let i = at - 1; i >= 0; i--) if (waiting.digest(i) === digest) waiting.remove(i);
    waiting.remove(waiting.find(digest));
  }

  private pinger(direction: 0 | 1): Pinger {
    if (direction === 0) {
      this.a ??= new Pinger();
      return this.a;
    }
    this.b ??= new Pinger();
    return this.b;
  }
}

function pair(by: Pinger, ping: number, pong: number, tripNs: number, { messages }: HopContext): void {
  by.answered++;
  by.usualNs = tripNs;
  // Later ones take the places of earlier ones in turn, so that a long connection is told by all its length.
  const place = by.roundTripsNs.length < MAX_ROUND_TRIPS ? by.answered - 1 : (by.answered * 7919) % MAX_ROUND_TRIPS;
  if (by.roundTripsNs === NO_TRIPS) by.roundTripsNs = [];
  by.roundTripsNs[place] = tripNs;
  if (ping < 0 || pong < 0) return;
  messages.pair[ping] = pong;
  messages.pair[pong] = ping;
}

/** Without their other half yet, oldest first: digest, row and time one after the other, since every connection pings for hours. */
class Waiting {
  private kept = NONE;
  private count = 0;

  push(digest: number, row: number, timeNs: number): void {
    if (this.count === MAX_WAITING) this.remove(0);
    else if (this.count * 3 === this.kept.length) this.grow();
    const at = this.count++ * 3;
    this.kept[at] = digest;
    this.kept[at + 1] = row;
    this.kept[at + 2] = timeNs;
  }

  digest(at: number): number {
    return this.kept[at * 3];
  }

  row(at: number): number {
    return this.kept[at * 3 + 1];
  }

  time(at: number): number {
    return this.kept[at * 3 + 2];
  }

  /** The oldest. */
  find(digest: number): number {
    for (let i = 0; i < this.count; i++) if (this.kept[i * 3] === digest) return i;
    return -1;
  }

  /**
   * Of several that read the same the oldest that was sent since a time: where a Pong was missed, each later one would else seem to take
   * an interval longer. The oldest of all where none was, or that time is not known.
   */
  answered(digest: number, sinceNs: number): number {
    const oldest = this.find(digest);
    for (let i = oldest; i >= 0 && i < this.count; i++)
      if (this.kept[i * 3] === digest && this.time(i) >= sinceNs) return i;
    return oldest;
  }

  remove(at: number): void {
    this.count--;
    this.kept.copyWithin(at * 3, at * 3 + 3, (this.count + 1) * 3);
  }

  private grow(): void {
    const kept = new Float64Array(Math.max(FIRST_WAITING, this.count * 2) * 3);
    kept.set(this.kept);
    this.kept = kept;
  }
}

/** Beyond it an answer is to a later Ping. */
function latestTripNs(usualNs: number): number {
  return Math.max(4 * usualNs, usualNs + LATE_NS);
}

/** When it left, where it is kept; a frame may be recognised long after. */
function timeOf(row: number, { messages, clock }: HopContext): number {
  return row >= 0 ? messages.sentNs[row] : clock.timeNs;
}
