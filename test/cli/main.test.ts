/** The command line from argv to exit status, with an engine of the test's own. */
import { mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CaptureError } from '../../src/capture/capture-error.js';
import type { Verdict } from '../../src/delivery/verdict.js';
import { UsageError } from '../../src/evidence/usage-error.js';
import { command, ignored, verdict } from '../report/verdicts.js';
import { run } from './world.js';

const HOPS = ['origin=o.pcap', 'nginx=n.pcap', 'npm=p.pcap'];
const giving = (of: Verdict) => ({ engine: { analyse: async () => of } });
const throwing = (error: unknown) => ({
  engine: {
    analyse: async () => {
      throw error;
    },
  },
});
const delivered = () => verdict([command('a', 'delivered')]);
const inconclusive = () => verdict([command('a', 'delivered'), command('b', 'inconclusive')]);

describe('quality', () => {
  it('asks the engine for each file, with the second reader where it is wanted', async () => {
    const asked: unknown[] = [];
    const captureQuality = async (file: string, { secondReader }: { secondReader?: boolean }) => {
      asked.push([file, secondReader]);
      return { file, trust: 'none', reasons: ['it holds no packets'], linkTypes: [], connections: [] } as never;
    };
    const { status, out } = await run(['quality', 'a.pcap', 'b.pcap', '--second-reader', '--json'], {
      engine: { captureQuality },
    });
    expect([status, asked]).toEqual([
      0,
      [
        ['a.pcap', true],
        ['b.pcap', true],
      ],
    ]);
    expect(JSON.parse(out)).toMatchObject({
      schema: 'lasthop/quality@1',
      captures: [{ file: 'a.pcap' }, { file: 'b.pcap' }],
    });
  });

  it('is refused without a file, and in a format that it does not have', async () => {
    expect((await run(['quality'])).status).toBe(2);
    expect((await run(['quality', 'a.pcap', '--format', 'html'])).status).toBe(2);
  });
});

describe('exit statuses', () => {
  it.each([
    ['verdict', [], delivered(), 0],
    ['verdict', [], verdict([ignored('a')]), 0],
    ['verdict', [], verdict([]), 0],
    ['verify', [], delivered(), 0],
    ['verify', [], verdict([command('a', 'delivered', { late: true })]), 0],
    ['verify', [], verdict([ignored('a'), command('b', 'delivered')]), 1],
    ['verify', [], verdict([ignored('a'), command('b', 'inconclusive')]), 1],
    ['verify', [], inconclusive(), 4],
    ['verify', [], verdict([]), 4],
    ['verify', ['--allow-empty'], verdict([]), 0],
    ['verify', ['--allow-empty'], inconclusive(), 4],
  ] as const)('%s %j', async (name, options, of, status) => {
    expect((await run([name, ...HOPS, ...options], giving(of))).status).toBe(status);
  });

  it('of verify come with a reason on standard error, and the report on standard output', async () => {
    const { out, err } = await run(['verify', ...HOPS], giving(verdict([ignored('a'), command('b', 'delivered')])));
    expect(out).toContain('2 commands: 1 delivered, 1 reached-agent');
    expect(err).toBe('lasthop: failed: 1 of 2 commands not delivered (1 reached-agent); exit status 1\n');
  });

  it.each([
    [
      new CaptureError('not-a-capture', 'o.pcap', 'is a PNG image', null, 7, 4096),
      3,
      'o.pcap: is a PNG image (after packet 7, at octet 4096)',
    ],
    [new UsageError('no such profile'), 2, 'no such profile'],
    [Object.assign(new Error("ENOENT: no such file, open 'o.pcap'"), { syscall: 'open', path: 'o.pcap' }), 3, 'ENOENT'],
    [new TypeError('x is not a function'), 70, 'internal error: TypeError: x is not a function (--debug shows where)'],
    ['thrown text', 70, 'internal error: thrown text'],
  ])('of %s', async (error, status, text) => {
    const ended = await run(['verdict', ...HOPS], throwing(error));
    expect(ended.status).toBe(status);
    expect(ended.err).toContain(text);
    expect(ended.err).not.toContain('    at ');
    expect(ended.out).toBe('');
  });

  it.each([
    ['/nowhere.log', 'lasthop: --keylog /nowhere.log: no such file'],
    ['/', 'lasthop: --keylog /: a directory, not a key log'],
  ])('of a key log that cannot be read: %s', async (file, text) => {
    const ended = await run(['verdict', ...HOPS, '--keylog', file]);
    expect(ended.status).toBe(3);
    expect(ended.err).toContain(text);
  });

  it('show where an internal error happened with --debug', async () => {
    expect((await run(['verdict', ...HOPS, '--debug'], throwing(new Error('odd')))).err).toContain('main.test.ts');
  });
});

