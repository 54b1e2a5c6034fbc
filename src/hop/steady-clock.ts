/**
 * Time that goes on where a capture's clock was set back in mid-capture: packets stamped earlier than those before them that go on where the
 * streams stood. In: observer.ts shows what is stamped in the past. Out: how far stamps are moved from then on, and where, so that times can be
 * shown as they were stamped. Old packets, of files that were put one behind the other, are left where they are.
 */

import type { HalfStream } from '../tcp/half-stream.js';

/** Set back: from `fromNs` of steady time on, stamps are `shiftNs` behind it, all such moments together; by `stepNs` this time. */
export interface SetBack {
  fromNs: number;
  shiftNs: number;
  stepNs: number;
  /** The senders' own clocks tell how long it took; else no time is taken to have passed. */
  exact: boolean;
}

/** Queues hand packets over out of order by less. */
export const BACK_FROM_NS = 250e6;
/** So often: stamps that mean nothing. */
const MOST_SET_BACKS = 16;
/** So many packets after it the stamps are where they were before: one packet's stamp was wrong, and no clock was set. */
const SOON_AFTER = 3;
/** Steady time does not stand still. */
const LEAST_NS = 1e3;
const LONGEST_PAUSE_NS = 3600e9;

export class SteadyClock {
  /** Added to every stamp. */
  shiftNs = 0;
  readonly setBacks: SetBack[] = [];
  /** The latest time of a packet, and the latest before that one: the observer writes them down. */
  latestNs = Number.NaN;
  beforeNs = Number.NaN;
  /** Up to the packet with this number, one stamped from `undoFromNs` on says that one alone was stamped in the past. */
  undoUntil = 0;
  undoFromNs = Number.NaN;
  private undoNs = 0;

  /** Another file: its times are its own. */
  restart(timeNs: number): void {
    this.undoUntil = 0;
    this.latestNs = timeNs;
    this.beforeNs = timeNs;
  }

  /**
   * `half`: the stream that the packet goes on with, if it goes on with one. `elapsedNs`: as its sender counts, since that stream's last packet
   * at `sinceNs`; NaN where it does not say. True if the clock was set back: the packet's time is then the latest one. `number` is the packet's.
   */
  setBack(timeNs: number, half: HalfStream | null, elapsedNs: number, sinceNs: number, number: number): boolean {
    // One packet alone in the future is no clock that was set.
    if (timeNs >= this.beforeNs - BACK_FROM_NS) {
      this.latestNs = timeNs;
      return false;
    }
    if (half === null || this.setBacks.length === MOST_SET_BACKS) return false;
    const told = sinceNs + elapsedNs;
    // A stream of old packets goes on, too, and its times with it.
    if (!(told > timeNs + BACK_FROM_NS) && !(Number.isNaN(told) && half.lastSeenNs > timeNs)) return false;
    const exact = told > this.latestNs - BACK_FROM_NS && told - this.latestNs < LONGEST_PAUSE_NS;
    const nowNs = exact ? Math.max(this.latestNs + LEAST_NS, told) : this.latestNs + LEAST_NS;
    const stepNs = nowNs - timeNs - (exact ? 0 : LEAST_NS);
    this.shiftNs += nowNs - timeNs;
    this.setBacks.push({ fromNs: nowNs, shiftNs: this.shiftNs, stepNs, exact });
    this.restart(nowNs);
    this.undoNs = nowNs - timeNs;
    this.undoFromNs = nowNs + this.undoNs - BACK_FROM_NS;
    this.undoUntil = number + SOON_AFTER;
    return true;
  }

  /** The clock was not set back: stamps go on where they stood before. Returns by how much the last ones were moved in vain. */
  undo(): number {
    this.setBacks.pop();
    this.shiftNs -= this.undoNs;
    this.undoUntil = 0;
    return this.undoNs;
  }
}

/** As the capture stamped it. */
export function asStamped(timeNs: number, setBacks: readonly SetBack[]): number {
  let shiftNs = 0;
  for (const back of setBacks) if (back.fromNs <= timeNs) shiftNs = back.shiftNs;
  return timeNs - shiftNs;
}

/** By how much stamps were moved for the longest time between two moments. */
export function usualShiftNs(setBacks: readonly SetBack[], firstNs: number, lastNs: number): number {
  const moments = [{ fromNs: firstNs, shiftNs: 0 }, ...setBacks];
  let usual = 0;
  let longestNs = Number.NEGATIVE_INFINITY;
  moments.forEach(({ fromNs, shiftNs }, i) => {
    const lengthNs = (moments[i + 1]?.fromNs ?? lastNs) - fromNs;
    if (lengthNs > longestNs) [usual, longestNs] = [shiftNs, lengthNs];
  });
  return usual;
}
