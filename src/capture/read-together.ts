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
import { type CaptureSummary, summaryOfNothing } from './capture-summary.js';
import { Epoch } from './epoch.js';
import { PacketQueue } from './packet-queue.js';
import { PacketRecord, type PacketSink } from './packet-record.js';
import { type CapturePeek, peekCapture } from './peek-capture.js';
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
  /** In its place, where it is shared with captures that are read meanwhile. */
  epoch?: Epoch | undefined;
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
/** Packets are queued, whatever their time. */
const AT_ONCE = Number.NEGATIVE_INFINITY;
/** A running capture hands its packets on within a second. Whoever waited longer for one that says nothing would make the others drop theirs. */
const PATIENCE_MS = 2000;

/** In the order of their first packets; what holds none comes last. Sections of one file have its numbers, and one base. */
export async function readTogether(
  files: readonly (string | FileSection)[],
  sink: TogetherSink,
  options: TogetherOptions,
): Promise<{ read: ReadFile[]; epochSeconds: number | null }> {
  const { waiting, empty } = await lookedAt(files);
  if (waiting.length === 0) throw empty[0];
  const reading = new Reading(waiting, sink, options);
  try {
    const { read, epochSeconds } = await reading.run();
    for (const { file } of empty) read.push({ base: MOST_NUMBERS, summary: summaryOfNothing(file, read[0].summary) });
    return { read, epochSeconds };
  } finally {
    reading.giveUp();
  }
}

/** Of a rotated set the latest file may have been opened and not written to yet: it counts as one without packets beside others. */
async function lookedAt(
  files: readonly (string | FileSection)[],
): Promise<{ waiting: Waiting[]; empty: CaptureError[] }> {
  const waiting: Waiting[] = [];
  const empty: CaptureError[] = [];
  for (const file of files) {
    if (typeof file !== 'string') {
      const octets = fs.statSync(file.file).size;
      waiting.push({ file: file.file, section: file, firstAt: file.firstAt, isPipe: false, weight: octets });
      continue;
    }
    const piped = isPipe(file);
    const peek = piped ? null : await peekUnlessEmpty(file);
    if (peek instanceof CaptureError) {
      empty.push(peek);
      continue;
    }
    const seconds = peek?.firstSeconds ?? null;
    const firstAt = seconds === null ? null : { seconds, nanoseconds: peek?.firstNanoseconds ?? 0 };
    const octets = piped ? 0 : (fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0);
    const weight = Math.max(LEAST_WEIGHT, octets * (peek?.compression == null ? 1 : COMPRESSED_WEIGHT));
    waiting.push({ file, section: null, firstAt, isPipe: piped, weight });
  }
  return { waiting: waiting.sort((a, b) => compareTimes(a.firstAt, b.firstAt)), empty };
}

async function peekUnlessEmpty(file: string): Promise<CapturePeek | CaptureError> {
  try {
    return await peekCapture(file);
  } catch (error) {
    if (error instanceof CaptureError && error.code === 'empty-file') return error;
    throw error;
  }
}

/** Standard input, a pipe with a name, a shell's process substitution: what is read of it is gone. Directories are for `readCapture` to refuse. */
export function isPipe(file: string): boolean {
  if (file === '-') return true;
  try {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    return stat !== undefined && !stat.isFile() && !stat.isDirectory();
  } catch {
    return false; // `readCapture` says what is wrong with it
  }
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
  private coming: Promise<void> | null = null;

  constructor(
    readonly place: number,
    { file, section }: Waiting,
    sink: TogetherSink,
    epoch: Epoch,
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
        epoch,
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
  more(directUntilNs: number): Promise<void> {
    this.directUntilNs = directUntilNs;
    this.coming ??= this.untilMore().finally(() => {
      this.coming = null;
    });
    return this.coming;
  }

  private async untilMore(): Promise<void> {
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
  private readonly epoch: Epoch;
  /** Pipes that were silent for so long that nobody waits for them, until they give something. */
  private readonly givenUp = new Set<Source>();
  private readonly record = new PacketRecord();
  private atHand = -1;
  private nextPlace = 0;

  constructor(
    private readonly waiting: readonly Waiting[],
    private readonly sink: TogetherSink,
    private readonly options: TogetherOptions,
  ) {
    this.numbers = numbersOf(waiting);
    this.epoch = options.epoch ?? new Epoch(options.epochSeconds);
    const firstAt = waiting[0]?.firstAt;
    if (firstAt != null) this.epoch.settle(firstAt.seconds);
  }

  async run(): Promise<{ read: ReadFile[]; epochSeconds: number | null }> {
    // Only what comes out of a pipe tells when it begins. None waits for another: its writer would wait, too.
    await Promise.all(this.waiting.map(({ isPipe }, place) => (isPipe ? this.begin(place) : undefined)));
    for (;;) {
      if (this.active.length === 0) {
        const place = this.nextWaiting();
        if (place < 0) break;
        await this.begin(place);
      } else if (this.active.length === 1) await this.readAlone(this.active[0]);
      else await this.readInTurn();
    }
    return { read: this.read, epochSeconds: this.epoch.seconds };
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
    return (firstAt.seconds - this.epoch.settle(firstAt.seconds)) * 1e9 + firstAt.nanoseconds;
  }

  private async begin(place: number): Promise<void> {
    const { isPipe } = this.waiting[place];
    if (!isPipe) this.nextPlace = place + 1;
    const source = new Source(place, this.waiting[place], this.sink, this.epoch, this.options.onProgress);
    this.begun.push(source);
    this.active.push(source);
    // A pipe that stays silent must not keep the others' writers waiting.
    await (isPipe ? this.patiently([source]) : this.refill(source, Number.NEGATIVE_INFINITY));
  }

  private async refill(source: Source, directUntilNs: number): Promise<void> {
    await source.more(directUntilNs);
    this.givenUp.delete(source);
    if (source.summary === null || !source.queue.isEmpty || !this.active.includes(source)) return;
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
    const ready = this.active.filter(({ queue }) => !queue.isEmpty);
    if (ready.length < this.active.length) {
      const silent = this.active.filter((each) => each.queue.isEmpty && !this.givenUp.has(each));
      // What it gives later is read when it comes.
      if (ready.length === 0) return Promise.race(this.active.map((each) => this.refill(each, AT_ONCE)));
      if (silent.length > 0) return this.patiently(silent);
    }
    let first = ready[0];
    let otherNs = this.nextFromNs();
    for (const source of ready.slice(1)) {
      if (source.queue.timeNs < first.queue.timeNs) {
        otherNs = Math.min(otherNs, first.queue.timeNs);
        first = source;
      } else otherNs = Math.min(otherNs, source.queue.timeNs);
    }
    if (first.queue.timeNs >= this.nextFromNs()) return this.begin(this.nextWaiting());
    this.deliver(first, otherNs, true);
    if (first.queue.isEmpty && !this.waiting[first.place].isPipe) await this.refill(first, AT_ONCE);
  }

  /** Until all of them gave something, or are at their end, or patience is over. */
  private async patiently(sources: readonly Source[]): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS);
    });
    try {
      await Promise.race([Promise.all(sources.map((each) => this.refill(each, AT_ONCE))), over]);
    } finally {
      clearTimeout(timer);
    }
    for (const each of sources) if (each.queue.isEmpty) this.givenUp.add(each);
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
