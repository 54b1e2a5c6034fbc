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

export class PingPairs {
  readonly bySender = [
    { sent: 0, answered: 0, roundTripsNs: [] as number[] },
    { sent: 0, answered: 0, roundTripsNs: [] as number[] },
  ];
  private readonly waiting: [Waiting, Waiting] = [new Waiting(), new Waiting()];
  /** Pongs whose Ping was not read yet: one that begins a stream is held back until it is certain. By the sender of the Ping. */
  private readonly early: [Waiting, Waiting] = [new Waiting(), new Waiting()];
  /** The last round trip of which there is no doubt. */
  private readonly usualNs: [number, number] = [Number.NaN, Number.NaN];

  sent(direction: 0 | 1, digest: number, row: number, context: HopContext): void {
    this.bySender[direction].sent++;
    const early = this.early[direction];
    const at = early.find(digest);
    if (at >= 0 && early.time(at) >= timeOf(row, context)) {
      this.pair(direction, row, early.row(at), early.time(at) - timeOf(row, context), context);
      early.remove(at);
    } else this.waiting[direction].push(digest, row, timeOf(row, context));
  }

  answered(direction: 0 | 1, digest: number, row: number, context: HopContext): void {
    const from = (direction ^ 1) as 0 | 1;
    const waiting = this.waiting[from];
    const timeNs = timeOf(row, context);
    const at = waiting.answered(digest, timeNs - latestTripNs(this.usualNs[from]));
    if (at < 0) {
      this.early[from].push(digest, row, timeNs);
      return;
    }
    this.pair(from, waiting.row(at), row, timeNs - waiting.time(at), context);
    // Pongs keep the order of the Pings: one that reads the same and was sent before will not be answered any more.
    for (let i = at - 1; i >= 0; i--) if (waiting.digest(i) === digest) waiting.remove(i);
    waiting.remove(waiting.find(digest));
  }

  private pair(from: 0 | 1, ping: number, pong: number, tripNs: number, { messages }: HopContext): void {
    const by = this.bySender[from];
    by.answered++;
    this.usualNs[from] = tripNs;
    // Later ones take the places of earlier ones in turn, so that a long connection is told by all its length.
    const place = by.roundTripsNs.length < MAX_ROUND_TRIPS ? by.answered - 1 : (by.answered * 7919) % MAX_ROUND_TRIPS;
    by.roundTripsNs[place] = tripNs;
    if (ping < 0 || pong < 0) return;
    messages.pair[ping] = pong;
    messages.pair[pong] = ping;
  }
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
