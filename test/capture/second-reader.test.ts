import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { compareWithSecondReader } from '../../src/capture/second-reader.js';
import { concat, pcap, pcapHeader, pcapRecord, sectionHeader } from './build-capture.js';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lasthop-second-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

function compare(content: Uint8Array) {
  const file = path.join(folder, 'capture');
  fs.writeFileSync(file, content);
  return compareWithSecondReader(file);
}

const packets = Array.from({ length: 300 }, (_, index) => ({
  seconds: 1_700_000_000 + index,
  fraction: 999_999 - index,
  data: Uint8Array.from({ length: 40 + index * 3 }, (_, at) => at & 0xff),
}));

describe('compareWithSecondReader', () => {
  it.each([true, false])('agrees on a plain capture (little-endian %s)', async (littleEndian) => {
    expect(await compare(pcap(packets, { littleEndian }))).toEqual({
      agrees: true,
      compared: 300,
      firstDifference: null,
      skippedBecause: null,
    });
  });

  it('finds where the readers part', async () => {
    // Version 2.2 has the lengths the other way round, which only our reader knows.
    const old = concat(pcapHeader({ version: [2, 2] }), pcapRecord({ ...packets[0], originalLength: 70 }));
    const swapped = old.slice();
    swapped.set(old.subarray(24 + 12, 24 + 16), 24 + 8);
    swapped.set(old.subarray(24 + 8, 24 + 12), 24 + 12);
    expect(await compare(swapped)).toMatchObject({
      agrees: false,
      firstDifference: 'the first reader finds 1 packets, the second 0',
    });
  });

  it.each([
    ['nanosecond', pcap(packets, { magic: 0xa1b23c4d }), /nanosecond/],
    ['pcapng', sectionHeader(), /pcapng/],
    ['gzip', Uint8Array.from(zlib.gzipSync(pcap(packets))), /decompress/],
    ['cut', pcap(packets).slice(0, -1), /pcap-truncated-record/],
    [
      'lying',
      concat(
        pcap(packets),
        Uint8Array.from({ length: 16 }, () => 0xf0),
      ),
      /pcap-length-too-large/,
    ],
  ])('does not give it what it cannot read: %s', async (_, content, because) => {
    expect(await compare(content)).toMatchObject({ agrees: null, skippedBecause: expect.stringMatching(because) });
  });
});