describe('usage', () => {
  it.each([
    [['verdict'], 'no captures given'],
    [['verdict', 'npm.pcap'], "'npm.pcap' names no hop; name each hop, in order from the server out: origin=npm.pcap"],
    [['verdict', 'a=-', 'b=-'], "standard input ('-') can be only one"],
    [['verdict', ...HOPS, '--ack-timeout', 'soon'], '--ack-timeout'],
    [['verdict', ...HOPS, '--since', 'yesterday'], '--since'],
    [['verdict', ...HOPS, '--format', 'xml'], '--format'],
    [['verdict', ...HOPS, '--json', '--format', 'csv'], 'contradict'],
    [['verdict', ...HOPS, '--path', 'origin,npm'], "--path does not name the hop 'nginx'"],
    [['verdict', ...HOPS, '--keylog', 'other=keys'], "no hop 'other' is given a capture"],
    [['verdict', ...HOPS, '--keylog', '-'], 'standard input is for captures'],
    [['verdict', ...HOPS, '--nonsense'], "unknown option '--nonsense'"],
    [['verdict', ...HOPS, '--config', '/nowhere.json'], 'no such file'],
    [['verdict', ...HOPS, '--profile', '/nowhere.json'], 'no such file'],
    [['nonsense'], "unknown command 'nonsense'"],
    [['frames'], 'no capture given'],
    [['capture-plan', 'origin'], 'expected hop=PORT'],
    [['capture-plan', "o';reboot'=1"], 'no name for a hop'],
    [[], 'Usage: lasthop'],
  ])('%j', async (argv, text) => {
    const ended = await run(argv);
    expect(ended.status).toBe(2);
    expect(ended.err).toContain(text);
    expect(ended.out).toBe('');
    expect(ended.calls.analyse).toEqual([]);
  });

  it('help and version go to standard output, with status 0', async () => {
    for (const argv of [['--help'], ['help', 'verify'], ['verdict', '--help']]) {
      const ended = await run(argv);
      expect(ended).toMatchObject({ status: 0, err: '' });
      expect(ended.out).toContain('Exit status:');
    }
    expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await run(['capture-plan', 'origin=3001', 'npm=443'])).out).toContain(
      "-w npm.pcap 'tcp port 443 or tcp port 3001",
    );
  });
});

