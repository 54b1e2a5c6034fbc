/**
 * The file header of classic captures (draft-ietf-opsawg-pcap, section 4), and what libpcap's history adds to it.
 * In: 24 octets. Out: a plain description for pcap-reader.ts; the magic numbers also for recognise.ts.
 */

export const FILE_HEADER_OCTETS = 24;
export const RECORD_HEADER_OCTETS = 16;
/** Record header of the modified format (Kuznetzov's libpcap patch): then interface index, protocol, packet type, padding. */
export const MODIFIED_RECORD_HEADER_OCTETS = 24;

export const Magic = { microseconds: 0xa1b2c3d4, nanoseconds: 0xa1b23c4d, modified: 0xa1b2cd34 } as const;

export function isPcapMagic(magic: number): boolean {
  return magic === Magic.microseconds || magic === Magic.nanoseconds || magic === Magic.modified;
}

export interface PcapHeader {
  readonly littleEndian: boolean;
  readonly nanoseconds: boolean;
  readonly recordHeaderOctets: number;
  readonly major: number;
  readonly minor: number;
  readonly snapLength: number;
  readonly linkType: number;
  readonly reservedBits: boolean;
  /** Files of versions before 2.3 have the two lengths the other way round; 2.3 may have (libpcap, sf-pcap.c). */
  readonly lengthsSwapped: 'no' | 'maybe' | 'yes';
}

/** Reserved bits between the link type and those that tell of the frame check sequence. */
const RESERVED_BITS = 0x03ff0000;

export function readPcapHeader(view: DataView, at: number): PcapHeader {
  // The magic is 0xa1b2…: whichever end the 0xa1 stands at gives the byte order.
  const littleEndian = view.getUint8(at) !== 0xa1;
  const magic = view.getUint32(at, littleEndian);
  const major = view.getUint16(at + 4, littleEndian);
  const minor = view.getUint16(at + 6, littleEndian);
  const network = view.getUint32(at + 20, littleEndian);
  const isOld = major === 543 || (major === 2 && minor < 3);
  return {
    littleEndian,
    nanoseconds: magic === Magic.nanoseconds,
    recordHeaderOctets: magic === Magic.modified ? MODIFIED_RECORD_HEADER_OCTETS : RECORD_HEADER_OCTETS,
    major,
    minor,
    snapLength: view.getUint32(at + 16, littleEndian),
    // The upper bits tell the length of the frame check sequence and are no part of the type.
    linkType: network & 0xffff,
    reservedBits: (network & RESERVED_BITS) !== 0,
    lengthsSwapped: isOld ? 'yes' : major === 2 && minor === 3 ? 'maybe' : 'no',
  };
}

/**
 * Whether the empty record at `at` is rather the header of a capture that was appended. Read as a record, a file header of version 2.4
 * would be an empty packet of the year 2055 with one particular fraction of a second: magic, version, time zone 0 and accuracy 0
 * together are taken as certain. With fewer than 24 octets it may still turn out to be none.
 */
export function mayBePcapHeader(view: DataView, at: number, had: number): boolean {
  const littleEndian = isPcapMagic(view.getUint32(at, true));
  if (!littleEndian && !isPcapMagic(view.getUint32(at, false))) return false;
  if (view.getUint16(at + 4, littleEndian) !== 2 || view.getUint16(at + 6, littleEndian) !== 4) return false;
  return had < FILE_HEADER_OCTETS || (view.getUint32(at + 20, littleEndian) & RESERVED_BITS) === 0;
}
