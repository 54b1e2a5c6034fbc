/**
 * What captures lose in the field, done to the lab's captures afterwards: packets cut by `-s 96`, runs of packets that the kernel dropped, a
 * start in mid-connection and in mid-frame. What one hop lost another one has: the logs still say what lasthop must say.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cutAt, falseClaims, type Pcap, pcapOf, whole } from './records.js';
import { lasthop, type Sample, samples } from './sample.js';
import type { VerdictJson } from './verdict-json.js';

const folder = mkdtempSync(join(tmpdir(), 'lasthop-damaged-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Uncompressed pcap, without keys. */
const CHOSEN = samples.filter(({ name }) => ['incident-1', 'black-hole', 'sigstop', 'lost-acks'].includes(name));

async function verdictOf(
  sample: Sample,
  name: string,
  change: (capture: Pcap, hop: string) => Pcap,
): Promise<VerdictJson> {
  const directory = join(folder, `${sample.name}-${name}`);
  mkdirSync(directory);
  const inputs = sample.scenario.hops.map(({ name: hop, file }) => {
    const given = join(sample.dir, file);
    if (!file.endsWith('.pcap')) return `${hop}=${given}`;
    const path = join(directory, file);
    writeFileSync(path, whole(change(pcapOf(given), hop)));
    return `${hop}=${path}`;
  });
  const rest = sample.args.filter((arg) => !/^[\w-]+=/.test(arg));
  const { out } = await lasthop(['verdict', ...inputs, ...rest, '--json']);
  return JSON.parse(out);
}

const undecided = ({ commands }: VerdictJson) => commands.filter(({ outcome }) => outcome === 'inconclusive').length;
const open = ({ commands }: VerdictJson) =>
  commands
    .flatMap(({ attempts }) => attempts.flatMap(({ hops }) => hops))
    .filter(({ state }) => state === 'unobserved');

/** Runs of packets that are not in the capture, as when tcpdump's buffer was full. */
function withHoles({ header, records }: Pcap, every: number, length: number): Pcap {
  return { header, records: records.filter((_, i) => i < every || i % every >= length || i > records.length - every) };
}

describe.each(CHOSEN)('$name', (sample) => {
  const [inner, middle, outer] = sample.hops;

  it.each([inner, middle, outer])('packets of %s cut after 96 octets', async (hop) => {
    const verdict = await verdictOf(sample, `cut-${hop}`, (capture, of) => (of === hop ? cutAt(capture, 96) : capture));
    expect(falseClaims(sample, verdict)).toEqual([]);
    expect({ undecided: undecided(verdict), open: open(verdict) }).toEqual({ undecided: 0, open: [] });
  });

  it('packets of both proxies cut after 96 octets', async () => {
    const verdict = await verdictOf(sample, 'cut-both', (capture, of) => (of === inner ? capture : cutAt(capture, 96)));
    expect(falseClaims(sample, verdict)).toEqual([]);
    // What never reached origin is nowhere to be read.
    const unread = sample.expected.commands.filter(({ outcome }) => outcome === 'ack-lost').length;
    expect(undecided(verdict)).toBeLessThanOrEqual(unread);
    expect(open(verdict)).toEqual([]);
  });

  it('runs of packets missing at the middle hop', async () => {
    const verdict = await verdictOf(sample, 'holes-middle', (capture, of) =>
      of === middle ? withHoles(capture, 90, 6) : capture,
    );
    expect(falseClaims(sample, verdict)).toEqual([]);
    expect({ undecided: undecided(verdict), open: open(verdict) }).toEqual({ undecided: 0, open: [] });
  });

  it('runs of packets missing, at another time at each hop', async () => {
    const verdict = await verdictOf(sample, 'holes', (capture, of) =>
      withHoles(capture, 90 + 17 * sample.hops.indexOf(of), 6),
    );
    expect(falseClaims(sample, verdict)).toEqual([]);
  });

  it('captures that start in mid-connection, each at another packet', async () => {
    const verdict = await verdictOf(sample, 'late', ({ header, records }, of) => ({
      header,
      records: records.slice(Math.floor(records.length / (6 + sample.hops.indexOf(of)))),
    }));
    expect(falseClaims(sample, verdict)).toEqual([]);
  });
});
