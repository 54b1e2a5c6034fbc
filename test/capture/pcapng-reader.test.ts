import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PcapngReader } from '../../src/capture/pcapng-reader.js';
import {
  block,
  concat,
  enhancedPacket,
  interfaceDescription,
  Octets,
  option,
  sectionHeader,
  simplePacket,
  statistics,
} from './build-capture.js';
import { feed, outcome } from './feed.js';

const data = Uint8Array.from({ length: 61 }, (_, index) => index);
const SECOND = 1_700_000_000n;
const micro = (value: bigint) => SECOND * 1_000_000n + value;

/** Two sections of either byte order with every block that the reader knows, and some that it does not. */
function everything(): Uint8Array {
  const sections = [true, false].map((littleEndian) =>
    concat(
      sectionHeader(littleEndian),
      interfaceDescription({ littleEndian, name: 'eth0', snapLength: 96 }),
      interfaceDescription({ littleEndian, linkType: 113, resolution: 9, offsetSeconds: 5n }),
      block(4, new Octets(littleEndian).bytes(data), littleEndian), // names
      enhancedPacket({ littleEndian, ticks: micro(7n), data, flags: 2, dropCount: 3n }),
      simplePacket(data, data.length, littleEndian),
      block(0xbad, new Octets(littleEndian).bytes(data), littleEndian), // custom
      block(10, new Octets(littleEndian).uint32(0x544c534b).uint32(5).bytes([65, 66, 67, 68, 69]), littleEndian),
      enhancedPacket({
        littleEndian,
        interfaceId: 1,
        ticks: (SECOND - 5n) * 1_000_000_000n + 11n,
        data,
        originalLength: 1500,
        flags: 1,
      }),
      statistics(1, { 4: 1000n, 5: 4n, 7: 2n }, littleEndian),
      statistics(1, { 5: 6n }, littleEndian),
    ),
  );
  return concat(...sections);
}

