/**
 * The captures that one file holds one after the other (`cat b.pcap a.pcap`), where they were appended in the wrong order or overlap.
 * In: what the first reading found, and the file once more, of which only times are looked at. Out: its sections for read-together.ts, or
 * null where they stand in order. A compressed file or a pipe cannot be read from the middle, and stays as it is.
 */

import type { CaptureSummary } from './capture-summary.js';
import { readCapture } from './read-capture.js';

/** Where an appended capture begins. */
export interface SectionStart {
  /** In the file. */
  readonly offset: number;
  readonly packetsBefore: number;
}

export interface FileSection extends SectionStart {
  readonly file: string;
  /** Where the next one begins; infinite for the last. */
  readonly end: number;
  readonly firstAt: { seconds: number; nanoseconds: number } | null;
}

export async function sectionsToSort(summary: CaptureSummary): Promise<FileSection[] | null> {
  const { file, sections, backwardsTimestamps, compression, epochSeconds } = summary;
  if (sections.length === 0 || backwardsTimestamps === 0 || compression !== null || epochSeconds === null) return null;
  const starts = [{ offset: 0, packetsBefore: 0 }, ...sections];
  const firstNs = new Array<number>(starts.length).fill(Number.POSITIVE_INFINITY);
  let at = 0;
  let latestNs = Number.NEGATIVE_INFINITY;
  let isDisordered = false;
  const packet = ({ number, timeNs }: { number: number; timeNs: number }): void => {
    while (at < starts.length && number > starts[at].packetsBefore) {
      firstNs[at++] = timeNs;
      isDisordered ||= timeNs < latestNs;
    }
    latestNs = Math.max(latestNs, timeNs);
  };
  await readCapture(file, { packet }, { epochSeconds });
  if (!isDisordered) return null;
  return starts.map((start, i) => ({
    ...start,
    file,
    end: starts[i + 1]?.offset ?? Number.POSITIVE_INFINITY,
    firstAt: Number.isFinite(firstNs[i]) ? wallTime(epochSeconds, firstNs[i]) : null,
  }));
}

function wallTime(epochSeconds: number, timeNs: number): { seconds: number; nanoseconds: number } {
  const seconds = Math.floor(timeNs / 1e9);
  return { seconds: epochSeconds + seconds, nanoseconds: timeNs - seconds * 1e9 };
}
