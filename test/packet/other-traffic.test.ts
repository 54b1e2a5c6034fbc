/** What is said of captures without TCP. */

import { expect, it } from 'vitest';
import { PacketRecord } from '../../src/capture/packet-record.js';
import { PacketDecoder } from '../../src/packet/decode.js';
import { withoutTcp } from '../../src/packet/other-traffic.js';
import { Segment } from '../../src/packet/segment.js';
import { ethernet, ipv4, ipv6, u16 } from './build-packet.js';

const udp = (source: number, destination: number) => [
  ...u16(source),
  ...u16(destination),
  ...u16(12),
  0,
  0,
  1,
  2,
  3,
  4,
];

function said(...frames: readonly (readonly number[])[]): string {
  const decoder = new PacketDecoder();
  decodeAll(decoder, frames);
  return withoutTcp(decoder.others);
}

function decodeAll(decoder: PacketDecoder, frames: readonly (readonly number[])[]): void {
  for (const frame of frames) {
    const record = new PacketRecord();
    record.bytes = Uint8Array.from(frame);
    record.end = frame.length;
    record.wireLength = frame.length;
    record.linkType = 1;
    decoder.decode(record, new Segment());
  }
}

it('names kinds, the most frequent first, and what hides TCP', () => {
  const esp = ethernet(ipv4([1, 2, 3, 4, 5, 6, 7, 8], { protocol: 50 }));
  const arp = ethernet(new Array<number>(28).fill(0), 0x0806);
  expect(said(arp, esp, esp)).toBe(
    'no TCP packets that can be read: 2 packets of IPsec ESP, 1 of ARP; what a tunnel encrypts must be captured inside it, on its own interface',
  );
  expect(said(arp)).toBe('no TCP packets that can be read: 1 packet of ARP');
});

it('knows a service by the side that has its port', () => {
  expect(said(ethernet(ipv4(udp(51820, 1024), { protocol: 17 })))).toContain('WireGuard');
  expect(said(ethernet(ipv4(udp(1024, 51820), { protocol: 17 })))).toContain('WireGuard');
  expect(said(ethernet(ipv6(udp(40000, 7777), { protocol: 17 }), 0x86dd))).toContain('1 packet of UDP port 7777');
  expect(said(ethernet(ipv4([0], { protocol: 200 })), ethernet([0], 0x1234))).toBe(
    'no TCP packets that can be read: 1 packet of IP protocol 200, 1 of EtherType 0x1234',
  );
});

it('counts no more kinds than it has room for', () => {
  const frames = Array.from({ length: 600 }, (_, i) => ethernet(ipv4(udp(20_000 + i, 20_000 + i), { protocol: 17 })));
  expect(said(...frames)).toMatch(
    /^no TCP packets that can be read: 344 packets of other kinds, .* and 254 kinds more$/,
  );
});

it('says nothing of what is not there', () => {
  expect(said()).toBe('no TCP packets that can be read');
});

/** The first fragment of a datagram of which no other one was captured. */
const firstFragment = (protocol: number, payload: readonly number[], identification: number) => {
  const packet = [...ipv4(payload, { protocol })];
  packet[4] = identification >> 8;
  packet[5] = identification & 0xff;
  packet[6] |= 0x20;
  return ethernet(packet);
};

it('says where a filter by port took the first fragments of a tunnel only, and not of other traffic', () => {
  const issuesOf = (...frames: readonly (readonly number[])[]) => {
    const decoder = new PacketDecoder();
    decodeAll(decoder, frames);
    decoder.finish();
    return decoder.issues.issues.map(({ code, text }) => `${code}: ${text}`);
  };
  const vxlan = [...u16(1024), ...u16(4789), ...u16(16), 0, 0, 8, 0, 0, 0, 0, 0, 1, 0];
  const dns = [...u16(1024), ...u16(53), ...u16(16), 0, 0, 8, 0, 0, 0, 0, 0, 1, 0];
  expect(issuesOf(firstFragment(17, vxlan, 1), firstFragment(17, vxlan, 2))).toEqual([
    expect.stringMatching(/^ip-fragments-missing: 2 IP datagrams .* are not whole: .*ip\[6:2\] & 0x1fff != 0/),
  ]);
  expect(issuesOf(firstFragment(6, vxlan, 1))[0]).toContain('One IP datagram with TCP or a tunnel inside is not whole');
  expect(issuesOf(firstFragment(17, dns, 1))).toEqual([]);
});
