/** A process and an engine for the tests of cli/: nothing of the real one is touched. */
import { Writable } from 'node:stream';
import type { Engine } from '../../src/cli/engine.js';
import { main } from '../../src/cli/main.js';
import type { OutputStream } from '../../src/cli/process-face.js';
import { incident } from '../report/verdicts.js';

export class Collector extends Writable {
  text = '';
  isTTY = false;
  columns = 80;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export interface Calls {
  analyse: Parameters<Engine['analyse']>[];
  frames: Parameters<Engine['listFrames']>[];
}

export function fakeEngine(calls: Calls, more: Partial<Engine> = {}): Engine {
  return {
    analyse: async (...given) => {
      calls.analyse.push(given);
      return incident();
    },
    listFrames: async (...given) => {
      calls.frames.push(given);
    },
    explain: async () => {
      throw new Error('not asked for');
    },
    listConnections: async () => [],
    captureQuality: async () => {
      throw new Error('not asked for in this test');
    },
    ...more,
  };
}

export interface Outcome {
  status: number;
  out: string;
  err: string;
  calls: Calls;
}

export async function run(
  argv: string[],
  more: { engine?: Partial<Engine>; env?: Record<string, string>; stdout?: OutputStream; tty?: boolean } = {},
): Promise<Outcome> {
  const calls: Calls = { analyse: [], frames: [] };
  const out = new Collector();
  const err = new Collector();
  out.isTTY = more.tty ?? false;
  const proc = { stdout: more.stdout ?? out, stderr: err, env: { LANG: 'C.UTF-8', ...more.env } };
  const status = await main(argv, proc, fakeEngine(calls, more.engine));
  return { status, out: out.text, err: err.text, calls };
}
