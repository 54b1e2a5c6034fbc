import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketDecoder } from '../../src/packet/decode.js';
import { Decoded } from '../../src/packet/decode-result.js';
import { Segment } from '../../src/packet/segment.js';
import {
  ethernet,
  ipv4,
  ipv6,
  type RecordShape,
  record,
  tcp,
  u16,
  u32,
  V6_DESTINATION,
  V6_SOURCE,
} from './build-packet.js';

const hello = [...new TextEncoder().encode('hello')];
const segmentOf = (shape = {}) => tcp({ payload: hello, ...shape });

function decode(frame: readonly number[], shape: RecordShape = {}) {
  const decoder = new PacketDecoder();
  const segment = new Segment();
  const result = decoder.decode(record(frame, shape), segment);
  const payload = new TextDecoder().decode(segment.bytes.subarray(segment.payloadStart, segment.payloadEnd));
  return { result, segment, payload, decoder, codes: decoder.issues.issues.map((issue) => issue.code) };
}

const words = (octets: readonly number[]) =>
  [0, 4, 8, 12].map((at) => new DataView(Uint8Array.from(octets).buffer).getInt32(at));

describe('PacketDecoder', () => {
  it('decodes TCP over IPv4 over Ethernet', () => {
    const { result, segment, payload, codes } = decode(ethernet(ipv4(segmentOf())));
    expect(result).toBe(Decoded.tcp);
    expect(codes).toEqual([]);
    expect(payload).toBe('hello');
    expect(segment).toMatchObject({
      ipVersion: 4,
      sourcePort: 40112,
      destinationPort: 3001,
      sequence: 0xdeadbeef,
      acknowledgment: 0x80000001,
      flags: 0x18,
      window: 502,
      payloadLength: 5,
      windowScale: -1,
      optionsComplete: true,
      fragmentPackets: null,
    });
    expect([...segment.source]).toEqual([0, 0, 0xffff, 0x0a000001]);
    expect([...segment.destination]).toEqual([0, 0, 0xffff, 0xc0a8fffe | 0]);
  });

  it('decodes TCP over IPv6', () => {
    const { result, segment, payload } = decode(ethernet(ipv6(segmentOf()), 0x86dd));
    expect([result, payload, segment.ipVersion]).toEqual([Decoded.tcp, 'hello', 6]);
    expect([...segment.source]).toEqual(words(V6_SOURCE));
    expect([...segment.destination]).toEqual(words(V6_DESTINATION));
  });

  it('cuts Ethernet padding off by the IP length', () => {
    const bare = tcp();
    const padded = [...ethernet(ipv4(bare)), 0, 0, 0, 0, 0, 0];
    expect(decode(padded).segment).toMatchObject({ payloadLength: 0 });
    expect(decode(padded).payload).toBe('');
    expect(decode([...ethernet(ipv6(bare), 0x86dd), 1, 2, 3]).payload).toBe('');
  });

  it('takes the frame’s length where offload left the IP length 0', () => {
    const large = Array.from({ length: 70_000 }, () => 65);
    for (const frame of [
      ethernet(ipv4(tcp({ payload: large }), { length: 0 })),
      ethernet(ipv6(tcp({ payload: large }), { length: 0 }), 0x86dd),
    ]) {
      const { result, segment, decoder } = decode(frame);
      expect([result, segment.payloadLength, segment.payloadEnd - segment.payloadStart]).toEqual([
        Decoded.tcp,
        70_000,
        70_000,
      ]);
      expect(decoder.counters.zeroLengths).toBe(1);
    }
  });

  it('keeps the length on the wire where the payload was cut', () => {
    const frame = ethernet(ipv4(segmentOf()));
    const { result, segment, payload, decoder } = decode(frame, { captured: frame.length - 3 });
    expect([result, payload, segment.payloadLength, decoder.counters.cutPayloads]).toEqual([Decoded.tcp, 'he', 5, 1]);
  });

  it('decodes what is needed of a header whose options were cut', () => {
    const frame = ethernet(ipv4(segmentOf({ options: [3, 3, 7, 1, 8, 10, ...u32(1), ...u32(2), 1, 1] })));
    const { result, segment } = decode(frame, { captured: 14 + 20 + 20 + 6 });
    expect(result).toBe(Decoded.tcp);
    expect(segment).toMatchObject({
      window: 502,
      windowScale: 7,
      timestampValue: 0,
      optionsComplete: false,
      payloadLength: 5,
    });
    expect(segment.payloadStart).toBe(segment.payloadEnd);
  });

  it.each([
    [13, 'link-header-cut'],
    [14, 'ip-header-cut'],
    [33, 'ip-header-cut'],
    [34, 'tcp-header-cut'],
    [47, 'tcp-header-cut'],
  ])('says what the snapshot length %i cuts off', (captured, code) => {
    const { result, codes } = decode(ethernet(ipv4(segmentOf())), { captured });
    expect([result, codes]).toEqual([Decoded.cut, [code]]);
  });

  it('reads a TCP header that is cut behind its flags: where it stands, and no window', () => {
    const { result, segment, codes } = decode(ethernet(ipv4(segmentOf())), { captured: 48 });
    const { segment: whole } = decode(ethernet(ipv4(segmentOf())));
    expect([result, codes]).toEqual([Decoded.tcp, []]);
    const { sequence, acknowledgment, flags, payloadLength } = whole;
    expect(segment).toMatchObject({ sequence, acknowledgment, flags, payloadLength, window: 0xffff });
  });

  it('looks into GRE, VXLAN and Geneve', () => {
    const inner = ipv4(segmentOf());
    const frame = [...ethernet(inner)];
    const udp = (port: number, payload: readonly number[]) => [
      ...u16(54321),
      ...u16(port),
      ...u16(8 + payload.length),
      ...u16(0),
      ...payload,
    ];
    const vxlan = [0x08, 0, 0, 0, 0, 0, 42, 0, ...frame];
    const carried: Record<string, [number, readonly number[]]> = {
      'GRE with IPv4': [47, [...u16(0), ...u16(0x0800), ...inner]],
      'GRE with key and sequence': [47, [...u16(0x3000), ...u16(0x0800), ...u32(7), ...u32(8), ...inner]],
      'GRE with Ethernet and checksum': [47, [...u16(0x8000), ...u16(0x6558), ...u32(0), ...frame]],
      'GRE version 1 with PPP': [
        47,
        [...u16(0x3081), ...u16(0x880b), ...u32(1), ...u32(2), ...u32(3), 0xff, 0x03, ...u16(0x21), ...inner],
      ],
      VXLAN: [17, udp(4789, vxlan)],
      'VXLAN, the old port': [17, udp(8472, vxlan)],
      'Geneve with an option': [17, udp(6081, [0x01, 0, ...u16(0x6558), ...u32(42 << 8), ...u32(0), ...frame])],
      'VXLAN in GRE': [47, [...u16(0), ...u16(0x0800), ...ipv4(udp(4789, vxlan), { protocol: 17 })]],
    };
    for (const [name, [protocol, payload]] of Object.entries(carried)) {
      for (const outer of [ethernet(ipv4(payload, { protocol })), ethernet(ipv6(payload, { protocol }), 0x86dd)]) {
        const decoded = decode(outer);
        expect([name, decoded.result, decoded.payload]).toEqual([name, Decoded.tcp, 'hello']);
      }
    }
  });

  it('takes no other GRE or UDP for a tunnel', () => {
    for (const [protocol, payload] of [
      [47, [...u16(0), ...u16(0x88bf), 1, 2, 3, 4]],
      [47, [0]],
      [17, [...u16(1), ...u16(4789), ...u16(20), ...u16(0), 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9]],
      [17, [...u16(1), ...u16(53), ...u16(8), ...u16(0)]],
    ] as const)
      expect(decode(ethernet(ipv4(payload, { protocol }))).result).toBe(Decoded.notTcp);
  });

  it('unwraps IPv4 options, and IP in IP in all combinations', () => {
    expect(decode(ethernet(ipv4(segmentOf(), { options: [1, 1, 1, 0] }))).payload).toBe('hello');
    for (const outer of [ipv4, ipv6]) {
      for (const [inner, protocol] of [
        [ipv4, 4],
        [ipv6, 41],
      ] as const) {
        const { result, payload, segment } = decode(
          ethernet(outer(inner(segmentOf()), { protocol }), outer === ipv4 ? 0x0800 : 0x86dd),
        );
        expect([result, payload, segment.ipVersion]).toEqual([Decoded.tcp, 'hello', inner === ipv4 ? 4 : 6]);
      }
    }
  });

  it('steps over IPv6 extension headers', () => {
    const authentication = [6, 4, 0, 0, ...u32(1), ...u32(2), ...u32(0), ...u32(0), ...u32(0)];
    const headers = [
      60,
      0,
      1,
      4,
      0,
      0,
      0,
      0,
      43,
      1,
      ...new Array<number>(14).fill(0),
      51,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      ...authentication,
    ];
    const { result, payload } = decode(ethernet(ipv6([...headers, ...segmentOf()], { protocol: 0 }), 0x86dd));
    expect([result, payload]).toEqual([Decoded.tcp, 'hello']);
  });

  it('tells other protocols', () => {
    const udp = decode(ethernet(ipv4([0, 53, 0, 53, 0, 8, 0, 0], { protocol: 17 })));
    expect([udp.result, udp.decoder.upperProtocol, udp.decoder.upperEnd - udp.decoder.upperStart]).toEqual([
      Decoded.notTcp,
      17,
      8,
    ]);
    expect(decode(ethernet(ipv4([3, 4, 0, 0, 0, 0, 0, 0], { protocol: 1 }))).result).toBe(Decoded.icmp);
    expect(decode(ethernet(ipv6([2, 0, 0, 0, 0, 0, 0, 0], { protocol: 58 }), 0x86dd)).result).toBe(Decoded.icmp);
    expect(decode(ethernet([0, 1], 0x0806)).result).toBe(Decoded.notIp);
  });

  it('names a link type that it does not decode', () => {
    const { result, decoder } = decode([1, 2, 3], { linkType: 107 });
    expect(result).toBe(Decoded.unsupportedLink);
    expect(decoder.issues.issues[0]).toMatchObject({
      code: 'unsupported-link-type',
      text: expect.stringContaining('FRELAY'),
    });
  });

  it.each<[string, readonly number[]]>([
    ['ip-version', ethernet([0x50, ...ipv4(segmentOf()).slice(1)])],
    ['ip-header-length', ethernet([0x44, ...ipv4(segmentOf()).slice(1)])],
    ['ip-total-length', ethernet(ipv4(segmentOf(), { length: 19 }))],
    ['tcp-header-short', ethernet(ipv4(segmentOf(), { length: 39 }))],
    ['tcp-data-offset', ethernet(ipv4(segmentOf({ dataOffset: 4 })))],
    ['tcp-data-offset', ethernet(ipv4(segmentOf({ dataOffset: 15 })))],
    ['ip-extension-length', ethernet(ipv6([6, 200, 0, 0, 0, 0, 0, 0], { protocol: 60 }), 0x86dd)],
    ['ip-header-cut', ethernet([0x45, 0, 0])],
  ])('calls it malformed, and says where: %s', (code, frame) => {
    const { result, decoder } = decode(frame);
    expect(result).toBe(Decoded.malformed);
    expect(decoder.issues.issues).toMatchObject([{ code, packet: 1, field: expect.any(String) }]);
  });

  it('takes a packet that is longer than its frame for a cut one', () => {
    const { result, segment, payload, decoder } = decode(ethernet(ipv4(segmentOf(), { length: 145 })));
    expect([result, payload, segment.payloadLength, decoder.counters.lengthsBeyondFrame]).toEqual([
      Decoded.tcp,
      'hello',
      105,
      1,
    ]);
  });

  it('decodes the same segment through one decoder from changing buffers', () => {
    const decoder = new PacketDecoder();
    const segment = new Segment();
    for (let sequence = 0; sequence < 4; sequence++) {
      decoder.decode(record(ethernet(ipv4(segmentOf({ sequence })))), segment);
      expect(segment.sequence).toBe(sequence);
    }
    expect(decoder.counters.results[Decoded.tcp]).toBe(4);
  });

  it('never throws, and never leaves the captured octets, whatever they are', () => {
    const decoder = new PacketDecoder();
    const segment = new Segment();
    const linkType = fc.constantFrom(0, 1, 9, 12, 50, 51, 101, 104, 108, 109, 113, 117, 228, 258, 276, 999);
    const valid = fc.constantFrom(ethernet(ipv4(segmentOf())), ethernet(ipv6(segmentOf()), 0x8100, 0x86dd), [
      ...u16(0),
      ...ipv4(segmentOf()),
    ]);
    fc.assert(
      fc.property(
        linkType,
        valid,
        fc.uint8Array({ maxLength: 80 }),
        fc.nat(80),
        fc.nat(2000),
        (type, frame, noise, at, more) => {
          const damaged = [...frame.slice(0, at), ...noise];
          const packet = record(damaged, { linkType: type, wireLength: damaged.length + more });
          const result = decoder.decode(packet, segment);
          if (result !== Decoded.tcp) return;
          const { payloadStart, payloadEnd, payloadLength, bytes } = segment;
          expect(payloadStart).toBeLessThanOrEqual(payloadEnd);
          if (bytes === packet.bytes) expect(payloadEnd).toBeLessThanOrEqual(packet.end);
          expect(payloadEnd - payloadStart).toBeLessThanOrEqual(payloadLength);
        },
      ),
      { numRuns: 5000 },
    );
  });
});
