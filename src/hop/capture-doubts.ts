/**
 * Why a capture does not support every conclusion, in words: the same for a verdict's `trust` and for `lasthop quality`.
 * In: a file's summary, and what was observed in all files of its hop. Out: reasons, none where there is no doubt.
 */

import type { CaptureSummary } from '../capture/capture-summary.js';
import { seconds } from '../evidence/duration.js';
import { inWords } from '../evidence/issue.js';
import { MessageFlag } from './message-table.js';
import type { HopObservation, ObservedConnection } from './observation.js';
import { seenElsewhere } from './partial-views.js';
import { stampOf } from './timestamp.js';

export type Seen = Pick<
  HopObservation,
  | 'files'
  | 'epochSeconds'
  | 'timeDigits'
  | 'packets'
  | 'tcpPackets'
  | 'withoutTcp'
  | 'connections'
  | 'messages'
  | 'missedOctets'
  | 'missedIn'
  | 'bareTcpAcks'
  | 'setBacks'
  | 'resumed'
  | 'clockSteps'
  | 'issues'
  | 'issueCounts'
>;

const MOST_TIMES = 3;
/** Several queues or interfaces hand packets over in another order than that of their stamps: what is this close is put in order. */
const HARMLESS_NS = 1e6;

/** What all files of a hop share, worked out once: with a file's own reasons they stand in one order. */
export interface HopDoubts {
  webSocket: readonly string[];
  losses: readonly string[];
  missing: readonly string[];
}

export function hopDoubts(seen: Seen): HopDoubts {
  const missing: string[] = [];
  const oneWay = oneWayConnections(seen.connections);
  if (oneWay > 0)
    missing.push(`${counted(oneWay, 'connection')} with packets of one direction only: capture where both pass`);
  if (isWithoutBareAcks(seen))
    missing.push(
      'it holds no packet that only TCP-ACKs: capture with a filter that leaves out none by length or flags',
    );
  const closed = notInflated(seen);
  if (closed > 0)
    missing.push(
      `${counted(closed, 'compressed message')} could not be inflated: what ${closed === 1 ? 'it refers' : 'they refer'} back to was not captured`,
    );
  const issues = inWords(seen.issues, seen.issueCounts, seen.files.length === 1);
  return {
    webSocket: withoutWebSocket(seen.connections),
    losses: [...(seen.missedOctets > 0 ? [missed(seen)] : []), ...issues, ...clockWasSet(seen)],
    missing,
  };
}

export function captureDoubts(summary: CaptureSummary, seen: Seen, hop: HopDoubts): string[] {
  const reasons: string[] = [];
  // Of a rotated set one file may well be empty: it says nothing against the others.
  if (summary.packets === 0 && seen.packets > 0) return inWords(summary.issues, summary.issueCounts);
  if (summary.packets === 0) reasons.push('it holds no packets');
  else if (seen.tcpPackets === 0) reasons.push(`it holds ${seen.withoutTcp}`);
  else reasons.push(...hop.webSocket);
  reasons.push(...inWords(summary.issues, summary.issueCounts));
  if (summary.cutPackets > 0)
    reasons.push(
      `${counted(summary.cutPackets, 'packet')} cut by the snapshot length, to ${counted(summary.cutToOctets, 'octet')} or less: no message can be read from what was cut off; capture with -s 0`,
    );
  const dropped = (summary.drops.dropped ?? 0) + (summary.drops.droppedByOs ?? 0) + summary.drops.beforePackets;
  if (dropped > 0)
    reasons.push(
      `the capturing host dropped ${counted(dropped, 'packet')}${whenDropped(summary, seen)}: use tcpdump -B 65536`,
    );
  reasons.push(...hop.losses);
  if (summary.backwardsTimestamps > seen.resumed.length && summary.furthestBackNs >= HARMLESS_NS)
    reasons.push(`${counted(summary.backwardsTimestamps, 'packet')} stamped earlier than the one before: put in order`);
  return [...reasons, ...hop.missing];
}

