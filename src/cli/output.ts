/**
 * Where results go: standard output, or a file that appears only when it is whole. In: pieces of text of report/.
 * Out: bytes. Small pieces are gathered, a slow reader is waited for, and a reader that has gone (| head) is no error.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UsageError } from '../evidence/usage-error.js';
import type { OutputStream } from './process-face.js';

/** Characters gathered before they are written: one system call for many lines. */
const GATHER = 64 * 1024;

/** The reader of standard output has gone: nothing more needs to be made. Not a failure. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** The file given with -o cannot be written. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
}

export interface Output {
  /** A promise where the reader is slow and is to be waited for. */
  write(text: string): undefined | Promise<void>;
  /** All is written, and the file stands under its name. */
  finish(): Promise<void>;
  /** Whatever was begun is taken back. */
  abandon(): void;
}

export class StreamOutput implements Output {
  private readonly held = new Gathered();
  private closed: Error | null = null;
  private draining: Promise<void> | null = null;
  private drained: () => void = () => {};

  constructor(private readonly stream: OutputStream) {
    // Kept for the stream's whole life: an error without a listener would end the process.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.closed ??=
        error.code === 'EPIPE' ? new OutputClosed() : new OutputError(`standard output: ${error.message}`);
      this.goOn();
    });
    stream.on('close', () => {
      this.closed ??= new OutputClosed();
      this.goOn();
    });
    stream.on('drain', () => this.goOn());
  }

  /** Never rejects, for a caller may collect promises and look at them late: the next write throws instead. */
  private goOn(): void {
    this.draining = null;
    this.drained();
  }

  write(text: string): undefined | Promise<void> {
    if (this.closed !== null) throw this.closed;
    return this.held.add(text) ? this.flush() : undefined;
  }

  private flush(): undefined | Promise<void> {
    const bytes = this.held.take();
    if (bytes.length === 0 || this.stream.write(bytes)) return undefined;
    this.draining ??= new Promise((resolve) => {
      this.drained = resolve;
    });
    return this.draining;
  }

  async finish(): Promise<void> {
    if (this.closed !== null) throw this.closed;
    await this.flush();
    // The callback of an empty write says that everything before it has left, or failed to.
    await new Promise<void>((resolve) => this.stream.write('', () => resolve()));
    // A failed write calls back before the stream says why: 'error' comes in a later turn.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.closed !== null) throw this.closed;
  }

  abandon(): void {
    this.held.take();
  }
}

/** Text gathered as octets: a string of a thousand pieces would keep them all alive. */
class Gathered {
  private bytes = Buffer.allocUnsafeSlow(2 * GATHER);
  private length = 0;

  /** True when there is enough to be written. */
  add(text: string): boolean {
    const most = text.length * 3;
    if (this.length + most > this.bytes.length) {
      const bytes = Buffer.allocUnsafeSlow(this.bytes.length + most);
      this.bytes.copy(bytes, 0, 0, this.length);
      this.bytes = bytes;
    }
    this.length += this.bytes.write(text, this.length);
    return this.length >= GATHER;
  }

  /** What was gathered, to be kept by whoever takes it. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    if (this.length > 0) this.bytes = Buffer.allocUnsafeSlow(2 * GATHER);
    this.length = 0;
    return taken;
  }
}

export class FileOutput implements Output {
  private readonly held = new Gathered();
  private descriptor: number;
  /** Null where the target is a device or a pipe: that is written to, never replaced. */
  private readonly temporary: string | null;
  private readonly target: string;

  constructor(private readonly file: string) {
    // A link stays a link: what it points to is replaced.
    this.target = realPath(file);
    const there = this.guarded(() => statSync(this.target, { throwIfNoEntry: false }));
    if (there?.isDirectory()) throw new OutputError(`-o ${file}: is a directory`);
    const mode = there === undefined ? 0o644 : there.mode & 0o777;
    // Beside the file: a rename is atomic only within one file system.
    this.temporary =
      there === undefined || there.isFile()
        ? join(dirname(this.target), `.${basename(this.target)}.${randomBytes(6).toString('hex')}.tmp`)
        : null;
    this.descriptor = this.guarded(() =>
      this.temporary === null ? openSync(this.target, 'w') : openSync(this.temporary, 'wx', mode),
    );
  }

  write(text: string): undefined {
    if (this.held.add(text)) this.flush();
    return undefined;
  }

  private flush(): void {
    const bytes = this.held.take();
    this.guarded(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.descriptor, bytes, at);
    });
  }

  async finish(): Promise<void> {
    this.flush();
    this.guarded(() => {
      if (this.temporary !== null) fsyncSync(this.descriptor);
      closeSync(this.descriptor);
      this.descriptor = -1;
      if (this.temporary !== null) renameSync(this.temporary, this.target);
    });
  }

  abandon(): void {
    if (this.descriptor >= 0) closeSync(this.descriptor);
    this.descriptor = -1;
    if (this.temporary !== null) rmSync(this.temporary, { force: true });
  }

  private guarded<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw new OutputError(`-o ${this.file}: ${(error as Error).message}`);
    }
  }
}

/** A capture is evidence: the result must never take its place, under whatever name it is reached. */
export function refuseToOverwrite(output: string, inputs: string[]): void {
  const same = (file: string) => realPath(file) === realPath(output) || sameFile(file, output);
  const input = inputs.find((file) => file !== '-' && same(file));
  if (input !== undefined) throw new UsageError(`-o ${output} would overwrite the input ${input}`);
}

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    try {
      return join(realpathSync(dirname(file)), basename(file));
    } catch {
      return file;
    }
  }
}

function sameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((file) => statSync(file, { throwIfNoEntry: false }));
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
}
