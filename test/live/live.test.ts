/**
 * The lab run anew, now and on this machine: real nginx, real processes, a fault made there and then; and lasthop's verdict on the
 * captures that tcpdump has just written, against the logs that the programs have just written.
 * It needs root and the lab's tools. Where they are missing it is skipped, and says what is.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allDifferences, witness } from '../scenarios/differences.js';
import { lasthop, PROJECT, sampleIn } from '../scenarios/sample.js';

/** One fault inside a hop and one past the last: about ten seconds each. */
const SCENARIOS = ['hop-drops-frames', 'second-attempt'];

const lab = join(PROJECT, 'samples/lab/lab.mjs');
const tools = existsSync(lab)
  ? spawnSync(process.execPath, [lab, '--check-tools'], { encoding: 'utf8' })
  : { status: 1, stderr: 'the lab is not here' };
const why = tools.stderr.trim().replaceAll('\n', ', ');

describe.skipIf(tools.status !== 0)(`the lab, live${tools.status === 0 ? '' : ` (skipped: ${why})`}`, () => {
  const out = mkdtempSync(join(tmpdir(), 'lasthop-live-'));
  const said = new Map<string, string>();

  const play = (name: string) =>
    new Promise<number | null>((resolve) => {
      const child = spawn(process.execPath, [lab, '--out', out, name], { stdio: ['ignore', 'ignore', 'pipe'] });
      child.stderr.on('data', (chunk) => said.set(name, `${said.get(name) ?? ''}${chunk}`));
      child.once('error', () => resolve(null));
      child.once('close', resolve);
    });

  beforeAll(async () => {
    for (const name of SCENARIOS) {
      // The lab refuses a run in which the machine was too slow for its clocks. Another is another fault, other logs.
      if ((await play(name)) !== 0) await play(name);
    }
  }, 180_000);

  afterAll(() => rmSync(out, { recursive: true, force: true }));

  it.each(SCENARIOS)('%s', async (name) => {
    expect(existsSync(join(out, name, 'expected.json')), said.get(name)).toBe(true);
    const sample = sampleIn(join(out, name), name);
    const { out: json, err, status } = await lasthop(['verdict', ...sample.args, '--json']);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(allDifferences(sample, JSON.parse(json), witness(sample))).toEqual([]);
  });
});
