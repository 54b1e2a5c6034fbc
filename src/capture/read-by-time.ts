/**
 * Hands over the packets of files in the order of their times, whatever their order in the file: blocks of packets that were exchanged, captures merged
 * one behind the other. In: files that were read once, and their running numbers. Out: packets to a sink. All octets are kept meanwhile: only up
 * to a size, and not from a pipe.
 */

import fs from 'node:fs';
import { PacketRecord, type PacketSink } from './packet-record.js';
import { readCapture } from './read-capture.js';
import { isPipe, type TogetherSink } from './read-together.js';

/** Packets' octets, decompressed. */
const MOST_OCTETS = 32 << 20;
const FIRST_OCTETS = 1 << 20;

/** False where they are too large, or cannot be read twice: then the sink was given nothing, or a part. */
export async function readByTime(
  files: readonly { file: string; base: number }[],
  sink: TogetherSink,
  epochSeconds: number,
): Promise<boolean> {
  if (files.some(({ file }) => isPipe(file))) return false;
  const octets = files.reduce((sum, { file }) => sum + (fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
  if (octets > MOST_OCTETS) return false;
  const store = new Store(sink);
  for (const { file, base } of files) {
    store.base = base;
    await readCapture(file, store, { epochSeconds, enough: () => store.isFull });
    if (store.isFull) return false;
  }
  store.deliver();
  return true;
}

class Store implements PacketSink {
  base = 0;
  private bytes = new Uint8Array(FIRST_OCTETS);
  private used = 0;
  private readonly records: { record: PacketRecord; base: number }[] = [];

  constructor(private readonly sink: TogetherSink) {}

  get isFull(): boolean {
    return this.used > MOST_OCTETS;
  }

  secrets(type: number, bytes: Uint8Array): void {
    this.sink.secrets?.(type, bytes);
  }

  packet(record: PacketRecord): void {
    if (this.isFull) return;
    const length = record.end - record.start;
    if (this.used + length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.used + length));
      grown.set(this.bytes.subarray(0, this.used));
      this.bytes = grown;
    }
    this.bytes.set(record.bytes.subarray(record.start, record.end), this.used);
    const kept = Object.assign(new PacketRecord(), record);
    kept.start = this.used;
    kept.end = this.used + length;
    this.used += length;
    this.records.push({ record: kept, base: this.base });
  }

  /** Those of one moment stay in the order in which they stand. */
  deliver(): void {
    this.records.sort((a, b) => a.record.timeNs - b.record.timeNs);
    let atHand = -1;
    for (const { record, base } of this.records) {
      if (base !== atHand) this.sink.fileAtHand(base);
      atHand = base;
      record.bytes = this.bytes;
      this.sink.packet(record);
    }
  }
}
