/**
 * From a captured frame to the network layer's protocol and position, for the link types that captures of IP come in.
 * In: a PacketRecord. Out: EtherType, offset and direction in a reused struct.
 * IEEE 802.3, 802.1Q, 802.1ah, 802.1AE, 802.1BR, 802.2 (SNAP), RFC 2516 (PPPoE), RFC 1661/1662 (PPP), RFC 3032 (MPLS), RFC 4448 (Ethernet over
 * MPLS), and the pages of
 * draft-ietf-opsawg-pcaplinktype on LINUX_SLL, LINUX_SLL2, NULL, LOOP, PFLOG, ENC, PKTAP, NFLOG, PPP_PPPD.
 */

import { uint16, uint16LittleEndian, uint32, uint32LittleEndian } from '../bytes/integers.js';
import { LinkType } from '../capture/link-type.js';
import { Direction, type PacketRecord } from '../capture/packet-record.js';
import { isWholeIp, startsIp } from './tunnel.js';
import { NO_DATA, radioHeaderOctets, wirelessPayload } from './wireless.js';

export const EtherType = {
  /** Not an EtherType: a frame that carries something other than IP. */
  none: 0,
  /** Nor is this: the frame ends before it tells. */
  cut: -1,
  /** The link type is not decoded here. */
  unsupported: -2,
  /** IP of the version that its first four bits say. */
  rawIp: -3,
  ipv4: 0x0800,
  ipv6: 0x86dd,
  vlan: 0x8100,
  vlanService: 0x88a8,
  vlanOld: 0x9100,
  pppoeSession: 0x8864,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  /** Tags of switches: MACsec, provider backbone bridges, VN-tag, 802.1BR. */
  macsec: 0x88e5,
  backboneService: 0x88e7,
  vnTag: 0x8926,
  eTag: 0x893f,
} as const;

/** The packet itself, among what netfilter says of it. */
const NFULA_PAYLOAD = 9;
const PPP_IPV4 = 0x0021;
const PPP_IPV6 = 0x0057;
const PPP_MPLS = 0x0281;
/** Tags and labels are stacked a few deep; more than this is damage. */
const MAXIMUM_TAGS = 16;

export class LinkLayer {
  /** First octet of what follows. */
  offset = 0;
  direction: number = Direction.unknown;
  /** What a frame carries that is `EtherType.none`, as far as it says; else 0. */
  otherEtherType = 0;
  /** Interface number of the capturing host where the link layer has it (LINUX_SLL2), else 0. */
  interfaceIndex = 0;

  /** Returns the EtherType of what follows, or one of the negative values above. */
  decode(record: PacketRecord): number {
    const { bytes, start, end } = record;
    this.direction = record.direction;
    this.interfaceIndex = 0;
    this.otherEtherType = 0;
    if (record.linkType === LinkType.ETHERNET && end - start >= 14) {
      // The ordinary frame takes the short way.
      const etherType = uint16(bytes, start + 12);
      if (etherType === EtherType.ipv4 || etherType === EtherType.ipv6) {
        this.offset = start + 14;
        return etherType;
      }
    }
    return this.decodeType(record.linkType, bytes, start, end);
  }

  /** A frame within a tunnel. */
  tunnelled(linkType: number, bytes: Uint8Array, start: number, end: number): number {
    return this.decodeType(linkType, bytes, start, end);
  }

