import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import zlib from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { CaptureError } from '../../src/capture/capture-error.js';
import { peekCapture } from '../../src/capture/peek-capture.js';
import { type ReadCaptureOptions, readCapture } from '../../src/capture/read-capture.js';
import { concat, enhancedPacket, interfaceDescription, pcap, pcapHeader, sectionHeader } from './build-capture.js';
import { type Seen, seen } from './feed.js';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lasthop-capture-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

function file(name: string, content: Uint8Array | string): string {
  const full = path.join(folder, name);
  fs.writeFileSync(full, content);
  return full;
}

async function read(name: string, options?: ReadCaptureOptions) {
  const packets: Seen[] = [];
  const summary = await readCapture(name, { packet: (record) => packets.push(seen(record)) }, options);
  return { packets, summary };
}

async function failure(name: string, options?: ReadCaptureOptions): Promise<CaptureError> {
  const error = await read(name, options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CaptureError);
  return error as CaptureError;
}

const sizes = [60, 1514, 9000, 3, 200_000, 70_000, 1, 262_144, 40];
const capture = pcap(
  sizes.map((size, index) => ({
    seconds: 1_700_000_000 + index,
    fraction: index,
    // Not compressible, so that a cut of the compressed file loses only its end.
    data: Uint8Array.from({ length: size }, (_, at) => (Math.imul(at + index, 0x9e3779b1) >>> 13) & 0xff),
  })),
);
const plain = file('plain.pcap', capture);
const whole = await read(plain);

