/** The samples as they lie on disk, and lasthop's answer to one of them. In: samples/. Out: the tests of this folder. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { main } from '../../src/cli/main.js';

export const PROJECT = resolve(import.meta.dirname, '../..');
export const SAMPLES = join(PROJECT, 'samples');

export interface Expected {
  n: number;
  conn: number;
  outcome: string;
  lastHop: string | null;
  lastHopAnyOf?: string[];
  lostAt: string | null;
  lostAtAnyOf?: string[];
  late?: boolean;
  states?: Record<string, string>;
}

export interface ExpectedCommand extends Omit<Expected, 'n' | 'conn'> {
  id: string;
  agent: string;
  conn?: number;
  attempts: Expected[];
  idIn?: 'request' | 'response';
  why: string;
}

export interface ExpectedConnection {
  conn: number;
  agent: string | null;
  key: string;
  /** Where a hop wrote its own: the keys of the legs further out, by hop. */
  ownKeys?: Record<string, string>;
  openedAt: string;
  closedAt: string | null;
  pings: number;
  pongs: number;
}

export interface Sample {
  name: string;
  dir: string;
  scenario: {
    description: string;
    ackTimeout: string;
    options: string[];
    capturedFrom: string;
    capturedUntil: string;
    /** By hop, as tcpdump said. */
    packets: Record<string, number>;
    /** Packets that the kernel dropped, by hop, where tcpdump said so. */
    dropped?: Record<string, number>;
    /**
     * `clockSteps`: after so many milliseconds of the capture its clock was set by so many. `lateMs`: one direction is stamped so much later.
     * `oneWay`: the only direction captured. `snap`: octets of each packet that were captured.
     */
    hops: {
      name: string;
      file: string;
      clockOffsetMs?: number;
      clockSteps?: [number, number][];
      lateMs?: number;
      oneWay?: 'outward' | 'inward';
      snap?: number;
    }[];
    /** NSS key log of the agents, where a leg is encrypted. */
    keyLog?: string;
    /** The same of proxies that end TLS, by hop. */
    proxyKeyLogs?: Record<string, string>;
  };
  expected: {
    summary: { commands: number; byOutcome: Record<string, number> };
    findings: { present?: { id: string; agents?: string[] }[]; absentIds?: string[] };
    /** By agent, for those that fail: what is supported and what stays open; all others are ruled out. */
    hypotheses?: Record<string, { supported: string[]; open: string[] }>;
    connections: ExpectedConnection[];
    commands: ExpectedCommand[];
    /** Asked for without an ID, and never answered. */
    unnamed: { agent: string; why: string }[];
  };
  /** What the command line needs, after `verdict`. */
  args: string[];
  hops: string[];
}

export function sampleIn(dir: string, name: string): Sample {
  const json = (file: string) => JSON.parse(readFileSync(join(dir, file), 'utf8'));
  const scenario: Sample['scenario'] = json('scenario.json');
  return {
    name,
    dir,
    scenario,
    expected: json('expected.json'),
    args: [
      ...scenario.hops.map((hop) => `${hop.name}=${join(dir, hop.file)}`),
      '--ack-timeout',
      scenario.ackTimeout,
      ...keyLogsOf(scenario).flatMap((file) => ['--keylog', join(dir, file)]),
      ...scenario.options,
    ],
    hops: [...new Set(scenario.hops.map((hop) => hop.name))],
  };
}

function keyLogsOf({ keyLog, proxyKeyLogs = {} }: Sample['scenario']): string[] {
  return [...(keyLog === undefined ? [] : [keyLog]), ...Object.values(proxyKeyLogs)];
}

const all: Sample[] = readdirSync(SAMPLES)
  .filter((name) => existsSync(join(SAMPLES, name, 'scenario.json')))
  .map((name) => sampleIn(join(SAMPLES, name), name));

const isCut = ({ scenario }: Sample) => scenario.hops.some(({ snap }) => snap !== undefined);
/** Captured whole; those of which the kernel dropped packets, which cannot be told as the logs have it; and cut ones, of which the second witnesses read nothing. */
export const samples = all.filter((sample) => sample.scenario.dropped === undefined && !isCut(sample));
export const droppedSamples = all.filter(({ scenario }) => scenario.dropped !== undefined);
export const cutSamples = all.filter(isCut);

/** The agent's or the server's own log of a run, one note a line. */
export function log(sample: Sample, which: 'server' | 'agents' | 'lab'): Record<string, unknown>[] {
  const text = readFileSync(join(sample.dir, `${which}.log.jsonl`), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

export interface Run {
  status: number;
  out: string;
  err: string;
}

class Collector extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** lasthop in this process, from its sources. */
export async function lasthop(argv: string[]): Promise<Run> {
  const stdout = new Collector();
  const stderr = new Collector();
  const status = await main(argv, { stdout, stderr, env: { LANG: 'C.UTF-8' } });
  return { status, out: stdout.text, err: stderr.text };
}
