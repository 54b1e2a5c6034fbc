/**
 * Files of one hop that were captured at the same time, a tcpdump for each direction or interface, are read as one: packet by packet in order of
 * time, as one tcpdump would have written them. Read one after the other, a connection's TCP ACKs would all come before the octets, or long after.
 * In: the files, in order of their first packets. Out: the observer. Small captures only: their packets are held in memory.
 */

import type { CaptureSummary } from '../capture/capture-summary.js';
import { PacketRecord } from '../capture/packet-record.js';
import { readCapture } from '../capture/read-capture.js';
import type { ObservedFile } from './observation.js';
import type { Observer } from './observer.js';

/** All files together: some 100 MiB while they are merged. */
const MOST_OCTETS = 32 << 20;
/** Less is no more than packets out of order where one file ends and the next begins. */
const OVERLAP_NS = 1e9;

/** Whether files that were read one after the other should be read as one: one begins well before an earlier one ends. */
export function areParallel(observed: readonly ObservedFile[]): boolean {
  if (observed.some(({ file }) => file === '-')) return false;
  if (observed.reduce((sum, { summary }) => sum + summary.octets, 0) > MOST_OCTETS) return false;
  let endNs = Number.NEGATIVE_INFINITY;
  for (const { summary } of observed) {
    if (summary.minTimeNs === null || summary.maxTimeNs === null) continue;
    if (summary.minTimeNs < endNs - OVERLAP_NS) return true;
    endNs = Math.max(endNs, summary.maxTimeNs);
  }
  return false;
}

/** The files, in the same order and with the same running numbers as one after the other. */
export async function readMerged(
  files: readonly string[],
  observer: Observer,
  epoch: number | null,
): Promise<{ observed: ObservedFile[]; epochSeconds: number }> {
  const observed: ObservedFile[] = [];
  const queues: Queue[] = [];
  let epochSeconds = epoch;
  let base = 0;
  for (const file of files) {
    const queue = new Queue(base);
    const summary: CaptureSummary = await readCapture(
      file,
      { packet: (record) => queue.add(record), secrets: (type, bytes) => observer.secrets(type, bytes) },
      { epochSeconds },
    );
    epochSeconds ??= summary.epochSeconds;
    observed.push({ file, base, summary });
    queues.push(queue);
    base += summary.packets;
  }
  for (;;) {
    let next: Queue | null = null;
    for (const queue of queues) if (!queue.isEmpty && (next === null || queue.timeNs < next.timeNs)) next = queue;
    if (next === null) break;
    observer.base = next.base;
    observer.packet(next.take());
  }
  return { observed, epochSeconds: epochSeconds ?? 0 };
}

/** The packets of one file, in its order: where its clock was set back, what follows is not moved before what it was captured after. */
class Queue {
  /** Of the next packet, or of an earlier one that has a later time. */
  timeNs = Number.NEGATIVE_INFINITY;
  private readonly packets: PacketRecord[] = [];
  private at = 0;

  constructor(readonly base: number) {}

  get isEmpty(): boolean {
    return this.at === this.packets.length;
  }

  add(record: PacketRecord): void {
    const { start, end } = record;
    const kept = Object.assign(new PacketRecord(), record);
    kept.bytes = record.bytes.slice(start, end);
    kept.start = 0;
    kept.end = end - start;
    this.packets.push(kept);
    if (this.packets.length === 1) this.timeNs = kept.timeNs;
  }

  take(): PacketRecord {
    const record = this.packets[this.at++];
    if (!this.isEmpty) this.timeNs = Math.max(this.timeNs, this.packets[this.at].timeNs);
    return record;
  }
}
