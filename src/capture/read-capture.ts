/**
 * Opens an input, finds out what it is and drives the right reader over it: plain files through one reused buffer, synchronously,
 * compressed files and standard input as streams. The only place that opens captures.
 * In: a path or `-` from cli/ and hop/. Out: packets to the sink, then a CaptureSummary. Throws a CaptureError where the input
 * cannot be read or is no capture; damage later in a capture is an issue in the summary, and everything before it has been used.
 */

import fs from 'node:fs';
import { Readable } from 'node:stream';
import { RefillBuffer } from '../bytes/refill-buffer.js';
import { IssueLog } from '../evidence/issue.js';
import { CaptureError } from './capture-error.js';
import type { CaptureReader } from './capture-reader.js';
import { type CaptureSummary, summarise } from './capture-summary.js';
import { type Compression, decompress, ZSTD_MISSING } from './decompress.js';
import type { Epoch } from './epoch.js';
import { COMPRESSED_CHUNK_OCTETS, chunksAgain, chunksOfFile, openInput, openPipe, reason } from './input-file.js';
import type { PacketSink } from './packet-record.js';
import { PcapReader } from './pcap-reader.js';
import { MAXIMUM_BLOCK_OCTETS } from './pcapng-framing.js';
import { PcapngReader } from './pcapng-reader.js';
import { RECOGNISABLE_OCTETS, recognise } from './recognise.js';

export interface ReadCaptureOptions {
  /** Seconds since 1970 from which `timeNs` counts, the same for all captures of an analysis; else the first packet's second. */
  epochSeconds?: number | null;
  /** Shared with captures that are read meanwhile. */
  epoch?: Epoch;
  /** Called after every chunk; the total is null where it is not known. Octets are those of the file, compressed or not. */
  onProgress?: (octetsRead: number, octetsTotal: number | null) => void;
  /** Only these octets of a plain file: one of the captures that it holds. */
  section?: { readonly offset: number; readonly end: number };
  /** What `-` reads. */
  stdin?: Readable;
  /** Ends reading early, asked after every chunk: for a look at the start of a file. */
  enough?: (reader: CaptureReader) => boolean;
  /**
   * Called when what has come so far was handed to the sink. The packets' octets stay as they are until the promise that it may return is
   * kept: a sink that puts several captures together keeps one waiting for the others.
   */
  pause?: () => Promise<void> | undefined;
  /** For tests; octets read at a time. */
  chunkOctets?: number;
}

/** Measured: larger ones gain nothing, and this stays in the processor's cache. */
const CHUNK_OCTETS = 256 * 1024;
/** A source once more: from an octet on in pieces of so many. */
type Again = (fineFrom: number, octets: number) => AsyncIterable<Uint8Array>;
const FINE_CHUNK_OCTETS = [256, 1];
/** No record that a reader accepts is larger; USB and D-Bus messages are the largest (link-type.ts). */
const MAXIMUM_RECORD_OCTETS = 128 * 1024 * 1024 + MAXIMUM_BLOCK_OCTETS;

