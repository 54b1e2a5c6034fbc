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

export class PingPairs {
  readonly bySender = [
    { sent: 0, answered: 0, roundTripsNs: [] as number[] },
    { sent: 0, answered: 0, roundTripsNs: [] as number[] },
  ];
  private readonly waiting: [WaitingPings, WaitingPings] = [new WaitingPings(), new WaitingPings()];

  sent(direction: 0 | 1, digest: number, row: number, context: HopContext): void {
    this.bySender[direction].sent++;
    this.waiting[direction].push(digest, row, context);
  }

  answered(direction: 0 | 1, digest: number, row: number, context: HopContext): void {
    const from = (direction ^ 1) as 0 | 1;
    const waiting = this.waiting[from];
    const at = waiting.find(digest);
    if (at < 0) return;
    const by = this.bySender[from];
    by.answered++;
    // Later ones take the places of earlier ones in turn, so that a long connection is told by all its length.
    const place = by.roundTripsNs.length < MAX_ROUND_TRIPS ? by.answered - 1 : (by.answered * 7919) % MAX_ROUND_TRIPS;
    by.roundTripsNs[place] = timeOf(row, context) - waiting.time(at);
    const ping = waiting.row(at);
    waiting.remove(at);
    if (ping < 0 || row < 0) return;
    context.messages.pair[ping] = row;
    context.messages.pair[row] = ping;
  }
}

/** Pings without an answer yet, oldest first: digest, row and time one after the other, since every connection pings for hours. */
class WaitingPings {
  private pings = NONE;
  private count = 0;

  push(digest: number, row: number, context: HopContext): void {
    if (this.count === MAX_WAITING) this.remove(0);
    else if (this.count * 3 === this.pings.length) this.grow();
    const at = this.count++ * 3;
    this.pings[at] = digest;
    this.pings[at + 1] = row;
    this.pings[at + 2] = timeOf(row, context);
  }

  row(at: number): number {
    return this.pings[at * 3 + 1];
  }

  time(at: number): number {
    return this.pings[at * 3 + 2];
  }

  find(digest: number): number {
    for (let i = 0; i < this.count; i++) if (this.pings[i * 3] === digest) return i;
    return -1;
  }

  remove(at: number): void {
    this.count--;
    this.pings.copyWithin(at * 3, at * 3 + 3, (this.count + 1) * 3);
  }

  private grow(): void {
    const pings = new Float64Array(Math.max(FIRST_WAITING, this.count * 2) * 3);
    pings.set(this.pings);
    this.pings = pings;
  }
}

/** When it left, where it is kept; a frame may be recognised long after. */
function timeOf(row: number, { messages, clock }: HopContext): number {
  return row >= 0 ? messages.sentNs[row] : clock.timeNs;
}
