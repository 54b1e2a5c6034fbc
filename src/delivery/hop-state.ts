/**
 * The state of one message at one hop (SPEC.md, "State of an attempt at a hop"), with its evidence. In: a thread and its path.
 * Out: HopState for the verdict, and what judge.ts needs of it.
 */

import { isWithoutBareAcks } from '../hop/capture-doubts.js';
import { mayBeAckedEarlier } from '../hop/first-tcp-ack.js';
import { MessageFlag, type MessageTable } from '../hop/message-table.js';
import type { HopObservation, ObservedConnection, ObservedHalf } from '../hop/observation.js';
import { locate } from '../hop/observe.js';
import { stampOf } from '../hop/timestamp.js';
import { commonNs, type HopView, localNs, type Path, withinNs } from '../path/path.js';
import { type Known, type Stretch, seconds } from './coverage.js';
import { isSentInVain, SENT_IN_VAIN } from './in-vain.js';
import { absentByRecords, identifiedByRecords } from './inferred.js';
import { lossWords } from './loss-words.js';
import { blindnessOn } from './passed-unseen.js';
import { takenElsewhere } from './vantage.js';
import type { Grade, HopState, PacketCitation, State } from './verdict.js';

export type Sender = 'fromServer' | 'fromClient';

/** What is known of a message at a hop, before it is put into words. */
export interface Judged {
  state: State;
  reason: string | null;
  row: number;
  /** Common clock; NaN where not seen. */
  sentNs: number;
  tcpAckNs: number;
  /** Every octet of it was seen. */
  whole: boolean;
  /** Which message it is was not read here: another hop tells, by the place at which it stands, or by the sizes of encrypted records. */
  inferred: boolean;
  /** The TCP ACK that was captured may not be the first: the capture lost packets meanwhile. */
  ackedAtMost?: boolean;
  /** It passed elsewhere first, if the hops stand in the order in which they are looked at: from a hop that is proven not to have had it. */
  fromNowhere: boolean;
}

const UNSEEN = {
  row: -1,
  sentNs: Number.NaN,
  tcpAckNs: Number.NaN,
  whole: false,
  inferred: false,
  fromNowhere: false,
};
const ABSENT: Judged = { state: 'absent', reason: null, ...UNSEEN };

function unobserved(reason: string): Judged {
  return { state: 'unobserved', reason, ...UNSEEN };
}

/**
 * Of the message's thread (-1 for none in particular) and its row there. `fromNs` to `toNs`, on the common clock: the times in which the message would
 * have to be here if it came here at all.
 */
export function stateAt(
  views: readonly HopView[],
  hop: number,
  path: Path,
  sender: Sender,
  { row, thread }: { row: number; thread: number },
  fromNs: number,
  toNs: number,
): Judged {
  const view = views[hop];
  const { observation } = view;
  if (observation === null) return unobserved(`no capture was given for ${view.name}`);
  const leg = path.legs[hop];
  if (leg === null && path.unplaced[hop])
    return unobserved(
      `${view.name}: the capture holds several connections of this path, and which of them is ${view.name}'s is not told`,
    );
  if (leg === null) return unobserved(missingLeg(view, observation, fromNs));
  const { connection } = leg;
  if (row < 0) {
    const stretch = localStretch(view, { fromNs, toNs });
    const reason =
      blindnessOn(views, path, hop, sender, stretch, knownAt(view, path, sender)) ??
      strayPart(view, path, sender, thread, stretch);
    if (reason !== null) return unobserved(`${view.name}: ${reason}`);
    const elsewhere = sender === 'fromServer' ? takenElsewhere(connection, stretch) : null;
    if (elsewhere !== null) return unobserved(`${view.name}: ${elsewhere}`);
    if (connection.alignment === null) return ABSENT;
    // Records are told by their times, too: what left may have been taken for something else.
    if (view.clock !== null && !(view.clock.steady && view.clock.pieces.length === 1))
      return unobserved(`${view.name}: encrypted, and its clock does not run evenly with the other captures' clocks`);
    return absentByRecords(view, connection.alignment, sender);
  }
  const { messages } = observation;
  const tcpAckNs = commonNs(view, messages.tcpAckNs[row]);
  const judged: Judged = {
    state: Number.isNaN(tcpAckNs) ? 'sent-unacked' : 'tcp-acked',
    reason: null,
    row,
    sentNs: commonNs(view, messages.sentNs[row]),
    tcpAckNs,
    whole: messages.octetsSeen[row] >= messages.octets(row),
    inferred: connection.alignment !== null,
    fromNowhere: false,
  };
  if (connection.alignment !== null)
    judged.reason = identifiedByRecords(view, connection.alignment, connection[sender], sender, row);
  else if (messages.has(row, MessageFlag.carried)) {
    judged.inferred = true;
    judged.reason = `${view.name}: it could not be read there; another hop's capture tells by their place in the stream that these octets are it`;
  } else if (messages.has(row, MessageFlag.damaged) && messages.id[row] < 0) {
    judged.inferred = true;
    judged.reason = `${view.name}: a part of its payload is not in the capture; the other hops tell by its place and length which message it is`;
  }
  if (leg.inTime) {
    judged.inferred = true;
    judged.reason ??= `${view.name}: the times at which messages pass tell that this connection is the one`;
  }
  const octets = messages.octets(row);
  const had = messages.octetsSeen[row];
  if (had < octets && connection.tls === null && isLeftByTcpAck(messages, row)) {
    judged.inferred = true;
    judged.whole = true;
    const missing = had === 0 ? 'none of its octets is' : `${octets - had} of its ${octets} octets are not`;
    judged.reason = `${view.name}: ${missing} in the capture, but all were TCP-ACKed, so they left`;
  } else if (had < octets) incomplete(judged, views, path, hop, sender, octets - had, toNs);
  else if (
    judged.state === 'sent-unacked' &&
    otherHalf(connection, sender).packets === 0 &&
    !isRowSentInVain(connection[sender], messages, row, localStretch(view, { fromNs: toNs, toNs }).toNs)
  ) {
    judged.state = 'unobserved';
    judged.reason = `${view.name}: the capture holds one direction only, so TCP ACKs cannot be seen`;
  } else if (judged.state === 'sent-unacked' && missedTcpAck(observation, connection, sender, row)) {
    judged.state = 'unobserved';
    judged.reason = isWithoutBareAcks(observation)
      ? `${view.name}: the capture's filter left out bare TCP ACKs, so whether it was TCP-ACKed cannot be seen`
      : `${view.name}: it left, and was not sent again, so the capture missed its TCP ACK`;
  }
  if (mayBeAckedEarlier(observation, row)) {
    judged.ackedAtMost = true;
    const atMost = `TCP-ACKed at most ${seconds(judged.tcpAckNs - judged.sentNs)} after it left: the capture lost packets in between, and an earlier TCP ACK may be among them`;
    judged.reason = judged.reason === null ? `${view.name}: ${atMost}` : `${judged.reason}; ${atMost}`;
  }
  judged.reason ??= lossWords(view.name, observation, connection, connection[sender], row);
  return judged;
}