export async function readCapture(
  path: string,
  sink: PacketSink,
  options: ReadCaptureOptions = {},
): Promise<CaptureSummary> {
  const run = new CaptureRun(path, sink, options);
  if (path === '-') return run.readStream(options.stdin ?? process.stdin, null);
  const pipe = openPipe(path);
  if (pipe !== null) return run.readStream(pipe, null);
  const descriptor = openInput(path);
  try {
    return await run.readDescriptor(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

class CaptureRun {
  private readonly buffer: RefillBuffer;
  private readonly issues = new IssueLog();
  private reader: CaptureReader | null = null;
  private compression: Compression | null = null;
  private octetsRead = 0;
  private stopped = false;

  constructor(
    private readonly path: string,
    private readonly sink: PacketSink,
    private readonly options: ReadCaptureOptions,
  ) {
    this.buffer = new RefillBuffer(options.chunkOctets ?? CHUNK_OCTETS, MAXIMUM_RECORD_OCTETS);
  }

  async readDescriptor(descriptor: number): Promise<CaptureSummary> {
    const stat = fs.fstatSync(descriptor);
    if (stat.isDirectory()) throw this.error('is-a-directory', 'a directory: pass the capture files in it');
    // A device is a stream like any other.
    if (!stat.isFile()) return this.readStream(chunksOfFile(descriptor, new Uint8Array(0)), null);
    const buffer = this.buffer;
    while (buffer.end < RECOGNISABLE_OCTETS && this.fill(descriptor) > 0);
    if (buffer.end > 0 && this.begin(false) !== null) {
      const again = (fineFrom: number, octets: number) => chunksAgain(descriptor, fineFrom, octets);
      return this.readStream(chunksOfFile(descriptor, buffer.bytes.slice(0, buffer.end)), stat.size, again);
    }
    while (buffer.end > 0 && !this.stopped) {
      this.consume();
      const waits = this.options.pause?.();
      if (waits !== undefined) await waits;
      this.options.onProgress?.(this.octetsRead, stat.size);
      if (this.stopped || this.fill(descriptor) === 0) break;
    }
    return this.end();
  }

  /** `again` gives the source once more, in small pieces from an octet on, where that can be had. */
  async readStream(
    source: AsyncIterable<Uint8Array>,
    total: number | null,
    again: Again | null = null,
  ): Promise<CaptureSummary> {
    // A late error of the stream must find a listener even when nobody reads any more.
    if (source instanceof Readable) source.on('error', () => {});
    this.octetsRead = 0;
    this.buffer.end = 0;
    const chunks = source[Symbol.asyncIterator]();
    try {
      const head = await this.gather(chunks);
      const found = head.length === 0 ? null : recognise(head, head.length).kind;
      if (found === 'gzip' || found === 'zstd') {
        this.compression = found;
        const compressed = this.counted(head, chunks, total);
        let received = 0;
        const fault = await decompress(found, compressed, (chunk) => {
          received += chunk.length;
          return this.receive(chunk);
        });
        if (fault !== null) {
          if (again !== null && found === 'gzip') await this.receiveRest(again, received);
          this.streamFault(found, fault);
        }
      } else {
        for await (const chunk of this.counted(head, chunks, total)) {
          const goesOn = this.receive(chunk);
          if (!(typeof goesOn === 'boolean' ? goesOn : await goesOn)) break;
        }
      }
    } finally {
      await chunks.return?.();
    }
    return this.end();
  }

  /**
   * What a damaged stream still gave in the piece of input in which the damage is: zlib hands on nothing of that. It is decompressed once
   * more, in pieces so small that little is lost.
   */
  private async receiveRest(again: Again, received: number): Promise<void> {
    let known = received;
    let fineFrom = this.octetsRead - 2 * COMPRESSED_CHUNK_OCTETS;
    for (const octets of FINE_CHUNK_OCTETS) {
      let given = 0;
      const counted = async function* () {
        for await (const chunk of again(fineFrom, octets)) {
          given += chunk.length;
          yield chunk;
        }
      };
      let passed = 0;
      await decompress('gzip', counted(), (chunk) => {
        const from = Math.min(Math.max(0, known - passed), chunk.length);
        passed += chunk.length;
        return from < chunk.length ? this.receive(chunk, from) : true;
      });
      known = Math.max(known, passed);
      // The fault is in the last piece that was given, or the one before.
      fineFrom = given - 2 * octets;
    }
  }

  /** Reads on from a file; 0 at its end. */
  private fill(descriptor: number): number {
    this.makeRoom();
    const buffer = this.buffer;
    const { section } = this.options;
    const position = section === undefined ? null : section.offset + this.octetsRead;
    const most = position === null ? buffer.freeOctets : Math.min(buffer.freeOctets, (section?.end ?? 0) - position);
    try {
      const read = fs.readSync(descriptor, buffer.bytes, buffer.end, most, position);
      buffer.end += read;
      this.octetsRead += read;
      return read;
    } catch (error) {
      throw this.wrap(error);
    }
  }

  /** Takes one chunk of a stream, from an octet on; false when no more is wanted. */
  private receive(chunk: Uint8Array, from = 0): boolean | Promise<boolean> {
    const buffer = this.buffer;
    let at = from;
    while (at < chunk.length && !this.stopped) {
      if (buffer.freeOctets < chunk.length - at) this.makeRoom();
      const taken = Math.min(buffer.freeOctets, chunk.length - at);
      buffer.bytes.set(chunk.subarray(at, at + taken), buffer.end);
      buffer.end += taken;
      at += taken;
      if (this.reader === null && buffer.end < RECOGNISABLE_OCTETS) continue;
      this.consume();
      const waits = this.options.pause?.();
      if (waits !== undefined) return waits.then(() => this.receive(chunk, at));
    }
    return !this.stopped;
  }

  private makeRoom(): void {
    const fits = this.buffer.compact(this.reader?.neededOctets ?? RECOGNISABLE_OCTETS);
    if (!fits) throw new Error('a reader asks for more octets than its own limit');
  }

  private consume(): void {
    const buffer = this.buffer;
    if (this.reader === null) this.begin(true);
    const reader = this.reader as CaptureReader | null;
    if (reader === null) return;
    buffer.start = reader.read(buffer.bytes, buffer.start, buffer.end);
    if (reader.stopped || this.options.enough?.(reader) === true) this.stopped = true;
  }

  /** Recognises the buffer's content and makes the reader for it; a compression is returned to be dealt with by the caller. */
  private begin(decompressed: boolean): Compression | null {
    const { bytes, end } = this.buffer;
    const found = recognise(bytes, end);
    const { epochSeconds = null, epoch } = this.options;
    const options = { sink: this.sink, epochSeconds, issues: this.issues, ...(epoch === undefined ? {} : { epoch }) };
    if (found.kind === 'pcap') this.reader = new PcapReader(options);
    else if (found.kind === 'pcapng') this.reader = new PcapngReader(options);
    else if (found.kind === 'gzip' || found.kind === 'zstd') {
      if (!decompressed) return found.kind;
      throw this.error('compressed-twice', `${found.kind}-compressed more than once: decompress it first`, found.kind);
    } else throw this.error('not-a-capture', found.detail, found.kind);
    return null;
  }

  private end(): CaptureSummary {
    const buffer = this.buffer;
    if (this.reader === null) {
      if (buffer.end === 0) {
        const what =
          this.compression === null ? 'an empty file, 0 octets' : `${this.compression}-compressed, and nothing in it`;
        throw this.error(
          'empty-file',
          this.octetsRead === 0 && this.path === '-' ? 'empty: nothing came on standard input' : what,
        );
      }
      this.consume();
    }
    const reader = this.reader as unknown as CaptureReader;
    if (!this.stopped) reader.finish(buffer.bytes, buffer.start, buffer.end);
    if (reader.interfaces.length === 0 && reader.offset === 0) {
      const issue = reader.issues.issues[0];
      throw this.error('header-cut', issue?.text ?? `it ends after ${buffer.end} octets, within its own header`);
    }
    return summarise(this.path, reader, this.compression, this.octetsRead);
  }

  /** A compressed stream that breaks off: what came out of it is used, and nothing at all is an error. */
  private streamFault(compression: Compression, fault: string): void {
    if (fault === ZSTD_MISSING) {
      throw this.error(
        'zstd-missing',
        'zstd-compressed, and this Node.js cannot read that: install zstd, or decompress it first (zstd -d)',
        'zstd',
      );
    }
    if (this.reader === null && this.buffer.end === 0) {
      throw this.error(
        `${compression}-damaged`,
        `${compression}-compressed, and damaged from the start: ${fault}`,
        compression,
      );
    }
    this.issues.add(
      `${compression}-damaged`,
      `The ${compression} stream is cut or damaged (${fault}). What could be decompressed before that is used.`,
      {
        packet: (this.reader?.packets ?? 0) + 1,
        offset: (this.reader?.offset ?? 0) + (this.buffer.end - this.buffer.start),
        field: compression,
      },
    );
  }

  private async *counted(
    head: Uint8Array,
    rest: AsyncIterator<Uint8Array>,
    total: number | null,
  ): AsyncGenerator<Uint8Array> {
    let chunk: Uint8Array | undefined = head;
    while (chunk !== undefined) {
      this.octetsRead += chunk.length;
      if (chunk.length > 0) yield chunk;
      this.options.onProgress?.(this.octetsRead, total);
      const next = await this.next(rest);
      chunk = next.done ? undefined : next.value;
    }
  }

  /** The start of a stream, enough to tell what it is; a pipe may give it in any pieces. */
  private async gather(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let length = 0; length < RECOGNISABLE_OCTETS; length += parts[parts.length - 1].length) {
      const next = await this.next(chunks);
      if (next.done) break;
      parts.push(next.value);
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  /** Whatever goes wrong with a source is an input that cannot be read. */
  private async next(chunks: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    try {
      return await chunks.next();
    } catch (error) {
      throw this.wrap(error);
    }
  }

  private error(code: string, detail: string, recognised: CaptureError['recognised'] = null): CaptureError {
    return new CaptureError(code, this.path, detail, recognised);
  }

  /** A failed read becomes our error, with where it happened. */
  private wrap(error: unknown): CaptureError {
    if (error instanceof CaptureError) return error;
    const { packets, offset } = this.reader ?? { packets: 0, offset: 0 };
    return new CaptureError('read-failed', this.path, `cannot be read: ${reason(error)}`, null, packets, offset);
  }
}
