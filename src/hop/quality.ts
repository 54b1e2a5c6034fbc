/**
 * Whether captures support conclusions at all, and about which times and connections. In: cli/ with files.
 * Out: one CaptureQuality for each file. The same observer as a verdict's: what it could not read, no verdict can rest on.
 */

import type { CaptureSummary } from '../capture/capture-summary.js';
import { compareWithSecondReader } from '../capture/second-reader.js';
import { loadProfile } from '../message/load-profile.js';
import { withoutTcp } from '../packet/other-traffic.js';
import { FATES } from '../tcp/losses.js';
import { captureDoubts, hopDoubts, type Seen } from './capture-doubts.js';
import type { CaptureQuality, ConnectionQuality, Hole } from './capture-quality.js';
import { endpoint } from './list.js';
import { blindTimes, type LossTime, lossTimes, missedIn } from './loss-times.js';
import type { ObservedConnection, ObservedHalf } from './observation.js';
import { readFiles } from './observe.js';
import { Observer } from './observer.js';
import { sameAsBefore } from './partial-views.js';
import { asStamped } from './steady-clock.js';
import { isoTime } from './timestamp.js';
import { toldLosses } from './told-losses.js';

export interface QualityOptions {
  profile?: unknown;
  secondReader?: boolean;
  onProgress?: (progress: { hop: string; file: string; octetsRead: number; octetsTotal: number | null }) => void;
}

/** More of one connection's holes are counted, not listed. */
const MAX_HOLES = 32;
const MOST_EXAMPLES = 8;

export async function captureQuality(file: string, options: QualityOptions): Promise<CaptureQuality> {
  const observer = new Observer(await loadProfile(options.profile));
  const { observed, epochSeconds } = await readFiles([file], observer, (name, octetsRead, octetsTotal) =>
    options.onProgress?.({ hop: '', file: name, octetsRead, octetsTotal }),
  );
  const connections = observer.finish();
  const [{ summary }] = observed;
  const isoOf = (timeNs: number) => isoTime(timeNs, epochSeconds, summary.timeDigits);
  const iso = (timeNs: number) => isoOf(asStamped(timeNs, observer.steady.setBacks));
  const own = lossTimes(connections, observed);
  const there = connections.filter((each) => each !== undefined);
  const same = sameAsBefore(there);
  const described = there.map((each) => describe(each, iso, own, same.get(each.index) ?? null));
  const { context, decoder } = observer;
  const seen: Seen = {
    files: observed,
    epochSeconds,
    timeDigits: summary.timeDigits,
    packets: observer.packets,
    tcpPackets: observer.tcpPackets,
    withoutTcp: withoutTcp(decoder.others),
    connections,
    messages: context.messages,
    missedOctets: observer.missedOctets,
    missedIn: missedIn(connections),
    bareTcpAcks: observer.bareTcpAcks,
    setBacks: context.clock.setBacks,
    resumed: observer.steady.setBacks,
    clockSteps: context.clock.steps.finish(),
    issues: decoder.issues.issues,
    issueCounts: decoder.issues.counts,
  };
  const base = {
    file,
    format: summary.format,
    compression: summary.compression,
    linkTypes: [...summary.linkTypes],
    packets: summary.packets,
    tcpPackets: observer.tcpPackets,
    firstAt: summary.minTimeNs === null ? null : isoOf(summary.minTimeNs),
    lastAt: summary.maxTimeNs === null ? null : isoOf(summary.maxTimeNs),
    droppedPackets: dropped(summary),
    cutPackets: summary.cutPackets,
    untimedPackets: summary.untimedPackets,
    backwardsTimestamps: summary.backwardsTimestamps,
    clockSetBacks: [
      ...observer.context.clock.setBacks.map(({ fromNs, toNs }) => ({
        at: iso(fromNs) ?? '',
        backMs: inMs(toNs - fromNs),
      })),
      ...observer.steady.setBacks.map(({ fromNs, stepNs }) => ({ at: iso(fromNs - 1e3) ?? '', backMs: inMs(stepNs) })),
    ],
    missedOctets: observer.missedOctets,
    cutOctets: sum(described, (each) => each.cutOctets),
    duplicates: sum(described, (each) => each.duplicates),
    blindTimes: blindTimes(seen).map(({ fromNs, toNs }) => ({
      fromAt: fromNs <= observer.firstNs ? null : iso(fromNs),
      toAt: toNs >= observer.lastNs ? null : iso(toNs),
    })),
    losses: inAll(described),
    zeroLengthPackets: observer.decoder.counters.zeroLengths,
    largestSegmentOctets: observer.largestPayload,
    issues: [...summary.issues, ...observer.decoder.issues.issues].map(({ code, text, packet }) => ({
      code,
      text,
      packet,
    })),
    secondReader: options.secondReader === true ? await compareWithSecondReader(file) : null,
    connections: described,
  };
  const reasons = captureDoubts(summary, seen, hopDoubts(seen));
  if (base.secondReader?.agrees === false)
    reasons.push(`a second reader reads it otherwise: ${base.secondReader.firstDifference}`);
  const trust = observer.tcpPackets === 0 ? 'none' : reasons.length > 0 ? 'limited' : 'full';
  return { ...base, trust, reasons, notes: lateOpenings(described) };
}

