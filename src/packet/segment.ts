/**
 * One TCP segment as decoded from one captured packet: a mutable struct, reused, no object per packet (RFC 9293, section 3.1).
 * In: decode.ts fills it. Out: tcp/ reads it within the call.
 */

export const Flag = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10, urg: 0x20 } as const;

export class Segment {
  /** 4 or 6. */
  ipVersion = 0;
  /** Addresses as four 32-bit words each (signed, `| 0`); IPv4 stands in the last word as ::ffff:a.b.c.d, so words 0 to 2 are 0, 0, 0xffff. */
  readonly source = new Int32Array(4);
  readonly destination = new Int32Array(4);
  /** IPv4 identification (RFC 791), 0 for IPv6: the same in all copies of one packet. */
  identification = 0;
  /** IPv4 Time to Live, IPv6 Hop Limit, as captured. */
  hopLimit = 0;
  sourcePort = 0;
  destinationPort = 0;
  /** Unsigned 32 bits. */
  sequence = 0;
  acknowledgment = 0;
  flags = 0;
  /** As on the wire, not scaled. */
  window = 0;
  /** TCP payload as captured: octets `bytes[payloadStart..payloadEnd)`. `bytes` may be the capture buffer or a fragment-reassembly buffer. */
  bytes: Uint8Array = new Uint8Array(0);
  payloadStart = 0;
  payloadEnd = 0;
  /** Octets of TCP payload that the packet had on the wire, from the IP length; more than captured where the packet was cut. */
  payloadLength = 0;
  /** Window scale option's shift, -1 if the option is not there (RFC 7323). */
  windowScale = -1;
  /** MSS option, 0 if not there. */
  maximumSegmentSize = 0;
  /** Timestamps option, 0 if not there. */
  timestampValue = 0;
  timestampEcho = 0;
  /** SACK blocks (RFC 2018): left and right edges, unsigned 32 bits, pairwise; `sackBlocks` counts pairs. */
  sackBlocks = 0;
  readonly sack = new Uint32Array(8);
  /** Who sent it, seen from the capturing host, where the link layer (SLL, SLL2) or the file says so: Direction of packet-record.ts. */
  direction = 0;
  /** SACK-permitted option (RFC 2018). */
  sackPermitted = false;
  /** False where the snapshot length or a broken option hid some of the options: their absence then proves nothing. */
  optionsComplete = true;
  /** Interface of the capturing host: the link layer's index (LINUX_SLL2) or else the interface of the file. */
  interfaceIndex = 0;
  /** Numbers of the packets whose IP fragments this segment was put together from, in order of capture; null for a whole packet. */
  fragmentPackets: readonly number[] | null = null;
}
