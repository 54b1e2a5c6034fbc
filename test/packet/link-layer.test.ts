import { describe, expect, it } from 'vitest';
import { LinkType } from '../../src/capture/link-type.js';
import { Direction } from '../../src/capture/packet-record.js';
import { PacketDecoder } from '../../src/packet/decode.js';
import { Decoded } from '../../src/packet/decode-result.js';
import { Segment } from '../../src/packet/segment.js';
import { ethernet, ipv4, ipv6, record, tcp, u16, u32 } from './build-packet.js';

const v4 = ipv4(tcp());
const v6 = ipv6(tcp());
const little = (value: number) => [...u32(value)].reverse();
const sll = (type: number, etherType: number) => [
  ...u16(type),
  ...u16(1),
  ...u16(6),
  ...new Array<number>(8).fill(0),
  ...u16(etherType),
];
const sll2 = (type: number, etherType: number, index: number) => [
  ...u16(etherType),
  0,
  0,
  ...u32(index),
  ...u16(1),
  type,
  6,
  ...new Array<number>(8).fill(0),
];
const pflog = (family: number, direction: number) => [61, family, ...new Array<number>(58).fill(0), direction, 0, 0, 0];
const pktap = (flags: number) => [
  ...little(108),
  ...little(1),
  ...little(1),
  ...new Array<number>(24).fill(0),
  ...little(flags),
  ...new Array<number>(68).fill(0),
];

function decode(frame: readonly number[], linkType: number) {
  const segment = new Segment();
  return { result: new PacketDecoder().decode(record(frame, { linkType }), segment), segment };
}

describe('link layers that lead to TCP', () => {
  it.each<[string, number, number, readonly number[]]>([
    ['Ethernet', 4, LinkType.ETHERNET, ethernet(v4)],
    ['802.1Q', 4, LinkType.ETHERNET, ethernet(v4, 0x8100, 0x0800)],
    ['802.1ad and 802.1Q', 6, LinkType.ETHERNET, ethernet(v6, 0x88a8, 0x8100, 0x86dd)],
    ['the old stacked tag', 4, LinkType.ETHERNET, ethernet(v4, 0x9100, 0x8100, 0x0800)],
    ['LLC/SNAP', 4, LinkType.ETHERNET, ethernet([0xaa, 0xaa, 3, 0, 0, 0, 8, 0, ...v4], 8 + v4.length)],
    ['PPPoE', 4, LinkType.ETHERNET, ethernet([0x11, 0, 0, 1, ...u16(2 + v4.length), 0, 0x21, ...v4], 0x8864)],
    ['PPPoE with IPv6', 6, LinkType.ETHERNET, ethernet([0x11, 0, 0, 1, ...u16(2 + v6.length), 0, 0x57, ...v6], 0x8864)],
    ['MPLS', 4, LinkType.ETHERNET, ethernet([0, 1, 0, 64, 0, 2, 1, 64, ...v4], 0x8847)],
    ['raw IP', 4, LinkType.RAW, v4],
    ['raw IP of the BSDs', 6, LinkType.RAW_BSD, v6],
    ['raw IP of OpenBSD', 4, LinkType.RAW_OPENBSD, v4],
    ['IPV4', 4, LinkType.IPV4, v4],
    ['IPV6', 6, LinkType.IPV6, v6],
    ['NULL, little-endian', 4, LinkType.NULL, [...little(2), ...v4]],
    ['NULL, big-endian', 4, LinkType.NULL, [...u32(2), ...v4]],
    ['NULL of macOS', 6, LinkType.NULL, [...little(30), ...v6]],
    ['LOOP', 6, LinkType.LOOP, [...u32(24), ...v6]],
    ['ENC', 4, LinkType.ENC, [...little(2), ...u32(1), ...u32(0), ...v4]],
    ['PPP', 4, LinkType.PPP, [0xff, 3, 0, 0x21, ...v4]],
    ['PPP with MPLS', 4, LinkType.PPP, [0xff, 3, 0x02, 0x81, 0, 1, 1, 64, ...v4]],
    ['PPP with compressed fields', 4, LinkType.PPP, [0x21, ...v4]],
    ['Cisco HDLC', 6, LinkType.C_HDLC, [0x0f, 0, 0x86, 0xdd, ...v6]],
    ['PPP_ETHER', 4, LinkType.PPP_ETHER, [0x11, 0, 0, 1, ...u16(2 + v4.length), 0, 0x21, ...v4]],
    ['LINUX_SLL', 4, LinkType.LINUX_SLL, [...sll(0, 0x0800), ...v4]],
    ['LINUX_SLL2', 6, LinkType.LINUX_SLL2, [...sll2(0, 0x86dd, 3), ...v6]],
    ['LINUX_SLL2 with a tag', 4, LinkType.LINUX_SLL2, [...sll2(0, 0x8100, 3), 0, 5, 8, 0, ...v4]],
    ['PFLOG', 4, LinkType.PFLOG, [...pflog(2, 1), ...v4]],
    ['PKTAP', 4, LinkType.PKTAP, [...pktap(1), ...ethernet(v4)]],
  ])('%s', (_, version, linkType, frame) => {
    const { result, segment } = decode(frame, linkType);
    expect(result).toBe(Decoded.tcp);
    expect(segment).toMatchObject({ ipVersion: version, sourcePort: 40112, payloadLength: 0 });
  });

  it.each([
    ['ARP', LinkType.ETHERNET, ethernet([0, 1], 0x0806)],
    ['spanning tree', LinkType.ETHERNET, ethernet([0x42, 0x42, 3, 0, 0, 0, 0, 0], 38)],
    ['PPP LCP', LinkType.PPP, [0xff, 3, 0xc0, 0x21, 1]],
    ['NULL with another family', LinkType.NULL, [...little(7), 1]],
    ['tags without end', LinkType.ETHERNET, ethernet([], ...new Array<number>(40).fill(0x8100))],
  ])('%s is no IP', (_, linkType, frame) => {
    expect(decode(frame, linkType).result).toBe(Decoded.notIp);
  });
});

