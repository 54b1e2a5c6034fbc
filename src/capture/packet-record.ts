/**
 * What a capture reader hands to its sink: one mutable record that is reused for every packet, so that reading
 * allocates nothing. In: pcap and pcapng readers. Out: packet/ and hop/.
 */

/** Where the capturing host stood to the packet, if the file says (pcapng epb_flags); link layers may know as well. */
export const Direction = { unknown: 0, inbound: 1, outbound: 2 } as const;

export class PacketRecord {
  /** The reader's own buffer. A view for the call only: copy what must outlive it, and never write into it. */
  bytes: Uint8Array = new Uint8Array(0);
  /** First octet of the captured link-layer frame in `bytes`, and the octet after its last. */
  start = 0;
  end = 0;
  /** Octets that the frame had on the wire; more than `end - start` where the capture cut it. */
  wireLength = 0;
  /** Nanoseconds since `epochSeconds`. */
  timeNs = 0;
  /** Seconds since 1970, the same for all packets of an analysis, and the fractional digits that the file's times have. */
  epochSeconds = 0;
  timeDigits: 6 | 9 = 6;
  /** False where the file gives no time (Simple Packet Block, zeros): `timeNs` is then that of the packet before. */
  timed = true;
  /** LINKTYPE_ value of the interface, FCS bits masked off. */
  linkType = 0;
  /** Counts from 1 within the file, as Wireshark's does. */
  number = 0;
  /** Interface index within the section; 0 in pcap. */
  interfaceId = 0;
  direction: number = Direction.unknown;
}

export interface PacketSink {
  /** Called once for each packet, in file order; the record is overwritten afterwards. */
  packet(record: PacketRecord): void;
  /** A Decryption Secrets Block (pcapng), as it stands in the file: before the packets that need it. */
  secrets?(type: number, bytes: Uint8Array): void;
}
