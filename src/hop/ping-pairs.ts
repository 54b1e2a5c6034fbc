/**
 * Pairs each Pong with the Ping that it answers, by payload. In: connection-stack.ts with control frames in order. Out: counts, round
 * trips, and the pair column of the message table. RFC 6455 section 5.5.2 and 5.5.3: a Pong echoes the payload of the Ping; a peer
 * may answer only the latest of several.
 */

import type { HopContext } from './hop-context.js';

const MAX_WAITING = 256;
const MAX_ROUND_TRIPS = 4096;

interface WaitingPing {
  digest: number;
  row: number;
  timeNs: number;
}

export class PingPairs {
  readonly bySender = [
    { sent: 0, answered: 0, roundTripsNs: [] as number[] },
    { sent: 0, answered: 0, roundTripsNs: [] as number[] },
  ];
  private readonly waiting: [WaitingPing[], WaitingPing[]] = [[], []];

  sent(direction: 0 | 1, digest: number, row: number, timeNs: number): void {
    this.bySender[direction].sent++;
    const waiting = this.waiting[direction];
    waiting.push({ digest, row, timeNs });
    if (waiting.length > MAX_WAITING) waiting.shift();
  }

  answered(direction: 0 | 1, digest: number, row: number, context: HopContext): void {
    const from = (direction ^ 1) as 0 | 1;
    const waiting = this.waiting[from];
    const at = waiting.findIndex((ping) => ping.digest === digest);
    if (at < 0) return;
    const [ping] = waiting.splice(at, 1);
    const by = this.bySender[from];
    by.answered++;
    if (by.roundTripsNs.length < MAX_ROUND_TRIPS) by.roundTripsNs.push(context.clock.timeNs - ping.timeNs);
    if (ping.row >= 0 && row >= 0) {
      context.messages.pair[ping.row] = row;
      context.messages.pair[row] = ping.row;
    }
  }
}
