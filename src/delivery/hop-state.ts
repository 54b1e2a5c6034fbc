/**
 * The state of one message at one hop (SPEC.md, "State of an attempt at a hop"), with its evidence. In: a thread and its path.
 * Out: HopState for the verdict, and what judge.ts needs of it.
 */

import { MessageFlag } from '../hop/message-table.js';
import type { HopObservation, ObservedConnection, ObservedHalf } from '../hop/observation.js';
import { locate } from '../hop/observe.js';
import { isoTime } from '../hop/timestamp.js';
import { commonNs, type HopView, localNs, type Path } from '../path/path.js';
import { blindness, type Stretch, seconds } from './coverage.js';
import type { HopState, PacketCitation, State } from './verdict.js';

export type Sender = 'fromServer' | 'fromClient';

/** What is known of a message at a hop, before it is put into words. */
export interface Judged {
  state: State;
  reason: string | null;
  row: number;
  /** Common clock; NaN where not seen. */
  sentNs: number;
  tcpAckNs: number;
}

const UNSEEN = { row: -1, sentNs: Number.NaN, tcpAckNs: Number.NaN };

/** `fromNs` to `toNs`, on the common clock: the times in which the message would have to be here if it came here at all. */
export function stateAt(view: HopView, path: Path, sender: Sender, row: number, fromNs: number, toNs: number): Judged {
  const { observation } = view;
  const unseen = UNSEEN;
  const window = { fromNs, toNs };
  if (observation === null) return { state: 'unobserved', reason: `no capture was given for ${view.name}`, ...unseen };
  const leg = path.legs[view.index];
  if (leg === null) return { state: 'unobserved', reason: missingLeg(view, observation, window), ...unseen };
  const half = leg.connection[sender];
  if (row < 0) {
    const reason = blindness(observation, leg.connection, half, localStretch(view, window));
    if (reason === null) return { state: 'absent', reason: null, ...unseen };
    return { state: 'unobserved', reason: `${view.name}: ${reason}`, ...unseen };
  }
  const { messages } = observation;
  const seen = {
    row,
    sentNs: commonNs(view, messages.sentNs[row]),
    tcpAckNs: commonNs(view, messages.tcpAckNs[row]),
  };
  const octets = messages.octets(row);
  const had = messages.octetsSeen[row];
  if (messages.has(row, MessageFlag.partial)) {
    const after = { fromNs: messages.sentNs[row], toNs: localStretch(view, window).toNs };
    const reason = had < octets ? blindness(observation, leg.connection, half, after) : null;
    if (had >= octets) return { ...seen, ...complete(leg.connection, sender, seen.tcpAckNs, view) };
    if (reason !== null)
      return { state: 'unobserved', reason: `${view.name}: only ${had} of ${octets} octets seen; ${reason}`, ...seen };
    return { state: 'partial', reason: `${had} of ${octets} octets left ${view.name}, the rest never did`, ...seen };
  }
  if (had < octets)
    return {
      state: 'unobserved',
      reason: `${view.name}: ${octets - had} of the message's ${octets} octets are missing from the capture`,
      ...seen,
    };
  return { ...seen, ...complete(leg.connection, sender, seen.tcpAckNs, view) };
}

function complete(
  connection: ObservedConnection,
  sender: Sender,
  tcpAckNs: number,
  view: HopView,
): { state: State; reason: string | null } {
  if (!Number.isNaN(tcpAckNs)) return { state: 'tcp-acked', reason: null };
  const other: ObservedHalf = sender === 'fromServer' ? connection.fromClient : connection.fromServer;
  if (other.packets === 0)
    return {
      state: 'unobserved',
      reason: `${view.name}: the capture holds one direction only, so TCP ACKs cannot be seen`,
    };
  return { state: 'sent-unacked', reason: null };
}

/** A window on the hop's own clock, widened by what the clock is not known to. */
export function localStretch(view: HopView, window: Stretch): Stretch {
  const slack = view.clock?.uncertaintyNs ?? Number.POSITIVE_INFINITY;
  return { fromNs: localNs(view, window.fromNs) - slack, toNs: localNs(view, window.toNs) + slack };
}

function missingLeg(view: HopView, observation: HopObservation, window: Stretch): string {
  const encrypted = observation.connections.filter((connection) => connection.protocol === 'tls').length;
  if (encrypted > 0)
    return `${view.name}: the capture holds ${encrypted} encrypted (TLS) connection${encrypted === 1 ? '' : 's'}, which cannot be read`;
  if (observation.packets === 0) return `${view.name}: the capture is empty`;
  if (view.clock !== null && observation.firstNs > localNs(view, window.fromNs))
    return `${view.name}: the capture starts ${seconds(observation.firstNs - localNs(view, window.fromNs))} later`;
  return `${view.name}: the capture does not hold this connection`;
}

/** The contract's shape of it. */
export function described(view: HopView, judged: Judged): HopState {
  const base = { hop: view.name, state: judged.state, reason: judged.reason };
  const { observation } = view;
  if (judged.row < 0 || observation === null)
    return {
      ...base,
      grade: judged.state === 'absent' ? 'measured' : 'none',
      sentAt: null,
      tcpAckedAt: null,
      tcpAckDelayMs: null,
      bytes: null,
      retransmissions: 0,
      packets: [],
    };
  const { messages, epochSeconds, timeDigits } = observation;
  const { row } = judged;
  const sentNs = messages.sentNs[row];
  const ackNs = messages.tcpAckNs[row];
  const acked = !Number.isNaN(ackNs);
  const partial = messages.has(row, MessageFlag.partial);
  return {
    ...base,
    grade: judged.state === 'unobserved' ? 'none' : 'measured',
    sentAt: isoTime(sentNs, epochSeconds, timeDigits),
    tcpAckedAt: acked ? isoTime(ackNs, epochSeconds, timeDigits) : null,
    tcpAckDelayMs: acked && !Number.isNaN(sentNs) ? milliseconds(ackNs - sentNs) : null,
    bytes: partial ? messages.octetsSeen[row] : messages.octets(row),
    retransmissions: messages.retransmissions[row],
    packets: cited(observation, messages.dataRefs(row), acked ? [messages.tcpAckRef[row]] : []),
  };
}

export function cited(
  observation: HopObservation,
  data: readonly number[],
  tcpAck: readonly number[],
): PacketCitation[] {
  const { files } = observation;
  if (files.length === 1) return [{ file: files[0].file, data: [...data], tcpAck: [...tcpAck] }];
  const byFile = new Map<string, PacketCitation>();
  const cite = (ref: number, kind: 'data' | 'tcpAck') => {
    const { file, packet } = locate(files, ref);
    const citation = byFile.get(file) ?? { file, data: [], tcpAck: [] };
    byFile.set(file, citation);
    citation[kind].push(packet);
  };
  for (const ref of data) cite(ref, 'data');
  for (const ref of tcpAck) cite(ref, 'tcpAck');
  return [...byFile.values()];
}

export function milliseconds(ns: number): number {
  return Math.round(ns / 1e3) / 1e3;
}
