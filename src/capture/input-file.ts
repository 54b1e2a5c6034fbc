/**
 * Opening a path, and reading a descriptor as a stream of chunks.
 * In: a path from read-capture.ts. Out: a descriptor, chunks; what the operating system refuses becomes a CaptureError.
 */

import fs from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { CaptureError } from './capture-error.js';

export const COMPRESSED_CHUNK_OCTETS = 64 * 1024;

/** A descriptor for reading. */
export function openInput(path: string): number {
  try {
    return fs.openSync(path, 'r');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new CaptureError(
      missing ? 'file-not-found' : 'open-failed',
      path,
      missing ? 'no such file' : `cannot be opened: ${reason(error)}`,
    );
  }
}

const pipes = new Set<Socket>();

/** Nobody reads on: what still waits for a writer would keep the program from ending. */
export function closePipes(): void {
  for (const pipe of pipes) pipe.destroy();
}

/**
 * A pipe with a name (a shell's process substitution, too) as a stream; null for anything else. Neither opening it nor reading from it waits: several
 * pipes can be read at once, whichever writer comes first.
 */
export function openPipe(path: string): Readable | null {
  if (!isFifo(path)) return null;
  try {
    const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const pipe = new Socket({ fd, readable: true, writable: false });
    pipes.add(pipe);
    pipe.once('close', () => pipes.delete(pipe));
    return pipe;
  } catch (error) {
    throw new CaptureError('open-failed', path, `cannot be opened: ${reason(error)}`);
  }
}

function isFifo(path: string): boolean {
  try {
    return fs.statSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false;
  } catch {
    return false; // opening it says what is wrong
  }
}

/** What is already read, then the rest of the file. */
export async function* chunksOfFile(descriptor: number, head: Uint8Array): AsyncGenerator<Uint8Array> {
  yield head;
  for (;;) {
    // A new buffer each time: the decompressor may still hold the last.
    const chunk = new Uint8Array(COMPRESSED_CHUNK_OCTETS);
    const read = fs.readSync(descriptor, chunk, 0, chunk.length, null);
    if (read === 0) return;
    yield chunk.subarray(0, read);
  }
}

/** A plain file from its beginning, from an octet on in chunks of so many. */
export async function* chunksAgain(descriptor: number, fineFrom: number, octets: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; ; ) {
    const most = at < fineFrom ? Math.min(COMPRESSED_CHUNK_OCTETS, fineFrom - at) : octets;
    const chunk = new Uint8Array(most);
    const read = fs.readSync(descriptor, chunk, 0, most, at);
    if (read === 0) return;
    at += read;
    yield chunk.subarray(0, read);
  }
}

/** What the operating system says, in an operator's words where it is common. */
export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EACCES') return 'permission denied';
  return message;
}
