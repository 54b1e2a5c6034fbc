/**
 * From a captured packet to a TCP segment: link layer, IPv4 (RFC 791) or IPv6 (RFC 8200) with extension headers and fragments,
 * TCP. IP in IP (RFC 2003, 2473, 4213) and the tunnels of tunnel.ts are unwrapped.
 * In: a PacketRecord from a capture reader. Out: a reused Segment for tcp/, a result code, issues and counters for quality.
 *
 * Positions: `end` is where captured octets end, `wireEnd` where the packet ended on the wire, in the same coordinates and
 * possibly beyond the buffer. Every layer narrows both, so that padding behind IP never becomes TCP payload.
 */

import { LinkType } from '../capture/link-type.js';
import type { PacketRecord } from '../capture/packet-record.js';
import { DecodeFaults } from './decode-faults.js';
import { DecodeCounters, Decoded } from './decode-result.js';
import { Fragment, FragmentStore } from './fragments.js';
import { EtherType, LinkLayer } from './link-layer.js';
import { OtherTraffic } from './other-traffic.js';
import type { Segment } from './segment.js';
import { decodeTcpHeader, TcpHeader } from './tcp-header.js';
import { type Inside, insideEtherIp, insideGre, insideUdp } from './tunnel.js';

export const IpProtocol = {
  hopByHop: 0,
  icmp: 1,
  ipv4: 4,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  routing: 43,
  fragment: 44,
  gre: 47,
  authentication: 51,
  icmpv6: 58,
  destinationOptions: 60,
  etherIp: 97,
  mobility: 135,
  mpls: 137,
} as const;

/** IP within IP within …: deeper than this is damage or malice. Containers on several hosts make two. */
const MAXIMUM_NESTING = 4;
const MAXIMUM_EXTENSION_HEADERS = 16;

export class PacketDecoder extends DecodeFaults {
  readonly counters = new DecodeCounters();
  readonly others = new OtherTraffic();

  /** Protocol and octets of the innermost IP payload of the last packet, where it is not TCP: for ICMP, and tunnels to come. */
  upperProtocol = 0;
  upperBytes: Uint8Array = new Uint8Array(0);
  upperStart = 0;
  upperEnd = 0;
  upperWireEnd = 0;

  private readonly link = new LinkLayer();
  private readonly fragments = new FragmentStore();
  /** The octets at hand once more, as a view; renewed only when a reader changes its buffer. */
  private view: DataView = new DataView(new ArrayBuffer(0));
  private viewedBytes: Uint8Array | null = null;
  private segment!: Segment;
  private nesting = 0;

  /** Decodes one packet into the segment and returns a value of Decoded; only with `tcp` does the segment hold anything. */
  decode(record: PacketRecord, segment: Segment): number {
    this.record = record;
    this.segment = segment;
    this.nesting = 0;
    if (record.bytes !== this.viewedBytes) this.look(record.bytes);
    const link = this.link;
    const etherType = link.decode(record);
    segment.direction = link.direction;
    segment.interfaceIndex = link.interfaceIndex === 0 ? record.interfaceId : link.interfaceIndex;
    segment.fragmentPackets = null;
    const wireEnd = record.start + record.wireLength;
    const result = this.decodeNetwork(etherType, record.bytes, link.offset, record.end, wireEnd);
    this.counters.results[result]++;
    return result;
  }

  /** The last packet was decoded. */
  finish(): void {
    const { incomplete } = this.fragments;
    if (incomplete === 0) return;
    const [what, verb] = incomplete === 1 ? ['One IP datagram', 'is'] : [`${incomplete} IP datagrams`, 'are'];
    this.issues.add(
      'ip-fragments-missing',
      `${what} with TCP or a tunnel inside ${verb} not whole: other fragments are not in the capture. A filter by port passes the first one only: add 'or (ip[6:2] & 0x1fff != 0)', or 'or ip6 proto 44'.`,
      {},
    );
  }

