/**
 * Holds README.md to the tool: its pasted output is what the tool prints, and what it names, the tool has.
 * A block of output stands behind `<!-- output: ARGUMENTS -->` and may leave out lines, each time marked by a line `[...]`.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExitStatus } from '../src/cli/exit-status.js';
import { main } from '../src/cli/main.js';
import { loadProfile } from '../src/message/load-profile.js';
import { VERDICT_FORMATS } from '../src/report/render.js';

const project = resolve(import.meta.dirname, '..');
const readme = readFileSync(join(project, 'README.md'), 'utf8');
/** Width of the pasted output. */
const COLUMNS = '100';

class Collector extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function printed(argv: string[]): Promise<string> {
  const stdout = new Collector();
  await main(argv, { stdout, stderr: new Collector(), env: { LANG: 'C.UTF-8', COLUMNS } });
  return stdout.text;
}

const oneLine = (text: string) => text.split(/\s+/).join(' ').trim();

describe('pasted output', () => {
  const before = process.cwd();
  beforeAll(() => process.chdir(project));
  afterAll(() => process.chdir(before));

  const blocks = [...readme.matchAll(/<!-- output: (.+?) -->\s*```text\n([\s\S]*?)```/g)];

  it('is there', () => expect(blocks.map((block) => block[1].split(' ')[0])).toEqual(['verdict', 'capture-plan']));

  it.each(blocks.map((block) => [block[1], block[2]]))('lasthop %s', async (command, block) => {
    let rest = oneLine(await printed(command.split(' ')));
    for (const piece of block.split('[...]').map(oneLine)) {
      expect(rest).toContain(piece);
      rest = rest.slice(rest.indexOf(piece) + piece.length);
    }
    if (!block.trimEnd().endsWith('[...]')) expect(rest).toBe('');
  });
});

it("has the log format of the lab's haproxy, whose key log the tests read", () => {
  const lab = readFileSync(join(project, 'samples/lab/haproxy.mjs'), 'utf8');
  const block = readme.match(/<!-- haproxy -->\s*```text\n([\s\S]*?)```/)?.[1] ?? '';
  const secrets = (text: string) =>
    [...text.matchAll(/([A-Z_0-9]+) (?:\S+) %\[(ssl_fc_\w+(?:,hex)?)\]/g)].map((m) => [m[1], m[2]]);
  expect(secrets(block)).toHaveLength(5);
  expect(secrets(lab)).toEqual(secrets(block));
  for (const option of ['tune.ssl.keylog on', 'log stdout format raw local0'])
    expect(
      [block, lab].every((text) => text.includes(option)),
      option,
    ).toBe(true);
});

describe('what it names', () => {
  /** Code, inline and in blocks, without output. */
  const code = [...readme.replace(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+)`|^ {4}(.+)$/gm)].map(
    (match) => match[1] ?? match[2],
  );
  const commands = code.flatMap((line) => [...line.matchAll(/(?:^|[ (])lasthop ([a-z][a-z-]*)([^#|>]*)/g)]);
  const helped = ['verdict', 'verify', 'frames', 'connections', 'quality', 'capture-plan'];

  it('are commands, with options that the help of each tells of', async () => {
    expect([...new Set(commands.map(([, name]) => name))].sort()).toEqual([...helped].sort());
    for (const [line, name, words] of commands) {
      const help = await printed([name, '--help']);
      for (const [option] of words.matchAll(/(?<![^ ])--?[a-z][a-z-]*/g)) expect(help, line).toContain(option);
    }
  });

  it('are options of some command where they stand alone', async () => {
    const help = (await Promise.all(helped.map((name) => printed([name, '--help'])))).join('');
    const options = code.filter((line) => line.startsWith('--')).map((line) => line.split(' ')[0]);
    // The lab's.
    const others = ['--check-tools', '--out'];
    expect(options.filter((option) => !others.includes(option) && !help.includes(option))).toEqual([]);
  });

  it('are all formats and all exit statuses', () => {
    for (const format of VERDICT_FORMATS) expect(code).toContain(format);
    const statuses = [...readme.matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]));
    expect(statuses).toEqual(Object.values(ExitStatus).sort((a, b) => a - b));
  });

  it('is a profile that can be loaded', async () => {
    const [, profile] = /<!-- profile -->\s*```json\n([\s\S]*?)```/.exec(readme)!;
    expect(await loadProfile(JSON.parse(profile))).toMatchObject({ name: 'jobs', learn: false });
  });
});