/** The frame's length is known, and the receiver TCP-ACKed it to its end: what the capture missed of it left all the same. */
function isLeftByTcpAck(messages: MessageTable, row: number): boolean {
  return !Number.isNaN(messages.tcpAckNs[row]) && !messages.has(row, MessageFlag.partial);
}

/** Of what the capture has only in part, or not at all: whether another hop's tells what it is. */
export function knownAt({ index }: HopView, path: Path, sender: Sender): Known {
  const threads = path[sender];
  return { row: (row) => threads.isKnown(index, row), span: (span) => threads.isExplained(index, span) };
}

/** A message of which only a part is there, and which is not known to be another one: it may be this one. */
function strayPart(
  { index, observation }: HopView,
  path: Path,
  sender: Sender,
  thread: number,
  stretch: Stretch,
): string | null {
  const messages = observation?.messages;
  const half = path.legs[index]?.connection[sender];
  if (messages === undefined || half === undefined) return null;
  for (const row of half.rows) {
    if (!messages.has(row, MessageFlag.partial)) continue;
    if (messages.sentNs[row] < stretch.fromNs || messages.sentNs[row] > stretch.toNs) continue;
    if (thread < 0 || path[sender].mayHold(thread, index, row))
      return 'a part of a message was sent at this time, and it may be this one';
  }
  return null;
}

/** Octets of the message are not in the capture: they never left, or the capture missed them. */
function incomplete(
  judged: Judged,
  views: readonly HopView[],
  path: Path,
  hop: number,
  sender: Sender,
  missing: number,
  toNs: number,
): void {
  const view = views[hop];
  const { messages } = view.observation as HopObservation;
  const octets = messages.octets(judged.row);
  judged.state = 'unobserved';
  if (!messages.has(judged.row, MessageFlag.partial)) {
    const whose = Number.isNaN(messages.tcpAckNs[judged.row]) ? '' : ' (missed-by-capture: they were TCP-ACKed)';
    judged.reason = `${view.name}: ${missing} of the message's ${octets} octets are missing from the capture${whose}`;
    return;
  }
  const after = { fromNs: messages.sentNs[judged.row], toNs: localStretch(view, { fromNs: toNs, toNs }).toNs };
  const blind = blindnessOn(views, path, hop, sender, after);
  const had = octets - missing;
  if (blind === null) judged.state = 'partial';
  judged.reason =
    blind === null
      ? `${had} of ${octets} octets left ${view.name}, the rest never did`
      : `${view.name}: only ${had} of ${octets} octets seen; ${blind}`;
}

/** What is not TCP-ACKed is sent again before long, unless the window is closed or the connection ends. */
const SENT_AGAIN_WITHIN_NS = 3e9;