  private look(bytes: Uint8Array): void {
    this.viewedBytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  private decodeNetwork(etherType: number, bytes: Uint8Array, at: number, end: number, wireEnd: number): number {
    switch (etherType) {
      case EtherType.ipv4:
        // The ordinary packet takes the short way.
        if (end > at && bytes[at] >> 4 === 4) return this.decodeIpv4(bytes, at, end, wireEnd);
        return this.decodeIp(bytes, at, end, wireEnd);
      case EtherType.ipv6:
      case EtherType.rawIp:
        return this.decodeIp(bytes, at, end, wireEnd);
      case EtherType.none:
        this.others.etherType(this.link.otherEtherType);
        return Decoded.notIp;
      case EtherType.unsupported:
        return this.unsupportedLink();
      default:
        return this.cut('link-header-cut', 'The link-layer header', 'link-layer header', 0, end - this.record.start);
    }
  }

  /** The version in the packet counts, whatever the layer below said. */
  private decodeIp(bytes: Uint8Array, at: number, end: number, wireEnd: number): number {
    if (end <= at) return this.cut('ip-header-cut', 'The IP header', 'version', 1, 0);
    const version = bytes[at] >> 4;
    if (version === 4) return this.decodeIpv4(bytes, at, end, wireEnd);
    if (version === 6) return this.decodeIpv6(bytes, at, end, wireEnd);
    // `-i any` of some Linux kernels leaves a VLAN tag before the packet, and says IP where it should say VLAN.
    if (end - at >= 24 && isTaggedIp(bytes, at)) return this.decodeIp(bytes, at + 4, end, wireEnd);
    return this.malformed('ip-version', `An IP packet claims version ${version}.`, 'version', 0, 0);
  }

  private decodeIpv4(bytes: Uint8Array, at: number, end: number, wireEnd: number): number {
    if (end - at < 20) return this.cut('ip-header-cut', 'The IPv4 header', 'IPv4 header', 20, end - at);
    const headerLength = (bytes[at] & 0x0f) << 2;
    if (headerLength < 20) {
      return this.malformed('ip-header-length', 'An IPv4 header claims less than 20 octets.', 'IHL', 20, headerLength);
    }
    const totalLength = this.view.getUint16(at + 2);
    if (totalLength === 0) this.counters.zeroLengths++;
    else if (totalLength < headerLength) {
      return this.malformed(
        'ip-total-length',
        'An IPv4 packet claims to be shorter than its header.',
        'total length',
        headerLength,
        totalLength,
      );
    } else if (at + totalLength > wireEnd) {
      this.counters.lengthsBeyondFrame++;
      wireEnd = at + totalLength;
    } else wireEnd = at + totalLength;
    if (wireEnd < end) end = wireEnd;

    const view = this.view;
    const segment = this.segment;
    segment.ipVersion = 4;
    segment.identification = view.getUint16(at + 4);
    segment.hopLimit = bytes[at + 8];
    const { source, destination } = segment;
    source[0] = 0;
    source[1] = 0;
    source[2] = 0xffff;
    source[3] = view.getInt32(at + 12);
    destination[0] = 0;
    destination[1] = 0;
    destination[2] = 0xffff;
    destination[3] = view.getInt32(at + 16);

    const protocol = bytes[at + 9];
    const payload = at + headerLength;
    const fragment = view.getUint16(at + 6) & 0x3fff;
    if (fragment !== 0) {
      const more = (fragment & 0x2000) !== 0;
      return this.addFragment(
        bytes,
        payload,
        end,
        wireEnd,
        (fragment & 0x1fff) * 8,
        more,
        protocol,
        view.getUint16(at + 4),
        protocol,
      );
    }
    if (protocol === IpProtocol.tcp) return this.decodeTcp(bytes, payload, end, wireEnd);
    return this.decodeUpper(protocol, bytes, payload, end, wireEnd);
  }

  private decodeIpv6(bytes: Uint8Array, at: number, end: number, wireEnd: number): number {
    if (end - at < 40) return this.cut('ip-header-cut', 'The IPv6 header', 'IPv6 header', 40, end - at);
    const segment = this.segment;
    segment.ipVersion = 6;
    segment.identification = 0;
    segment.hopLimit = bytes[at + 7];
    const { source, destination } = segment;
    for (let word = 0; word < 4; word++) {
      source[word] = this.view.getInt32(at + 8 + word * 4);
      destination[word] = this.view.getInt32(at + 24 + word * 4);
    }
    const payloadLength = this.view.getUint16(at + 4);
    const nextHeader = bytes[at + 6];
    const payload = at + 40;
    if (payloadLength === 0) {
      // Segmentation offload, or a jumbogram, whose option says the length that the frame has anyway (RFC 2675).
      if (wireEnd > payload) this.counters.zeroLengths++;
    } else {
      if (payload + payloadLength > wireEnd) this.counters.lengthsBeyondFrame++;
      wireEnd = payload + payloadLength;
    }
    if (wireEnd < end) end = wireEnd;
    return this.decodeExtensionHeaders(nextHeader, bytes, payload, end, wireEnd);
  }

  private decodeExtensionHeaders(
    nextHeader: number,
    bytes: Uint8Array,
    at: number,
    end: number,
    wireEnd: number,
  ): number {
    if (nextHeader === IpProtocol.tcp) return this.decodeUpper(nextHeader, bytes, at, end, wireEnd);
    for (let count = 0; count < MAXIMUM_EXTENSION_HEADERS; count++) {
      let length: number;
      switch (nextHeader) {
        case IpProtocol.hopByHop:
        case IpProtocol.routing:
        case IpProtocol.destinationOptions:
        case IpProtocol.mobility:
        case IpProtocol.authentication:
          if (end - at < 8)
            return this.cut('ip-extension-cut', 'An IPv6 extension header', 'extension header', 8, end - at);
          // The authentication header counts words of four octets, the others of eight (RFC 4302, section 2.2).
          length = nextHeader === IpProtocol.authentication ? (bytes[at + 1] + 2) * 4 : (bytes[at + 1] + 1) * 8;
          break;
        case IpProtocol.fragment: {
          if (end - at < 8)
            return this.cut('ip-extension-cut', 'An IPv6 fragment header', 'fragment header', 8, end - at);
          const field = this.view.getUint16(at + 2);
          const offset = field & 0xfff8;
          const more = (field & 1) !== 0;
          // An atomic fragment is a whole packet (RFC 6946).
          if (offset === 0 && !more) length = 8;
          else
            return this.addFragment(
              bytes,
              at + 8,
              end,
              wireEnd,
              offset,
              more,
              bytes[at],
              this.view.getUint32(at + 4),
              0,
            );
          break;
        }
        default:
          return this.decodeUpper(nextHeader, bytes, at, end, wireEnd);
      }
      if (length > wireEnd - at) {
        return this.malformed(
          'ip-extension-length',
          'An IPv6 extension header is longer than its packet.',
          'Hdr Ext Len',
          length,
          wireEnd - at,
        );
      }
      nextHeader = bytes[at];
      at += length;
    }
    return this.malformed(
      'ip-extension-count',
      'An IPv6 packet has more extension headers than any real one.',
      'next header',
      0,
      0,
    );
  }

  /** What IP carries: TCP, another IP packet, or a tunnel with one in it. */
  private decodeUpper(protocol: number, bytes: Uint8Array, at: number, end: number, wireEnd: number): number {
    if (protocol === IpProtocol.tcp) return this.decodeTcp(bytes, at, end, wireEnd);
    if ((protocol === IpProtocol.ipv4 || protocol === IpProtocol.ipv6) && this.nesting < MAXIMUM_NESTING) {
      this.nesting++;
      return this.decodeIp(bytes, at, end, wireEnd);
    }
    if (protocol === IpProtocol.authentication) return this.decodeExtensionHeaders(protocol, bytes, at, end, wireEnd);
    const found = insideOf(protocol, bytes, at, end);
    if (found !== null && found.at <= end && this.nesting < MAXIMUM_NESTING) {
      this.nesting++;
      return this.decodeInside(found, bytes, end, wireEnd);
    }
    this.upperProtocol = protocol;
    this.upperBytes = bytes;
    this.upperStart = Math.min(at, end);
    this.upperEnd = end;
    this.upperWireEnd = wireEnd;
    if (protocol === IpProtocol.udp && end - at >= 4) {
      this.others.udp(this.view.getUint16(at), this.view.getUint16(at + 2));
    } else this.others.protocol(protocol);
    return protocol === IpProtocol.icmp || protocol === IpProtocol.icmpv6 ? Decoded.icmp : Decoded.notTcp;
  }

  private decodeInside({ kind, at }: Inside, bytes: Uint8Array, end: number, wireEnd: number): number {
    if (kind === 'ip') return this.decodeIp(bytes, at, end, wireEnd);
    const { link } = this;
    const linkType = kind === 'ppp' ? LinkType.PPP : kind === 'mpls' ? LinkType.MPLS : LinkType.ETHERNET;
    const etherType = link.tunnelled(linkType, bytes, at, end);
    return this.decodeNetwork(etherType, bytes, link.offset, end, wireEnd);
  }

  private decodeTcp(bytes: Uint8Array, at: number, end: number, wireEnd: number): number {
    const segment = this.segment;
    const result = decodeTcpHeader(bytes, this.view, at, end, wireEnd, segment);
    if (result === TcpHeader.ok) {
      if (segment.payloadEnd - segment.payloadStart < segment.payloadLength) this.counters.cutPayloads++;
      return Decoded.tcp;
    }
    if (result === TcpHeader.cut)
      return this.cut('tcp-header-cut', 'The TCP header', 'TCP header', 14, Math.max(0, end - at));
    if (result === TcpHeader.short) {
      return this.malformed(
        'tcp-header-short',
        'A TCP segment is shorter than a TCP header.',
        'IP length',
        20,
        Math.max(0, wireEnd - at),
      );
    }
    return this.malformed(
      'tcp-data-offset',
      'The data offset of a TCP header is no possible one.',
      'data offset',
      (bytes[at + 12] >> 4) * 4,
      wireEnd - at,
    );
  }

  private addFragment(
    bytes: Uint8Array,
    at: number,
    end: number,
    wireEnd: number,
    offset: number,
    more: boolean,
    nextHeader: number,
    identification: number,
    keyProtocol: number,
  ): number {
    const { source, destination } = this.segment;
    const key = `${keyProtocol} ${identification} ${source.join(' ')} ${destination.join(' ')}`;
    const { number, timeNs } = this.record;
    const start = Math.min(at, end);
    const fragments = this.fragments;
    const abandoned = fragments.abandoned;
    const missing = wireEnd - Math.max(end, at);
    const result = fragments.add(key, bytes, start, end, missing, offset, more, nextHeader, number, timeNs);
    this.counters.abandonedDatagrams += fragments.abandoned - abandoned;
    if (result === Fragment.complete) {
      this.counters.reassembledDatagrams++;
      this.segment.fragmentPackets = fragments.packets;
      const whole = fragments.bytes;
      this.look(whole);
      const version = this.segment.ipVersion;
      return version === 6
        ? this.decodeExtensionHeaders(fragments.nextHeader, whole, 0, whole.length, whole.length)
        : this.decodeUpper(fragments.nextHeader, whole, 0, whole.length, whole.length);
    }
    if (result === Fragment.overlap) {
      return this.malformed(
        'ip-fragment-overlap',
        'Fragments of an IP datagram overlap; it is left out.',
        'fragment offset',
        0,
        offset,
      );
    }
    if (result === Fragment.tooLong) {
      return this.malformed(
        'ip-fragment-too-long',
        'A fragment reaches beyond the longest possible IP datagram.',
        'fragment offset',
        offset + end - at,
        65535,
      );
    }
    if (result === Fragment.cut) {
      return this.cut(
        'ip-fragment-cut',
        'A fragment of an IP datagram',
        'captured packet length',
        wireEnd - at,
        end - at,
      );
    }
    return Decoded.fragmentPending;
  }
}

/** VLAN identifier and EtherType, and the version that this says. */
function isTaggedIp(bytes: Uint8Array, at: number): boolean {
  const etherType = (bytes[at + 2] << 8) | bytes[at + 3];
  const version = bytes[at + 4] >> 4;
  return (etherType === EtherType.ipv4 && version === 4) || (etherType === EtherType.ipv6 && version === 6);
}

function insideOf(protocol: number, bytes: Uint8Array, at: number, end: number): Inside | null {
  switch (protocol) {
    case IpProtocol.udp:
      return insideUdp(bytes, at, end);
    case IpProtocol.gre:
      return insideGre(bytes, at, end);
    case IpProtocol.etherIp:
      return insideEtherIp(bytes, at, end);
    case IpProtocol.mpls:
      return { kind: 'mpls', at };
    default:
      return null;
  }
}
