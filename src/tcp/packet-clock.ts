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
  /** IPv4 ID of the packet at hand, 0 for none: seldom asked for, and so not noted for each packet. */
  identification: () => number = () => 0;
  /** Times that passed twice: what one connection sent next is stamped earlier, so the clock was set back. */
  readonly setBacks: { fromNs: number; toNs: number }[] = [];

  readonly steps = new ClockSteps();

  /** From the time before it to the one that came next: that of the packet at hand, unless it is said. */
  setBack(beforeNs: number, afterNs = this.timeNs): void {
    const known = this.setBacks.at(-1);
    // The connections that were open then tell of the same moment.
    if (known !== undefined && known.fromNs <= afterNs && known.toNs >= beforeNs) return;
    if (this.setBacks.length < MAX_SET_BACKS) this.setBacks.push({ fromNs: afterNs, toNs: beforeNs });
  }
}

const MAX_SET_BACKS = 1024;
