/** Captures whose record headers are longer than their magic number says: as editcap writes them, they must read as what they were made of. */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readCapture } from '../../src/capture/read-capture.js';
import { RECOGNISABLE_OCTETS, recognise } from '../../src/capture/recognise.js';
import { pcap } from './build-capture.js';
import { type Seen, seen } from './feed.js';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lasthop-variants-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const source = path.resolve(import.meta.dirname, '../../samples/early-stop/npm.pcap');
const editcap = spawnSync('editcap', ['--version']).status === 0;

async function read(file: string) {
  const packets: Seen[] = [];
  const summary = await readCapture(file, { packet: (record) => packets.push(seen(record)) });
  return { packets, codes: summary.issues.map(({ code, text }) => `${code}: ${text}`) };
}

function converted(format: string): string {
  const file = path.join(folder, format);
  expect(spawnSync('editcap', ['-F', format, source, file]).status).toBe(0);
  return file;
}

describe.skipIf(!editcap)('variants of pcap', () => {
  it.each([
    ['nokiapcap', 20],
    ['rh6_1pcap', 24],
    ['suse6_3pcap', 28],
  ])('reads %s', async (format, octets) => {
    const { packets, codes } = await read(converted(format));
    expect(packets).toEqual((await read(source)).packets);
    expect(codes).toHaveLength(1);
    expect(codes[0]).toContain(`pcap-variant: The records have headers of ${octets} octets`);
  });

  it('says nothing of the ordinary one and of the one with a magic number of its own', async () => {
    for (const format of ['pcap', 'nsecpcap', 'modpcap']) {
      const { packets, codes } = await read(converted(format));
      expect(packets.length).toBe(152);
      expect(codes, format).toEqual([]);
    }
  });

  it.each([
    'snoop',
    'netmon1',
    'netmon2',
    'ngsniffer',
    'ngwsniffer_2_0',
    'observer',
    'visual',
    'nettl',
    '5views',
    'lanalyzer',
  ])('says of %s how to convert it', (format) => {
    const bytes = fs.readFileSync(converted(format)).subarray(0, RECOGNISABLE_OCTETS);
    expect(recognise(bytes, bytes.length)).toMatchObject({
      kind: 'other',
      detail: expect.stringContaining('editcap -F'),
    });
  });
});

it('does not take damage behind the first packet for a variant', async () => {
  const packet = (n: number) => ({ seconds: 1_700_000_000 + n, fraction: n, data: new Uint8Array(60).fill(n) });
  const octets = pcap([packet(1), packet(2), packet(3)]);
  octets.fill(0xff, 24 + 76, 24 + 76 + 16);
  const file = path.join(folder, 'damaged.pcap');
  fs.writeFileSync(file, octets);
  const { packets, codes } = await read(file);
  expect(packets).toHaveLength(1);
  expect(codes.map((text) => text.split(':')[0])).toEqual(['pcap-length-too-large']);
});

it.each([
  ['1c0001ac', 'Ixia'],
  ['ab01001c', 'Ixia'],
  ['a1b234cd', 'no current program reads'],
  ['4d3c2ba1', 'no current program reads'],
])('names %s', (magic, word) => {
  const bytes = Buffer.concat([Buffer.from(magic, 'hex'), Buffer.alloc(60)]);
  expect(recognise(bytes, bytes.length).detail).toContain(word);
});
