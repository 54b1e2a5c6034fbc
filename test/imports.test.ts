/**
 * Holds the imports of src/ to the plan of the house: which room may know which. In: the sources as they stand.
 * The rules are a function over (path, text), so that the test can show that it would notice.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOMS = [
  'evidence',
  'bytes',
  'capture',
  'packet',
  'tcp',
  'tls',
  'http',
  'websocket',
  'message',
  'hop',
  'path',
  'delivery',
  'findings',
  'report',
  'cli',
];
/** Protocols whose order only hop/ knows. */
const SIBLINGS = ['tcp', 'tls', 'http', 'websocket', 'message'];
const NOT_FOR_DELIVERY = ['packet', 'tcp', 'bytes'];
/** All that a report may see: the verdict, the lists' records, and evidence. */
const FOR_REPORT = ['delivery/verdict', 'delivery/story', 'hop/frame-event', 'hop/capture-quality'];
const PACKAGES: Record<string, string[]> = {
  commander: ['cli'],
  chalk: ['report'],
  'cli-table3': ['report'],
  zod: ['cli', 'message', 'hop'],
};
const OUTSIDE_WORLD = ['fs', 'fs/promises', 'child_process', 'process'];
const MAY_TOUCH_IT = ['capture', 'cli'];

/** Static imports, re-exports, dynamic imports and require, of types as well as of values. */
function importsOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found = code.matchAll(/\b(?:from|import|require)\s*\(?\s*(['"`])([^'"`\n]+)\1/g);
  return [...found].map((match) => match[2]);
}

/** What is wrong with one file; `path` is relative to src/, with forward slashes. */
function violations(path: string, source: string): string[] {
  const wrong: string[] = [];
  const [room] = path.split('/');
  if (path.split('/').includes('util') || path.split('/').includes('utils'))
    wrong.push(`${path}: a folder called util`);
  if (/(^|\/)index\.ts$/.test(path) && path !== 'index.ts') wrong.push(`${path}: a barrel`);
  if (!path.includes('/')) {
    if (path !== 'index.ts') wrong.push(`${path}: belongs to no room`);
    return wrong;
  }
  const place = ROOMS.indexOf(room);
  if (place < 0) return [...wrong, `${path}: the room ${room} is not in the plan`];
  for (const specifier of importsOf(source)) {
    const say = (why: string) => wrong.push(`${path} imports ${specifier}: ${why}`);
    if (specifier.startsWith('.')) {
      const target = normalize(join(dirname(path), specifier))
        .split(sep)
        .join('/');
      // package.json and the like are read, not imported.
      const [other] = target.split('/');
      const otherPlace = ROOMS.indexOf(other);
      if (otherPlace < 0) say('outside the rooms');
      else if (otherPlace > place) say(`${other}/ comes after ${room}/`);
      else if (other !== room && SIBLINGS.includes(room) && SIBLINGS.includes(other) && room !== 'tcp') {
        say('only hop/ knows the order of the protocols');
      }
      if (room === 'delivery' && NOT_FOR_DELIVERY.includes(other)) say('delivery/ never sees packets');
      if (room === 'report' && other !== 'report' && other !== 'evidence') {
        if (!FOR_REPORT.includes(target.replace(/\.js$/, ''))) say('report/ sees only verdicts and list records');
      }
      if (!specifier.endsWith('.js')) say('ESM imports name the .js file');
      continue;
    }
    const bare = specifier.replace(/^node:/, '');
    if (OUTSIDE_WORLD.includes(bare) && !MAY_TOUCH_IT.includes(room))
      say('files and the process belong to capture/ and cli/');
    const rooms = PACKAGES[specifier.split('/')[0]];
    if (rooms !== undefined && !rooms.includes(room)) say(`only for ${rooms.join(', ')}`);
  }
  if (
    !MAY_TOUCH_IT.includes(room) &&
    /\bprocess\.(env|argv|stdout|stderr|stdin|exit|cwd)\b/.test(source.replace(/\/\*[\s\S]*?\*\//g, ''))
  ) {
    wrong.push(`${path}: uses the global process`);
  }
  return wrong;
}

const SOURCE = join(import.meta.dirname, '..', 'src');

function sources(): string[] {
  return readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => relative(SOURCE, join(SOURCE, file)).split(sep).join('/'));
}

describe('imports of src/', () => {
  it('keep to the order of the rooms and to the packages of each', () => {
    const files = sources();
    expect(files.length).toBeGreaterThan(30);
    expect(files.flatMap((file) => violations(file, readFileSync(join(SOURCE, file), 'utf8')))).toEqual([]);
  });
});

describe('the test itself', () => {
  it.each([
    ['tcp/a.ts', "import { x } from '../http/reader.js';", 'comes after'],
    ['websocket/a.ts', "import type { X } from '../tcp/connection.js';", 'only hop/'],
    ['message/a.ts', "export * from '../websocket/frame.js';", 'only hop/'],
    ['http/a.ts', "const { x } = await import('../tls/record.js');", 'only hop/'],
    ['delivery/a.ts', "import { y } from '../bytes/integers.js';", 'never sees packets'],
    ['report/a.ts', "import { analyse } from '../delivery/analyse.js';", 'only verdicts'],
    ['report/a.ts', "import { readFileSync } from 'node:fs';", 'capture/ and cli/'],
    ['hop/a.ts', "import 'fs/promises';", 'capture/ and cli/'],
    ['hop/a.ts', "export const width = process.env['COLUMNS'];", 'global process'],
    ['report/a.ts', "import { Command } from 'commander';", 'only for cli'],
    ['cli/a.ts', "import chalk from 'chalk';", 'only for report'],
    ['path/a.ts', "import { z } from 'zod';", 'only for cli, message, hop'],
    ['tcp/util/a.ts', '', 'folder called util'],
    ['tcp/index.ts', '', 'a barrel'],
    ['extra/a.ts', '', 'not in the plan'],
    ['helper.ts', '', 'belongs to no room'],
    ['tcp/a.ts', "import { x } from './sequence';", 'name the .js file'],
  ])('notices %s: %s', (path, source, why) => {
    expect(violations(path, source).join('\n')).toContain(why);
  });

  it('has nothing against what the plan allows', () => {
    expect(violations('hop/a.ts', "import { A } from '../tcp/connection.js';\nimport { z } from 'zod';")).toEqual([]);
    expect(violations('report/a.ts', "import type { Verdict } from '../delivery/verdict.js';")).toEqual([]);
    expect(violations('cli/a.ts', "import { readFileSync } from 'node:fs';\n// from '../nowhere.ts'")).toEqual([]);
    expect(violations('index.ts', "export { analyse } from './delivery/analyse.js';")).toEqual([]);
  });
});