  private decodeType(linkType: number, bytes: Uint8Array, start: number, end: number): number {
    const had = end - start;
    switch (linkType) {
      case LinkType.ETHERNET:
        if (had < 14) return this.set(EtherType.cut, end);
        return this.network(uint16(bytes, start + 12), bytes, start + 14, end);
      case LinkType.LINUX_SLL2:
        if (had < 20) return this.set(EtherType.cut, end);
        this.interfaceIndex = uint32(bytes, start + 4);
        this.linuxDirection(bytes[start + 10]);
        return this.network(uint16(bytes, start), bytes, start + 20, end);
      case LinkType.LINUX_SLL:
        if (had < 16) return this.set(EtherType.cut, end);
        this.linuxDirection(uint16(bytes, start));
        return this.network(uint16(bytes, start + 14), bytes, start + 16, end);
      case LinkType.RAW:
      case LinkType.RAW_BSD:
      case LinkType.RAW_OPENBSD:
      case LinkType.IPV4:
      case LinkType.IPV6:
        return this.set(EtherType.rawIp, start);
      case LinkType.NULL:
      case LinkType.LOOP:
        return had < 4 ? this.set(EtherType.cut, end) : this.family(uint32(bytes, start), start + 4);
      case LinkType.ENC:
        return had < 12 ? this.set(EtherType.cut, end) : this.family(uint32(bytes, start), start + 12);
      case LinkType.PFLOG:
        return this.packetFilterLog(bytes, start, end);
      case LinkType.PPP:
      case LinkType.PPP_HDLC:
      case LinkType.C_HDLC:
        return this.pointToPointFrame(bytes, start, end);
      case LinkType.MPLS:
        return this.network(EtherType.mpls, bytes, start, end);
      case LinkType.PPP_WITH_DIR:
      case LinkType.C_HDLC_WITH_DIR:
        if (had < 1) return this.set(EtherType.cut, end);
        if (this.direction === Direction.unknown)
          this.direction = bytes[start] === 0 ? Direction.inbound : Direction.outbound;
        return this.pointToPointFrame(bytes, start + 1, end);
      case LinkType.ATM_RFC1483:
        // LLC from the first octet on, as behind the length of an Ethernet frame.
        return this.network(0, bytes, start, end);
      case LinkType.APPLE_IP_OVER_IEEE1394:
        if (had < 18) return this.set(EtherType.cut, end);
        return this.network(uint16(bytes, start + 16), bytes, start + 18, end);
      case LinkType.IPNET:
        return had < 24 ? this.set(EtherType.cut, end) : this.set(EtherType.rawIp, start + 24);
      case LinkType.DSA_TAG_BRCM_PREPEND:
        return this.decodeType(LinkType.ETHERNET, bytes, start + 4, end);
      case LinkType.DSA_TAG_BRCM:
      case LinkType.DSA_TAG_DSA:
      case LinkType.DSA_TAG_EDSA: {
        // What a switch's driver puts between the addresses and the EtherType.
        const octets = linkType === LinkType.DSA_TAG_EDSA ? 22 : 18;
        if (had < octets) return this.set(EtherType.cut, end);
        return this.network(uint16(bytes, start + octets - 2), bytes, start + octets, end);
      }
      case LinkType.IEEE802_11:
      case LinkType.IEEE802_11_PRISM:
      case LinkType.IEEE802_11_RADIOTAP:
      case LinkType.IEEE802_11_AVS:
      case LinkType.PPI:
        return this.wireless(linkType, bytes, start, end);
      case LinkType.PPP_ETHER:
        return this.network(EtherType.pppoeSession, bytes, start, end);
      case LinkType.USER2:
        return isPktap(bytes, start, end) ? this.pktap(bytes, start, end) : this.set(EtherType.unsupported, start);
      case LinkType.PKTAP:
        return this.pktap(bytes, start, end);
      case LinkType.PPP_PPPD:
        return this.pppd(bytes, start, end);
      case LinkType.NFLOG:
        return this.netfilterLog(bytes, start, end);
      default:
        return this.set(EtherType.unsupported, start);
    }
  }

  private set(etherType: number, offset: number): number {
    this.offset = offset;
    return etherType;
  }

