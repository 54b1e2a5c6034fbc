/**
 * What a capture can and cannot tell about one direction of a leg in a stretch of time. In: observations. Out: null where the capture
 * proves itself whole, else the reason why not, for `absent`, `reached-agent` and `never-sent`: claims that something did not happen.
 */

import { seconds } from '../evidence/duration.js';
import { mayHaveLost } from '../hop/loss-times.js';
import { MessageFlag, type MessageTable } from '../hop/message-table.js';
import type { BlindSpan, HopObservation, ObservedConnection, ObservedHalf } from '../hop/observation.js';

import { octetsElsewhere } from '../hop/partial-views.js';
import { divertedTo, movedTo } from './diverted.js';

export { seconds };

export interface Stretch {
  /** On the hop's own clock, nanoseconds. */
  fromNs: number;
  toNs: number;
}

/** What other hops tell of what this one could not read. */
export interface Known {
  /** What a message is of which only a part was read here. */
  row(row: number): boolean;
  /** All that stands in a gap or blind span. */
  span(span: object): boolean;
}

const NOTHING_KNOWN: Known = { row: () => false, span: () => false };

/** Null if every octet that `half` sent in the stretch is known and was read, here or at another hop. */
export function blindness(
  observation: HopObservation,
  connection: ObservedConnection,
  half: ObservedHalf,
  stretch: Stretch,
  known: Known = NOTHING_KNOWN,
): string | null {
  if (half.packets === 0) return 'the capture holds no packet of this direction';
  if (isUnframed(connection, half)) return 'no frame was found in what the capture holds of this direction';
  const isServer = half === connection.fromServer;
  const elsewhere = isServer ? divertedTo(observation, connection) : movedTo(observation, connection);
  if (elsewhere !== null && elsewhere.firstNs <= stretch.toNs && elsewhere.lastNs >= stretch.fromNs)
    return isServer
      ? `its octets leave from ${elsewhere.serverAddress} instead of ${connection.serverAddress} at this time`
      : `its octets come from ${elsewhere.clientAddress} instead of ${connection.clientAddress} at this time`;
  const further = octetsElsewhere(observation, connection, isServer ? 'fromServer' : 'fromClient');
  if (further > 0 && !(half.lastOctetsNs > stretch.toNs))
    return `${further} octets more of this direction stand in the capture with other addresses (translated): they were dropped in between`;
  for (const back of observation.setBacks)
    if (back.toNs >= stretch.fromNs && back.fromNs <= stretch.toNs)
      return `the capture goes back in time by ${seconds(back.toNs - back.fromNs)} here`;
  const startsLate = startsAfter(observation, half, stretch.fromNs);
  if (startsLate !== null) return startsLate;
  for (const gap of half.gaps)
    if (!(gap.toNs < stretch.fromNs) && !(gap.fromNs > stretch.toNs)) {
      // At the receiver's own host: what it never TCP-ACKed never came, so nothing is missing from the capture.
      if (gap.kind === 'never-acked' && half === connection.fromClient) continue;
      if (known.span(gap) || (connection.tls === null && liesInKnownRow(observation, half, gap, known))) continue;
      const octets = `${gap.to - gap.from} octets`;
      if (gap.kind === 'cut') return `${octets} of payload were cut off by the snapshot length`;
      const whose = gap.kind === 'missed' ? ' (missed-by-capture: the receiver TCP-ACKed them)' : '';
      return `${octets} are missing from the capture at this time${whose}`;
    }
  for (const span of half.blind)
    if (!(span.toNs < stretch.fromNs) && !(span.fromNs > stretch.toNs) && !known.span(span))
      return `${span.to - span.from} octets could not be read: ${span.why}`;
  for (const span of unidentified(connection, half))
    if (!(span.toNs < stretch.fromNs) && !(span.fromNs > stretch.toNs)) return span.why;
  const unread = unreadable(observation, half, stretch, known);
  if (unread !== null) return unread;
  return endsBefore(observation, connection, half, stretch.toNs);
}

/** WebSocket by the other direction only: this one was taken for something else, the body of a response whose request is missing. */
function isUnframed({ protocol, tls }: ObservedConnection, half: ObservedHalf): boolean {
  return (
    protocol === 'websocket' &&
    tls === null &&
    half.next > 0 &&
    Number.isNaN(half.webSocketFrom) &&
    Number.isNaN(half.foundByBits)
  );
}

/** Of an encrypted connection told by its records' sizes: records that may have carried anything. */
function unidentified({ alignment, fromServer }: ObservedConnection, half: ObservedHalf): readonly BlindSpan[] {
  if (alignment === null) return [];
  return half === fromServer ? alignment.fromServer.unidentified : alignment.fromClient.unidentified;
}

