/**
 * Reads the files of one hop, in the order of time, into one observation. In: delivery/analyse.ts with paths.
 * Out: HopObservation; a CaptureError where an input is none.
 */

import type { CaptureSummary } from '../capture/capture-summary.js';
import { Epoch } from '../capture/epoch.js';
import { readCapture } from '../capture/read-capture.js';
import { isPipe, type ReadFile, readTogether } from '../capture/read-together.js';
import { type FileSection, sectionsToSort } from '../capture/sections.js';
import type { Profile } from '../message/profile.js';
import { withoutTcp } from '../packet/other-traffic.js';
import { KeyLog } from '../tls/key-log.js';
import { missedIn } from './loss-times.js';
import type { HopObservation, ObservedFile } from './observation.js';
import { Observer } from './observer.js';
import { inOrderOfTime } from './order-of-time.js';

export type ReadProgress = (file: string, octetsRead: number, octetsTotal: number | null) => void;

export interface ObserveOptions {
  onProgress?: ReadProgress | undefined;
  /** What times count from: one analysis has one. Hops that are read at the same time share it. */
  epoch?: Epoch;
  /** Every message gets its row, for the story of one command. */
  keepAll?: boolean;
  /** Key logs, as their files hold them. */
  keyLogs?: readonly Uint8Array[];
}

export async function observeHop(
  hop: string,
  files: readonly string[],
  profile: Profile,
  { onProgress, epoch = new Epoch(), keepAll = false, keyLogs = [] }: ObserveOptions = {},
): Promise<HopObservation> {
  const begin = () => {
    const observer = new Observer(profile, keyLogOf(keyLogs));
    observer.context.keepAll = keepAll;
    return observer;
  };
  let observer = begin();
  const { observed: inFileOrder, epochSeconds } = await readFiles(files, observer, onProgress, epoch);
  let observed = inFileOrder;
  const sections = await outOfOrder(observed);
  if (sections !== null) {
    observer = begin();
    const { read } = await readTogether(sections, observer, { epochSeconds, onProgress });
    observed = sorted(observed, read);
  }
  let connections = observer.finish();
  const inTime = await inOrderOfTime(observer, observed, epochSeconds, begin);
  if (inTime !== null) {
    observer = inTime;
    connections = inTime.connections;
    observed = observed.map(({ file, base, summary }) => ({
      file,
      base,
      summary: { ...summary, ...withSaid(summary, BY_TIME) },
    }));
  }
  const { context } = observer;
  let dropped: number | null = null;
  for (const { summary } of observed) {
    const { drops } = summary;
    for (const count of [drops.dropped, drops.droppedByOs]) if (count !== null) dropped = (dropped ?? 0) + count;
    if (drops.beforePackets > 0) dropped = (dropped ?? 0) + drops.beforePackets;
  }
  return {
    hop,
    epochSeconds,
    files: observed,
    timeDigits: observed.some(({ summary }) => summary.timeDigits === 9) ? 9 : 6,
    firstNs: observer.firstNs,
    lastNs: observer.lastNs,
    packets: observer.packets,
    tcpPackets: observer.tcpPackets,
    withoutTcp: withoutTcp(observer.decoder.others),
    connections,
    messages: context.messages,
    records: context.records,
    strings: context.strings,
    candidates: context.candidates,
    dispatches: context.dispatches,
    tooBig: observer.tooBig,
    missedOctets: observer.missedOctets,
    missedIn: missedIn(connections),
    bareTcpAcks: observer.bareTcpAcks,
    setBacks: observer.context.clock.setBacks,
    resumed: observer.steady.setBacks,
    clockSteps: observer.context.clock.steps.finish(),
    issues: observer.decoder.issues.issues,
    issueCounts: observer.decoder.issues.counts,
    droppedPackets: dropped,
    hasKeys: keyLogs.length > 0 || context.keyLog.size > 0,
  };
}

export function keyLogOf(contents: readonly Uint8Array[]): KeyLog {
  const keyLog = new KeyLog();
  for (const content of contents) keyLog.add(content);
  return keyLog;
}

/** All files of the hop, and in the place of one whose appended captures stand in the wrong order, these; null where none does. */
async function outOfOrder(observed: readonly ObservedFile[]): Promise<(string | FileSection)[] | null> {
  if (observed.some(({ file, summary }) => summary.sections.length > 0 && isPipe(file))) return null;
  const parts: (string | FileSection)[] = [];
  for (const { file, summary } of observed) parts.push(...((await sectionsToSort(summary)) ?? [file]));
  if (parts.every((part) => typeof part === 'string')) return null;
  return observed.some(({ file }) => isPipe(file)) ? null : parts;
}

/** What was found of each file as a whole holds, but for what the wrong order made of it. */
function sorted(observed: readonly ObservedFile[], read: readonly ReadFile[]): ObservedFile[] {
  return observed
    .map(({ file, summary }) => {
      const parts = read.filter((each) => each.summary.file === file);
      const backwardsTimestamps = parts.reduce((sum, part) => sum + part.summary.backwardsTimestamps, 0);
      const furthestBackNs = parts.reduce((most, part) => Math.max(most, part.summary.furthestBackNs), 0);
      const { issues, issueCounts } = parts.length > 1 ? withSaid(summary, APPENDED) : summary;
      return {
        file,
        base: parts[0].base,
        summary: { ...summary, backwardsTimestamps, furthestBackNs, issues, issueCounts },
      };
    })
    .sort((a, b) => a.base - b.base);
}

const APPENDED = {
  code: 'appended-out-of-order',
  text: 'Captures were appended to one another in another order than that of their times, in which they are read.',
};
const BY_TIME = {
  code: 'packets-out-of-order',
  text: 'Packets stand in another order than that of their times, in which they are read.',
};

function withSaid(
  { issues, issueCounts }: CaptureSummary,
  said: { code: string; text: string },
): Pick<CaptureSummary, 'issues' | 'issueCounts'> {
  const issue = { ...said, packet: null, offset: null, required: null, had: null, field: null };
  return { issues: [...issues, issue], issueCounts: new Map([...issueCounts, [said.code, 1]]) };
}

/** Feeds files to an observer in the order of time: rotated sets come in any order, overlap, or there is a file for each interface. */
export async function readFiles(
  files: readonly string[],
  observer: Observer,
  onProgress?: ReadProgress,
  epoch = new Epoch(),
): Promise<{ observed: ObservedFile[]; epochSeconds: number }> {
  if (files.length > 1) {
    const { read, epochSeconds } = await readTogether(files, observer, { epochSeconds: null, epoch, onProgress });
    const observed = read.map(({ base, summary }) => ({ file: summary.file, base, summary }));
    return { observed, epochSeconds: epochSeconds ?? 0 };
  }
  const [file] = files;
  const summary = await readCapture(file, observer, {
    epoch,
    ...(onProgress === undefined ? {} : { onProgress: (read, total) => onProgress(file, read, total) }),
  });
  return { observed: [{ file, base: 0, summary }], epochSeconds: epoch.seconds ?? 0 };
}

/** File and packet number within it of a running packet number. */
export function locate(files: readonly ObservedFile[], ref: number): { file: string; packet: number } {
  let at = files.length - 1;
  while (at > 0 && files[at].base >= ref) at--;
  return { file: files[at].file, packet: ref - files[at].base };
}