/** The message itself was sent again and again, until then: no SACK of it came either. */
function isRowSentInVain(half: ObservedHalf, messages: MessageTable, row: number, untilNs: number): boolean {
  return messages.retransmissions[row] >= SENT_IN_VAIN - 1 && isSentInVain(half, untilNs);
}

function missedTcpAck(
  observation: HopObservation,
  connection: ObservedConnection,
  sender: Sender,
  row: number,
): boolean {
  const { messages } = observation;
  const untilNs = messages.sentNs[row] + SENT_AGAIN_WITHIN_NS;
  if (observation.lastNs < untilNs || connection.closedNs < untilNs) return false;
  const half = connection[sender];
  if (isWithoutBareAcks(observation)) return (half.unacked?.transmissions ?? 0) < SENT_IN_VAIN;
  if (isSentAgain(half, messages, row)) return false;
  return !half.blocked.some(({ kind, toNs }) => kind === 'window-closed' && toNs >= messages.sentNs[row]);
}

/** It, or what TCP must get through before it, was sent again after it left. */
export function isSentAgain(half: ObservedHalf, messages: MessageTable, row: number): boolean {
  if (messages.retransmissions[row] > 0) return true;
  const { unacked } = half;
  return unacked !== null && unacked.transmissions > 1 && unacked.lastSentNs > messages.sentNs[row];
}

function otherHalf(connection: ObservedConnection, sender: Sender): ObservedHalf {
  return sender === 'fromServer' ? connection.fromClient : connection.fromServer;
}

/** A window on the hop's own clock, widened by what the clock is not known to. */
export function localStretch(view: HopView, window: Stretch): Stretch {
  return {
    fromNs: localNs(view, window.fromNs) - withinNs(view, window.fromNs),
    toNs: localNs(view, window.toNs) + withinNs(view, window.toNs),
  };
}

/** Or not on a leg that could be linked with the others. */
export const NOT_HELD = 'the capture does not hold this connection';

function missingLeg(view: HopView, observation: HopObservation, fromNs: number): string {
  const encrypted = observation.connections.filter((connection) => connection?.protocol === 'tls');
  if (encrypted.length > 0) {
    const why = new Set(encrypted.map(({ tls }) => tls?.unreadable).filter((each) => each != null));
    const because = why.size === 1 ? `: ${[...why][0]}` : '';
    const one = encrypted.length === 1;
    return `${view.name}: the capture holds ${encrypted.length} encrypted (TLS) connection${one ? '' : 's'}, which cannot be read${because}; the sizes of the records do not tell ${one ? 'whether this is it' : 'which of them it is'}`;
  }
  if (observation.packets === 0) return `${view.name}: the capture is empty`;
  const lateNs = view.clock === null ? 0 : observation.firstNs - localNs(view, fromNs);
  // By a clock that is not known nothing is late.
  if (lateNs > 0 && Number.isFinite(lateNs)) return `${view.name}: the capture starts ${seconds(lateNs)} too late`;
  return `${view.name}: ${NOT_HELD}`;
}

/** The contract's shape of a message of which the capture shows nothing. */
export function unseenState(hop: string, state: State, grade: Grade, reason: string | null): HopState {
  return {
    hop,
    state,
    grade,
    reason,
    sentAt: null,
    tcpAckedAt: null,
    tcpAckDelayMs: null,
    bytes: null,
    retransmissions: 0,
    packets: [],
  };
}

/** The contract's shape of it. */
export function described(view: HopView, judged: Judged): HopState {
  const { observation } = view;
  const { state, reason, row, ackedAtMost } = judged;
  if (row < 0 || observation === null)
    return unseenState(
      view.name,
      state,
      state !== 'absent' ? 'none' : judged.inferred ? 'inferred' : 'measured',
      reason,
    );
  const { messages } = observation;
  const sentNs = messages.sentNs[row];
  const ackNs = messages.tcpAckNs[row];
  // Of some octets in a hole only a later packet tells that they had been TCP-ACKed by then.
  const acked = !Number.isNaN(ackNs) && messages.tcpAckRef[row] > 0;
  return {
    hop: view.name,
    state,
    grade: state === 'unobserved' ? 'none' : judged.inferred ? 'inferred' : 'measured',
    reason,
    sentAt: stampOf(observation, sentNs),
    tcpAckedAt: acked ? stampOf(observation, ackNs) : null,
    tcpAckDelayMs:
      acked && ackedAtMost !== true && !Number.isNaN(sentNs)
        ? milliseconds(commonNs(view, ackNs) - commonNs(view, sentNs))
        : null,
    bytes: messages.has(row, MessageFlag.partial) ? messages.octetsSeen[row] : messages.octets(row),
    retransmissions: messages.retransmissions[row],
    packets: cited(observation, messages.dataRefs(row), acked ? [messages.tcpAckRef[row]] : []),
  };
}

export function cited(observation: HopObservation, data: number[], tcpAck: number[]): PacketCitation[] {
  const { files } = observation;
  if (files.length === 1) return [{ file: files[0].file, data, tcpAck }];
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
