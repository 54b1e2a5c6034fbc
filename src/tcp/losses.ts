/**
 * What became of octets of one direction that were sent more than once or came out of order, as seen from the place of capture.
 * In: half-stream.ts, with what fate.ts says of each segment that brings octets below the highest ones. Out: the observation.
 *
 *   lost-before-capture         a hole in what was captured, filled by octets that were sent again: the first copy was lost on its way to the capture
 *   retransmitted-after-capture the first copy was captured: it, or its TCP ACK, was lost behind the place of capture
 *   retransmitted-after-ack     as before, and its TCP ACK had been captured: sent again without need, or that TCP ACK was lost on its way on
 *   out-of-order                the first copy, captured late: nothing was lost
 *   undecided                   a hole was filled, by the first copy or by another one: neither timestamps, IP IDs nor the time tell
 *
 * What was TCP-ACKed and never captured (missed-by-capture) are the gaps of half-stream.ts.
 */

export type Fate =
  | 'lost-before-capture'
  | 'retransmitted-after-capture'
  | 'retransmitted-after-ack'
  | 'out-of-order'
  | 'undecided';

export const FATES: readonly Fate[] = [
  'lost-before-capture',
  'retransmitted-after-capture',
  'retransmitted-after-ack',
  'out-of-order',
  'undecided',
];

/** Octets [from, to) that one packet brought. */
export interface Loss {
  fate: Fate;
  from: number;
  to: number;
  /** How many of them had that fate: a packet may bring others as well. */
  octets: number;
  /** When the hole that it filled was first seen; NaN where it filled none. */
  sinceNs: number;
  timeNs: number;
  ref: number;
}

/** What is listed; all are counted. */
const MAX_LISTED = 256;

export class Losses {
  readonly list: Loss[] = [];
  private readonly packets = new Float64Array(FATES.length);
  private readonly octets = new Float64Array(FATES.length);

  add(loss: Loss): void {
    const at = FATES.indexOf(loss.fate);
    this.packets[at]++;
    this.octets[at] += loss.octets;
    if (this.list.length < MAX_LISTED) this.list.push(loss);
  }

  count(fate: Fate): { packets: number; octets: number } {
    const at = FATES.indexOf(fate);
    return { packets: this.packets[at], octets: this.octets[at] };
  }

  /** Offsets are counted from an earlier octet on. */
  moveBy(octets: number): void {
    for (const loss of this.list) {
      loss.from += octets;
      loss.to += octets;
    }
  }
}
