/** lasthop's verdict on a sample whose captures were changed first. In: a sample, and what becomes of each capture. Out: the run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Pcap, pcapOf, whole } from './records.js';
import { lasthop, type Sample } from './sample.js';
import type { VerdictJson } from './verdict-json.js';

/** A sample's plain pcap files, one a hop, each as it is given: null leaves the hop out. */
export type Change = (capture: Pcap, hop: string) => Pcap | null;

export const pcapSample = (samples: readonly Sample[], name: string): Sample => {
  const found = samples.find((sample) => sample.name === name);
  if (found === undefined) throw new Error(`no sample ${name}`);
  return found;
};

/** What stands on the command line behind the files. */
export const optionsOf = ({ args }: Sample) => args.filter((arg) => !/^[\w-]+=/.test(arg));

export async function altered(folder: string, sample: Sample, name: string, change: Change, more: string[] = []) {
  const directory = join(folder, `${sample.name} ${name}`.replace(/[^\w.-]+/g, '-'));
  mkdirSync(directory);
  const inputs: string[] = [];
  for (const { name: hop, file } of sample.scenario.hops) {
    const changed = change(pcapOf(join(sample.dir, file)), hop);
    if (changed === null) continue;
    const path = join(directory, file);
    writeFileSync(path, whole(changed));
    inputs.push(`${hop}=${path}`);
  }
  const { status, out, err } = await lasthop(['verdict', ...inputs, ...optionsOf(sample), ...more, '--json']);
  return { status, err, verdict: (status === 0 ? JSON.parse(out) : null) as VerdictJson };
}
