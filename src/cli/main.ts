/**
 * The entry: argv in, exit status out. In: bin/, and tests with a process of their own. Out: the status, and nothing thrown:
 * a user's mistake is a line and status 2, an unreadable input a line and 3, a fault of our own a line and 70.
 */
import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { closePipes } from '../capture/input-file.js';
import { UsageError } from '../evidence/usage-error.js';
import { engine as builtinEngine, type Engine } from './engine.js';
import { ExitStatus } from './exit-status.js';
import { OutputClosed, OutputError, StreamOutput } from './output.js';
import { bePatient } from './patience.js';
import type { ProcessFace } from './process-face.js';
import { program } from './program.js';
import { Messages } from './progress.js';
import type { Session } from './session.js';

export async function main(argv: string[], proc: ProcessFace, engine: Engine = builtinEngine): Promise<number> {
  // Nobody may be reading what is said, and that must not end the work.
  proc.stderr.on('error', () => {});
  const version = ownVersion();
  const messages = new Messages(proc.stderr);
  const stdout = new StreamOutput(proc.stdout);
  const session: Session = { proc, engine, messages, stdout, version };
  let status: number = ExitStatus.ok;
  const lists = () => import('./list-commands.js');
  const verdicts = () => import('./verdict-command.js');
  const root = program(
    version,
    {
      verdict: async (words, options) => {
        status = await (await verdicts()).verdictCommand(session, words, options);
      },
      verify: async (words, options) => {
        status = await (await verdicts()).verifyCommand(session, words, options);
      },
      frames: async (words, options) => {
        status = await (await lists()).framesCommand(session, words, options);
      },
      connections: async (words, options) => {
        status = await (await lists()).connectionsCommand(session, words, options);
      },
      quality: async (words, options) => {
        status = await (await import('./quality-command.js')).qualityCommand(session, words, options);
      },
      capturePlan: async (words, options) => {
        stdout.write((await import('./capture-plan.js')).capturePlan(words, options));
      },
    },
    { out: (text) => void stdout.write(text), error: (text) => void proc.stderr.write(text), width: helpWidth(proc) },
  );
  const hastyAgain = bePatient(argv, proc, messages);
  try {
    await root.parseAsync(argv, { from: 'user' });
  } catch (error) {
    messages.erase();
    closePipes();
    status = await statusOf(error, messages, argv.includes('--debug'));
  }
  hastyAgain();
  try {
    await stdout.finish();
  } catch (error) {
    // Said once: what failed while the report was written fails again here.
    if (!(error instanceof OutputClosed) && status === ExitStatus.ok) status = await statusOf(error, messages, false);
  }
  return status;
}

async function statusOf(error: unknown, messages: Messages, debug: boolean): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitStatus.ok : ExitStatus.usage;
  if (error instanceof OutputClosed) return ExitStatus.ok;
  if (error instanceof UsageError) {
    messages.line(error.message);
    return ExitStatus.usage;
  }
  if (error instanceof OutputError || isFileSystem(error)) {
    messages.line(error.message);
    return ExitStatus.input;
  }
  const { CaptureError } = await import('../capture/capture-error.js');
  if (error instanceof CaptureError) {
    const where = [
      error.packet === null ? '' : `after packet ${error.packet}`,
      error.offset === null ? '' : `at octet ${error.offset}`,
    ].filter((part) => part !== '');
    messages.line(where.length > 0 ? `${error.message} (${where.join(', ')})` : error.message);
    return ExitStatus.input;
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  messages.line(`internal error: ${text}${debug ? '' : ' (--debug shows where)'}`);
  if (debug && error instanceof Error)
    for (const line of (error.stack ?? '').split('\n').slice(1)) messages.line(line.trim());
  return ExitStatus.internal;
}

/** ENOENT, EACCES and the like, which name the file themselves. */
function isFileSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}

function helpWidth(proc: ProcessFace): number {
  return Math.min(120, proc.stdout.isTTY ? (proc.stdout.columns ?? 100) : 100);
}

function ownVersion(): string {
  const read: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return (read as { version: string }).version;
}
