/**
 * Reads the files of one hop, in the order of time, into one observation. In: delivery/analyse.ts with paths.
 * Out: HopObservation; a CaptureError where an input is none.
 */

import { readCapture } from '../capture/read-capture.js';
import { readTogether } from '../capture/read-together.js';
import type { Profile } from '../message/profile.js';
import { withoutTcp } from '../packet/other-traffic.js';
import { KeyLog } from '../tls/key-log.js';
import type { HopObservation, ObservedFile } from './observation.js';
import { Observer } from './observer.js';

export type ReadProgress = (file: string, octetsRead: number, octetsTotal: number | null) => void;

export interface ObserveOptions {
  onProgress?: ReadProgress | undefined;
  /** What times count from; null for the first packet's second. One analysis has one. */
  epoch?: number | null;
  /** Every message gets its row, for the story of one command. */
  keepAll?: boolean;
  /** Key logs, as their files hold them. */
  keyLogs?: readonly Uint8Array[];
}

export async function observeHop(
  hop: string,
  files: readonly string[],
  profile: Profile,
  { onProgress, epoch = null, keepAll = false, keyLogs = [] }: ObserveOptions = {},
): Promise<HopObservation> {
  const observer = new Observer(profile, keyLogOf(keyLogs));
  observer.context.keepAll = keepAll;
  const { observed, epochSeconds } = await readFiles(files, observer, onProgress, epoch);
  const connections = observer.finish();
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
    setBacks: observer.context.clock.setBacks,
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

/** Feeds files to an observer in the order of time: rotated sets come in any order, overlap, or there is a file for each interface. */
export async function readFiles(
  files: readonly string[],
  observer: Observer,
  onProgress?: ReadProgress,
  epoch: number | null = null,
): Promise<{ observed: ObservedFile[]; epochSeconds: number }> {
  if (files.length > 1) {
    const { read, epochSeconds } = await readTogether(files, observer, { epochSeconds: epoch, onProgress });
    const observed = read.map(({ base, summary }) => ({ file: summary.file, base, summary }));
    return { observed, epochSeconds: epochSeconds ?? 0 };
  }
  const [file] = files;
  const summary = await readCapture(file, observer, {
    epochSeconds: epoch,
    ...(onProgress === undefined ? {} : { onProgress: (read, total) => onProgress(file, read, total) }),
  });
  return { observed: [{ file, base: 0, summary }], epochSeconds: epoch ?? summary.epochSeconds ?? 0 };
}

/** File and packet number within it of a running packet number. */
export function locate(files: readonly ObservedFile[], ref: number): { file: string; packet: number } {
  let at = files.length - 1;
  while (at > 0 && files[at].base >= ref) at--;
  return { file: files[at].file, packet: ref - files[at].base };
}
