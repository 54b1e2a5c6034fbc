/**
 * ICMP and ICMPv6 errors that quote a TCP segment: who could not deliver what, and the MTU of the next hop where it was too large
 * (RFC 792, RFC 1191, section 4; RFC 4443, section 3; RFC 8201).
 * In: the ICMP message that a PacketDecoder came upon (`Decoded.icmp`: its `upperBytes`, `upperStart`, `upperEnd`).
 * Out: a small struct for findings. What is quoted of the payload stays where it is.
 */

import { int32, uint16, uint32 } from '../bytes/integers.js';

export interface QuotedTcp {
  readonly ipVersion: 4 | 6;
  /** Four words each, as in Segment: of the packet that was not delivered, so its source is who should hear of it. */
  readonly source: Int32Array;
  readonly destination: Int32Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  /** Octets of the whole quoted IP packet, from its header. */
  readonly packetOctets: number;
}

export interface IcmpError {
  readonly ipVersion: 4 | 6;
  readonly type: number;
  readonly code: number;
  readonly kind: 'too-big' | 'unreachable' | 'time-exceeded' | 'other';
  /** MTU of the next hop, null where the message has none (routers before RFC 1191 send 0). */
  readonly nextHopMtu: number | null;
  /** Null where the quoted packet is no TCP, a later fragment, or not all there. */
  readonly quoted: QuotedTcp | null;
}

const ICMP_HEADER_OCTETS = 8;
const TCP = 6;

/** Null for what is no error: echo, router advertisement, and so on. */
export function decodeIcmpError(bytes: Uint8Array, start: number, end: number, ipVersion: number): IcmpError | null {
  if (end - start < ICMP_HEADER_OCTETS) return null;
  const type = bytes[start];
  const code = bytes[start + 1];
  const quoted = start + ICMP_HEADER_OCTETS;
  if (ipVersion === 4) {
    // Unreachable, source quench, redirect, time exceeded, parameter problem.
    if (type !== 3 && type !== 4 && type !== 5 && type !== 11 && type !== 12) return null;
    const tooBig = type === 3 && code === 4;
    const nextHopMtu = tooBig ? uint16(bytes, start + 6) || null : null;
    const kind = tooBig ? 'too-big' : type === 3 ? 'unreachable' : type === 11 ? 'time-exceeded' : 'other';
    return { ipVersion: 4, type, code, kind, nextHopMtu, quoted: decodeQuoted(bytes, quoted, end) };
  }
  // Errors are the types below 128 (RFC 4443, section 2.1).
  if (type < 1 || type > 4) return null;
  const kind = type === 2 ? 'too-big' : type === 1 ? 'unreachable' : type === 3 ? 'time-exceeded' : 'other';
  const nextHopMtu = type === 2 ? uint32(bytes, start + 4) : null;
  return { ipVersion: 6, type, code, kind, nextHopMtu, quoted: decodeQuoted(bytes, quoted, end) };
}

function decodeQuoted(bytes: Uint8Array, at: number, end: number): QuotedTcp | null {
  const version = end > at ? bytes[at] >> 4 : 0;
  if (version === 4) return decodeQuotedIpv4(bytes, at, end);
  if (version === 6) return decodeQuotedIpv6(bytes, at, end);
  return null;
}

function decodeQuotedIpv4(bytes: Uint8Array, at: number, end: number): QuotedTcp | null {
  if (end - at < 20) return null;
  const headerLength = (bytes[at] & 0x0f) << 2;
  const isFirstFragment = (uint16(bytes, at + 6) & 0x1fff) === 0;
  if (headerLength < 20 || bytes[at + 9] !== TCP || !isFirstFragment) return null;
  const source = Int32Array.of(0, 0, 0xffff, int32(bytes, at + 12));
  const destination = Int32Array.of(0, 0, 0xffff, int32(bytes, at + 16));
  return ports(4, source, destination, uint16(bytes, at + 2), bytes, at + headerLength, end);
}

function decodeQuotedIpv6(bytes: Uint8Array, at: number, end: number): QuotedTcp | null {
  if (end - at < 40) return null;
  const source = new Int32Array(4);
  const destination = new Int32Array(4);
  for (let word = 0; word < 4; word++) {
    source[word] = int32(bytes, at + 8 + word * 4);
    destination[word] = int32(bytes, at + 24 + word * 4);
  }
  const packetOctets = 40 + uint16(bytes, at + 4);
  let nextHeader = bytes[at + 6];
  let upper = at + 40;
  // Hop-by-hop, routing, destination options, and a first fragment, in whatever order; each is at least 8 octets, so this ends.
  while (nextHeader === 0 || nextHeader === 43 || nextHeader === 60 || nextHeader === 44) {
    if (end - upper < 8) return null;
    if (nextHeader === 44 && (uint16(bytes, upper + 2) & 0xfff8) !== 0) return null;
    const length = nextHeader === 44 ? 8 : (bytes[upper + 1] + 1) * 8;
    nextHeader = bytes[upper];
    upper += length;
  }
  return nextHeader === TCP ? ports(6, source, destination, packetOctets, bytes, upper, end) : null;
}

/** Eight octets of TCP are all that RFC 792 promises: the ports and the sequence number. */
function ports(
  ipVersion: 4 | 6,
  source: Int32Array,
  destination: Int32Array,
  packetOctets: number,
  bytes: Uint8Array,
  at: number,
  end: number,
): QuotedTcp | null {
  if (end - at < 8) return null;
  return {
    ipVersion,
    source,
    destination,
    sourcePort: uint16(bytes, at),
    destinationPort: uint16(bytes, at + 2),
    sequence: uint32(bytes, at + 4),
    packetOctets,
  };
}
