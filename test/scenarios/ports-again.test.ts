/**
 * Connections on a four-tuple that was used before, of another agent behind the same address or of the same one: without the packets that
 * open or end them, and with captures that begin and end between them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { altered, pcapSample } from './altered.js';
import { falseClaims, type Pcap } from './records.js';
import { log, samples } from './sample.js';
import type { VerdictJson } from './verdict-json.js';

const folder = mkdtempSync(join(tmpdir(), 'lasthop-ports-'));
afterAll(() => rmSync(folder, { recursive: true }));

const sample = pcapSample(samples, 'four-tuple-reuse');
const FIN = 1;
const SYN = 2;
const RST = 4;
/** Ethernet and IPv4 without options. */
const flags = (record: Buffer) => record[16 + 14 + 20 + 13];
const without = ({ header, records }: Pcap, some: number): Pcap => ({
  header,
  records: records.filter((record) => (flags(record) & some) === 0),
});

const decided = ({ commands }: VerdictJson) => commands.filter(({ outcome }) => outcome !== 'inconclusive').length;
/** On which connection of the server, by its log, each command was offered; lasthop's IDs have no part in it. */
const agentsOf = ({ commands }: VerdictJson) =>
  commands.flatMap(({ id, agent }) => {
    const offer = log(sample, 'server').find((note) => note['event'] === 'offer' && note['id'] === id);
    return agent === null || agent === offer?.['agent'] ? [] : [`${id}: ${agent}, server log: ${offer?.['agent']}`];
  });

it('is what it says: the agents of one address used one port by turns', () => {
  const opened = log(sample, 'agents').filter(({ event }) => event === 'open');
  expect(opened.length).toBe(13);
});

describe.each([
  ['openings', SYN],
  ['ends', FIN | RST],
  ['openings and ends', SYN | FIN | RST],
])('without %s', (_, some) => {
  it.each([...sample.hops, 'every hop'])('at %s', async (at) => {
    const { verdict } = await altered(folder, sample, `${at} ${some}`, (capture, hop) =>
      at === hop || at === 'every hop' ? without(capture, some) : capture,
    );
    expect(falseClaims(sample, verdict)).toEqual([]);
    expect(agentsOf(verdict)).toEqual([]);
    // Where neither is there, what ends a connection before a deadline may be what was cut off.
    const open = some === (SYN | FIN | RST) ? sample.expected.summary.byOutcome['reached-agent'] : 0;
    expect(decided(verdict)).toBeGreaterThanOrEqual(sample.expected.commands.length - open);
  });
});

it.each([0.15, 0.3, 0.5, 0.7])('captures that begin after %d of the packets', async (part) => {
  const { verdict } = await altered(folder, sample, `late ${part}`, ({ header, records }, hop) => ({
    header,
    records: records.slice(Math.floor(records.length * part) + 5 * sample.hops.indexOf(hop)),
  }));
  expect(falseClaims(sample, verdict)).toEqual([]);
  expect(agentsOf(verdict)).toEqual([]);
});
