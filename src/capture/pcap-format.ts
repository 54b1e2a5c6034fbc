/**
 * The file header of classic captures (draft-ietf-opsawg-pcap, section 4), and what libpcap's history adds to it.
 * In: 24 octets. Out: a plain description for pcap-reader.ts; the magic numbers also for recognise.ts.
 */

import { MAXIMUM_CAPTURED_OCTETS } from './link-type.js';

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

/** Variants with the usual magic number whose record headers are longer, and who wrote them (libwiretap, libpcap.c). */
const LONGER_RECORD_HEADERS: readonly (readonly [octets: number, writer: string])[] = [
  [20, 'Nokia IPSO'],
  [24, 'Red Hat 6.1'],
  [28, 'SuSE 6.3'],
];
/** Between two packets of one capture there are no years. */
const MOST_SECONDS_APART = 10 * 365 * 86400;

export interface RecordLayout {
  readonly recordHeaderOctets: number;
  /** Whose variant it is; null for the usual one. */
  readonly writer: string | null;
}

/**
 * Whether record headers are longer than the magic number says: the second record's header must make sense where the first one ends.
 * Null while too little of the file is there to tell, `end` being where its octets end.
 */
export function recordLayout(
  view: DataView,
  at: number,
  end: number,
  littleEndian: boolean,
  octets: number,
): RecordLayout | null {
  const captured = view.getUint32(at + 8, littleEndian);
  const ordinary = { recordHeaderOctets: octets, writer: null };
  if (captured > MAXIMUM_CAPTURED_OCTETS) return ordinary;
  const longest = LONGER_RECORD_HEADERS[LONGER_RECORD_HEADERS.length - 1][0];
  if (end - at < longest + captured + RECORD_HEADER_OCTETS) return null;
  if (mayFollow(view, at, at + octets + captured, littleEndian)) return ordinary;
  for (const [recordHeaderOctets, writer] of LONGER_RECORD_HEADERS)
    if (mayFollow(view, at, at + recordHeaderOctets + captured, littleEndian)) return { recordHeaderOctets, writer };
  return ordinary;
}

function mayFollow(view: DataView, first: number, at: number, littleEndian: boolean): boolean {
  const apart = Math.abs(view.getUint32(at, littleEndian) - view.getUint32(first, littleEndian));
  const captured = view.getUint32(at + 8, littleEndian);
  const original = view.getUint32(at + 12, littleEndian);
  // A fraction beyond a second, or fewer octets on the wire than captured, is the mark of another layout.
  const isTime = apart <= MOST_SECONDS_APART && view.getUint32(at + 4, littleEndian) < 1e9;
  return isTime && captured <= original && captured > 0 && original <= MAXIMUM_CAPTURED_OCTETS;
}
