/**
 * `--keylog FILE` and `--keylog hop=FILE`: reads the files. In: option values and the hops given. Out: contents for the engine.
 */
import { existsSync, readFileSync } from 'node:fs';
import { CaptureError } from '../capture/capture-error.js';
import { UsageError } from '../evidence/usage-error.js';
import type { HopInput, KeyLogInput } from './engine.js';

/** A line of a key log, wherever it stands: label, random, secret. */
const SECRET = /^[ \t]*[A-Z][A-Z_0-9]+[ \t]+[0-9a-fA-F]+[ \t]+[0-9a-fA-F]+/m;

export function keyLogOptions(
  values: readonly string[],
  hops: readonly HopInput[],
  warn: (text: string) => void,
): KeyLogInput[] {
  return values.map((value) => {
    const { hop, file } = parted(value, hops);
    const content = readKeyLog(file);
    if (!SECRET.test(content.toString('latin1')))
      warn(`--keylog ${file}: holds no TLS secrets (NSS key log format is expected)`);
    return { hop, content };
  });
}

function readKeyLog(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'a directory, not a key log' : message;
    throw new CaptureError('keylog-unreadable', `--keylog ${file}`, why);
  }
}

/** What stands before the first `=` is a hop only where such a hop was given: paths may hold the sign. */
function parted(value: string, hops: readonly HopInput[]): { hop: string | null; file: string } {
  if (value === '-') throw new UsageError("--keylog '-': standard input is for captures; name a file");
  const at = value.indexOf('=');
  const name = at < 0 ? null : value.slice(0, at);
  if (name === null || existsSync(value)) return { hop: null, file: value };
  if (hops.some((hop) => hop.name === name)) return { hop: name, file: value.slice(at + 1) };
  if (hops.length === 0) return { hop: null, file: value };
  throw new UsageError(`--keylog '${value}': no hop '${name}' is given a capture, and there is no such file`);
}