describe('options', () => {
  it('reach the engine', async () => {
    const { calls } = await run([
      ...['verdict', 'origin=a=b.pcap', 'npm=1.pcap', 'origin=2.pcap', '--path', 'origin,nginx,npm'],
      ...['--ack-timeout', '500ms', '--command', 'x', '--command', 'y', '--agent', 'A'],
      ...['--since', '2025-11-03T09:00:00Z', '--until', '2025-11-03 11:30:00+01:30', '--profile', 'builtin'],
    ]);
    const [[hops, options]] = calls.analyse;
    expect(hops).toEqual([
      { name: 'origin', files: ['a=b.pcap', '2.pcap'] },
      { name: 'npm', files: ['1.pcap'] },
    ]);
    expect(options).toMatchObject({
      path: ['origin', 'nginx', 'npm'],
      ackTimeoutMs: 500,
      commandIds: ['x', 'y'],
      agents: ['A'],
      since: Date.parse('2025-11-03T09:00:00Z'),
      until: Date.parse('2025-11-03T10:00:00Z'),
      profile: 'builtin',
    });
  });

  it('come from --config as well, and the command line wins', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lasthop-'));
    const config = join(folder, 'config.json');
    writeFileSync(config, JSON.stringify({ format: 'csv', ackTimeout: '3s', agent: 'A', path: 'origin,nginx,npm' }));
    const { calls, out } = await run(['verdict', ...HOPS, '--config', config, '--ack-timeout', '5']);
    expect(calls.analyse[0][1]).toMatchObject({ ackTimeoutMs: 5000, agents: ['A'], path: ['origin', 'nginx', 'npm'] });
    expect(out.startsWith('command,agent,')).toBe(true);
    writeFileSync(config, JSON.stringify({ ackTimeout: '3s', acktimeout: 1 }));
    const wrong = await run(['verdict', ...HOPS, '--config', config]);
    expect(wrong).toMatchObject({ status: 2, out: '' });
    expect(wrong.err).toContain('acktimeout');
    writeFileSync(config, '{');
    expect((await run(['verdict', ...HOPS, '--config', config])).err).toContain('is not valid JSON');
  });

  it('--json is short for --format json', async () => {
    const { out } = await run(['verdict', ...HOPS, '--json']);
    expect(JSON.parse(out).schema).toBe('lasthop/verdict@1');
  });
});

describe('colour', () => {
  const coloured = async (argv: string[], env: Record<string, string>, tty: boolean) =>
    (await run(['verdict', ...HOPS, ...argv], { env, tty })).out.includes('\x1b[');

  it.each([
    [[], {}, true, true],
    [[], {}, false, false],
    [[], { NO_COLOR: '1' }, true, false],
    [[], { NO_COLOR: '' }, true, true],
    [[], { FORCE_COLOR: '1' }, false, true],
    [[], { FORCE_COLOR: '0' }, true, false],
    [[], { TERM: 'dumb' }, true, false],
    [['--no-color'], { FORCE_COLOR: '1' }, true, false],
    [['--color'], { NO_COLOR: '1' }, false, true],
  ] as const)('%j %j, terminal: %s', async (argv, env, tty, expected) => {
    expect(await coloured([...argv], env, tty)).toBe(expected);
  });

  it('and glyphs follow the locale', async () => {
    expect((await run(['verdict', ...HOPS], { env: { LC_ALL: 'POSIX' } })).out).toMatch(/^[\x20-\x7e\n]*$/);
  });
});

describe('-o', () => {
  const folder = () => mkdtempSync(join(tmpdir(), 'lasthop-'));

  it('writes the file whole, and nothing to standard output', async () => {
    const file = join(folder(), 'report.json');
    expect(await run(['verdict', ...HOPS, '--json', '-o', file])).toMatchObject({ status: 0, out: '', err: '' });
    expect(JSON.parse(readFileSync(file, 'utf8')).summary.commands).toBe(5);
  });

  it('leaves the old file and nothing else where the work fails', async () => {
    const place = folder();
    const file = join(place, 'frames.csv');
    writeFileSync(file, 'old');
    const listFrames = async () => {
      throw new CaptureError('read-failed', 'x.pcap', 'cannot be read');
    };
    expect((await run(['frames', 'x.pcap', '-o', file], { engine: { listFrames } })).status).toBe(3);
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(readdirSync(place)).toEqual(['frames.csv']);
  });

  it('never takes the place of an input, under whatever name', async () => {
    const place = folder();
    const input = join(place, 'o.pcap');
    writeFileSync(input, 'evidence');
    symlinkSync(input, join(place, 'link'));
    for (const name of [input, join(place, '.', 'o.pcap'), join(place, 'link')]) {
      const ended = await run(['verdict', `origin=${input}`, '-o', name]);
      expect(ended.status).toBe(2);
      expect(ended.err).toContain('would overwrite the input');
      expect(ended.calls.analyse).toEqual([]);
    }
    expect(readFileSync(input, 'utf8')).toBe('evidence');
  });

  it('says so where it cannot write', async () => {
    const ended = await run(['verdict', ...HOPS, '-o', '/nowhere/report.json']);
    expect(ended.status).toBe(3);
    expect(ended.err).toContain('-o /nowhere/report.json: ENOENT');
  });
});

