/**
 * Where a capture holds one direction only, the TCP ACKs that it holds tell of the other one how far it had come, and when: mostly just to the
 * end of a message. In: the two halves of one direction, of which one capture has nothing but TCP ACKs. Out: the distance of the two
 * streams, and the places that prove it.
 */

import type { ObservedHalf } from '../hop/observation.js';
import type { AlignSide } from './align.js';
import type { ProvenStretch } from './align-marks.js';
import type { HopClock } from './hop-clock.js';

/** A TCP ACK at one hop that ends where a message ends at the other one. */
export interface AckMark {
  /** Offset in the stream that was not captured. */
  offset: number;
  ackNs: number;
  /** The message's row, where it was captured. */
  row: number;
}

export interface AckMarks {
  /** Offset where it was captured minus offset where it was not. */
  shift: number;
  marks: AckMark[];
  /** In the stream that was not captured: where it is known to agree from, up to the last mark. */
  from: number;
}

/** So many TCP ACKs must end where a message ends; fewer where the opening handshake's end tells the distance. */
const LEAST_MARKS = 8;
const LEAST_BEHIND_HANDSHAKE = 3;
/** Of the TCP ACKs within what the other capture holds: large messages are TCP-ACKed in the middle, too. */
const LEAST_SHARE = 0.6;
/** The request comes in so many segments at most. */
const MOST_OF_REQUEST = 3;
/** A TCP ACK comes that soon, where the clocks are known. */
const ACKED_WITHIN_NS = 1e9;
/** Of more of them the first ones are not known any more. */
const MOST_STEPS = 64;
const MOST_PAIRS = 2e6;

/** `unseen` has TCP ACKs only; `accepted` where its capture holds the end of the opening handshake. Null where nothing stands out. */
export function ackMarks(unseen: AlignSide, read: AlignSide, accepted: boolean): AckMarks | null {
  const acks = acksOf(unseen.half);
  const { rows } = read.half;
  if (acks.length === 0 || acks.length * rows.length > MOST_PAIRS) return null;
  const behindHandshake = accepted && read.half.webSocketFrom >= 0 && acks.length < MOST_STEPS;
  const shifts = behindHandshake
    ? new Set(acks.slice(0, MOST_OF_REQUEST).map(({ offset }) => read.half.webSocketFrom - offset))
    : likelyShifts(acks, read);
  const found = [...shifts].map((shift): AckMarks => {
    const marks = marksAt(shift, acks, unseen, read);
    return { shift, marks, from: behindHandshake ? read.half.webSocketFrom - shift : (marks[0]?.offset ?? 0) };
  });
  found.sort((a, b) => b.marks.length - a.marks.length);
  const [best, other] = found;
  if (best === undefined || best.marks.length < (behindHandshake ? LEAST_BEHIND_HANDSHAKE : LEAST_MARKS)) return null;
  // Behind the handshake the earliest one that fits has a mark more than the next, however alike messages are.
  const rival = (other?.marks.length ?? 0) * (behindHandshake ? 1 : 2);
  if (rival >= best.marks.length) return null;
  const within = acks.filter(({ offset }) => offset >= best.marks[0].offset && offset <= endOf(best)).length;
  return best.marks.length >= within * LEAST_SHARE ? best : null;
}

/** From the first mark to the last one, as align.ts tells it: in offsets of the inner stream. */
export function stretchOf(found: AckMarks, unseenIsInner: boolean): ProvenStretch {
  const { from, shift } = found;
  const to = endOf(found);
  return unseenIsInner ? { from, to, shift } : { from: from + shift, to: to + shift, shift: -shift };
}

function endOf({ marks }: AckMarks): number {
  return marks[marks.length - 1].offset;
}

/** Whether a capture holds nothing of a direction but the TCP ACKs that it was given. */
export function isUnseen({ packets, gaps }: ObservedHalf): boolean {
  return packets === 0 && gaps.length > 0;
}

interface Ack {
  offset: number;
  timeNs: number;
}

function acksOf({ gaps }: ObservedHalf): Ack[] {
  const found: Ack[] = [];
  for (const { acks } of gaps)
    for (let i = 0; i < acks.length; i += 3) found.push({ offset: acks[i], timeNs: acks[i + 1] });
  return found;
}

/** The distances at which many TCP ACKs end where a message ends. */
function likelyShifts(acks: readonly Ack[], { half, messages }: AlignSide): number[] {
  const votes = new Map<number, number>();
  for (const row of half.rows)
    for (const { offset } of acks) {
      const shift = messages.endOffset[row] - offset;
      votes.set(shift, (votes.get(shift) ?? 0) + 1);
    }
  const likely = [...votes].filter(([, count]) => count >= LEAST_MARKS);
  return likely.map(([shift]) => shift);
}

function marksAt(shift: number, acks: readonly Ack[], unseen: AlignSide, read: AlignSide): AckMark[] {
  const ends = new Map([...read.half.rows].map((row) => [read.messages.endOffset[row], row]));
  const marks: AckMark[] = [];
  for (const { offset, timeNs } of acks) {
    const row = ends.get(offset + shift);
    if (row === undefined) continue;
    const mark = { offset, ackNs: timeNs, row };
    if (isInTime(mark, unseen, read)) marks.push(mark);
  }
  return marks;
}

function isInTime({ ackNs, row }: AckMark, unseen: AlignSide, read: AlignSide): boolean {
  if (unseen.clock === null || read.clock === null) return true;
  const [ackedNs, sentNs] = [unseen.clock.toCommon(ackNs), read.clock.toCommon(read.messages.sentNs[row])];
  const within = (clock: HopClock) => clock.uncertaintyAt(sentNs);
  return !(Math.abs(ackedNs - sentNs) > ACKED_WITHIN_NS + within(unseen.clock) + within(read.clock));
}
