/**
 * Decompresses a stream in bounded memory and hands on all that was readable, even of a stream that was cut or is damaged.
 * In: compressed octets from read-capture.ts. Out: decompressed octets to its `receive`, and what went wrong as data.
 * gzip is RFC 1952; zstd (RFC 8878) is Node's own where it has it (22.15 and later), else the `zstd` program.
 */

import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import zlib from 'node:zlib';

export type Compression = 'gzip' | 'zstd';

/** Decompressed octets that are handed on at a time. */
const OUTPUT_CHUNK_OCTETS = 256 * 1024;

interface Decompressor {
  readonly input: Writable;
  readonly output: Readable;
  /** Settles when all is out, with what went wrong or null. Never rejects. */
  readonly ended: Promise<string | null>;
  destroy(): void;
}

/**
 * Feeds `source` through the decompressor. `receive` is called with each decompressed chunk and returns false to stop early, or a promise
 * of that: no more is decompressed until it is kept.
 * Returns what went wrong with the stream, or null. What `receive` throws is thrown.
 */
export async function decompress(
  compression: Compression,
  source: AsyncIterable<Uint8Array>,
  receive: (chunk: Uint8Array) => boolean | Promise<boolean>,
): Promise<string | null> {
  const decompressor = compression === 'gzip' ? fromTransform(createGunzip()) : createZstd();
  const { output } = decompressor;
  let stopped = false;
  let thrown: { error: unknown } | null = null;
  let waits: Promise<void> | null = null;
  const fail = (error: unknown) => {
    thrown = { error };
    stopped = true;
  };
  const settle = (goesOn: boolean) => {
    stopped = !goesOn;
  };
  output.on('data', (chunk: Uint8Array) => {
    // An exception must not surface inside the emitter, where nobody could catch it.
    if (stopped) return;
    try {
      const goesOn = receive(chunk);
      if (typeof goesOn === 'boolean') return settle(goesOn);
      output.pause();
      waits = goesOn.then(settle, fail).then(() => {
        waits = null;
        output.resume();
      });
    } catch (error) {
      fail(error);
    }
  });
  /** What was decompressed and waits must be taken before more is given: a later fault would swallow it. */
  const taken = async (): Promise<void> => {
    while (!stopped && (waits !== null || output.readableLength > 0))
      await (waits ?? new Promise<void>((resolve) => setImmediate(resolve)));
  };

  let failed = false;
  void decompressor.ended.then((fault) => {
    failed ||= fault !== null;
  });
  try {
    for await (const chunk of source) {
      // One write at a time: all of its output has been received when its callback comes, so that a later fault cannot swallow it.
      await write(decompressor.input, chunk);
      if (waits !== null) await taken();
      if (stopped || failed) break;
    }
    if (!stopped) decompressor.input.end();
    const fault = stopped ? null : await decompressor.ended;
    if (thrown !== null) throw (thrown as { error: unknown }).error;
    return fault;
  } finally {
    decompressor.destroy();
  }
}

function write(input: Writable, chunk: Uint8Array): Promise<void> {
  if (input.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    // After an error the callback may come with it or, on a destroyed stream, not at all.
    input.once('close', resolve);
    input.write(chunk, () => {
      input.removeListener('close', resolve);
      resolve();
    });
  });
}

function createGunzip(): zlib.Gunzip {
  return zlib.createGunzip({ chunkSize: OUTPUT_CHUNK_OCTETS });
}

function fromTransform(transform: Writable & Readable): Decompressor {
  const ended = new Promise<string | null>((resolve) => {
    // Stays for the stream's whole life: a late error must find a listener.
    transform.on('error', (error) => resolve(error.message));
    transform.on('end', () => resolve(null));
    transform.on('close', () => resolve(null));
  });
  return { input: transform, output: transform, ended, destroy: () => transform.destroy() };
}

function createZstd(): Decompressor {
  const create = (zlib as { createZstdDecompress?: () => Writable & Readable }).createZstdDecompress;
  return create === undefined ? spawnZstd() : fromTransform(create());
}

/** The code with which a missing program is told from a damaged file. */
export const ZSTD_MISSING = 'zstd-missing';

function spawnZstd(): Decompressor {
  const child = spawn('zstd', ['-dcq'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => {
    if (complaint.length < 500) complaint += text.toString('utf8');
  });
  // The program may end before it has taken all of its input; its exit status tells why.
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {});
  const ended = new Promise<string | null>((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ENOENT' ? ZSTD_MISSING : error.message),
    );
    child.on('close', (status) =>
      resolve(status === 0 ? null : complaint.trim() || `zstd ended with status ${status}`),
    );
  });
  return {
    input: child.stdin,
    output: child.stdout,
    ended,
    destroy: () => {
      child.stdin.destroy();
      child.kill();
    },
  };
}