  /** Tags, labels and encapsulations between the EtherType at hand and IP. */
  private network(etherType: number, bytes: Uint8Array, at: number, end: number): number {
    if (etherType === EtherType.ipv4 || etherType === EtherType.ipv6) {
      return this.set(etherType, at);
    }
    for (let tags = 0; tags < MAXIMUM_TAGS; tags++) {
      switch (etherType) {
        case EtherType.vlan:
        case EtherType.vlanService:
        case EtherType.vlanOld:
          if (end - at < 4) return this.set(EtherType.cut, end);
          etherType = uint16(bytes, at + 2);
          at += 4;
          break;
        case EtherType.pppoeSession:
          if (end - at < 8) return this.set(EtherType.cut, end);
          return this.pointToPoint(uint16(bytes, at + 6), bytes, at + 8, end);
        case EtherType.mpls:
        case EtherType.mplsMulticast:
          // Bottom of the label stack: what follows says by its first bits what it is.
          if (end - at < 4) return this.set(EtherType.cut, end);
          if ((bytes[at + 2] & 1) !== 0) return this.belowLabels(bytes, at + 4, end);
          at += 4;
          break;
        case EtherType.vnTag:
        case EtherType.eTag: {
          const octets = etherType === EtherType.vnTag ? 6 : 8;
          if (end - at < octets) return this.set(EtherType.cut, end);
          at += octets;
          etherType = uint16(bytes, at - 2);
          break;
        }
        case EtherType.macsec: {
          if (end - at < 16) return this.set(EtherType.cut, end);
          // Authenticated only: the frame goes on behind the tag. Encrypted or changed: nothing can be read.
          if ((bytes[at] & 0x0c) !== 0) {
            this.otherEtherType = etherType;
            return this.set(EtherType.none, at);
          }
          at += (bytes[at] & 0x20) !== 0 ? 16 : 8;
          etherType = uint16(bytes, at - 2);
          break;
        }
        case EtherType.backboneService:
          // A service instance, then the customer's own addresses and EtherType.
          if (end - at < 18) return this.set(EtherType.cut, end);
          at += 18;
          etherType = uint16(bytes, at - 2);
          break;
        case EtherType.ipv4:
        case EtherType.ipv6:
          return this.set(etherType, at);
        default:
          if (etherType >= 0x0600) {
            this.otherEtherType = etherType;
            return this.set(EtherType.none, at);
          }
          // A length: IEEE 802.2 follows, and carries an EtherType only with a SNAP header of organisation 0.
          if (end - at < 8)
            return this.set(end - at >= 2 && uint16(bytes, at) !== 0xaaaa ? EtherType.none : EtherType.cut, at);
          if (uint16(bytes, at) === 0x0606 && bytes[at + 2] === 3) return this.set(EtherType.rawIp, at + 3);
          if (uint32(bytes, at) !== 0xaaaa0300 || uint16(bytes, at + 4) !== 0) return this.set(EtherType.none, at);
          etherType = uint16(bytes, at + 6);
          at += 8;
          if (etherType < 0x0600) return this.set(EtherType.none, at);
      }
    }
    return this.set(EtherType.none, at);
  }

  /**
   * Nothing says what MPLS carries: IP, or an Ethernet frame, with a control word before it or without. A frame that has IP where it says
   * so is believed before a header whose first digit alone looks like IP: a hardware address may begin with any.
   */
  private belowLabels(bytes: Uint8Array, at: number, end: number): number {
    const mayBeIp = startsIp(bytes, at, end);
    if (mayBeIp && isWholeIp(bytes, at, end)) return this.set(EtherType.rawIp, at);
    const word = end > at && bytes[at] >> 4 === 0 ? 4 : 0;
    for (const frame of word > 0 ? [at + word, at] : [at]) {
      if (end - frame < 14) continue;
      const etherType = this.behindTags(bytes, frame, end);
      if (etherType === EtherType.ipv4 || etherType === EtherType.ipv6) return etherType;
    }
    return this.set(mayBeIp ? EtherType.rawIp : EtherType.none, at);
  }

  /** An Ethernet frame with IP in it, below tags at most: what it is is only guessed, so no more labels are looked below. */
  private behindTags(bytes: Uint8Array, frame: number, end: number): number {
    let at = frame + 14;
    let etherType = uint16(bytes, at - 2);
    while ((etherType === EtherType.vlan || etherType === EtherType.vlanService) && end - at >= 4) {
      at += 4;
      etherType = uint16(bytes, at - 2);
    }
    const isIp = etherType === EtherType.ipv4 || etherType === EtherType.ipv6;
    return this.set(isIp && startsIp(bytes, at, end) ? etherType : EtherType.none, at);
  }

  /** sll_pkttype: 0 to us, 1 broadcast, 2 multicast, 3 to another host, 4 from us. */
  private linuxDirection(packetType: number): void {
    if (this.direction !== Direction.unknown) return;
    if (packetType === 4) this.direction = Direction.outbound;
    else if (packetType === 0) this.direction = Direction.inbound;
  }

  /** Address family in the capturing host's byte order (NULL) or in network order (LOOP): small numbers, so it can be told. */
  private family(value: number, at: number): number {
    const family = value > 0xffff ? (value >>> 24) | ((value >>> 8) & 0xff00) : value;
    // AF_INET is 2 everywhere; AF_INET6 is 24 (NetBSD, OpenBSD), 28 (FreeBSD), 30 (macOS), 10 (Linux), 23 (Windows).
    if (family === 2) return this.set(EtherType.ipv4, at);
    const isIpv6 = family === 24 || family === 28 || family === 30 || family === 10 || family === 23;
    return this.set(isIpv6 ? EtherType.ipv6 : EtherType.none, at);
  }

