import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatEndpoint } from '../../src/packet/address.js';
import { PacketDecoder } from '../../src/packet/decode.js';
import { Decoded } from '../../src/packet/decode-result.js';
import { decodeIcmpError } from '../../src/packet/icmp.js';
import { Segment } from '../../src/packet/segment.js';
import { ethernet, ipv4, ipv6, record, tcp, u16, u32 } from './build-packet.js';

function decode(frame: readonly number[]) {
  const decoder = new PacketDecoder();
  const segment = new Segment();
  expect(decoder.decode(record(frame), segment)).toBe(Decoded.icmp);
  return decodeIcmpError(decoder.upperBytes, decoder.upperStart, decoder.upperEnd, segment.ipVersion);
}

const quoted4 = ipv4(tcp({ payload: new Array<number>(1400).fill(1) }));
const quoted6 = ipv6(tcp({ payload: new Array<number>(1400).fill(1) }));

describe('decodeIcmpError', () => {
  it('reads “fragmentation needed” with the next hop’s MTU and the least that is quoted', () => {
    const error = decode(
      ethernet(ipv4([3, 4, 0, 0, 0, 0, ...u16(1400), ...quoted4.slice(0, 28)], { protocol: 1, source: [9, 9, 9, 9] })),
    );
    expect(error).toMatchObject({ ipVersion: 4, type: 3, code: 4, kind: 'too-big', nextHopMtu: 1400 });
    const quoted = error?.quoted;
    expect(quoted).toMatchObject({
      ipVersion: 4,
      sourcePort: 40112,
      destinationPort: 3001,
      sequence: 0xdeadbeef,
      packetOctets: 1440,
    });
    expect(quoted && formatEndpoint(quoted.destination, quoted.destinationPort)).toBe('192.168.255.254:3001');
  });

  it('reads “packet too big” of ICMPv6, also past extension headers', () => {
    const error = decode(ethernet(ipv6([2, 0, 0, 0, ...u32(1280), ...quoted6], { protocol: 58 }), 0x86dd));
    expect(error).toMatchObject({
      ipVersion: 6,
      type: 2,
      kind: 'too-big',
      nextHopMtu: 1280,
      quoted: { sourcePort: 40112, packetOctets: 1460 },
    });
    const extended = ipv6([6, 0, 0, 0, 0, 0, 0, 0, ...tcp()], { protocol: 60 });
    expect(decode(ethernet(ipv6([1, 4, 0, 0, ...u32(0), ...extended], { protocol: 58 }), 0x86dd))).toMatchObject({
      kind: 'unreachable',
      nextHopMtu: null,
      quoted: { destinationPort: 3001 },
    });
  });

  it('has no MTU from routers that send none', () => {
    expect(decode(ethernet(ipv4([3, 4, 0, 0, 0, 0, 0, 0, ...quoted4], { protocol: 1 })))?.nextHopMtu).toBeNull();
  });

  it('quotes nothing where there is no TCP header to quote', () => {
    const error = (quoted: readonly number[]) =>
      decode(ethernet(ipv4([3, 1, 0, 0, ...u32(0), ...quoted], { protocol: 1 })));
    expect(error(ipv4([0, 53, 0, 53, 0, 8, 0, 0], { protocol: 17 }))).toMatchObject({
      kind: 'unreachable',
      quoted: null,
    });
    expect(error(ipv4(tcp(), { fragment: { offset: 800, more: true } }))?.quoted).toBeNull();
    expect(error(quoted4.slice(0, 27))?.quoted).toBeNull();
    expect(error([])?.quoted).toBeNull();
  });

  it('is null for what is no error', () => {
    expect(decode(ethernet(ipv4([8, 0, 0, 0, 0, 0, 0, 0], { protocol: 1 })))).toBeNull();
    expect(decode(ethernet(ipv6([128, 0, 0, 0, 0, 0, 0, 0], { protocol: 58 }), 0x86dd))).toBeNull();
    expect(decodeIcmpError(Uint8Array.of(3, 4), 0, 2, 4)).toBeNull();
  });

  it('never throws, whatever is quoted', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 120 }),
        fc.constantFrom(4, 6),
        fc.constantFrom(0x45, 0x60),
        (noise, version, first) => {
          const bytes = Uint8Array.from([version === 4 ? 3 : 2, 4, 0, 0, 0, 0, 0, 0, first, ...noise]);
          decodeIcmpError(bytes, 0, bytes.length, version);
        },
      ),
    );
  });
});