/** Nothing sets its clock: which of its packets are of the command's time is then not known. */
function unknownClock({ hop }: HopObservation): string {
  return `the clock of ${hop}'s capture cannot be set against the other captures', so what it holds of this time is not known`;
}

function startsAfter(observation: HopObservation, half: ObservedHalf, fromNs: number): string | null {
  if (half.webSocketFrom >= 0 || half.firstSeenNs <= fromNs) return null;
  if (fromNs === Number.NEGATIVE_INFINITY) return unknownClock(observation);
  if (!(observation.firstNs <= fromNs)) return `the capture starts ${seconds(observation.firstNs - fromNs)} too late`;
  // An idle connection from before the capture, or one whose first packets it lost.
  const lossy = lostAround(observation, fromNs, half.firstSeenNs);
  return lossy === null
    ? null
    : `the first packet of this direction that it holds came ${seconds(half.firstSeenNs - fromNs)} too late, and ${lossy}`;
}

/** Quiet says something only where the capture lost nothing. */
export function lostAround(observation: HopObservation, fromNs: number, toNs: number): string | null {
  if (!mayHaveLost(observation, fromNs, toNs)) return null;
  const when = Number.isFinite(fromNs) || Number.isFinite(toNs) ? ' around that time' : '';
  return observation.missedOctets > 0
    ? `the capture lost octets of other connections${when}`
    : `the capture dropped packets${when}`;
}

function liesInKnownRow(
  { messages }: HopObservation,
  half: ObservedHalf,
  { from, to }: { from: number; to: number },
  known: Known,
): boolean {
  return half.unsound.some(
    (row) => messages.startOffset[row] <= from && messages.endOffset[row] >= to && isTold(messages, row, known),
  );
}

/** What it is, the part that was read says, or another hop. */
function isTold(messages: MessageTable, row: number, known: Known): boolean {
  return messages.has(row, MessageFlag.named) || known.row(row);
}

function unreadable(observation: HopObservation, half: ObservedHalf, stretch: Stretch, known: Known): string | null {
  const { messages } = observation;
  for (const row of half.unsound) {
    const sentNs = messages.sentNs[row];
    if (sentNs < stretch.fromNs || sentNs > stretch.toNs || isTold(messages, row, known)) continue;
    return messages.has(row, MessageFlag.unreadable)
      ? 'a compressed message could not be inflated: what it refers back to was not captured'
      : 'a message is only partly in the capture';
  }
  return null;
}

/** Does the capture prove that nothing else was sent until then? */
function endsBefore(
  observation: HopObservation,
  connection: ObservedConnection,
  half: ObservedHalf,
  toNs: number,
): string | null {
  // A later packet stands exactly where the known octets end: nothing was sent between.
  if (half.wholeUntilNs >= toNs) return null;
  if (half.finNs <= toNs) return null;
  if (connection.closedBy === 'rst' && connection.closedNs <= toNs) return null;
  if (toNs === Number.POSITIVE_INFINITY) return unknownClock(observation);
  if (observation.lastNs < toNs) return `the capture ends ${seconds(toNs - observation.lastNs)} too early`;
  // The direction stayed quiet. Where the capture lost nothing, nothing was sent.
  const quietNs = Number.isNaN(half.wholeUntilNs) ? Number.NEGATIVE_INFINITY : half.wholeUntilNs;
  const lossy = lostAround(observation, quietNs, toNs);
  return lossy === null ? null : `the connection is quiet, and ${lossy}`;
}

/**
 * Whether octets that `half` sent in the stretch got lost on their way to the capturing host, which is their receiver: sequence
 * numbers tell of them, and it never TCP-ACKed them.
 */
export function lostOnTheWay(half: ObservedHalf, stretch: Stretch): boolean {
  return half.gaps.some(
    (gap) => gap.kind === 'never-acked' && !(gap.toNs < stretch.fromNs) && !(gap.fromNs > stretch.toNs),
  );
}

/** Whether a later packet of `half` proves that it sent nothing else until then. */
export function provenQuiet(half: ObservedHalf, toNs: number): boolean {
  return half.wholeUntilNs >= toNs || half.finNs <= toNs;
}

/** Whether TCP held back what `half` sent, all through the stretch; the interval that says so. */
export function blockedThrough(half: ObservedHalf, stretch: Stretch): ObservedHalf['blocked'][number] | null {
  // Clocks that are known worse than the stretch is long leave nothing of it.
  if (!(stretch.toNs > stretch.fromNs)) return null;
  const sorted = [...half.blocked].sort((a, b) => a.fromNs - b.fromNs);
  let reached = stretch.fromNs;
  let first: (typeof sorted)[number] | null = null;
  for (const interval of sorted) {
    if (interval.toNs <= reached) continue;
    if (interval.fromNs > reached + 0.5e9) break;
    first ??= interval;
    reached = interval.toNs;
    if (reached >= stretch.toNs) return first;
  }
  return null;
}
