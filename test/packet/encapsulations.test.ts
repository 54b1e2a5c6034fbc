/**
 * One real WebSocket, put into every link type and tunnel that lasthop looks into: the frames must stay what they are. That the octets are
 * what the standards say is tshark's word, where it is installed: it must find the same frames in the same files.
 */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readCapture } from '../../src/capture/read-capture.js';
import type { FrameEvent } from '../../src/hop/frame-event.js';
import { listFrames } from '../../src/hop/list.js';
import { pcap } from '../capture/build-capture.js';
import { ethernet, ipv4, ipv6, u16, u32 } from './build-packet.js';

type Octets = readonly number[];

const source = path.resolve(import.meta.dirname, '../../samples/early-stop/npm.pcap');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lasthop-encapsulations-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const tshark = spawnSync('tshark', ['--version']).status === 0;

const little = (value: number): Octets => [...u32(value)].reverse();
const zeros = (count: number): Octets => new Array<number>(count).fill(0);
const udp = (port: number, payload: Octets): Octets => [
  ...u16(54321),
  ...u16(port),
  ...u16(8 + payload.length),
  ...u16(0),
  ...payload,
];
const inIpv4 = (protocol: number, payload: Octets) => ethernet(ipv4(payload, { protocol }));
const inIpv6 = (protocol: number, payload: Octets) => ethernet(ipv6(payload, { protocol }), 0x86dd);
const tlv = (type: number, value: Octets): Octets => [
  ...[...u16(4 + value.length)].reverse(),
  ...[...u16(type)].reverse(),
  ...value,
  ...zeros((4 - (value.length % 4)) % 4),
];
const pflog = (length: number): Octets => [length, 2, 0, 0, 0x70, 0x70, 0x70, 0x30, ...zeros(length - 8 + 3)];

const wireless = (type: number, flags: number): Octets => [type, flags, ...zeros(22)];
const snap: Octets = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
/** Length, kind, link type, name, flags, … */
const pktap: Octets = [
  ...[108, 1, 1].flatMap(little),
  ...[0x65, 0x6e, 0x30, ...zeros(21)],
  ...[1, 2, 0, 0].flatMap(little),
  ...zeros(108 - 52),
];

