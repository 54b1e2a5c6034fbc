/**
 * One direction only, as a filter by source port or one port of a tap gives it: at each hop in turn, and at all of them. What was said in the
 * direction that is there stays decided; nothing may be claimed for want of the other.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { altered, pcapSample } from './altered.js';
import { falseClaims, type Pcap } from './records.js';
import { samples } from './sample.js';
import type { VerdictJson } from './verdict-json.js';

const folder = mkdtempSync(join(tmpdir(), 'lasthop-one-way-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Ethernet and IPv4 without options; the server has the lower port. What is no TCP (ICMP) goes with either. */
const isOutward = (record: Buffer) => record.readUInt16BE(16 + 14 + 20) < record.readUInt16BE(16 + 14 + 22);
const only = ({ header, records }: Pcap, outward: boolean): Pcap => ({
  header,
  records: records.filter((record) => isOutward(record) === outward),
});

const notDelivered = ({ commands }: VerdictJson) =>
  commands.filter(({ outcome }) => outcome !== 'delivered').map(({ id }) => id);

describe.each(
  ['black-hole', 'receive-loop-stuck', 'hop-drops-frames', 'lost-acks'].map((name) => pcapSample(samples, name)),
)('$name', (sample) => {
  const failed = sample.expected.commands.filter(({ outcome }) => outcome !== 'delivered').map(({ id }) => id);

  describe.each([
    ['towards the agents', true],
    ['towards the server', false],
  ])('%s', (_, outward) => {
    it.each(sample.hops)('at %s', async (at) => {
      const { status, verdict } = await altered(folder, sample, `${at} ${outward}`, (capture, hop) =>
        hop === at ? only(capture, outward) : capture,
      );
      expect(status).toBe(0);
      expect(falseClaims(sample, verdict)).toEqual([]);
      // The CommandAck at the innermost hop proves delivery, whatever the others lack.
      if (at !== sample.hops[0]) expect(notDelivered(verdict).sort()).toEqual(failed.sort());
    });

    it('at every hop', async () => {
      const { status, verdict } = await altered(folder, sample, `all ${outward}`, (capture) => only(capture, outward));
      expect(status).toBe(0);
      expect(falseClaims(sample, verdict)).toEqual([]);
    });
  });

  it('the other one at every second hop', async () => {
    const { status, verdict } = await altered(folder, sample, 'by turns', (capture, hop) =>
      only(capture, sample.hops.indexOf(hop) % 2 === 0),
    );
    expect(status).toBe(0);
    expect(falseClaims(sample, verdict)).toEqual([]);
  });
});
