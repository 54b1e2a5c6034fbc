/**
 * A cheap look at the start of a capture: for putting rotated files in order, and for choosing the epoch of an analysis.
 * In: a path. Out: format, link types and the time of the first packet. Throws as `readCapture` does.
 */

import type { Compression } from './decompress.js';
import { readCapture } from './read-capture.js';

export interface CapturePeek {
  readonly file: string;
  readonly format: 'pcap' | 'pcapng';
  readonly compression: Compression | null;
  readonly linkTypes: readonly string[];
  readonly timeDigits: 6 | 9;
  /** Seconds since 1970 of the first packet, rounded down, and the nanoseconds above; null where there is no packet. */
  readonly firstSeconds: number | null;
  readonly firstNanoseconds: number | null;
}

const PEEK_OCTETS = 64 * 1024;

export async function peekCapture(path: string): Promise<CapturePeek> {
  if (path === '-') throw new Error('standard input can only be read once');
  const summary = await readCapture(
    path,
    { packet: () => {} },
    { chunkOctets: PEEK_OCTETS, enough: (reader) => reader.timedPackets > 0 },
  );
  const { file, format, compression, linkTypes, timeDigits, epochSeconds, firstTimeNs } = summary;
  // The epoch is the first packet's own second, so its time is what is left of that second.
  return {
    file,
    format,
    compression,
    linkTypes,
    timeDigits,
    firstSeconds: epochSeconds,
    firstNanoseconds: firstTimeNs,
  };
}
