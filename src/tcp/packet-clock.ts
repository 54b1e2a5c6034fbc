/**
 * Which packet is being read: one mutable struct for a whole analysis of a hop. In: hop/ sets it before each packet.
 * Out: tcp/ and what lies above stamp their facts with it.
 */
export class PacketClock {
  /** Nanoseconds since the observation's epoch. */
  timeNs = 0;
  /** Running packet number over all files of the hop, from 1; hop/ maps it back to file and number. */
  ref = 0;
}
