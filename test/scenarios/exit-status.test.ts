/** `verify` as the gate of a script: its exit status on every sample follows from the outcomes that the logs prove. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allDifferences, witness } from './differences.js';
import { lasthop, PROJECT, samples } from './sample.js';

const bin = join(PROJECT, 'bin/lasthop.js');
const built = existsSync(join(PROJECT, 'dist/cli/main.cjs'));

function statusOf(outcomes: string[]): number {
  if (outcomes.some((outcome) => !['delivered', 'inconclusive'].includes(outcome))) return 1;
  return outcomes.length === 0 || outcomes.includes('inconclusive') ? 4 : 0;
}

describe.each(samples)('$name', (sample) => {
  it('verify', async () => {
    const outcomes = sample.expected.commands.map(({ outcome }) => outcome);
    const { status, err } = await lasthop(['verify', ...sample.args, '--json']);
    expect(status, err).toBe(statusOf(outcomes));
  });

  it('verify --command, one of each outcome', async () => {
    for (const outcome of new Set(sample.expected.commands.map((command) => command.outcome))) {
      const { id } = sample.expected.commands.find((command) => command.outcome === outcome)!;
      const { status, err } = await lasthop(['verify', ...sample.args, '--json', '--command', id]);
      expect({ outcome, status }, err).toEqual({ outcome, status: statusOf([outcome]) });
    }
  });
});

describe('verify, where nothing was asked for', () => {
  const [sample] = samples.filter(({ name }) => name === 'healthy');

  it('a command that no capture knows was never sent', async () => {
    const { status } = await lasthop(['verify', ...sample.args, '--json', '--command', 'no-such-command']);
    expect(status).toBe(1);
  });

  it('no command in question is no success', async () => {
    const nobody = ['verify', ...sample.args, '--json', '--agent', 'NO-SUCH-AGENT'];
    expect((await lasthop(nobody)).status).toBe(4);
    expect((await lasthop([...nobody, '--allow-empty'])).status).toBe(0);
  });
});

/** As it is installed: another process, from dist/. `npm test` builds before it tests. */
describe.skipIf(!built)('bin/lasthop.js', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });

  it.each(samples.filter(({ name }) => ['incident-1', 'black-hole', 'healthy'].includes(name)))('$name', (sample) => {
    const verdict = run('verdict', ...sample.args, '--json');
    expect({ status: verdict.status, err: verdict.stderr }).toEqual({ status: 0, err: '' });
    expect(allDifferences(sample, JSON.parse(verdict.stdout), witness(sample))).toEqual([]);
    const verify = run('verify', ...sample.args, '--json');
    expect(verify.status).toBe(statusOf(sample.expected.commands.map(({ outcome }) => outcome)));
  });

  it('says nothing of the second reader on standard error', () => {
    const quality = run('quality', '--second-reader', join(PROJECT, 'samples/incident-1/npm.pcap'));
    expect({ status: quality.status, err: quality.stderr }).toEqual({ status: 0, err: '' });
    expect(quality.stdout).toContain('reads all 1,481 packets alike');
  });

  it('says 2 for a usage error, 3 for a file that is no capture', () => {
    expect(run('verify', '--no-such-option').status).toBe(2);
    expect(run('verify', `origin=${join(PROJECT, 'package.json')}`).status).toBe(3);
    expect(run('verdict', 'origin=/no/such/file.pcap').status).toBe(3);
  });

  it('runs with the compiled code of another Node.js beside it, with a damaged one and with none', () => {
    const dir = mkdtempSync(join(tmpdir(), 'lasthop-'));
    try {
      for (const part of ['bin', 'dist', 'package.json'])
        cpSync(join(PROJECT, part), join(dir, part), { recursive: true });
      const cache = join(dir, 'dist/cli/main.cjs.cache');
      expect(statSync(cache).size).toBeGreaterThan(100_000);
      const version = () =>
        spawnSync(process.execPath, [join(dir, 'bin/lasthop.js'), '--version'], { encoding: 'utf8' });
      const right = { status: 0, stdout: version().stdout, stderr: '' };
      expect(right.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
      writeFileSync(cache, 'not compiled code');
      expect(version()).toMatchObject(right);
      rmSync(cache);
      expect(version()).toMatchObject(right);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