/** Name, link type, and what becomes of an Ethernet frame; `ip` is what it carries. */
const WAYS: [name: string, linkType: number, wrap: (frame: Octets, ip: Octets) => Octets][] = [
  ['802.1Q', 1, (_, ip) => ethernet(ip, 0x8100, 0x0800)],
  ['802.1ad with 802.1Q (QinQ)', 1, (_, ip) => ethernet(ip, 0x88a8, 0x8100, 0x0800)],
  ['QinQ of two 802.1Q', 1, (_, ip) => ethernet(ip, 0x8100, 0x8100, 0x0800)],
  ['PPPoE', 1, (_, ip) => ethernet([0x11, 0, 0, 1, ...u16(2 + ip.length), 0, 0x21, ...ip], 0x8864)],
  ['PPPoE in a VLAN', 1, (_, ip) => ethernet([0x11, 0, 0, 1, ...u16(2 + ip.length), 0, 0x21, ...ip], 0x8100, 0x8864)],
  ['MPLS, two labels', 1, (_, ip) => ethernet([0, 1, 0, 64, 0, 2, 1, 64, ...ip], 0x8847)],
  ['raw IP, 101', 101, (_, ip) => ip],
  ['raw IP of OpenBSD, 14', 14, (_, ip) => ip],
  ['raw IP of the BSDs, 12', 12, (_, ip) => ip],
  ['IPV4, 228', 228, (_, ip) => ip],
  ['NULL, little-endian', 0, (_, ip) => [...little(2), ...ip]],
  ['NULL, big-endian', 0, (_, ip) => [...u32(2), ...ip]],
  ['LOOP', 108, (_, ip) => [...u32(2), ...ip]],
  ['ENC, FreeBSD, little-endian', 109, (_, ip) => [...little(2), ...little(1), ...little(0), ...ip]],
  ['ENC, OpenBSD, big-endian', 109, (_, ip) => [...u32(2), ...u32(1), ...u32(0), ...ip]],
  ['PFLOG, 61 octets', 117, (_, ip) => [...pflog(61), ...ip]],
  ['PPP, HDLC-like', 9, (_, ip) => [0xff, 3, 0, 0x21, ...ip]],
  ['PPP_PPPD', 166, (_, ip) => [1, 3, 0, 0x21, ...ip]],
  ['Cisco HDLC', 104, (_, ip) => [0x0f, 0, 8, 0, ...ip]],
  ['LINUX_SLL', 113, (_, ip) => [...u16(0), ...u16(1), ...u16(6), ...zeros(8), 8, 0, ...ip]],
  ['LINUX_SLL2', 276, (_, ip) => [8, 0, 0, 0, ...u32(3), ...u16(1), 0, 6, ...zeros(8), ...ip]],
  ['NFLOG', 239, (_, ip) => [2, 0, 0, 7, ...tlv(1, [8, 0, 1, 0]), ...tlv(10, [0x61, 0]), ...tlv(9, ip)]],
  ['IP in IP', 1, (_, ip) => inIpv4(4, ip)],
  ['IPv4 in IPv6', 1, (_, ip) => inIpv6(4, ip)],
  ['IP in IP in IPv6', 1, (_, ip) => inIpv6(4, ipv4(ip, { protocol: 4 }))],
  ['IPv6 with extension headers', 1, (_, ip) => inIpv6(0, [60, 0, ...zeros(6), 4, 1, 1, 12, ...zeros(12), ...ip])],
  ['GRE', 1, (_, ip) => inIpv4(47, [...u16(0), 8, 0, ...ip])],
  ['GRE with key and sequence number', 1, (_, ip) => inIpv4(47, [...u16(0x3000), 8, 0, ...u32(7), ...u32(8), ...ip])],
  ['GRE over IPv6 with Ethernet', 1, (frame) => inIpv6(47, [...u16(0), 0x65, 0x58, ...frame])],
  [
    'GRE with PPP (PPTP)',
    1,
    (_, ip) =>
      inIpv4(47, [...u16(0x3001), 0x88, 0x0b, ...u16(4 + ip.length), ...u16(9), ...u32(8), 0xff, 3, 0, 0x21, ...ip]),
  ],
  ['ERSPAN I', 1, (frame) => inIpv4(47, [...u16(0), 0x88, 0xbe, ...frame])],
  ['ERSPAN II', 1, (frame) => inIpv4(47, [...u16(0x1000), 0x88, 0xbe, ...u32(5), 0x10, 1, 0, 9, ...u32(2), ...frame])],
  [
    'ERSPAN III',
    1,
    (frame) =>
      inIpv4(47, [...u16(0x1000), 0x22, 0xeb, ...u32(5), 0x20, 1, 0, 9, ...u32(77), ...u16(0), ...u16(0), ...frame]),
  ],
  ['WCCP 2', 1, (_, ip) => inIpv4(47, [...u16(0), 0x88, 0x3e, 1, 2, 3, 4, ...ip])],
  ['VXLAN', 1, (frame) => inIpv4(17, udp(4789, [8, 0, 0, 0, ...u32(42 << 8), ...frame]))],
  ['VXLAN over IPv6', 1, (frame) => inIpv6(17, udp(4789, [8, 0, 0, 0, ...u32(42 << 8), ...frame]))],
  ['Geneve with Ethernet', 1, (frame) => inIpv4(17, udp(6081, [0, 0, 0x65, 0x58, ...u32(42 << 8), ...frame]))],
  [
    'Geneve with IP and an option',
    1,
    (_, ip) => inIpv4(17, udp(6081, [2, 0, 8, 0, ...u32(42 << 8), 0, 1, 0, 1, ...u32(9), ...ip])),
  ],
  ['VXLAN-GPE with Ethernet', 1, (frame) => inIpv4(17, udp(4790, [0x0c, 0, 0, 3, ...u32(42 << 8), ...frame]))],
  ['VXLAN-GPE with IP', 1, (_, ip) => inIpv4(17, udp(4790, [0x0c, 0, 0, 1, ...u32(42 << 8), ...ip]))],
  ['GTP-U', 1, (_, ip) => inIpv4(17, udp(2152, [0x30, 0xff, ...u16(ip.length), ...u32(7), ...ip]))],
  [
    'GTP-U with an extension header',
    1,
    (_, ip) =>
      inIpv4(17, udp(2152, [0x36, 0xff, ...u16(8 + ip.length), ...u32(7), 0, 1, 0, 0x85, 1, 0x10, 5, 0, ...ip])),
  ],
  [
    'L2TP with a length',
    1,
    (_, ip) => inIpv4(17, udp(1701, [0x40, 2, ...u16(12 + ip.length), ...u32(7), 0xff, 3, 0, 0x21, ...ip])),
  ],
  [
    'L2TP with sequence numbers and an offset',
    1,
    (_, ip) => inIpv4(17, udp(1701, [0x0a, 2, ...u32(7), ...u32(1), ...u16(2), 0, 0, 0, 0x21, ...ip])),
  ],
  ['Teredo', 1, (_, ip) => inIpv4(17, udp(3544, ipv6(ip, { protocol: 4 })))],
  [
    'Teredo with an origin',
    1,
    (_, ip) => inIpv4(17, udp(3544, [...zeros(2), ...u16(99), ...u32(7), ...ipv6(ip, { protocol: 4 })])),
  ],
  ['FOU', 1, (_, ip) => inIpv4(17, udp(5555, ip))],
  ['GUE', 1, (_, ip) => inIpv4(17, udp(6080, [0, 4, 0, 0, ...ip]))],
  ['MPLS in UDP', 1, (_, ip) => inIpv4(17, udp(6635, [0, 5, 1, 64, ...ip]))],
  ['MPLS in GRE', 1, (_, ip) => inIpv4(47, [...u16(0), 0x88, 0x47, 0, 5, 1, 64, ...ip])],
  ['MPLS in IP', 1, (_, ip) => inIpv4(137, [0, 5, 1, 64, ...ip])],
  ['EtherIP', 1, (frame) => inIpv4(97, [0x30, 0, ...frame])],
  ['Ethernet over MPLS', 1, (frame) => ethernet([0, 5, 1, 64, 0xae, ...frame.slice(1)], 0x8847)],
  ['Ethernet over MPLS with a control word', 1, (frame) => ethernet([0, 5, 1, 64, ...zeros(4), ...frame], 0x8847)],
  [
    'Ethernet over MPLS, an address that looks like IP',
    1,
    (frame) => ethernet([0, 5, 1, 64, 0x45, 0, 0, ...frame.slice(3)], 0x8847),
  ],
  ['VN-tag', 1, (_, ip) => ethernet([0, 1, 0, 2, 8, 0, ...ip], 0x8926)],
  ['802.1BR', 1, (_, ip) => ethernet([0, 1, 0, 2, 0, 3, 8, 0, ...ip], 0x893f)],
  ['802.1ah', 1, (frame) => ethernet([0, 0, 0, 5, ...frame], 0x88e7)],
  ['MACsec, not encrypted', 1, (_, ip) => ethernet([0x00, 0, ...u32(9), 8, 0, ...ip, ...zeros(16)], 0x88e5)],
  [
    'MACsec with a channel identifier',
    1,
    (_, ip) => ethernet([0x20, 0, ...u32(9), ...zeros(8), 8, 0, ...ip, ...zeros(16)], 0x88e5),
  ],
  ['IPNET', 226, (_, ip) => [1, 2, ...zeros(22), ...ip]],
  ['ATM_RFC1483', 100, (_, ip) => [0xaa, 0xaa, 3, 0, 0, 0, 8, 0, ...ip]],
  ['IP over IEEE 1394', 138, (_, ip) => [...zeros(16), 8, 0, ...ip]],
  ['PPP_WITH_DIR', 204, (_, ip) => [1, 0xff, 3, 0, 0x21, ...ip]],
  ['C_HDLC_WITH_DIR', 205, (_, ip) => [0, 0x0f, 0, 8, 0, ...ip]],
  ['MPLS, 219', 219, (_, ip) => [0, 5, 1, 64, ...ip]],
  ['PKTAP', 258, (frame) => [...pktap, ...frame]],
  ['PKTAP under its old number', 149, (frame) => [...pktap, ...frame]],
  ['PFLOG, 45 octets', 117, (_, ip) => [...pflog(45), ...ip]],
  ['PFLOG, 69 octets (FreeBSD, pfSense)', 117, (_, ip) => [...pflog(69), ...ip]],
  ['PFLOG, 100 octets (OpenBSD)', 117, (_, ip) => [...pflog(100).slice(0, 100), ...ip]],
  ['IEEE 802.11', 105, (_, ip) => [...wireless(0x08, 0x01), ...snap, ...ip]],
  ['IEEE 802.11, QoS', 105, (_, ip) => [...wireless(0x88, 0x02), 0, 0, ...snap, ...ip]],
  ['IEEE 802.11, four addresses', 105, (_, ip) => [...wireless(0x08, 0x03), ...zeros(6), ...snap, ...ip]],
  ['IEEE 802.11 behind radiotap', 127, (_, ip) => [0, 0, 8, 0, ...u32(0), ...wireless(0x08, 1), ...snap, ...ip]],
  ['IEEE 802.11 behind PPI', 192, (_, ip) => [0, 0, 8, 0, ...little(105), ...wireless(0x08, 1), ...snap, ...ip]],
  [
    'IEEE 802.11 behind Prism',
    119,
    (_, ip) => [...little(0x44), ...little(144), ...zeros(136), ...wireless(0x08, 1), ...snap, ...ip],
  ],
  [
    'IEEE 802.11 behind AVS',
    163,
    (_, ip) => [...u32(0x80211001), ...u32(64), ...zeros(56), ...wireless(0x08, 1), ...snap, ...ip],
  ],
  ['DSA_TAG_BRCM', 281, (frame, ip) => [...frame.slice(0, 12), 0, 0, 0, 1, 8, 0, ...ip]],
  ['DSA_TAG_BRCM_PREPEND', 282, (frame) => [0, 0, 0, 1, ...frame]],
  ['DSA_TAG_DSA', 284, (frame, ip) => [...frame.slice(0, 12), 0xc0, 0x20, 0, 0, 8, 0, ...ip]],
  ['DSA_TAG_EDSA', 285, (frame, ip) => [...frame.slice(0, 12), 0xda, 0xda, 0, 0, 0xc0, 0x20, 0, 0, 8, 0, ...ip]],
  // A kernel without VLAN support, `tcpdump -i any`, a frame with two tags: seen on Linux 6.18, and read by no other program.
  [
    'LINUX_SLL2 with a tag left over',
    276,
    (_, ip) => [8, 0, 0, 0, ...u32(3), ...u16(1), 0, 6, ...zeros(8), 0, 5, 8, 0, ...ip],
  ],
];
/** What tshark 4.0 does not read or takes for something else. Of the link types, tcpdump reads IPNET and those of DSA as we do. */
const NOT_IN_TSHARK = new Set([
  'PPP_PPPD',
  'FOU',
  'Ethernet over MPLS',
  'C_HDLC_WITH_DIR',
  'MPLS, 219',
  'GUE',
  'IPNET',
  'PKTAP under its old number',
  'Ethernet over MPLS, an address that looks like IP',
  'DSA_TAG_BRCM',
  'DSA_TAG_BRCM_PREPEND',
  'DSA_TAG_DSA',
  'DSA_TAG_EDSA',
  'LINUX_SLL2 with a tag left over',
]);