function withoutWebSocket(connections: Seen['connections']): string[] {
  let encrypted = 0;
  for (const connection of connections) {
    if (connection?.protocol === 'websocket') return [];
    if (connection?.protocol === 'tls') encrypted++;
  }
  if (encrypted === 0) return ['it holds no WebSocket'];
  return [`all that it may hold of WebSocket is encrypted: ${counted(encrypted, 'TLS connection')} that no key opens`];
}

/** `, 14:05:01.200 – 14:05:03.100`: when the file says more than a number. */
function whenDropped({ drops }: CaptureSummary, seen: Seen): string {
  const times = drops.times.filter(({ fromNs, toNs }) => Number.isFinite(fromNs) && Number.isFinite(toNs));
  return times.length === 0 || times.length < drops.times.length ? '' : `, ${timesInWords(times, seen)}`;
}

function missed(seen: Seen): string {
  const { holes, connections, times } = seen.missedIn;
  return `missed-by-capture: ${counted(seen.missedOctets, 'octet')} in ${counted(holes, 'hole')} of ${counted(connections, 'connection')} were TCP-ACKed by their receivers and are not in it, ${timesInWords(times, seen)}`;
}

function timesInWords(times: readonly { fromNs: number; toNs: number }[], seen: Seen): string {
  const at = (timeNs: number) => stampOf(seen, timeNs, 6)?.slice(11, 23) ?? '?';
  const told = times.slice(0, MOST_TIMES).map(({ fromNs, toNs }) => `${at(fromNs)} to ${at(toNs)}`);
  const more = times.length - told.length;
  return `${told.join(', ')}${more > 0 ? ` and at ${counted(more, 'more time')}` : ''}`;
}

function clockWasSet(seen: Seen): string[] {
  const reasons: string[] = [];
  for (const { fromNs, toNs } of seen.setBacks.slice(0, MOST_TIMES))
    reasons.push(
      `it goes back in time by ${seconds(toNs - fromNs)}, to ${stampOf(seen, fromNs)?.slice(11, 19)}: its clock was set back, or files were appended in the wrong order`,
    );
  for (const { fromNs, stepNs } of seen.resumed.slice(0, MOST_TIMES))
    reasons.push(
      `its clock was set back by ${seconds(stepNs)} at ${stampOf(seen, fromNs - 1e3)?.slice(11, 19)}: streams go on there, and times are counted on`,
    );
  for (const { fromNs, stepNs } of seen.clockSteps.slice(0, MOST_TIMES))
    reasons.push(
      `its clock was set forward by ${seconds(stepNs)} after ${stampOf(seen, fromNs)?.slice(11, 19)}, by the senders' TCP timestamps`,
    );
  return reasons;
}

/** That carry something, and of which no other view holds what they lack. */
export function oneWayConnections(connections: Seen['connections']): number {
  const oneWay = connections.filter(
    (each) => each !== undefined && each.protocol !== 'none' && !each.stray && isOneWay(each),
  );
  if (oneWay.length === 0) return 0;
  const elsewhere = new Set(seenElsewhere(connections));
  return oneWay.filter(({ fromServer, fromClient }) => !elsewhere.has(fromServer) && !elsewhere.has(fromClient)).length;
}

function isOneWay({ fromServer, fromClient }: ObservedConnection): boolean {
  return (fromServer.packets === 0) !== (fromClient.packets === 0);
}

/** Fewer packets may have none by chance: a Pong or a CommandAck carries the TCP ACK as well. */
const MANY_PACKETS = 50;

/** Filters by length or flags (`greater 100`, `tcp-push`) leave them out: what is not TCP-ACKed by another message then seems not to be at all. */
export function isWithoutBareAcks({
  bareTcpAcks,
  tcpPackets,
}: Pick<HopObservation, 'bareTcpAcks' | 'tcpPackets'>): boolean {
  return bareTcpAcks === 0 && tcpPackets >= MANY_PACKETS;
}

function notInflated({ connections, messages }: Seen): number {
  let count = 0;
  for (const connection of connections)
    if (connection !== undefined)
      for (const half of [connection.fromServer, connection.fromClient])
        for (const row of half.unsound) if (messages.has(row, MessageFlag.unreadable)) count++;
  return count;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
