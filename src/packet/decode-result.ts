/**
 * What became of one captured packet on its way to TCP, as small integers, and how often each happened.
 * In: decode.ts and the layers below it. Out: hop/ (which goes on with `tcp` only) and `lasthop quality`.
 */

export const Decoded = {
  /** A TCP segment is in the Segment. */
  tcp: 0,
  /** IP, but another protocol: see the decoder's `upperProtocol`. */
  notTcp: 1,
  /** ICMP or ICMPv6: `decodeIcmpError` tells whether it quotes a TCP segment. */
  icmp: 2,
  /** No IP packet: ARP, LLDP, spanning tree, … */
  notIp: 3,
  /** A fragment of an IP datagram of which others are still to come. */
  fragmentPending: 4,
  /** Octets that cannot be what they claim; an issue says which field. */
  malformed: 5,
  /** The snapshot length cut off fields that are needed; an issue says which. */
  cut: 6,
  /** A link type that is not decoded; one issue names it. */
  unsupportedLink: 7,
} as const;

export class DecodeCounters {
  /** Indexed by Decoded. */
  readonly results: number[] = [0, 0, 0, 0, 0, 0, 0, 0];
  /** Segments of which not all payload octets were captured. */
  cutPayloads = 0;
  /** IP packets with a length of 0: captured before segmentation offload filled it in. */
  zeroLengths = 0;
  /** IP lengths beyond what the frame had on the wire. */
  lengthsBeyondFrame = 0;
  /** Datagrams put together from fragments, and those given up: too old, too many, overlapping, or cut. */
  reassembledDatagrams = 0;
  abandonedDatagrams = 0;
}
