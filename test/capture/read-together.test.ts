/** Several captures read as one, against the order in which their packets were sent, and against mergecap where it is installed. */

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { CaptureError } from '../../src/capture/capture-error.js';
import type { PacketRecord } from '../../src/capture/packet-record.js';
import { readTogether } from '../../src/capture/read-together.js';
import { concat, enhancedPacket, interfaceDescription, pcap, sectionHeader } from './build-capture.js';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lasthop-together-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const SECONDS = 1_700_000_000;

/** Packet `n` is sent at `n` milliseconds and has `n` in it, and octets that make buffers run over. */
const packet = (n: number, octets = 600) => ({
  seconds: SECONDS + Math.floor(n / 1000),
  fraction: (n % 1000) * 1000,
  data: Uint8Array.from({ length: octets }, (_, i) => (i < 4 ? n >>> (8 * (3 - i)) : i) & 0xff),
});

function file(
  name: string,
  numbers: readonly number[],
  change: (octets: Uint8Array) => Uint8Array = (all) => all,
): string {
  const full = path.join(folder, name);
  fs.writeFileSync(full, change(pcap(numbers.map((n) => packet(n)))));
  return full;
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** What each packet says of itself, where it stands by file and number, and its time. */
async function read(files: readonly string[], epochSeconds: number | null = null) {
  const seen: number[] = [];
  const places: string[] = [];
  let base = -1;
  let timesAreRight = true;
  const sink = {
    fileAtHand: (value: number) => {
      base = value;
    },
    packet: ({ bytes, start, number, timeNs, epochSeconds: epoch, end, wireLength }: PacketRecord) => {
      const n = new DataView(bytes.buffer, bytes.byteOffset).getUint32(start);
      seen.push(n);
      places.push(`${base}+${number}`);
      timesAreRight &&= (epoch - SECONDS) * 1e9 + timeNs === n * 1e6 && end - start === wireLength;
    },
  };
  const result = await readTogether(files, sink, { epochSeconds });
  expect(timesAreRight).toBe(true);
  expect(new Set(places).size).toBe(places.length);
  // The file that a running number is of is the last one whose base is below.
  for (const [i, place] of places.entries()) {
    const [of, number] = place.split('+').map(Number);
    const found = result.read.findLast((each) => each.base < of + number);
    expect(found?.base, `packet ${i}`).toBe(of);
  }
  return { seen, ...result };
}

describe('readTogether', () => {
  it('puts rotated files in order', async () => {
    const files = [file('r2', range(2000, 3000)), file('r0', range(0, 1000)), file('r1', range(1000, 2000))];
    const { seen, read: read_, epochSeconds } = await read(files);
    expect(seen).toEqual(range(0, 3000));
    expect(read_.map(({ summary }) => path.basename(summary.file))).toEqual(['r0', 'r1', 'r2']);
    expect(read_.map(({ summary }) => summary.packets)).toEqual([1000, 1000, 1000]);
    expect(epochSeconds).toBe(SECONDS);
  });

  it('joins files that overlap, with what is in both of them twice, side by side', async () => {
    const { seen } = await read([file('o1', range(500, 2000)), file('o0', range(0, 1000))]);
    expect(seen).toEqual([...range(0, 500), ...range(500, 1000).flatMap((n) => [n, n]), ...range(1000, 2000)]);
  });

  it('joins a file for each direction, each interface, each queue', async () => {
    const queue = (of: number) => range(0, 5000).filter((n) => (Math.imul(n, 0x9e3779b1) >>> 16) % 3 === of);
    const { seen } = await read([file('q0', queue(0)), file('q1', queue(1)), file('q2', queue(2))]);
    expect(seen).toEqual(range(0, 5000));
  });

  it('joins a short one that lies within a long one', async () => {
    const { seen } = await read([file('long', range(0, 3000)), file('short', range(1700, 1710)), file('none', [])]);
    expect(seen).toEqual(range(0, 3000).flatMap((n) => (n >= 1700 && n < 1710 ? [n, n] : [n])));
  });

  it('keeps the order within a file, also where its times run backwards', async () => {
    const { seen } = await read([file('back', [0, 50, 20, 60]), file('other', [10, 55])]);
    expect(seen).toEqual([0, 10, 50, 20, 55, 60]);
  });

  it('counts from a given epoch', async () => {
    const { seen, epochSeconds } = await read([file('e0', [0, 2]), file('e1', [1])], SECONDS - 1000);
    expect(seen).toEqual([0, 1, 2]);
    expect(epochSeconds).toBe(SECONDS - 1000);
  });

  const zstd = spawnSync('zstd', ['--version']).status === 0;
  it('reads compressed ones beside plain ones and pcapng', async () => {
    const third = (of: number) => range(0, 6000).filter((n) => n % 4 === of);
    const squeeze = (all: Uint8Array) => spawnSync('zstd', ['-q', '-c'], { input: all, maxBuffer: 1e9 }).stdout;
    const blocks = third(3).map((n) => {
      const { seconds, fraction, data } = packet(n);
      return enhancedPacket({ ticks: BigInt(seconds) * 1_000_000n + BigInt(fraction), data });
    });
    const ng = path.join(folder, 'third.pcapng');
    fs.writeFileSync(ng, concat(sectionHeader(), interfaceDescription(), ...blocks));
    const { seen, read: read_ } = await read([
      file('c0.gz', third(0), zlib.gzipSync),
      file('c1', third(1)),
      zstd ? file('c2.zst', third(2), squeeze) : file('c2', third(2)),
      ng,
    ]);
    expect(seen).toEqual(range(0, 6000));
    expect(read_.map(({ summary }) => summary.issues.length)).toEqual([0, 0, 0, 0]);
  });

  it('keeps what a damaged file held before its damage, in its place', async () => {
    const cut = (all: Uint8Array) => zlib.gzipSync(all).subarray(0, 200_000);
    const odd = range(0, 4000).filter((n) => n % 2 === 1);
    const noise = pcap(odd.map((n) => ({ ...packet(n), data: scrambled(n) })));
    const damaged = path.join(folder, 'damaged.gz');
    fs.writeFileSync(damaged, cut(noise));
    const { seen, read: read_ } = await read([
      file(
        'even',
        range(0, 4000).filter((n) => n % 2 === 0),
      ),
      damaged,
    ]);
    const { summary } = read_[1];
    expect(summary.issues.map(({ code }) => code)).toContain('gzip-damaged');
    expect(summary.packets).toBeGreaterThan(100);
    expect(summary.packets).toBeLessThan(2000);
    expect(seen).toEqual(range(0, 4000).filter((n) => n % 2 === 0 || n < 2 * summary.packets));
  });

  it('reads a pipe once, together with files', async () => {
    const pipe = path.join(folder, 'pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    const content = file(
      'piped',
      range(0, 4000).filter((n) => n % 3 === 0),
    );
    const writer = spawn('sh', ['-c', `cat ${content} > ${pipe}`]);
    const { seen } = await read([
      file(
        'beside',
        range(0, 4000).filter((n) => n % 3 !== 0),
      ),
      pipe,
    ]);
    expect(seen).toEqual(range(0, 4000));
    writer.kill();
  });

  it('reads pipes together, and does not wait long for one that says nothing', async () => {
    const pipes = ['busy', 'silent'].map((name) => path.join(folder, `${name}.fifo`));
    expect(spawnSync('mkfifo', pipes).status).toBe(0);
    // More than a pipe holds, and more than is read at once.
    const busy = file('busy', range(0, 3000));
    const silent = file('silent', range(3000, 3100));
    // The silent one writes when the busy one has written all.
    const writer = spawn('sh', ['-c', `exec 3> ${pipes[1]}; cat ${busy} > ${pipes[0]}; cat ${silent} >&3`]);
    const { seen } = await read(pipes);
    expect(seen).toEqual(range(0, 3100));
    writer.kill();
  });

  it('leaves a file of no octets out, beside others', async () => {
    const nothing = path.join(folder, 'nothing-yet');
    fs.writeFileSync(nothing, '');
    const { seen, read: read_ } = await read([nothing, file('n0', range(0, 10)), file('n1', range(10, 20))]);
    expect(seen).toEqual(range(0, 20));
    expect(read_.map(({ summary }) => summary.packets)).toEqual([10, 10, 0]);
    expect(read_[2].summary.issues.map(({ code }) => code)).toEqual(['empty-file']);
    await expect(read([nothing, path.join(folder, '.', 'nothing-yet')])).rejects.toThrow('0 octets');
  });

  it('throws what a file is refused for, and lets go of the others', async () => {
    const wrong = path.join(folder, 'wrong.txt');
    fs.writeFileSync(wrong, 'a log\n');
    await expect(read([file('right', range(0, 9000)), wrong])).rejects.toBeInstanceOf(CaptureError);
    await expect(read([file('right', range(0, 9000)), folder])).rejects.toBeInstanceOf(CaptureError);
    await expect(read([file('right', range(0, 9000)), path.join(folder, 'missing')])).rejects.toBeInstanceOf(
      CaptureError,
    );
  });

  it('throws what a sink throws', async () => {
    const files = [file('s0', range(0, 5000)), file('s1', range(100, 5000))];
    const sink = {
      fileAtHand: () => {},
      packet: ({ number }: PacketRecord) => {
        if (number === 300) throw new RangeError('enough');
      },
    };
    await expect(readTogether(files, sink, { epochSeconds: null })).rejects.toThrow('enough');
  });

  const mergecap = spawnSync('mergecap', ['--version']).status === 0;
  it.skipIf(!mergecap)('gives the order that mergecap gives', async () => {
    const parts = [0, 1, 2, 3].map((of) =>
      file(
        `m${of}`,
        range(0, 3000).filter((n) => (Math.imul(n + 7, 0x85ebca6b) >>> 13) % 4 === of || n % 500 < 20 * of),
      ),
    );
    const merged = path.join(folder, 'merged.pcap');
    expect(spawnSync('mergecap', ['-F', 'pcap', '-w', merged, ...parts]).status).toBe(0);
    const { seen } = await read(parts);
    const alone = await read([merged, file('nothing', [])]);
    expect(seen).toEqual(alone.seen);
    expect(seen.length).toBeGreaterThan(3000);
  });
});

/** Does not compress, so that a cut loses only the end. */
function scrambled(n: number): Uint8Array {
  let state = n + 1;
  return Uint8Array.from({ length: 600 }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return i < 4 ? (n >>> (8 * (3 - i))) & 0xff : state >>> 24;
  });
}
