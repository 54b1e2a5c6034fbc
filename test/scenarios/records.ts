/** Records of a sample's pcap files, for tests that change what the lab captured; and what of a verdict the logs contradict. */

import { readFileSync } from 'node:fs';
import type { Sample } from './sample.js';
import type { VerdictJson } from './verdict-json.js';

export interface Pcap {
  header: Buffer;
  records: Buffer[];
}

export function pcapOf(file: string): Pcap {
  const octets = readFileSync(file);
  if (octets.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error(`${file} is no plain pcap`);
  const records: Buffer[] = [];
  for (let at = 24; at < octets.length; ) {
    const end = at + 16 + octets.readUInt32LE(at + 8);
    records.push(octets.subarray(at, end));
    at = end;
  }
  return { header: octets.subarray(0, 24), records };
}

export const seconds = (record: Buffer) => record.readUInt32LE(0) + record.readUInt32LE(4) / 1e6;
export const whole = ({ header, records }: Pcap) => Buffer.concat([header, ...records]);

/** As tcpdump's `-s` would have it. */
export function cutAt({ header, records }: Pcap, octets: number): Pcap {
  return {
    header,
    records: records.map((record) => {
      const cut = Buffer.from(record.subarray(0, 16 + octets));
      cut.writeUInt32LE(cut.length - 16, 8);
      return cut;
    }),
  };
}

/** Claims that the logs contradict. */
export function falseClaims(sample: Sample, { commands }: VerdictJson): string[] {
  const expected = new Map(sample.expected.commands.map((command) => [command.id, command]));
  return commands.flatMap(({ id, outcome, lostAt, reason }) => {
    const right = expected.get(id);
    if (outcome === 'inconclusive' || (outcome === right?.outcome && lostAt === right.lostAt)) return [];
    return [`${id}: ${right?.outcome} at ${right?.lostAt}, lasthop ${outcome} at ${lostAt} (${reason})`];
  });
}
