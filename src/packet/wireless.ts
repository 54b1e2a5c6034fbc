/**
 * Frames of IEEE 802.11 as monitors capture them: how long the radio's own header is, and where the LLC of a data frame begins.
 * In: octets of a captured frame from link-layer.ts. Out: positions. What is encrypted on the air cannot be read.
 * IEEE 802.11, section 9.3.2 (data frames); radiotap.org; PPI and AVS by the pages of draft-ietf-opsawg-pcaplinktype.
 */

import { uint16LittleEndian, uint32 } from '../bytes/integers.js';
import { LinkType } from '../capture/link-type.js';

/** The frame is another kind than data, or encrypted. */
export const NO_DATA = -1;
/** The frame ends before its payload. */
export const CUT = -2;

const PRISM_OCTETS = 144;
/** AVS headers also come under the number of Prism. */
const AVS_MAGIC = 0x80211000;

/** Octets before the 802.11 header; -1 where not even that is told. */
export function radioHeaderOctets(linkType: number, bytes: Uint8Array, start: number, end: number): number {
  if (linkType === LinkType.IEEE802_11) return 0;
  if (end - start < 8) return -1;
  if (linkType === LinkType.IEEE802_11_RADIOTAP || linkType === LinkType.PPI)
    return uint16LittleEndian(bytes, start + 2);
  const isAvs = linkType === LinkType.IEEE802_11_AVS || (uint32(bytes, start) & 0xfffff000) >>> 0 === AVS_MAGIC;
  return isAvs ? uint32(bytes, start + 4) : PRISM_OCTETS;
}

/** Where the LLC header of a data frame begins, or `NO_DATA`, or `CUT`. */
export function wirelessPayload(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < 24) return CUT;
  const type = bytes[at];
  const flags = bytes[at + 1];
  // Version 0, data, and not one of the subtypes without data.
  if ((type & 0x0f) !== 0x08 || (type & 0x40) !== 0) return NO_DATA;
  const isProtected = (flags & 0x40) !== 0;
  const isFragment = (flags & 0x04) !== 0 || (bytes[at + 22] & 0x0f) !== 0;
  if (isProtected || isFragment) return NO_DATA;
  let header = (flags & 0x03) === 0x03 ? 30 : 24;
  if ((type & 0x80) !== 0) {
    // Several MSDUs in one frame are not taken apart.
    if (end - at < header + 2 || (bytes[at + header] & 0x80) !== 0) return NO_DATA;
    header += 2 + ((flags & 0x80) !== 0 ? 4 : 0);
  }
  return at + header <= end ? at + header : CUT;
}
