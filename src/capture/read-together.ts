/**
 * Reads several captures of one place as if they were one: rotated files in any order, overlapping ones, a file for each interface, for each
 * direction or for each queue. Packets come in the order of their times; within a file they keep theirs.
 * In: paths from hop/. Out: packets to a sink that is told whose they are; a CaptureSummary for each file. Throws as `readCapture` does.
 *
 * The first times of files are looked up beforehand; a pipe is begun, and kept waiting. A file is read as if it were alone until the time
 * of its packets reaches the first time of the next one. From then on as many as overlap are read in turn, a buffer of each at a time, so
 * that memory follows the number of files that overlap, not their size.
 */

import fs from 'node:fs';
import { CaptureError } from './capture-error.js';
import type { CaptureSummary } from './capture-summary.js';
import { PacketQueue } from './packet-queue.js';
import { PacketRecord, type PacketSink } from './packet-record.js';
import { peekCapture } from './peek-capture.js';
import { readCapture } from './read-capture.js';
import type { FileSection } from './sections.js';

export interface TogetherSink extends PacketSink {
  /** The packets from now on are of this file; their numbers within it, added to this, are different from those of all other files. */
  fileAtHand(base: number): void;
}

export interface ReadFile {
  readonly base: number;
  readonly summary: CaptureSummary;
}

export interface TogetherOptions {
  /** Seconds since 1970 that times count from; null for the first packet's second. */
  epochSeconds: number | null;
  onProgress?: ((file: string, octetsRead: number, octetsTotal: number | null) => void) | undefined;
}

/** A file to be read, or a part of one, and what is known of it beforehand. */
interface Waiting {
  readonly file: string;
  readonly section: FileSection | null;
  /** Seconds since 1970; null for a pipe, of which nothing is known, and infinite where there is no packet. */
  readonly firstAt: { seconds: number; nanoseconds: number } | null;
  readonly isPipe: boolean;
  /** As stored, and weighed: compressed ones may hold far more. */
  readonly weight: number;
}

/** Running numbers stay within what V8 holds without a box. */
const MOST_NUMBERS = 2 ** 31 - 1;
/** The most that deflate gains is 1032 times; packets take 16 octets at least. */
const COMPRESSED_WEIGHT = 65;
const LEAST_WEIGHT = 4096;

/** In the order of their first packets; what holds none comes last. Sections of one file have its numbers, and one base. */
export async function readTogether(
  files: readonly (string | FileSection)[],
  sink: TogetherSink,
  options: TogetherOptions,
): Promise<{ read: ReadFile[]; epochSeconds: number | null }> {
  const waiting = await lookedAt(files);
  const reading = new Reading(waiting, sink, options);
  try {
    return await reading.run();
  } finally {
    reading.giveUp();
  }
}

async function lookedAt(files: readonly (string | FileSection)[]): Promise<Waiting[]> {
  const waiting: Waiting[] = [];
  for (const file of files) {
    if (typeof file !== 'string') {
      const octets = fs.statSync(file.file).size;
      waiting.push({ file: file.file, section: file, firstAt: file.firstAt, isPipe: false, weight: octets });
      continue;
    }
    const piped = isPipe(file);
    const peek = piped ? null : await peekCapture(file);
    const seconds = peek?.firstSeconds ?? null;
    const firstAt = seconds === null ? null : { seconds, nanoseconds: peek?.firstNanoseconds ?? 0 };
    const octets = piped ? 0 : (fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0);
    const weight = Math.max(LEAST_WEIGHT, octets * (peek?.compression == null ? 1 : COMPRESSED_WEIGHT));
    waiting.push({ file, section: null, firstAt, isPipe: piped, weight });
  }
  return waiting.sort((a, b) => compareTimes(a.firstAt, b.firstAt));
}

/** Standard input, a pipe with a name, a shell's process substitution: what is read of it is gone. Directories are for `readCapture` to refuse. */
export function isPipe(file: string): boolean {
  if (file === '-') return true;
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && !stat.isFile() && !stat.isDirectory();
}

