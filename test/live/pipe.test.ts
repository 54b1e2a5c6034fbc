/**
 * A pipe from a tcpdump that runs: `tcpdump -U -w - … | lasthop verdict origin=-`, ended as an operator ends it, against what the programs
 * logged. In a network namespace of its own; it needs root and tcpdump, and is skipped without.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../scenarios/sample.js';
import type { VerdictJson } from '../scenarios/verdict-json.js';

const works =
  process.getuid?.() === 0 &&
  existsSync(join(PROJECT, 'dist/cli/main.cjs')) &&
  spawnSync('tcpdump', ['--version']).status === 0 &&
  spawnSync('unshare', ['-n', 'true']).status === 0;

describe.skipIf(!works)('a pipe from a running tcpdump', () => {
  it('is read to its end, with every command decided', () => {
    const talk = join(import.meta.dirname, 'talk.mjs');
    const inNamespace = `ip link set lo up && exec ${process.execPath} ${talk} ${join(PROJECT, 'bin/lasthop.js')}`;
    const run = spawnSync('unshare', ['-n', 'sh', '-c', inNamespace], { encoding: 'utf8', timeout: 40_000 });
    expect(run.status, run.stderr).toBe(0);
    const { acknowledged, ignored, status, out, err, said } = JSON.parse(run.stdout);
    expect({ status, err }, said).toEqual({ status: 0, err: '' });
    const { commands, hops } = JSON.parse(out) as VerdictJson;
    const of = (wanted: string) => commands.filter(({ outcome }) => outcome === wanted).map(({ id }) => id);
    expect([acknowledged.length, ignored.length]).toEqual([3, 3]);
    expect(of('delivered')).toEqual(acknowledged);
    expect(of('reached-agent')).toEqual(ignored);
    expect(String(hops[0].captures[0].packets)).toBe(/(\d+) packets? captured/.exec(said)?.[1]);
  });
});
