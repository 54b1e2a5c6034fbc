/**
 * The plain samples with npm's own leg made to look like TLS (support/as-tls.ts), without keys: what lasthop infers from the sizes of
 * the records must be what the programs' logs say, or nothing. Most must be told.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { asTls, SUITES } from '../support/as-tls.js';
import { lasthop, type Sample, samples } from './sample.js';
import type { VerdictJson } from './verdict-json.js';

async function verdictOf(args: string[]): Promise<VerdictJson> {
  const { status, out, err } = await lasthop(['verdict', ...args, '--json']);
  expect(status, err).toBe(0);
  return JSON.parse(out);
}

/** The clock of a classic little-endian capture set forward by so many seconds after as many packets. */
function setForward(capture: Uint8Array, packet: number, seconds: number): Uint8Array {
  const pcap = Buffer.from(capture);
  for (let at = 24, number = 1; at < pcap.length; at += 16 + pcap.readUInt32LE(at + 8), number++)
    if (number > packet) pcap.writeUInt32LE(pcap.readUInt32LE(at) + seconds, at);
  return pcap;
}

async function encrypted(
  sample: Sample,
  suite: keyof typeof SUITES,
  hello: boolean,
  change = (capture: Uint8Array) => capture,
): Promise<VerdictJson> {
  const plain = await verdictOf(sample.args);
  const servers = new Set(
    plain.connections.flatMap(({ legs }) => legs.filter(({ hop }) => hop === 'npm').map(({ server }) => server)),
  );
  expect(servers.size).toBe(1);
  const dir = mkdtempSync(join(tmpdir(), 'lasthop-sizes-'));
  try {
    const file = join(dir, 'npm.pcap');
    const capture = asTls(readFileSync(join(sample.dir, 'npm.pcap')), [...servers][0], SUITES[suite], hello);
    writeFileSync(file, change(capture));
    return await verdictOf(sample.args.map((word) => (word.startsWith('npm=') ? `npm=${file}` : word)));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Of commands: those that the log calls so, and that are called so; those that are left open; those that are called something else. */
function compared(sample: Sample, { commands }: VerdictJson) {
  const found = { told: 0, open: [] as string[], wrong: [] as string[] };
  for (const expected of sample.expected.commands) {
    const command = commands.find(({ id }) => id === expected.id);
    const lastHops = expected.lastHopAnyOf ?? [expected.lastHop];
    const lostAts = expected.lostAtAnyOf ?? [expected.lostAt];
    if (command === undefined) found.wrong.push(`${expected.id} is missing`);
    else if (
      command.outcome === expected.outcome &&
      lastHops.includes(command.lastHop) &&
      lostAts.includes(command.lostAt)
    )
      found.told++;
    else if (command.outcome === 'inconclusive') found.open.push(`${expected.outcome}: ${command.reason}`);
    else found.wrong.push(`${expected.id} is ${expected.outcome}, and was called ${command.outcome}`);
  }
  return found;
}

describe.each([
  ['healthy', 'tls13', true],
  ['incident-1', 'gcm12', true],
  ['black-hole', 'cbc12', true],
  ['hop-drops-text', 'tls13', false],
  ['write-stalled', 'tls13', true],
  ['window-closed', 'cbc12', false],
  ['mid-connection', 'gcm12', false],
  ['lossy', 'cbc12', true],
] as const)('%s as %s, opening seen: %s', (name, suite, hello) => {
  it('says what the logs say', async () => {
    const sample = samples.find((each) => each.name === name) as Sample;
    const verdict = await encrypted(sample, suite, hello);
    const found = compared(sample, verdict);
    expect(found.wrong).toEqual([]);
    expect(found.open).toEqual([]);
    const npm = verdict.connections.flatMap(({ legs }) => legs.filter(({ hop }) => hop === 'npm'));
    expect(npm.length).toBeGreaterThan(0);
    for (const leg of npm)
      expect(leg).toMatchObject({ encrypted: true, decrypted: false, linkedBy: 'tls-record-sizes' });
    const states = verdict.commands.flatMap(({ attempts }) =>
      attempts.flatMap(({ hops }) => hops.filter(({ hop }) => hop === 'npm')),
    );
    const told = states.filter(({ state }) => state !== 'unobserved');
    expect(told.length).toBeGreaterThanOrEqual(states.length * 0.95);
    expect(told.every(({ grade }) => grade === 'inferred')).toBe(true);
  });
});

describe('what only keys would tell', () => {
  it.each(['lost-acks', 'acks-lost-on-leg'])(
    '%s: a CommandAck that never got further in is not made up, nor denied',
    async (name) => {
      const sample = samples.find((each) => each.name === name) as Sample;
      const verdict = await encrypted(sample, 'tls13', true);
      expect(compared(sample, verdict).wrong).toEqual([]);
      expect(verdict.commands.filter(({ outcome }) => outcome === 'reached-agent').length).toBe(
        sample.expected.commands.filter(({ outcome }) => outcome === 'reached-agent').length,
      );
    },
  );
});

describe('a capture whose clock was set forward', () => {
  it('proves of no message that it never left on an encrypted leg: its records are told by their times, too', async () => {
    const sample = samples.find((each) => each.name === 'hop-drops-text') as Sample;
    const absent = ({ commands }: VerdictJson) =>
      commands.flatMap(({ attempts }) =>
        attempts.flatMap(({ hops }) => hops.filter(({ state }) => state === 'absent')),
      );
    expect(absent(await encrypted(sample, 'tls13', false))).not.toEqual([]);
    const verdict = await encrypted(sample, 'tls13', false, (capture) => setForward(capture, 110, 5));
    expect(absent(verdict)).toEqual([]);
    expect(compared(sample, verdict).wrong).toEqual([]);
  });
});