describe('readCapture', () => {
  it('reads a file', () => {
    expect(whole.packets.map((packet) => packet.hex.length / 2)).toEqual(sizes);
    expect(whole.summary).toMatchObject({
      file: plain,
      format: 'pcap',
      compression: null,
      linkTypes: ['ETHERNET'],
      packets: 9,
      cutPackets: 0,
      epochSeconds: 1_700_000_000,
      firstTimeNs: 0,
      lastTimeNs: 8_000_008_000,
      timeDigits: 6,
      issues: [],
      octets: capture.length,
      drops: { dropped: null, droppedByOs: null, beforePackets: 0 },
      interfaces: [{ name: null, linkType: 1, snapLength: 262144, tsResolution: '10^-6', packets: 9 }],
    });
  });

  it.each([16, 1000, 65_536])('gives the same with a buffer of %i octets', async (chunkOctets) => {
    expect((await read(plain, { chunkOctets })).packets).toEqual(whole.packets);
  });

  it('reads a damaged gzip file to the octet, and what stands before garbage', async () => {
    const gzip = zlib.gzipSync(capture);
    const garbage = await read(file('garbage.gz', Buffer.concat([gzip, Buffer.from('and more')])));
    expect(garbage.packets).toEqual(whole.packets);
    expect(garbage.summary.issues.map(({ code }) => code)).toEqual(['gzip-damaged']);
    // What is left of 300,000 octets is in it, though they came in one piece with the damage behind them.
    const long = Buffer.concat([zlib.gzipSync(capture.subarray(0, 300_000)), Buffer.from('and more')]);
    const { summary } = await read(file('long.gz', long));
    expect(summary.issues.map(({ code, offset }) => [code, offset])).toEqual([
      ['gzip-damaged', 300_000],
      ['pcap-truncated-record', expect.any(Number)],
    ]);
  });

  it.each([
    ['pcap-other-format', concat(capture, sectionHeader(), interfaceDescription())],
    ['pcapng-other-format', concat(sectionHeader(), interfaceDescription(), capture)],
  ])('says %s where two formats were appended', async (code, content) => {
    const { summary } = await read(file(code, content));
    expect(summary.issues.map((issue) => issue.code)).toEqual([code]);
  });

  it.each([1, 7, 4096, 1_000_000])('gives the same from standard input in pieces of %i octets', async (length) => {
    const head = capture.subarray(0, length < 100 ? 24 + 76 + 1530 : capture.length);
    const pieces = function* () {
      for (let at = 0; at < head.length; at += length) yield Buffer.from(head.subarray(at, at + length));
    };
    const { packets, summary } = await read('-', { stdin: Readable.from(pieces()) });
    expect(packets).toEqual(whole.packets.slice(0, packets.length));
    expect(packets.length).toBe(length < 100 ? 2 : 9);
    expect(summary).toMatchObject({ file: '-', issues: [], octets: head.length });
  });

  it('reads gzip from a file and from standard input, also of several members', async () => {
    const middle = 5000;
    const packed = concat(zlib.gzipSync(capture.subarray(0, middle)), zlib.gzipSync(capture.subarray(middle)));
    const fromFile = await read(file('packed.bin', packed));
    expect(fromFile.packets).toEqual(whole.packets);
    expect(fromFile.summary).toMatchObject({ compression: 'gzip', format: 'pcap', issues: [], octets: packed.length });
    expect((await read('-', { stdin: Readable.from([Buffer.from(packed)]) })).packets).toEqual(whole.packets);
  });

  it('uses what is readable of a cut gzip file, and says so', async () => {
    const packed = zlib.gzipSync(capture);
    for (const kept of [0.3, 0.6, 0.9, 0.999]) {
      const length = Math.floor(packed.length * kept);
      const { packets, summary } = await read(file('cut.gz', packed.subarray(0, length)));
      expect(packets).toEqual(whole.packets.slice(0, packets.length));
      // All that zlib can get out of these octets.
      const readable = zlib.gunzipSync(packed.subarray(0, length), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
      const expected = sizes.filter(
        (_, index) => 24 + sizes.slice(0, index + 1).reduce((sum, size) => sum + 16 + size, 0) <= readable.length,
      );
      expect(packets.length).toBe(expected.length);
      expect(summary.issues.map((issue) => issue.code)).toContain('gzip-damaged');
    }
  });

  it('uses what comes before damage in a gzip file', async () => {
    const packed = zlib.gzipSync(capture);
    packed.fill(0xff, Math.floor(packed.length / 2), Math.floor(packed.length / 2) + 64);
    const { packets, summary } = await read(file('damaged.gz', packed));
    expect(packets.length).toBeGreaterThan(0);
    expect(packets.slice(0, 3)).toEqual(whole.packets.slice(0, 3));
    expect(summary.issues.length).toBeGreaterThan(0);
  });

  it.skipIf(spawnSync('zstd', ['--version']).status !== 0)('reads zstd, whole and cut', async () => {
    const packed = spawnSync('zstd', ['-qc', plain], { maxBuffer: 1e8 }).stdout;
    const { packets, summary } = await read(file('packed.zst', packed));
    expect(packets).toEqual(whole.packets);
    expect(summary).toMatchObject({ compression: 'zstd', issues: [] });
    const cut = await read(file('cut.zst', packed.subarray(0, packed.length - 100)));
    expect(cut.packets).toEqual(whole.packets.slice(0, cut.packets.length));
    expect(cut.summary.issues.map((issue) => issue.code)).toContain('zstd-damaged');
  });

  it('reads a capture without packets: that is no error', async () => {
    const { summary } = await read(file('none.pcap', pcapHeader()));
    expect(summary).toMatchObject({ packets: 0, firstTimeNs: null, minTimeNs: null, epochSeconds: null, issues: [] });
    expect(await read(file('none.pcapng', sectionHeader()))).toMatchObject({ summary: { packets: 0, linkTypes: [] } });
  });

  it('uses everything before a cut', async () => {
    const { packets, summary } = await read(file('cut.pcap', capture.subarray(0, capture.length - 1)));
    expect(packets).toHaveLength(8);
    expect(summary.issues).toMatchObject([{ code: 'pcap-truncated-record', packet: 9, required: 56, had: 55 }]);
  });

  it('tells its progress', async () => {
    const calls: [number, number | null][] = [];
    await read(plain, { chunkOctets: 100_000, onProgress: (octets, total) => calls.push([octets, total]) });
    expect(calls.at(-1)).toEqual([capture.length, capture.length]);
    await read('-', {
      stdin: Readable.from([Buffer.from(capture)]),
      onProgress: (octets, total) => calls.push([octets, total]),
    });
    expect(calls.at(-1)).toEqual([capture.length, null]);
  });

  it('hands on what the sink throws, from every kind of input', async () => {
    const sink = {
      packet: () => {
        throw new Error('a defect of ours');
      },
    };
    const packed = file('sink.gz', zlib.gzipSync(capture));
    for (const name of [plain, packed]) await expect(readCapture(name, sink)).rejects.toThrow('a defect of ours');
    const stdin = Readable.from([Buffer.from(capture)]);
    await expect(readCapture('-', sink, { stdin })).rejects.toThrow('a defect of ours');
  });
});

describe('inputs that are no captures', () => {
  it('tells a missing file and a directory', async () => {
    expect(await failure(path.join(folder, 'nowhere'))).toMatchObject({
      code: 'file-not-found',
      detail: 'no such file',
    });
    expect(await failure(folder)).toMatchObject({ code: 'is-a-directory' });
  });

  it('tells empty files and empty input from captures without packets', async () => {
    expect(await failure(file('empty', ''))).toMatchObject({ code: 'empty-file', detail: 'an empty file, 0 octets' });
    expect(await failure(file('empty.gz', zlib.gzipSync('')))).toMatchObject({ code: 'empty-file' });
    expect(await failure('-', { stdin: Readable.from([]) })).toMatchObject({ code: 'empty-file', file: '-' });
  });

  it('names a TLS key log, and how to pass it', async () => {
    const line = `CLIENT_RANDOM ${'0a'.repeat(32)} ${'1b'.repeat(48)}\n`;
    const error = await failure(file('keys.log', `# comment\n${line}`));
    expect(error).toMatchObject({ recognised: 'tls-key-log', detail: 'this is a TLS key log: pass it with --keylog' });
    expect(error.message).toContain('keys.log: this is a TLS key log');
  });

  it('says so where a capture ends within its own header', async () => {
    expect(await failure(file('header.pcap', pcapHeader().subarray(0, 20)))).toMatchObject({ code: 'header-cut' });
    expect(await failure(file('header.pcapng', sectionHeader().subarray(0, 10)))).toMatchObject({ code: 'header-cut' });
  });

  it('refuses gzip within gzip', async () => {
    expect(await failure(file('twice.gz', zlib.gzipSync(zlib.gzipSync(capture))))).toMatchObject({
      code: 'compressed-twice',
    });
  });

  it('reports a stream that fails, after what it gave', async () => {
    const stdin = new PassThrough();
    stdin.write(capture.subarray(0, 4000));
    setTimeout(() => stdin.destroy(new Error('the pipe broke')), 20);
    expect(await failure('-', { stdin })).toMatchObject({ code: 'read-failed', packet: 2 });
    stdin.emit('error', new Error('late'));
  });
});

describe('peekCapture', () => {
  it('gives format, link types and the first packet’s time', async () => {
    const expected = { format: 'pcap', linkTypes: ['ETHERNET'], firstSeconds: 1_700_000_000, firstNanoseconds: 0 };
    expect(await peekCapture(plain)).toMatchObject({ ...expected, compression: null });
    expect(await peekCapture(file('peek.gz', zlib.gzipSync(capture)))).toMatchObject({
      ...expected,
      compression: 'gzip',
    });
    const ng = concat(
      sectionHeader(),
      interfaceDescription({ linkType: 276, resolution: 9 }),
      enhancedPacket({ ticks: 1_700_000_000_123_456_789n, data: new Uint8Array(9) }),
    );
    expect(await peekCapture(file('peek', ng))).toMatchObject({
      format: 'pcapng',
      linkTypes: ['LINUX_SLL2'],
      timeDigits: 9,
      firstSeconds: 1_700_000_000,
      firstNanoseconds: 123_456_789,
    });
  });

  it('gives no time for a capture without packets, and fails as reading does', async () => {
    expect(await peekCapture(file('peek-none', pcapHeader()))).toMatchObject({
      firstSeconds: null,
      firstNanoseconds: null,
    });
    await expect(peekCapture(folder)).rejects.toBeInstanceOf(CaptureError);
  });
});
