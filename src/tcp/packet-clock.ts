import { ClockSteps } from './clock-steps.js';

/**
 * Which packet is being read: one mutable struct for a whole analysis of a hop. In: hop/ sets it before each packet.
 * Out: tcp/ and what lies above stamp their facts with it.
 */
export class PacketClock {
  /** Nanoseconds since the observation's epoch. */
  timeNs = 0;
  /** Running packet number over all files of the hop, from 1; hop/ maps it back to file and number. */
  ref = 0;
  /** Times that passed twice: what one connection sent next is stamped earlier, so the clock was set back. */
  readonly setBacks: { fromNs: number; toNs: number }[] = [];

  readonly steps = new ClockSteps();

  setBack(beforeNs: number): void {
    if (this.setBacks.length < MAX_SET_BACKS) this.setBacks.push({ fromNs: this.timeNs, toNs: beforeNs });
  }
}

const MAX_SET_BACKS = 1024;
