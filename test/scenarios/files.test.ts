/**
 * The same captures as operators hand them over: rotated with overlaps and in any order, appended, captured twice, cut, with a hole. What
 * the logs of the run say must still be what lasthop says; or, where octets are missing, at least nothing else.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { allDifferences, witness } from './differences.js';
import { cutAt, falseClaims, type Pcap, pcapOf, seconds, whole } from './records.js';
import { lasthop, type Sample, samples } from './sample.js';
import type { VerdictJson } from './verdict-json.js';

const folder = mkdtempSync(join(tmpdir(), 'lasthop-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Uncompressed pcap, no keys, and no agent that answers on a later attempt only. */
const CHOSEN = samples.filter(({ name }) => ['incident-1', 'black-hole', 'hop-drops-text'].includes(name));

/** Pieces of equal length, each with `overlap` packets of the next one. */
function pieces({ header, records }: Pcap, count: number, overlap = 0): Pcap[] {
  const step = Math.ceil(records.length / count);
  return Array.from({ length: count }, (_, i) => ({
    header,
    records: records.slice(i * step, (i + 1) * step + overlap),
  }));
}

/** By the lower port; Ethernet and IPv4 without options. */
const fromServer = (record: Buffer) => record.readUInt16BE(16 + 14 + 20) < record.readUInt16BE(16 + 14 + 22);

/** Each packet once more, a few microseconds later, as a mirror port gives it. */
const twice = ({ header, records }: Pcap): Pcap => ({ header, records: records.flatMap((record) => [record, record]) });

async function verdictOf(
  sample: Sample,
  name: string,
  change: (capture: Pcap) => Buffer[],
  warning = /^$/,
): Promise<VerdictJson> {
  const directory = join(folder, `${sample.name}-${name.replace(/\W+/g, '-')}`);
  mkdirSync(directory);
  const inputs = sample.scenario.hops.flatMap(({ name: hop, file }) =>
    change(pcapOf(join(sample.dir, file))).map((octets, i) => {
      const path = join(directory, `${file}${i}`);
      writeFileSync(path, octets);
      return `${hop}=${path}`;
    }),
  );
  const rest = sample.args.filter((arg) => !/^[\w-]+=/.test(arg));
  const { status, out, err } = await lasthop(['verdict', ...inputs, ...rest, '--json']);
  expect(status, err).toBe(0);
  expect(err).toMatch(warning);
  return JSON.parse(out);
}