function compareTimes(a: Waiting['firstAt'], b: Waiting['firstAt']): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return a.seconds - b.seconds || a.nanoseconds - b.nanoseconds;
}

interface Numbers {
  readonly base: number;
  readonly most: number;
}

/** Each file's running numbers: room for many times the packets that its size allows; for a pipe, for as many as all files. */
function numbersOf(waiting: readonly Waiting[]): Numbers[] {
  const byFile = new Map<string, number>();
  for (const { file, weight } of waiting) byFile.set(file, weight);
  const ofFiles = waiting.reduce((sum, { isPipe, weight }) => sum + (isPipe ? 0 : weight), 0);
  for (const { file, isPipe, weight } of waiting) if (isPipe) byFile.set(file, Math.max(weight, ofFiles));
  const all = [...byFile.values()].reduce((sum, weight) => sum + weight, 0);
  const numbers = new Map<string, Numbers>();
  let before = 0;
  for (const [file, weight] of byFile) {
    const base = Math.floor((MOST_NUMBERS * before) / all);
    before += weight;
    numbers.set(file, { base, most: Math.floor((MOST_NUMBERS * before) / all) - base });
  }
  return waiting.map(({ file }) => numbers.get(file) as Numbers);
}

/** One file while it is read. */
class Source {
  readonly queue = new PacketQueue();
  summary: CaptureSummary | null = null;
  /** While it is the only one, packets before this time go straight to the sink. */
  directUntilNs = Number.NEGATIVE_INFINITY;
  private goOn: (() => void) | null = null;
  private came: () => void = () => {};
  private failure: unknown = null;
  private cancelled = false;

  constructor(
    readonly place: number,
    { file, section }: Waiting,
    sink: TogetherSink,
    epochSeconds: number | null,
    onProgress: TogetherOptions['onProgress'],
  ) {
    const queue = this.queue;
    const packetsBefore = section?.packetsBefore ?? 0;
    const begun = readCapture(
      file,
      {
        packet: (record) => {
          record.number += packetsBefore;
          if (record.timeNs < this.directUntilNs && queue.isEmpty) sink.packet(record);
          else queue.add(record);
        },
        secrets: (type, bytes) => sink.secrets?.(type, bytes),
      },
      {
        epochSeconds,
        pause: () => (queue.isEmpty || this.cancelled ? undefined : this.wait()),
        enough: () => this.cancelled,
        ...(section === null ? {} : { section }),
        ...(onProgress === undefined ? {} : { onProgress: (read, total) => onProgress(file, read, total) }),
      },
    );
    begun
      .then((summary) => {
        this.summary = summary;
      })
      .catch((error: unknown) => {
        this.failure = error;
      })
      .then(() => this.came());
  }

  /** Settles when packets wait in the queue, or the file is at its end. */
  async more(directUntilNs: number): Promise<void> {
    this.directUntilNs = directUntilNs;
    while (this.queue.isEmpty && this.summary === null && this.failure === null) {
      const comes = new Promise<void>((resolve) => {
        this.came = resolve;
      });
      this.goOn?.();
      this.goOn = null;
      await comes;
    }
    if (this.failure !== null) throw this.failure;
  }

  cancel(): void {
    this.cancelled = true;
    this.goOn?.();
  }

  private wait(): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      this.goOn = resolve;
    });
    this.came();
    return gone;
  }
}

class Reading {
  private readonly read: ReadFile[] = [];
  private readonly numbers: readonly Numbers[];
  private readonly begun: Source[] = [];
  /** Those of `begun` that still have packets. */
  private active: Source[] = [];
  private epochSeconds: number | null;
  private readonly record = new PacketRecord();
  private atHand = -1;
  private nextPlace = 0;

  constructor(
    private readonly waiting: readonly Waiting[],
    private readonly sink: TogetherSink,
    private readonly options: TogetherOptions,
  ) {
    this.numbers = numbersOf(waiting);
    this.epochSeconds = options.epochSeconds ?? waiting[0]?.firstAt?.seconds ?? null;
  }

