/**
 * Tunnels that carry a whole packet in IP or UDP, as captures between hosts, containers and sites show them.
 * In: the octets of an IP payload. Out: what stands inside and where, or null where it is none.
 * GRE: RFC 2784, 2890; with PPP: RFC 2637 (version 1). VXLAN: RFC 7348. Geneve: RFC 8926. ERSPAN, by which switches and hypervisors mirror
 * ports over GRE: draft-foschiano-erspan.
 */

import { uint16 } from '../bytes/integers.js';

export interface Inside {
  /** `ethernet`, `ppp`, or `ip` of the version that its first bits say. */
  kind: 'ethernet' | 'ppp' | 'ip';
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
/** The second one is Linux's before the RFC, and still Flannel's and Cilium's. */
const VXLAN_PORTS = [4789, 8472];
const GENEVE_PORT = 6081;
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

export function insideUdp(bytes: Uint8Array, at: number, end: number): Inside | null {
  if (end - at < UDP_HEADER + 8) return null;
  const port = uint16(bytes, at + 2);
  const from = at + UDP_HEADER;
  if (VXLAN_PORTS.includes(port)) return (bytes[from] & 0x08) === 0 ? null : { kind: 'ethernet', at: from + 8 };
  if (port !== GENEVE_PORT || bytes[from] >> 6 !== 0) return null;
  return inside(uint16(bytes, from + 2), from + 8 + (bytes[from] & 0x3f) * 4);
}

function inside(protocol: number, at: number): Inside | null {
  if (protocol === TRANSPARENT_ETHERNET) return { kind: 'ethernet', at };
  if (protocol === PPP) return { kind: 'ppp', at };
  return protocol === IPV4 || protocol === IPV6 ? { kind: 'ip', at } : null;
}
