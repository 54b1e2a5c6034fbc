/**
 * Tunnels that carry a whole packet in IP or UDP, as captures between hosts, containers and sites show them.
 * In: the octets of an IP payload. Out: what stands inside and where, or null where it is none.
 * GRE: RFC 2784, 2890; with PPP: RFC 2637 (version 1). VXLAN: RFC 7348; with a protocol field: draft-ietf-nvo3-vxlan-gpe. Geneve: RFC 8926.
 * ERSPAN, by which switches and hypervisors mirror ports over GRE: draft-foschiano-erspan. EtherIP: RFC 3378. MPLS in IP, GRE, UDP: RFC 4023,
 * 7510. GTP-U: 3GPP TS 29.281. L2TP: RFC 2661. Teredo: RFC 4380. FOU and GUE: Linux, draft-ietf-intarea-gue.
 */

import { uint16 } from '../bytes/integers.js';

export interface Inside {
  /** `ethernet`, `ppp`, an `mpls` label stack, or `ip` of the version that its first bits say. */
  kind: 'ethernet' | 'ppp' | 'mpls' | 'ip';
  at: number;
}

const TRANSPARENT_ETHERNET = 0x6558;
const PPP = 0x880b;
/** Type I has no header of its own and no sequence number, type II a header of eight octets. */
const ERSPAN = 0x88be;
const ERSPAN_3 = 0x22eb;
/** Redirected by a router (WCCP): version 2 puts four octets before the packet. */
const WCCP = 0x883e;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const MPLS = 0x8847;
const MPLS_MULTICAST = 0x8848;
/** The second one is Linux's before the RFC, and still Flannel's and Cilium's. */
const VXLAN_PORTS = [4789, 8472];
const VXLAN_GPE_PORT = 4790;
const GENEVE_PORT = 6081;
const GTP_U_PORT = 2152;
const L2TP_PORT = 1701;
const TEREDO_PORT = 3544;
const MPLS_PORT = 6635;
/** Any port may be given to FOU: this is the one of Linux's own examples. */
const FOU_PORT = 5555;
const GUE_PORT = 6080;
const IP_PROTOCOL_IPV4 = 4;
const IP_PROTOCOL_IPV6 = 41;
const UDP_HEADER = 8;

export function insideGre(bytes: Uint8Array, at: number, end: number): Inside | null {
  if (end - at < 4) return null;
  const flags = uint16(bytes, at);
  const version = flags & 7;
  if (version > 1 || (flags & 0x4000) !== 0) return null; // source routes are given up (RFC 2784)
  const hasChecksum = (flags & 0x8000) !== 0;
  const hasKey = (flags & 0x2000) !== 0;
  const hasSequence = (flags & 0x1000) !== 0;
  const hasAcknowledgment = version === 1 && (flags & 0x0080) !== 0;
  const words = [hasChecksum, hasKey, hasSequence, hasAcknowledgment].filter(Boolean).length;
  const protocol = uint16(bytes, at + 2);
  const from = at + 4 + 4 * words;
  if (protocol === ERSPAN) return { kind: 'ethernet', at: hasSequence ? from + 8 : from };
  if (protocol === ERSPAN_3) return insideErspan3(bytes, from, end);
  if (protocol === WCCP) return { kind: 'ip', at: from < end && bytes[from] >> 4 === 4 ? from : from + 4 };
  return inside(protocol, from);
}

/** Twelve octets, then eight more where the last bit says so. The frame type is 0 for Ethernet, 2 for IP. */
function insideErspan3(bytes: Uint8Array, at: number, end: number): Inside | null {
  if (end - at < 12) return null;
  const flags = uint16(bytes, at + 10);
  const frameType = (flags >> 10) & 0x1f;
  const from = at + ((flags & 1) !== 0 ? 20 : 12);
  return frameType === 0 ? { kind: 'ethernet', at: from } : frameType === 2 ? { kind: 'ip', at: from } : null;
}

/** EtherIP: version 3, and nothing else. */
export function insideEtherIp(bytes: Uint8Array, at: number, end: number): Inside | null {
  return end - at >= 2 && uint16(bytes, at) === 0x3000 ? { kind: 'ethernet', at: at + 2 } : null;
}

/** A port proves little: what is not in order as a tunnel, or holds no IP where only IP can be, is none. */
export function insideUdp(bytes: Uint8Array, at: number, end: number): Inside | null {
  if (end - at < UDP_HEADER + 8) return null;
  const port = uint16(bytes, at + 2);
  const from = at + UDP_HEADER;
  switch (port) {
    case VXLAN_PORTS[0]:
    case VXLAN_PORTS[1]:
      return (bytes[from] & 0x08) === 0 ? null : { kind: 'ethernet', at: from + 8 };
    case VXLAN_GPE_PORT:
      return insideVxlanGpe(bytes, from);
    case GENEVE_PORT:
      return bytes[from] >> 6 !== 0 ? null : inside(uint16(bytes, from + 2), from + 8 + (bytes[from] & 0x3f) * 4);
    case GTP_U_PORT:
      return ip(bytes, afterGtp(bytes, from, end), end);
    case MPLS_PORT:
      return { kind: 'mpls', at: from };
    case FOU_PORT:
      return ip(bytes, from, end);
    case GUE_PORT:
      return insideGue(bytes, from, end);
  }
  // The answering end of these keeps its port; the other one may have any.
  const source = uint16(bytes, at);
  if (port === L2TP_PORT || source === L2TP_PORT) return insideL2tp(bytes, from, end);
  if (port === TEREDO_PORT || source === TEREDO_PORT) return ip(bytes, afterTeredo(bytes, from, end), end);
  return null;
}

