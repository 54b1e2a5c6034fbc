/**
 * The record behind `lasthop quality`, schema lasthop/quality@1: what a capture is good for. In: quality.ts. Out: report/.
 */

import type { Fate } from '../tcp/losses.js';

export interface Hole {
  sender: 'server' | 'client';
  /**
   * `missed`: TCP-ACKed by the receiver, so the capture lost it. `cut`: by the snapshot length. `never-acked`: known by its sequence
   * numbers, and lost before the capture. `unread`: captured, and not to be read as frames.
   */
  kind: 'missed' | 'cut' | 'never-acked' | 'unread';
  octets: number;
  fromAt: string | null;
  toAt: string | null;
  /** For `unread`. */
  why: string | null;
}

/** Where octets were lost, seen from the place of capture; `tcp/losses.ts` has the words, and how they are told apart. */
export interface ToldLoss {
  sender: 'server' | 'client';
  fate: Fate | 'missed-by-capture';
  /** Packets that brought the octets, of `missed-by-capture` holes. */
  count: number;
  octets: number;
  /** A few of these packets; of `missed-by-capture` those whose TCP ACK covers the hole. */
  packets: number[];
}

export interface ConnectionQuality {
  connection: number;
  client: string;
  server: string;
  protocol: string;
  agent: string | null;
  firstAt: string;
  lastAt: string;
  packets: number;
  opening: 'seen' | 'missing';
  /** Bits of evidence by which frames were found in mid-stream, of the direction with fewer; null where none had to be. */
  foundByBits: number | null;
  /** The `connection` that is the same one, captured with other addresses before or after they were translated; null where none came before. */
  sameAs: number | null;
  /** Whose packets the capture holds. */
  directions: 'both' | 'server' | 'client';
  missedOctets: number;
  cutOctets: number;
  unreadOctets: number;
  duplicates: number;
  retransmissions: number;
  losses: ToldLoss[];
  /** Nothing of it is missing between its first and its last packet, as far as sequence numbers and TCP ACKs tell. */
  whole: boolean;
  holes: Hole[];
}

export interface CaptureQuality {
  file: string;
  format: 'pcap' | 'pcapng';
  compression: string | null;
  linkTypes: string[];
  trust: 'full' | 'limited' | 'none';
  reasons: string[];
  /** What limits no conclusion, and is good to know. */
  notes: string[];
  packets: number;
  tcpPackets: number;
  firstAt: string | null;
  lastAt: string | null;
  /** By the capture's own statistics; null where it has none. */
  droppedPackets: number | null;
  cutPackets: number;
  untimedPackets: number;
  backwardsTimestamps: number;
  clockSetBacks: { at: string; backMs: number }[];
  missedOctets: number;
  cutOctets: number;
  duplicates: number;
  /** When it lost packets, and some seconds around: what is not in it then may have been there all the same. Null for its beginning or end. */
  blindTimes: { fromAt: string | null; toAt: string | null }[];
  /** Of all connections. */
  losses: { fate: ToldLoss['fate']; connections: number; count: number; octets: number; packets: number[] }[];
  /** Artefacts of offloading: harmless, and good to know of. */
  zeroLengthPackets: number;
  /** Payload of the largest segment. */
  largestSegmentOctets: number;
  issues: { code: string; text: string; packet: number | null }[];
  secondReader: {
    agrees: boolean | null;
    compared: number;
    firstDifference: string | null;
    skippedBecause: string | null;
  } | null;
  connections: ConnectionQuality[];
}