  async run(): Promise<{ read: ReadFile[]; epochSeconds: number | null }> {
    // Only what comes out of a pipe tells when it begins.
    for (const [place, { isPipe }] of this.waiting.entries()) if (isPipe) await this.begin(place);
    for (;;) {
      if (this.active.length === 0) {
        const place = this.nextWaiting();
        if (place < 0) break;
        await this.begin(place);
      } else if (this.active.length === 1) await this.readAlone(this.active[0]);
      else await this.readInTurn();
    }
    return { read: this.read, epochSeconds: this.epochSeconds };
  }

  /** Nobody waits any more: whatever is still open is closed. */
  giveUp(): void {
    for (const source of this.begun) source.cancel();
  }

  /** The place of the file that comes next, or -1. */
  private nextWaiting(): number {
    while (this.nextPlace < this.waiting.length && this.waiting[this.nextPlace].isPipe) this.nextPlace++;
    return this.nextPlace < this.waiting.length ? this.nextPlace : -1;
  }

  /** When the file that comes next begins, by the times of this analysis. */
  private nextFromNs(): number {
    const place = this.nextWaiting();
    const firstAt = place < 0 ? null : this.waiting[place].firstAt;
    if (firstAt === null) return Number.POSITIVE_INFINITY;
    return (firstAt.seconds - (this.epochSeconds ?? firstAt.seconds)) * 1e9 + firstAt.nanoseconds;
  }

  private async begin(place: number): Promise<void> {
    if (!this.waiting[place].isPipe) this.nextPlace = place + 1;
    const source = new Source(place, this.waiting[place], this.sink, this.epochSeconds, this.options.onProgress);
    this.begun.push(source);
    this.active.push(source);
    await this.refill(source, Number.NEGATIVE_INFINITY);
    if (!source.queue.isEmpty) this.epochSeconds ??= source.queue.epoch;
  }

  private async refill(source: Source, directUntilNs: number): Promise<void> {
    await source.more(directUntilNs);
    if (source.summary === null || !source.queue.isEmpty) return;
    const { place, summary } = source;
    const { base, most } = this.numbers[place];
    if (summary.packets + (this.waiting[place].section?.packetsBefore ?? 0) > most)
      throw new CaptureError(
        'too-many-packets',
        summary.file,
        'more packets than can be numbered beside the other files',
      );
    this.read[place] = { base, summary };
    this.active = this.active.filter((each) => each !== source);
  }

  private async readAlone(source: Source): Promise<void> {
    const untilNs = this.nextFromNs();
    this.deliver(source, untilNs);
    if (!source.queue.isEmpty) await this.begin(this.nextWaiting());
    else {
      this.announce(source);
      await this.refill(source, untilNs);
    }
  }

  /** From the source whose next packet is the earliest, as long as it is. */
  private async readInTurn(): Promise<void> {
    let first = this.active[0];
    let otherNs = this.nextFromNs();
    for (const source of this.active.slice(1)) {
      if (source.queue.timeNs < first.queue.timeNs) {
        otherNs = Math.min(otherNs, first.queue.timeNs);
        first = source;
      } else otherNs = Math.min(otherNs, source.queue.timeNs);
    }
    if (first.queue.timeNs >= this.nextFromNs()) return this.begin(this.nextWaiting());
    this.deliver(first, otherNs, true);
    if (first.queue.isEmpty) await this.refill(first, Number.NEGATIVE_INFINITY);
  }

  /** Packets that were queued, before a time; at least one where it is `due`. */
  private deliver(source: Source, untilNs: number, due = false): void {
    const { queue } = source;
    if (queue.isEmpty || !(due || queue.timeNs < untilNs)) return;
    this.announce(source);
    do {
      queue.take(this.record);
      this.sink.packet(this.record);
    } while (!queue.isEmpty && queue.timeNs < untilNs);
  }

  private announce(source: Source): void {
    if (this.atHand === source.place) return;
    this.atHand = source.place;
    this.sink.fileAtHand(this.numbers[source.place].base);
  }
}