describe('direction', () => {
  it.each<[string, number, readonly number[], number]>([
    ['LINUX_SLL to us', LinkType.LINUX_SLL, [...sll(0, 0x0800), ...v4], Direction.inbound],
    ['LINUX_SLL from us', LinkType.LINUX_SLL, [...sll(4, 0x0800), ...v4], Direction.outbound],
    ['LINUX_SLL to another', LinkType.LINUX_SLL, [...sll(3, 0x0800), ...v4], Direction.unknown],
    ['LINUX_SLL2 to us', LinkType.LINUX_SLL2, [...sll2(0, 0x0800, 1), ...v4], Direction.inbound],
    ['LINUX_SLL2 from us', LinkType.LINUX_SLL2, [...sll2(4, 0x0800, 1), ...v4], Direction.outbound],
    ['PFLOG in', LinkType.PFLOG, [...pflog(2, 1), ...v4], Direction.inbound],
    ['PFLOG out', LinkType.PFLOG, [...pflog(2, 2), ...v4], Direction.outbound],
    ['PKTAP out', LinkType.PKTAP, [...pktap(2), ...ethernet(v4)], Direction.outbound],
    ['Ethernet', LinkType.ETHERNET, ethernet(v4), Direction.unknown],
  ])('%s', (_, linkType, frame, direction) => {
    expect(decode(frame, linkType).segment.direction).toBe(direction);
  });

  it('is the file’s where the file has one, and the interface is LINUX_SLL2’s', () => {
    const packet = record([...sll2(4, 0x0800, 12), ...v4], { linkType: LinkType.LINUX_SLL2 });
    packet.direction = Direction.inbound;
    const segment = new Segment();
    new PacketDecoder().decode(packet, segment);
    expect(segment).toMatchObject({ direction: Direction.inbound, interfaceIndex: 12 });
  });
});
