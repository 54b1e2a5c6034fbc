/**
 * What is known about a capture once it was read: counts, times, interfaces, drops, issues.
 * In: a reader that has finished. Out: hop/ (trust), report/ (`captures` of `lasthop/verdict@1`), `lasthop quality`.
 */

import type { Issue } from '../evidence/issue.js';
import type { CaptureInterface, CaptureReader, CaptureSecrets } from './capture-reader.js';
import type { Compression } from './decompress.js';
import type { DropTime } from './drop-times.js';
import { linkTypeName } from './link-type.js';
import { PcapReader } from './pcap-reader.js';
import type { SectionStart } from './sections.js';

export interface CaptureSummary {
  readonly file: string;
  readonly format: 'pcap' | 'pcapng';
  readonly compression: Compression | null;
  /** Names without their LINKTYPE_ prefix, each once. */
  readonly linkTypes: readonly string[];
  readonly packets: number;
  /** Packets of which not all octets were captured (snapshot length). */
  readonly cutPackets: number;
  /** Octets that the longest of them kept; 0 without any. */
  readonly cutToOctets: number;
  /** Packets that have no time (Simple Packet Blocks). */
  readonly untimedPackets: number;
  /** Of the first and the last packet in the file, and the earliest and the latest; null without any timed packet. */
  readonly firstTimeNs: number | null;
  readonly lastTimeNs: number | null;
  readonly minTimeNs: number | null;
  readonly maxTimeNs: number | null;
  readonly backwardsTimestamps: number;
  /** The furthest that a packet's time is before that of the packet before it. */
  readonly furthestBackNs: number;
  /** What the times count from; null if it was not given and there is no packet. */
  readonly epochSeconds: number | null;
  readonly timeDigits: 6 | 9;
  readonly interfaces: readonly CaptureInterface[];
  /** Packets that the capturing host says it lost, over all interfaces; null where the file does not say. */
  readonly drops: {
    readonly dropped: number | null;
    readonly droppedByOs: number | null;
    readonly beforePackets: number;
    /** Between which times that was: a report tells of what was dropped since the one before. */
    readonly times: readonly DropTime[];
  };
  readonly issues: readonly Issue[];
  /** All issues by code, also those beyond the limit that `issues` keeps. */
  readonly issueCounts: ReadonlyMap<string, number>;
  readonly secrets: readonly CaptureSecrets[];
  readonly sections: readonly SectionStart[];
  /** Octets of the file that were read, as stored. */
  readonly octets: number;
}

export function summarise(
  file: string,
  reader: CaptureReader,
  compression: Compression | null,
  octets: number,
): CaptureSummary {
  if (reader instanceof PcapReader) reader.countInterfacePackets();
  const timed = reader.timedPackets > 0;
  return {
    file,
    format: reader.format,
    compression,
    linkTypes: [...new Set(reader.interfaces.map((each) => linkTypeName(each.linkType)))],
    packets: reader.packets,
    cutPackets: reader.cutPackets,
    cutToOctets: reader.cutToOctets,
    untimedPackets: reader.packets - reader.timedPackets,
    firstTimeNs: timed ? reader.firstTimeNs : null,
    lastTimeNs: timed ? reader.lastTimeNs : null,
    minTimeNs: timed ? reader.minTimeNs : null,
    maxTimeNs: timed ? reader.maxTimeNs : null,
    backwardsTimestamps: reader.backwardsTimestamps,
    furthestBackNs: reader.furthestBackNs,
    epochSeconds: reader.epochSeconds,
    timeDigits: reader.timeDigits,
    interfaces: reader.interfaces,
    drops: {
      dropped: sum(reader.interfaces.map((each) => each.dropped)),
      droppedByOs: sum(reader.interfaces.map((each) => each.droppedByOs)),
      beforePackets: reader.droppedBeforePackets,
      times: reader.dropTimes.times,
    },
    issues: reader.issues.issues,
    issueCounts: reader.issues.counts,
    secrets: reader.secrets,
    sections: reader.sections,
    octets,
  };
}

/** Of a file without an octet, beside others of its hop. */
export function summaryOfNothing(file: string, { format, epochSeconds, timeDigits }: CaptureSummary): CaptureSummary {
  const code = 'empty-file';
  const text = 'It is an empty file, 0 octets: the capture had opened it, and not written to it yet.';
  return {
    file,
    format,
    compression: null,
    linkTypes: [],
    packets: 0,
    cutPackets: 0,
    cutToOctets: 0,
    untimedPackets: 0,
    firstTimeNs: null,
    lastTimeNs: null,
    minTimeNs: null,
    maxTimeNs: null,
    backwardsTimestamps: 0,
    furthestBackNs: 0,
    epochSeconds,
    timeDigits,
    interfaces: [],
    drops: { dropped: null, droppedByOs: null, beforePackets: 0, times: [] },
    issues: [{ code, text, packet: null, offset: null, required: null, had: null, field: null }],
    issueCounts: new Map([[code, 1]]),
    secrets: [],
    sections: [],
    octets: 0,
  };
}

function sum(counts: readonly (number | null)[]): number | null {
  let total: number | null = null;
  for (const count of counts) if (count !== null) total = (total ?? 0) + count;
  return total;
}