  private packetFilterLog(bytes: Uint8Array, start: number, end: number): number {
    const length = end > start ? (bytes[start] + 3) & ~3 : 0;
    if (length === 0 || end - start < length) return this.set(EtherType.cut, end);
    // pfloghdr: direction 1 in, 2 out stands behind the rule and process numbers.
    if (length > 60 && bytes[start + 60] === 1) this.direction = Direction.inbound;
    else if (length > 60 && bytes[start + 60] === 2) this.direction = Direction.outbound;
    return this.family(bytes[start + 1], start + length);
  }

  private pointToPointFrame(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < 4) return this.set(EtherType.cut, end);
    const first = uint16(bytes, start);
    // Cisco HDLC: unicast or multicast address, control 0, EtherType.
    if (first === 0x0f00 || first === 0x8f00) return this.network(uint16(bytes, start + 2), bytes, start + 4, end);
    const at = first === 0xff03 ? start + 2 : start;
    // Protocol field compression: an odd first octet is the whole field (RFC 1661, section 6.5).
    if ((bytes[at] & 1) !== 0) return this.pointToPoint(bytes[at], bytes, at + 1, end);
    return this.pointToPoint(uint16(bytes, at), bytes, at + 2, end);
  }

  private pointToPoint(protocol: number, bytes: Uint8Array, at: number, end: number): number {
    if (protocol === PPP_MPLS) return this.network(EtherType.mpls, bytes, at, end);
    return this.set(
      protocol === PPP_IPV4 ? EtherType.ipv4 : protocol === PPP_IPV6 ? EtherType.ipv6 : EtherType.none,
      at,
    );
  }

  /** What pppd's own filter captures: 1 for sent, 0 for received, then the frame without its address. */
  private pppd(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < 4) return this.set(EtherType.cut, end);
    if (this.direction === Direction.unknown)
      this.direction = bytes[start] === 1 ? Direction.outbound : Direction.inbound;
    return this.pointToPoint(uint16(bytes, start + 2), bytes, start + 4, end);
  }

  /** `tcpdump -i nflog`: family, version, resource, then type-length-value triples in the host's byte order, one of them the packet. */
  private netfilterLog(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < 8) return this.set(EtherType.cut, end);
    const family = bytes[start];
    if ((family !== 2 && family !== 10) || bytes[start + 1] !== 0) return this.set(EtherType.none, end);
    // Length and type are small numbers: the order that makes the first one small is the host's.
    const word = bytes[start + 5] < bytes[start + 4] ? uint16LittleEndian : uint16;
    for (let at = start + 4; end - at >= 4; ) {
      const length = word(bytes, at);
      if (length < 4) return this.set(EtherType.none, end);
      if (word(bytes, at + 2) === NFULA_PAYLOAD) return this.set(EtherType.rawIp, at + 4);
      at += (length + 3) & ~3;
    }
    return this.set(EtherType.none, end);
  }

  /** The network layer of an unencrypted data frame, behind the radio's own header. */
  private wireless(linkType: number, bytes: Uint8Array, start: number, end: number): number {
    const header = radioHeaderOctets(linkType, bytes, start, end);
    if (header < 0) return this.set(EtherType.cut, end);
    const at = wirelessPayload(bytes, start + header, end);
    if (at < 0) return this.set(at === NO_DATA ? EtherType.none : EtherType.cut, start);
    return this.network(0, bytes, at, end);
  }

  /** macOS: a header of its own, then a frame of the type that it names. */
  private pktap(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < 40) return this.set(EtherType.cut, end);
    const length = uint32LittleEndian(bytes, start);
    const inner = uint32LittleEndian(bytes, start + 8);
    const flags = uint32LittleEndian(bytes, start + 36);
    if (length < 40 || length > end - start || inner === LinkType.PKTAP) return this.set(EtherType.none, end);
    if ((flags & 1) !== 0) this.direction = Direction.inbound;
    else if ((flags & 2) !== 0) this.direction = Direction.outbound;
    return this.decodeType(inner, bytes, start + length, end);
  }
}

/** A type that anybody may use: it is PKTAP only if it looks like it, down to the kind of header and the name of an interface. */
function isPktap(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 40) return false;
  const length = uint32LittleEndian(bytes, start);
  const name = bytes[start + 12];
  return length >= 40 && length <= 256 && uint32LittleEndian(bytes, start + 4) === 1 && name >= 0x61 && name <= 0x7a;
}
