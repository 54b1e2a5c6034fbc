/**
 * Which frames passed a hop from one leg to the next in a stretch of time, by kind. In: the threads of a path, which follow each
 * message over the hops. Out: rules hop-drops-frames and hop-drops-text. Only what arrived (TCP-ACKed) counts, and "lost" only
 * where the capture on the far side proves itself whole.
 */

import { localStretch, type Sender, stateAt } from '../delivery/hop-state.js';
import { blindnessOn } from '../delivery/passed-unseen.js';
import { MessageFlag } from '../hop/message-table.js';
import type { HopObservation } from '../hop/observation.js';
import { commonNs, type Path } from '../path/path.js';
import type { Facts } from './facts.js';

export interface Passage {
  /** Rows at the near hop (where they arrived from) and, of what passed, at the far one. */
  passed: { near: number; far: number }[];
  lost: number[];
  /**
   * Not lost, though they went no further: Pings that the hop answered itself, and Pongs that answered its own. A hop that ends WebSocket
   * on both sides does so (RFC 6455 section 5.5: control frames are each connection's own).
   */
  ended: number[];
}

export interface Passages {
  control: Passage;
  text: Passage;
}

const CLOSE = 8;
const PING = 9;
const PONG = 10;
const MOST_KEPT = 64;
/** Each proof of a loss goes through the far side's rows: on a leg that cannot prove anything, not for every message. */
const MOST_PROOFS = 256;

/**
 * From the leg at hop `near` through a hop to the leg at hop `far`; common clock. Frames near the end of the capture are left
 * out: they may be on their way.
 */
export function passages(
  facts: Facts,
  path: Path,
  sender: Sender,
  near: number,
  far: number,
  stretch: { fromNs: number; toNs: number },
): Passages {
  const found: Passages = { control: nothing(), text: nothing() };
  const threads = path[sender];
  const view = facts.views[near];
  const { messages } = view.observation as HopObservation;
  let proofs = 0;
  for (let thread = 0; thread < threads.count; thread++) {
    const row = threads.row(thread, near);
    if (row < 0 || messages.has(row, MessageFlag.partial | MessageFlag.damaged)) continue;
    const sentNs = commonNs(view, messages.sentNs[row]);
    if (!(sentNs >= stretch.fromNs && sentNs <= stretch.toNs) || Number.isNaN(messages.tcpAckNs[row])) continue;
    const opcode = messages.opcode[row];
    if (opcode === CLOSE) continue;
    const passage = opcode < CLOSE ? found.text : found.control;
    if (passage.passed.length + passage.lost.length >= MOST_KEPT) continue;
    const there = threads.row(thread, far);
    if (there >= 0) {
      passage.passed.push({ near: row, far: there });
      continue;
    }
    if (proofs++ >= MOST_PROOFS || !isProvenLost(facts, path, sender, far, opcode, sentNs)) continue;
    const pair = opcode > CLOSE ? messages.pair[row] : -1;
    if (opcode === PING && pair < 0 && !isAnswerSeen(facts, path, sender, near, sentNs)) continue;
    if (opcode !== PONG) (pair >= 0 ? passage.ended : passage.lost).push(row);
    // A Pong that nobody asked for need not go further.
    else if (pair >= 0) (passedOn(path, sender, near, far, pair) ? passage.lost : passage.ended).push(row);
  }
  return found;
}

function nothing(): Passage {
  return { passed: [], lost: [], ended: [] };
}

/** Whether the hop's own Pong to a Ping would be in the capture if there were one. */
function isAnswerSeen({ views, court }: Facts, path: Path, sender: Sender, near: number, sentNs: number): boolean {
  const back = sender === 'fromServer' ? 'fromClient' : 'fromServer';
  const stretch = localStretch(views[near], { fromNs: sentNs, toNs: sentNs + court.ackTimeoutNs });
  return blindnessOn(views, path, near, back, stretch) === null;
}

/** Whether the Ping at `near` that a Pong answers came from the leg at `far`. */
function passedOn(path: Path, sender: Sender, near: number, far: number, ping: number): boolean {
  const threads = path[sender === 'fromServer' ? 'fromClient' : 'fromServer'];
  const thread = threads.threadOf(near, ping);
  return thread >= 0 && threads.row(thread, far) >= 0;
}

function isProvenLost(facts: Facts, path: Path, sender: Sender, far: number, opcode: number, sentNs: number): boolean {
  const view = facts.views[far];
  const leg = path.legs[far];
  if (leg === null || view.observation === null) return false;
  const half = leg.connection[sender];
  const { messages } = view.observation;
  if (opcode > CLOSE) {
    // Of very many Pings only the first ones have a row.
    let kept = 0;
    for (const row of half.rows) if (messages.opcode[row] === 9 || messages.opcode[row] === 10) kept++;
    if (kept < half.counts.ping + half.counts.pong) return false;
  }
  return (
    stateAt(facts.views, view.index, path, sender, { row: -1, thread: -1 }, sentNs, sentNs + facts.court.ackTimeoutNs)
      .state === 'absent'
  );
}

/** Just after the last frame before `untilNs` that passed; `untilNs` where none did. */
export function lastPassedNs(
  { views }: Facts,
  path: Path,
  sender: Sender,
  near: number,
  far: number,
  untilNs: number,
): number {
  const threads = path[sender];
  const { messages } = views[near].observation as HopObservation;
  let lastNs = Number.NEGATIVE_INFINITY;
  for (let thread = 0; thread < threads.count; thread++) {
    const row = threads.row(thread, near);
    if (row < 0 || threads.row(thread, far) < 0) continue;
    const sentNs = commonNs(views[near], messages.sentNs[row]);
    if (sentNs < untilNs && sentNs > lastNs) lastNs = sentNs;
  }
  return lastNs === Number.NEGATIVE_INFINITY ? untilNs : lastNs + 1;
}

/** The captured hop next to `hop` on the side that the sender's frames come from; -1 for none. */
export function nearSide(path: Path, hop: number, sender: Sender): number {
  const step = sender === 'fromServer' ? -1 : 1;
  for (let near = hop + step; near >= 0 && near < path.legs.length; near += step)
    if (path.legs[near] !== null) return near;
  return -1;
}