describe.each(CHOSEN)('$name', (sample) => {
  const seen = witness(sample);
  const reasonsOf = ({ hops }: VerdictJson) =>
    hops.flatMap(({ captures }) => captures.flatMap(({ reasons }) => reasons));

  it('rotated, with overlaps, in any order: is the same', async () => {
    const verdict = await verdictOf(sample, 'rotated', (capture) => {
      const [a, b, c, d, e] = pieces(capture, 5, 40).map(whole);
      return [d, a, e, c, b];
    });
    expect(allDifferences(sample, verdict, seen)).toEqual([]);
  });

  it('given twice under two names: is the same', async () => {
    const verdict = await verdictOf(sample, 'copied', (capture) => [whole(capture), whole(capture)]);
    expect(allDifferences(sample, verdict, seen)).toEqual([]);
  });

  it('dealt to three queues, one file each: is the same', async () => {
    const verdict = await verdictOf(sample, 'queues', ({ header, records }) =>
      [0, 1, 2].map((queue) => whole({ header, records: records.filter((_, i) => (i * 7 + (i >> 2)) % 3 === queue) })),
    );
    expect(allDifferences(sample, verdict, seen)).toEqual([]);
  });

  it('a file for each direction, as the ports of a tap give them: is the same', async () => {
    const verdict = await verdictOf(sample, 'directions', ({ header, records }) =>
      [true, false].map((out) => whole({ header, records: records.filter((record) => fromServer(record) === out) })),
    );
    expect(allDifferences(sample, verdict, seen)).toEqual([]);
  });

  it('with files that hold no packet: is the same', async () => {
    const verdict = await verdictOf(sample, 'empties', (capture) => [
      whole({ header: capture.header, records: [] }),
      ...pieces(capture, 2).map(whole),
    ]);
    expect(allDifferences(sample, verdict, seen)).toEqual([]);
    expect(verdict.findings.map(({ id }) => id)).not.toContain('capture-untrusted');
  });

  it('with a latest file that was opened and not written to yet: is the same, and says so', async () => {
    const verdict = await verdictOf(sample, 'opened', (capture) => [...pieces(capture, 2).map(whole), Buffer.alloc(0)]);
    expect(allDifferences(sample, verdict, seen)).toEqual([]);
    expect(verdict.findings.map(({ id }) => id)).not.toContain('capture-untrusted');
    for (const { captures } of verdict.hops) {
      expect(captures.map(({ packets }) => packets > 0)).toEqual([true, true, false]);
      expect(captures[2].reasons).toEqual([expect.stringContaining('an empty file, 0 octets')]);
      expect(captures.map(({ trust }) => trust)).toEqual(['full', 'full', 'limited']);
    }
  });

  it('alone without an octet: is no capture', async () => {
    const file = join(folder, `${sample.name}-nothing.pcap`);
    writeFileSync(file, '');
    for (const args of [
      ['verdict', `origin=${file}`],
      ['quality', file],
    ])
      expect(await lasthop(args)).toMatchObject({ status: 3, out: '', err: expect.stringContaining('0 octets') });
    const [beside] = sample.scenario.hops.map((hop) => join(sample.dir, hop.file));
    const { status, err, out } = await lasthop(['quality', beside, file, '--json']);
    expect({ status, err }).toEqual({ status: 0, err: expect.stringContaining('it is left out') });
    expect(JSON.parse(out).captures).toHaveLength(1);
  });

  it('with stamps a few microseconds out of order: is the same, and trusted', async () => {
    const verdict = await verdictOf(sample, 'jitter', ({ header, records }) => {
      const swapped = records.map((record) => Buffer.from(record));
      // The second of two that are no further apart is stamped before the first: 4 octets of microseconds.
      for (const at of [20, 60, 100]) {
        const near = swapped.findIndex((record, i) => i >= at && seconds(swapped[i + 1]) - seconds(record) < 2e-4);
        swapped[near + 1].writeUInt32LE(Math.max(0, swapped[near].readUInt32LE(4) - 3), 4);
        swapped[near + 1].writeUInt32LE(swapped[near].readUInt32LE(0), 0);
      }
      return [whole({ header, records: swapped })];
    });
    expect(allDifferences(sample, verdict, seen)).toEqual([]);
    expect(reasonsOf(verdict)).toEqual([]);
  });

  it('through pipes whose writers come in the opposite order, each when the one before is done: is the same', async () => {
    const pipes = sample.scenario.hops.map(({ name }) => join(folder, `${sample.name}-${name}.fifo`));
    execFileSync('mkfifo', pipes);
    const feed = sample.scenario.hops.map(({ file }, i) => `cat ${join(sample.dir, file)} > ${pipes[i]}`).reverse();
    const writer = spawn('sh', ['-c', feed.join(' && ')]);
    const rest = sample.args.filter((arg) => !/^[\w-]+=/.test(arg));
    const inputs = sample.scenario.hops.map(({ name }, i) => `${name}=${pipes[i]}`);
    const { status, out, err } = await lasthop(['verdict', ...inputs, ...rest, '--json']);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    writer.kill();
    expect(allDifferences(sample, JSON.parse(out), seen)).toEqual([]);
  });

  it('appended: is the same, and says so', async () => {
    const verdict = await verdictOf(sample, 'appended', (capture) => [Buffer.concat(pieces(capture, 3).map(whole))]);
    expect(allDifferences(sample, verdict, seen)).toEqual([]);
    expect(reasonsOf(verdict).filter((reason) => reason.includes('appended')).length).toBe(sample.hops.length);
  });

  it('appended in the wrong order: is the same, and says so', async () => {
    const verdict = await verdictOf(sample, 'backwards', (capture) => [
      Buffer.concat(pieces(capture, 3, 5).reverse().map(whole)),
    ]);
    expect(allDifferences(sample, verdict, seen)).toEqual([]);
    expect(reasonsOf(verdict).join()).toContain('in another order than that of their times');
  });

  it('put together in the wrong order without their headers: is read in the order of its times, and says so', async () => {
    const verdict = await verdictOf(sample, 'headless', ({ header, records }) => {
      const [a, b, c] = pieces({ header, records }, 3).map((piece) => piece.records);
      return [whole({ header, records: [...c, ...a, ...b] })];
    });
    expect(allDifferences(sample, verdict, seen)).toEqual([]);
    expect(reasonsOf(verdict).join()).toContain('in another order than that of their times');
  });

  it('with each packet twice, as mirror ports give them: is the same, and nothing was sent again', async () => {
    const verdict = await verdictOf(sample, 'mirrored', (capture) => [whole(twice(capture))]);
    expect(allDifferences(sample, verdict, seen)).toEqual([]);
    const once = await verdictOf(sample, 'once', (capture) => [whole(capture)]);
    const resent = ({ commands }: VerdictJson) =>
      commands.map(({ attempts }) => attempts.map(({ hops }) => hops.map(({ retransmissions }) => retransmissions)));
    expect(resent(verdict)).toEqual(resent(once));
  });

  it('with a hole of two seconds at every hop: claims nothing that is not so', async () => {
    const verdict = await verdictOf(sample, 'hole', ({ header, records }) => {
      const from = seconds(records[Math.floor(records.length / 2)]);
      return [
        whole({
          header,
          records: records.filter((record) => !(seconds(record) >= from && seconds(record) < from + 2)),
        }),
      ];
    });
    expect(falseClaims(sample, verdict)).toEqual([]);
  });

  it.each([60, 96, 200])('cut at %i octets: claims nothing that is not so', async (octets) => {
    const warning =
      octets < 100 ? /^(lasthop: warning: no ID of a command is in the captures: .*tcpdump -s 0.*\n)?$/ : /^$/;
    const verdict = await verdictOf(sample, `cut ${octets}`, (capture) => [whole(cutAt(capture, octets))], warning);
    expect(falseClaims(sample, verdict)).toEqual([]);
    expect(reasonsOf(verdict).join()).toContain('cut by the snapshot length');
  });
});
