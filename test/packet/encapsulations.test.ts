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
];
/** tshark 4.0 does not read it; libpcap does. */
const NOT_IN_TSHARK = new Set(['PPP_PPPD']);

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