const whole = (frame: FrameEvent) =>
  `${frame.packet} ${frame.from} ${frame.opcode} ${frame.length} ${frame.type} ${frame.id} ${frame.at}`;

async function framesOf(file: string): Promise<string[]> {
  const frames: string[] = [];
  await listFrames([file], {}, (frame) => frames.push(whole(frame)));
  return frames;
}

function framesByTshark(file: string): string[] {
  const args = ['-r', file, '-n', '-Y', 'websocket', '-T', 'fields', '-e', 'frame.number', '-e', 'websocket.opcode'];
  return spawnSync('tshark', args, { encoding: 'utf8' }).stdout.trim().split('\n');
}

describe('a WebSocket in', async () => {
  const packets: { seconds: number; fraction: number; frame: Octets }[] = [];
  await readCapture(source, {
    packet: ({ bytes, start, end, timeNs, epochSeconds }) => {
      const seconds = epochSeconds + Math.floor(timeNs / 1e9);
      packets.push({ seconds, fraction: Math.round((timeNs % 1e9) / 1e3), frame: [...bytes.subarray(start, end)] });
    },
  });
  const plain = await framesOf(source);
  const plainByTshark = tshark ? framesByTshark(source) : [];

  it.each(WAYS)('%s', { timeout: 60_000 }, async (name, linkType, wrap) => {
    const file = path.join(folder, `${name.replace(/\W+/g, '-')}.pcap`);
    const records = packets.map(({ seconds, fraction, frame }) => {
      const data = Uint8Array.from(wrap(frame, frame.slice(14)));
      return { seconds, fraction, data, originalLength: data.length };
    });
    fs.writeFileSync(file, pcap(records, { network: linkType }));
    expect(plain.length).toBeGreaterThan(40);
    expect(await framesOf(file)).toEqual(plain);
    if (tshark && !NOT_IN_TSHARK.has(name)) expect(framesByTshark(file)).toEqual(plainByTshark);
  });
});