function insideVxlanGpe(bytes: Uint8Array, from: number): Inside | null {
  const flags = bytes[from];
  // Version 0, and a protocol field.
  if ((flags & 0x3c) !== 0x0c) return null;
  const protocol = bytes[from + 3];
  if (protocol === 1 || protocol === 2) return { kind: 'ip', at: from + 8 };
  return protocol === 3 ? { kind: 'ethernet', at: from + 8 } : null;
}

/** G-PDU: eight octets, then four more where any flag is set, then extension headers that say what follows; -1 where it is none. */
function afterGtp(bytes: Uint8Array, from: number, end: number): number {
  const flags = bytes[from];
  // Version 1, protocol type GTP, message type G-PDU.
  if ((flags & 0xf0) !== 0x30 || bytes[from + 1] !== 0xff) return -1;
  if ((flags & 7) === 0) return from + 8;
  let at = from + 12;
  if ((flags & 4) === 0) return at;
  for (let next = bytes[from + 11]; next !== 0; ) {
    if (at >= end || bytes[at] === 0) return -1;
    at += bytes[at] * 4;
    if (at > end) return -1;
    next = bytes[at - 1];
  }
  return at;
}

/** Version 0: a header with optional fields, then what its protocol number says; version 1: IP itself. */
function insideGue(bytes: Uint8Array, from: number, end: number): Inside | null {
  const first = bytes[from];
  if (first >> 6 === 1) return ip(bytes, from, end);
  if (first >> 5 !== 0) return null; // another version, or a control message
  const at = from + 4 + (first & 0x1f) * 4;
  const protocol = bytes[from + 1];
  return protocol === IP_PROTOCOL_IPV4 || protocol === IP_PROTOCOL_IPV6 ? ip(bytes, at, end) : null;
}

/** Data messages of version 2: flags say which fields the header has. */
function insideL2tp(bytes: Uint8Array, from: number, end: number): Inside | null {
  const flags = uint16(bytes, from);
  if ((flags & 0x8000) !== 0 || (flags & 0x000f) !== 2) return null;
  let at = from + 2 + ((flags & 0x4000) !== 0 ? 2 : 0) + 4 + ((flags & 0x0800) !== 0 ? 4 : 0);
  if ((flags & 0x0200) !== 0) {
    if (end - at < 2) return null;
    at += 2 + uint16(bytes, at);
  }
  return { kind: 'ppp', at };
}

/** An authentication header and an origin indication may stand before the IPv6 packet. */
function afterTeredo(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  if (uint16(bytes, at) === 1) {
    if (end - at < 13) return -1;
    at += 13 + bytes[at + 2] + bytes[at + 3];
  }
  if (end - at >= 8 && uint16(bytes, at) === 0) at += 8;
  return at;
}

/** A whole IP packet, no shorter than its own length says by more than the snapshot took. */
function ip(bytes: Uint8Array, at: number, end: number): Inside | null {
  return at >= 0 && startsIp(bytes, at, end) ? { kind: 'ip', at } : null;
}

/** Whether the octets may be an IP header: version, and lengths that are possible. */
export function startsIp(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < 20) return false;
  const version = bytes[at] >> 4;
  if (version === 6) return end - at >= 40;
  if (version !== 4) return false;
  const headerLength = (bytes[at] & 0x0f) * 4;
  const totalLength = uint16(bytes, at + 2);
  return headerLength >= 20 && (totalLength === 0 || totalLength >= headerLength);
}

/** Whether what `startsIp` took for IP is it beyond doubt: the header checksum fits, or the length to the octet. */
export function isWholeIp(bytes: Uint8Array, at: number, end: number): boolean {
  if (bytes[at] >> 4 === 6) return uint16(bytes, at + 4) + 40 === end - at;
  const headerEnd = at + (bytes[at] & 0x0f) * 4;
  if (headerEnd > end) return false;
  let sum = 0;
  for (let word = at; word < headerEnd; word += 2) sum += uint16(bytes, word);
  return sum > 0 && sum % 0xffff === 0;
}

function inside(protocol: number, at: number): Inside | null {
  switch (protocol) {
    case TRANSPARENT_ETHERNET:
      return { kind: 'ethernet', at };
    case PPP:
      return { kind: 'ppp', at };
    case MPLS:
    case MPLS_MULTICAST:
      return { kind: 'mpls', at };
    case IPV4:
    case IPV6:
      return { kind: 'ip', at };
    default:
      return null;
  }
}