function inAll(connections: readonly ConnectionQuality[]): CaptureQuality['losses'] {
  const order = ['missed-by-capture', ...FATES] as const;
  return order.flatMap((fate) => {
    const lossy = connections.filter(({ losses }) => losses.some((each) => each.fate === fate));
    const of = lossy.flatMap(({ losses }) => losses.filter((each) => each.fate === fate));
    if (of.length === 0) return [];
    const packets = of.flatMap((each) => each.packets).sort((a, b) => a - b);
    return {
      fate,
      connections: lossy.length,
      count: sum(of, ({ count }) => count),
      octets: sum(of, ({ octets }) => octets),
      packets: packets.slice(0, MOST_EXAMPLES),
    };
  });
}

/** Of which no frame can be known before the capture: harmless where frames were found. */
function lateOpenings(connections: readonly ConnectionQuality[]): string[] {
  const late = connections.filter(
    (each) => each.sameAs === null && each.protocol === 'websocket' && each.opening === 'missing',
  );
  if (late.length === 0) return [];
  const least = late.reduce((bits, { foundByBits }) => Math.min(bits, foundByBits ?? bits), Number.POSITIVE_INFINITY);
  const found =
    least < Number.POSITIVE_INFINITY ? `; frames found in mid-stream by ${least} bits of evidence or more` : '';
  return [
    `${late.length} WebSocket${late.length === 1 ? '' : 's'} opened before the capture, or in a hole of it${found}`,
  ];
}

function describe(
  connection: ObservedConnection,
  iso: (timeNs: number) => string | null,
  own: readonly LossTime[],
  sameAs: number | null,
): ConnectionQuality {
  const { fromServer, fromClient } = connection;
  const halves = [fromServer, fromClient] as const;
  const bits = halves.map((half) => half.foundByBits).filter((each) => !Number.isNaN(each));
  const total = (of: (half: ObservedHalf) => number) => halves.reduce((all, half) => all + of(half), 0);
  // Of a stray the octets belong to another connection, and are answered for there.
  const holes = connection.stray ? [] : [...holesOf(fromServer, 'server', iso), ...holesOf(fromClient, 'client', iso)];
  const both = fromServer.packets > 0 && fromClient.packets > 0;
  const opening = connection.initialSequence.client >= 0 || connection.initialSequence.server >= 0 ? 'seen' : 'missing';
  const doubts = holes.length > 0 || !both || total((half) => half.unsound.length) > 0;
  return {
    connection: connection.index,
    client: endpoint(connection.clientAddress, connection.clientPort),
    server: endpoint(connection.serverAddress, connection.serverPort),
    protocol: connection.protocol,
    agent: connection.agentNames[0] ?? null,
    firstAt: iso(connection.firstNs) ?? '',
    lastAt: iso(connection.lastNs) ?? '',
    packets: connection.packets,
    opening,
    sameAs,
    directions: both ? 'both' : fromServer.packets > 0 ? 'server' : 'client',
    foundByBits: bits.length === 0 ? null : Math.min(...bits),
    missedOctets: connection.stray ? 0 : total((half) => half.missedOctets),
    cutOctets: total((half) => half.cutOctets),
    unreadOctets: total((half) => sum(unreadSpans(half), ({ from, to }) => to - from)),
    duplicates: total((half) => half.duplicates),
    retransmissions: total((half) => half.retransmissions),
    losses: connection.stray
      ? []
      : [...toldLosses(fromServer, 'server', own), ...toldLosses(fromClient, 'client', own)],
    whole: !doubts,
    holes: holes.slice(0, MAX_HOLES),
  };
}

function* holesOf(half: ObservedHalf, sender: Hole['sender'], iso: (timeNs: number) => string | null): Generator<Hole> {
  if (half.packets === 0) return; // a direction that is left out has no holes
  for (const gap of half.gaps)
    yield {
      sender,
      kind: gap.kind,
      octets: gap.to - gap.from,
      fromAt: iso(gap.fromNs),
      toAt: iso(gap.toNs),
      why: null,
    };
  for (const span of unreadSpans(half))
    yield {
      sender,
      kind: 'unread',
      octets: span.to - span.from,
      fromAt: iso(span.fromNs),
      toAt: iso(span.toNs),
      why: span.why,
    };
}

/** What is not there is not unread. */
function unreadSpans({ blind, gaps }: ObservedHalf): ObservedHalf['blind'] {
  return blind.filter(({ from, to }) => !gaps.some((gap) => gap.from <= from && gap.to >= to));
}

function dropped({ drops }: CaptureSummary): number | null {
  if (drops.dropped === null && drops.droppedByOs === null && drops.beforePackets === 0) return null;
  return (drops.dropped ?? 0) + (drops.droppedByOs ?? 0) + drops.beforePackets;
}

function sum<T>(all: readonly T[], of: (each: T) => number): number {
  return all.reduce((total, each) => total + of(each), 0);
}

function inMs(ns: number): number {
  return Math.round(ns / 1e3) / 1e3;
}