describe('PcapngReader', () => {
  it('tells between which reports packets were dropped', () => {
    const at = (seconds: bigint, dropCount?: bigint) =>
      enhancedPacket({ ticks: micro(seconds * 1_000_000n), data, ...(dropCount === undefined ? {} : { dropCount }) });
    const file = concat(
      sectionHeader(),
      interfaceDescription({}),
      at(0n),
      at(10n),
      statistics(0, { 5: 0n }),
      at(20n),
      statistics(0, { 5: 3n }),
      at(30n),
      statistics(0, { 5: 3n }),
      at(40n),
      at(41n, 2n),
      at(60n),
      statistics(0, { 5: 3n, 7: 1n }),
    );
    const seconds = feed(PcapngReader, file).reader.dropTimes.times.map(({ fromNs, toNs }) => [
      fromNs / 1e9,
      toNs / 1e9,
    ]);
    expect(seconds).toEqual([
      [10, 20],
      [30, 60],
    ]);
    const whole = concat(sectionHeader(), interfaceDescription({}), at(0n), at(7n), statistics(0, { 7: 5n }));
    expect(feed(PcapngReader, whole).reader.dropTimes.times).toEqual([{ fromNs: Number.NEGATIVE_INFINITY, toNs: 7e9 }]);
  });

  it('reads sections of either byte order with all their blocks', () => {
    const { packets, issues, reader } = feed(PcapngReader, everything());
    const expected = [1, 4].flatMap((first) => [
      { number: first, timeNs: 7000, timed: true, linkType: 1, interfaceId: 0, direction: 2, wireLength: 61 },
      { number: first + 1, timeNs: 7000, timed: false, linkType: 1, interfaceId: 0, direction: 0, wireLength: 61 },
      { number: first + 2, timeNs: 11, timed: true, linkType: 113, interfaceId: 1, direction: 1, wireLength: 1500 },
    ]);
    expect(packets.map(({ hex: _, ...rest }) => rest)).toEqual(expected);
    expect(new Set(packets.map((packet) => packet.hex))).toEqual(new Set([Buffer.from(data).toString('hex')]));
    expect(new Set(issues.map((issue) => issue.code))).toEqual(new Set(['pcapng-no-time']));
    expect(
      reader.interfaces.map(({ name, received, dropped, droppedByOs, packets }) => ({
        name,
        received,
        dropped,
        droppedByOs,
        packets,
      })),
    ).toEqual([
      { name: 'eth0', received: null, dropped: null, droppedByOs: null, packets: 2 },
      { name: null, received: 1000, dropped: 6, droppedByOs: 2, packets: 1 },
      { name: 'eth0', received: null, dropped: null, droppedByOs: null, packets: 2 },
      { name: null, received: 1000, dropped: 6, droppedByOs: 2, packets: 1 },
    ]);
    expect(reader.droppedBeforePackets).toBe(6);
    expect(reader.secrets.map((secret) => [secret.type, Buffer.from(secret.bytes).toString()])).toEqual([
      [0x544c534b, 'ABCDE'],
      [0x544c534b, 'ABCDE'],
    ]);
    expect(reader.timeDigits).toBe(9);
    expect(reader.cutPackets).toBe(2);
  });

  it('reads the obsolete Packet Block', () => {
    const body = new Octets()
      .uint16(0)
      .uint16(4)
      .uint32(Number(micro(9n) >> 32n))
      .uint32(Number(micro(9n) & 0xffffffffn));
    const packet = block(2, body.uint32(3).uint32(3).bytes([1, 2, 3]));
    const { packets, reader } = feed(PcapngReader, concat(sectionHeader(), interfaceDescription(), packet));
    expect(packets).toMatchObject([{ timeNs: 9000, hex: '010203' }]);
    expect(reader.droppedBeforePackets).toBe(4);
  });

  it('cuts a Simple Packet Block at the interface’s snapshot length', () => {
    const octets = concat(
      sectionHeader(),
      interfaceDescription({ snapLength: 20 }),
      simplePacket(data.subarray(0, 20), 61),
    );
    expect(feed(PcapngReader, octets).packets).toMatchObject([
      { wireLength: 61, hex: Buffer.from(data.subarray(0, 20)).toString('hex') },
    ]);
  });

  it('passes over a large block that it does not need without asking for room', () => {
    const octets = concat(
      sectionHeader(),
      interfaceDescription(),
      block(0x80000001, new Octets().bytes(new Uint8Array(50_000))),
      enhancedPacket({ ticks: micro(0n), data }),
    );
    let most = 0;
    const reader = new PcapngReader({ sink: { packet: () => {} } });
    for (let at = 0, start = 0; at < octets.length; at += 100) {
      const end = Math.min(octets.length, at + 100);
      start = reader.read(octets, start, end);
      most = Math.max(most, end - start, reader.neededOctets);
    }
    expect(reader.packets).toBe(1);
    expect(most).toBeLessThan(200);
  });

  const start = concat(sectionHeader(), interfaceDescription(), enhancedPacket({ ticks: micro(0n), data }));
  const packetBody = (captured: number) =>
    new Octets().uint32(0).uint32(0).uint32(0).uint32(captured).uint32(61).bytes(data);
  const broken: [string, Uint8Array, object][] = [
    [
      'pcapng-block-too-short',
      new Octets().uint32(6).uint32(8).uint32(8).done(),
      { required: 12, had: 8, field: 'block total length' },
    ],
    ['pcapng-block-too-short', block(6, new Octets().uint32(0)), { required: 32, had: 16 }],
    [
      'pcapng-block-too-large',
      new Octets().uint32(6).uint32(0x7ffffff0).bytes(data).done(),
      { required: 0x7ffffff0, had: 16777216 },
    ],
    [
      'pcapng-block-lengths-differ',
      concat(enhancedPacket({ ticks: 1n, data }).slice(0, -4), Uint8Array.of(1, 2, 3, 4)),
      { required: 96, had: 0x04030201 },
    ],
    [
      'pcapng-unknown-interface',
      enhancedPacket({ ticks: 1n, data, interfaceId: 9 }),
      { required: 10, had: 1, field: 'interface ID' },
    ],
    ['pcapng-length-too-large', block(6, packetBody(65)), { required: 65, had: 64, field: 'captured packet length' }],
    ['pcapng-length-too-large', block(6, packetBody(0xffffffff)), { required: 0xffffffff, had: 64 }],
    [
      'pcapng-byte-order',
      block(0x0a0d0d0a, new Octets().uint32(0).uint32(0).uint64(0n)),
      { field: 'byte-order magic' },
    ],
  ];
  it.each(broken)('stops at damage and keeps what came before it: %s', (code, damage, where) => {
    const { packets, issues, reader } = feed(PcapngReader, concat(start, damage, enhancedPacket({ ticks: 2n, data })));
    expect(packets).toHaveLength(1);
    expect(reader.stopped).toBe(true);
    expect(issues).toMatchObject([{ code, packet: 2, offset: start.length, ...where }]);
  });

  it.each([1, 11, 40, 95])('says so where the file ends %i octets into a block', (had) => {
    const { packets, issues } = feed(PcapngReader, concat(start, enhancedPacket({ ticks: 1n, data }).subarray(0, had)));
    expect(packets).toHaveLength(1);
    expect(issues).toMatchObject([
      { code: 'pcapng-truncated-block', packet: 2, offset: start.length, had, required: had < 12 ? 12 : 96 },
    ]);
  });

  it('says so where the file ends within a block that is passed over', () => {
    const names = block(4, new Octets().bytes(data));
    const { issues } = feed(PcapngReader, concat(start, names.subarray(0, names.length - 2)), [10]);
    expect(issues).toMatchObject([{ code: 'pcapng-truncated-block' }]);
  });

  it('reads on after an option that is too long, and with an unknown version', () => {
    const liar = block(1, new Octets().uint16(1).uint16(0).uint32(0).bytes(option(2, data).subarray(0, 12)));
    const { packets, issues } = feed(
      PcapngReader,
      concat(sectionHeader(true, [1, 9]), liar, enhancedPacket({ ticks: 1n, data })),
    );
    expect(packets).toHaveLength(1);
    expect(issues).toMatchObject([
      { code: 'pcapng-version' },
      { code: 'pcapng-option-too-long', required: 61, had: 8, field: 'option length' },
    ]);
  });

  it('gives the same however the input is cut', () => {
    const octets = concat(everything(), data.subarray(0, 9));
    const whole = outcome(feed(PcapngReader, octets));
    expect(outcome(feed(PcapngReader, octets, [1]))).toEqual(whole);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 12 }), (cuts) => {
        expect(outcome(feed(PcapngReader, octets, cuts))).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  it('survives damage anywhere, and any cut of it gives the same', () => {
    const octets = everything();
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: octets.length - 1 }),
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 300 }),
        (at, noise, cut) => {
          const damaged = octets.slice();
          damaged.set(noise.subarray(0, octets.length - at), at);
          expect(outcome(feed(PcapngReader, damaged, [cut]))).toEqual(outcome(feed(PcapngReader, damaged)));
        },
      ),
    );
  });
});
