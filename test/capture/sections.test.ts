/** Captures appended to one another in one file: found, and read in the order of their times. */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import type { PacketRecord } from '../../src/capture/packet-record.js';
import { readCapture } from '../../src/capture/read-capture.js';
import { readTogether } from '../../src/capture/read-together.js';
import { type FileSection, sectionsToSort } from '../../src/capture/sections.js';
import { concat, enhancedPacket, interfaceDescription, pcap, sectionHeader } from './build-capture.js';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lasthop-sections-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const SECONDS = 1_700_000_000;
const classic = (...times: number[]) =>
  pcap(times.map((n) => ({ seconds: SECONDS + n, fraction: 0, data: Uint8Array.of(n, 1, 2) })));
const ng =
  (littleEndian: boolean) =>
  (...times: number[]) =>
    concat(
      sectionHeader(littleEndian),
      interfaceDescription({ littleEndian }),
      ...times.map((n) =>
        enhancedPacket({ ticks: BigInt(SECONDS + n) * 1_000_000n, data: Uint8Array.of(n, 1, 2), littleEndian }),
      ),
    );

async function sections(content: Uint8Array): Promise<FileSection[] | null> {
  const file = path.join(folder, 'file');
  fs.writeFileSync(file, content);
  return sectionsToSort(await readCapture(file, { packet: () => {} }));
}

async function inOrder(parts: readonly (string | FileSection)[]): Promise<{ times: number[]; numbers: number[] }> {
  const times: number[] = [];
  const numbers: number[] = [];
  const packet = ({ bytes, start, number }: PacketRecord) => {
    times.push(bytes[start]);
    numbers.push(number);
  };
  await readTogether(parts, { packet, fileAtHand: () => {} }, { epochSeconds: null });
  return { times, numbers };
}

it.each([
  ['pcap', classic, classic],
  ['pcapng', ng(true), ng(true)],
  ['pcapng in both byte orders', ng(true), ng(false)],
])('%s: sorts sections, and keeps the numbers of the file', async (_, one, other) => {
  const found = await sections(concat(one(20, 21, 22), other(10, 11), one(), other(5, 15)));
  expect(found?.map(({ packetsBefore }) => packetsBefore)).toEqual([0, 3, 5, 5]);
  expect(await inOrder(found ?? [])).toEqual({ times: [5, 10, 11, 15, 20, 21, 22], numbers: [6, 4, 5, 7, 1, 2, 3] });
});

it('leaves alone what is in order, also where times within a section run backwards', async () => {
  expect(await sections(concat(classic(1, 2), classic(3, 4)))).toBeNull();
  expect(await sections(classic(3, 1, 2))).toBeNull();
  expect(await sections(concat(classic(3, 1, 2), classic(4)))).toBeNull();
});

it('leaves alone what cannot be read from the middle', async () => {
  expect(await sections(zlib.gzipSync(concat(classic(3, 4), classic(1, 2))))).toBeNull();
});
