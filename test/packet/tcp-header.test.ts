import { describe, expect, it } from 'vitest';
import { Segment } from '../../src/packet/segment.js';
import { decodeTcpHeader, TcpHeader } from '../../src/packet/tcp-header.js';
import { tcp, u16, u32 } from './build-packet.js';

function decode(octets: readonly number[]) {
  const bytes = Uint8Array.from(octets);
  const segment = new Segment();
  const result = decodeTcpHeader(bytes, new DataView(bytes.buffer), 0, bytes.length, bytes.length, segment);
  expect(result).toBe(TcpHeader.ok);
  return segment;
}

describe('TCP options', () => {
  it('reads those of a SYN', () => {
    const options = [2, 4, ...u16(1460), 4, 2, 8, 10, ...u32(0xfffffffe), ...u32(0), 1, 3, 3, 7];
    expect(decode(tcp({ flags: 2, options }))).toMatchObject({
      maximumSegmentSize: 1460,
      sackPermitted: true,
      windowScale: 7,
      timestampValue: 0xfffffffe,
      timestampEcho: 0,
      optionsComplete: true,
    });
  });

  it('reads timestamps in their usual place', () => {
    const options = [1, 1, 8, 10, ...u32(0x80000000), ...u32(0x12345678)];
    expect(decode(tcp({ options }))).toMatchObject({
      timestampValue: 0x80000000,
      timestampEcho: 0x12345678,
      payloadLength: 0,
    });
  });

  it('reads up to four SACK blocks', () => {
    const blocks = [0xffffff00, 0x10, 0x100, 0x200, 0x300, 0x400, 5, 6].flatMap((edge) => [...u32(edge)]);
    const segment = decode(tcp({ options: [1, 1, 5, 34, ...blocks] }));
    expect(segment.sackBlocks).toBe(4);
    expect([...segment.sack]).toEqual([0xffffff00, 0x10, 0x100, 0x200, 0x300, 0x400, 5, 6]);
    expect(decode(tcp({ options: [1, 1, 5, 10, ...blocks.slice(0, 8)] })).sackBlocks).toBe(1);
  });

  it('takes a shift above 14 for 14 (RFC 7323, section 2.3)', () => {
    expect(decode(tcp({ options: [3, 3, 200, 0] })).windowScale).toBe(14);
  });

  it('forgets the options of the segment before', () => {
    const segment = new Segment();
    const withOptions = Uint8Array.from(tcp({ options: [2, 4, 5, 5, 5, 10, ...u32(1), ...u32(2), 4, 2] }));
    const without = Uint8Array.from(tcp());
    for (const bytes of [withOptions, without])
      decodeTcpHeader(bytes, new DataView(bytes.buffer), 0, bytes.length, bytes.length, segment);
    expect(segment).toMatchObject({ maximumSegmentSize: 0, sackBlocks: 0, sackPermitted: false, windowScale: -1 });
  });

  it.each([
    ['of length 0', [8, 0, 0, 0]],
    ['longer than the header', [8, 10, 0, 0]],
    ['without a length', [1, 1, 1, 8]],
  ])('stops at an option %s', (_, broken) => {
    const segment = decode(tcp({ options: [2, 4, ...u16(536), ...broken] }));
    expect(segment).toMatchObject({ maximumSegmentSize: 536, optionsComplete: false, timestampValue: 0 });
  });

  it('ignores what stands behind the end of the list', () => {
    expect(decode(tcp({ options: [0, 8, 0, 0] }))).toMatchObject({ optionsComplete: true });
  });
});
