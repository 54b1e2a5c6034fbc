import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PcapReader } from '../../src/capture/pcap-reader.js';
import { concat, Octets, pcap, pcapHeader, pcapRecord } from './build-capture.js';
import { feed, outcome } from './feed.js';

const data = (length: number, first = 1) => Uint8Array.from({ length }, (_, index) => (first + index) & 0xff);
const two = [
  { seconds: 1_700_000_000, fraction: 5, data: data(60) },
  { seconds: 1_700_000_001, fraction: 999_999, data: data(40, 9), originalLength: 1500 },
];

describe('PcapReader', () => {
  it.each([
    ['microseconds, little-endian', { littleEndian: true, magic: 0xa1b2c3d4 }, 1000, 6],
    ['microseconds, big-endian', { littleEndian: false, magic: 0xa1b2c3d4 }, 1000, 6],
    ['nanoseconds, little-endian', { littleEndian: true, magic: 0xa1b23c4d }, 1, 9],
    ['nanoseconds, big-endian', { littleEndian: false, magic: 0xa1b23c4d }, 1, 9],
  ])('reads %s', (_, shape, unitNs, digits) => {
    const { packets, issues, reader } = feed(PcapReader, pcap(two, shape));
    expect(issues).toEqual([]);
    expect(reader.timeDigits).toBe(digits);
    expect(reader.epochSeconds).toBe(1_700_000_000);
    expect(packets.map((packet) => packet.timeNs)).toEqual([5 * unitNs, 1e9 + 999_999 * unitNs]);
    expect(packets.map((packet) => [packet.number, packet.hex.length / 2, packet.wireLength])).toEqual([
      [1, 60, 60],
      [2, 40, 1500],
    ]);
    expect(reader.cutPackets).toBe(1);
  });

  it('counts time from a given epoch, also from a later one', () => {
    const { packets } = feed(PcapReader, pcap(two), undefined, 1_700_000_100);
    expect(packets[0].timeNs).toBe(-100e9 + 5000);
  });

  it('tallies first, last, earliest, latest and backward times', () => {
    const at = (seconds: number) => ({ seconds, fraction: 0, data: data(1) });
    const { reader } = feed(PcapReader, pcap([at(105), at(101), at(109), at(103)]), undefined, 100);
    const { firstTimeNs, lastTimeNs, minTimeNs, maxTimeNs, backwardsTimestamps } = reader;
    expect({ firstTimeNs, lastTimeNs, minTimeNs, maxTimeNs, backwardsTimestamps }).toEqual({
      firstTimeNs: 5e9,
      lastTimeNs: 3e9,
      minTimeNs: 1e9,
      maxTimeNs: 9e9,
      backwardsTimestamps: 2,
    });
  });

  it('masks the frame check sequence off the link type', () => {
    const { packets, issues } = feed(PcapReader, pcap(two, { network: 0x30000001 }));
    expect(packets[0].linkType).toBe(1);
    expect(issues).toEqual([]);
  });

  it('reads on with an unknown version, and says so', () => {
    const { packets, issues } = feed(PcapReader, pcap(two, { version: [2, 5] }));
    expect(packets).toHaveLength(2);
    expect(issues.map((issue) => issue.code)).toEqual(['pcap-version']);
  });

  it('takes a snapshot length of 0 as none, and more captured than original as it is', () => {
    const { packets, issues } = feed(PcapReader, pcap([{ ...two[0], originalLength: 50 }], { snapLength: 0 }));
    expect(packets[0].wireLength).toBe(60);
    expect(issues.map((issue) => issue.code)).toEqual(['pcap-captured-exceeds-original']);
  });

  it('reads the modified format with its longer record headers and its direction', () => {
    const record = (protocol: number, type: number) =>
      new Octets()
        .uint32(7)
        .uint32(0)
        .uint32(3)
        .uint32(3)
        .uint32(2)
        .uint16(protocol)
        .uint8(type, 0)
        .bytes([1, 2, 3])
        .done();
    const records = [record(0x0800, 4), record(0x0800, 0), record(0x0800, 3), record(0, 0)];
    const { packets } = feed(PcapReader, concat(pcapHeader({ magic: 0xa1b2cd34 }), ...records));
    // Sent, received, another host's; and what editcap writes, which does not know.
    expect(packets.map((packet) => [packet.hex, packet.direction])).toEqual([
      ['010203', 2],
      ['010203', 1],
      ['010203', 0],
      ['010203', 0],
    ]);
  });

  it('keeps what comes before a cut record, and says what is missing', () => {
    const whole = pcap(two);
    const { packets, issues } = feed(PcapReader, whole.subarray(0, whole.length - 1));
    expect(packets).toHaveLength(1);
    expect(issues).toMatchObject([
      {
        code: 'pcap-truncated-record',
        packet: 2,
        offset: 24 + 16 + 60,
        required: 56,
        had: 55,
        field: 'captured packet length',
      },
    ]);
  });

  it('says so where a record header is cut', () => {
    const { issues } = feed(PcapReader, pcap(two).subarray(0, 24 + 76 + 7));
    expect(issues).toMatchObject([
      { code: 'pcap-truncated-record', packet: 2, required: 16, had: 7, field: 'record header' },
    ]);
  });

  it('does not believe a length that no capture has, and stops there', () => {
    const liar = new Octets().uint32(1).uint32(2).uint32(0xfffffff0).uint32(60).bytes(data(500)).done();
    const { packets, issues, reader } = feed(PcapReader, concat(pcap(two), liar));
    expect(packets).toHaveLength(2);
    expect(reader.stopped).toBe(true);
    expect(issues).toMatchObject([
      {
        code: 'pcap-length-too-large',
        packet: 3,
        offset: 24 + 76 + 56,
        required: 0xfffffff0,
        had: 262144,
        field: 'captured packet length',
      },
    ]);
  });

  it('counts zeros where packets must start, without taking 1970 for their time', () => {
    const { packets, issues, reader } = feed(PcapReader, concat(pcap(two), new Uint8Array(160)));
    expect(packets).toHaveLength(12);
    expect(packets[11]).toMatchObject({ number: 12, timed: false, timeNs: packets[1].timeNs, hex: '' });
    expect([reader.timedPackets, reader.minTimeNs]).toEqual([2, 5000]);
    expect(issues[0]).toMatchObject({ code: 'pcap-zero-filled', packet: 3, offset: 24 + 76 + 56 });
  });

  it('asks for no more than the largest record', () => {
    const largest = new Octets().uint32(1).uint32(2).uint32(262144).uint32(262144).done();
    const { reader } = feed(PcapReader, concat(pcapHeader(), largest));
    expect(reader.stopped).toBe(false);
    expect(reader.neededOctets).toBe(262144 + 16);
  });

  it('reads a capture that was appended, of another byte order and link type', () => {
    const appended = pcap(two, { littleEndian: false, magic: 0xa1b23c4d, network: 113 });
    const { packets, issues, reader } = feed(PcapReader, concat(pcap(two), appended));
    expect(packets.map((packet) => [packet.number, packet.linkType, packet.interfaceId])).toEqual([
      [1, 1, 0],
      [2, 1, 0],
      [3, 113, 1],
      [4, 113, 1],
    ]);
    expect(issues).toMatchObject([{ code: 'pcap-appended', packet: 3, offset: 24 + 76 + 56 }]);
    expect(reader.timeDigits).toBe(9);
  });

  it('takes an empty packet of 2055 that is no file header for a packet', () => {
    const record = pcapRecord({ seconds: 0xa1b2c3d4, fraction: 7, data: data(0) });
    const { packets, issues } = feed(PcapReader, concat(pcap(two), record));
    expect(packets).toHaveLength(3);
    expect(issues).toEqual([]);
  });

  it('gives the same however the input is cut', () => {
    const octets = concat(pcap(two), pcap(two, { littleEndian: false, magic: 0xa1b23c4d }), data(9));
    const whole = outcome(feed(PcapReader, octets));
    expect(outcome(feed(PcapReader, octets, [1]))).toEqual(whole);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 12 }), (cuts) => {
        expect(outcome(feed(PcapReader, octets, cuts))).toEqual(whole);
      }),
    );
  });

  it('survives any octets, and any cut of them gives the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 1, max: 50 }), (garbage, cut) => {
        const octets = concat(pcapHeader(), garbage);
        expect(outcome(feed(PcapReader, octets, [cut]))).toEqual(outcome(feed(PcapReader, octets)));
      }),
    );
  });
});