describe('standard output', () => {
  class Pipe extends Writable {
    written = 0;
    waiting = 0;

    constructor(
      private readonly closesAfter: number,
      private readonly code: string,
    ) {
      super({ highWaterMark: 16 * 1024 });
    }

    override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
      this.written += chunk.length;
      if (this.written > this.closesAfter) done(Object.assign(new Error(`write ${this.code}`), { code: this.code }));
      else setImmediate(done);
    }
  }
  const many = () => verdict(Array.from({ length: 3000 }, (_, at) => command(`c-${at}`, 'delivered')));

  it('that closes early (| head) is no error', async () => {
    const stdout = new Pipe(100_000, 'EPIPE');
    expect(await run(['verdict', ...HOPS, '--json'], { stdout, ...giving(many()) })).toMatchObject({
      status: 0,
      err: '',
    });
    expect(stdout.written).toBeLessThan(400_000);
  });

  it('that closes early does not change what verify says', async () => {
    const stdout = new Pipe(10, 'EPIPE');
    expect((await run(['verify', ...HOPS], { stdout, ...giving(verdict([ignored('a')])) })).status).toBe(1);
  });

  it('that cannot be written is an error', async () => {
    const ended = await run(['verdict', ...HOPS, '--json'], { stdout: new Pipe(10, 'ENOSPC'), ...giving(many()) });
    expect(ended.status).toBe(3);
    expect(ended.err).toContain('standard output: write ENOSPC');
  });

  it('that is slow is waited for', async () => {
    const stdout = new Pipe(Number.POSITIVE_INFINITY, '');
    let most = 0;
    const write = stdout.write;
    stdout.write = ((...given: Parameters<typeof write>) => {
      const more = write.apply(stdout, given);
      most = Math.max(most, stdout.writableLength);
      return more;
    }) as typeof write;
    expect((await run(['verdict', ...HOPS, '--json'], { stdout, ...giving(many()) })).status).toBe(0);
    expect(stdout.written).toBeGreaterThan(3_000_000);
    expect(most).toBeLessThan(200_000);
  });

  it('that closes ends a list of frames quietly, even where the engine waits for nothing', async () => {
    const frame = { file: 'f', packet: 1, payload: 'x'.repeat(1000) } as never;
    const listFrames = async (_files: string[], _options: unknown, sink: (one: never) => unknown) => {
      for (let at = 0; at < 5000; at += 1) {
        sink(frame);
        if (at % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const ended = await run(['frames', 'f', '--json'], { stdout: new Pipe(100_000, 'EPIPE'), engine: { listFrames } });
    expect(ended).toMatchObject({ status: 0, err: '' });
  });
});

describe('--explain', () => {
  it('is given as table or JSON only, with an ID', async () => {
    for (const options of [
      ['--explain', 'c', '--format', 'html'],
      ['--explain', ''],
    ])
      expect((await run(['verdict', ...HOPS, ...options])).status).toBe(2);
  });

  it('asks the engine for the story instead of the verdict', async () => {
    const asked: string[] = [];
    const { status, out, calls } = await run(['verdict', ...HOPS, '--explain', 'c-1', '--json'], {
      engine: {
        explain: async (_hops, _options, id) => {
          asked.push(id);
          const { attempts: _, dispatch: __, ...one } = command(id, 'delivered');
          return {
            schema: 'lasthop/explain@1',
            generator: { name: 'lasthop', version: '0' },
            hops: [],
            command: one,
            events: [],
            omitted: 0,
          };
        },
      },
    });
    expect([status, asked, calls.analyse]).toEqual([0, ['c-1'], []]);
    expect(JSON.parse(out)).toMatchObject({ schema: 'lasthop/explain@1', command: { id: 'c-1' } });
  });
});
