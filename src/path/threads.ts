/**
 * Follows the messages of one direction of a path over its legs. In: legs, clocks. Out: a ThreadTable; rows that one capture could not read
 * and another one could are added to it (carry-over.ts).
 */

import { MessageFlag } from '../hop/message-table.js';
import type { HopObservation } from '../hop/observation.js';
import { ackMarks, isUnseen, stretchOf } from './ack-marks.js';
import { type AlignSide, align } from './align.js';
import type { ProvenStretch } from './align-marks.js';
import { type Agreement, type CarrySide, carryOver } from './carry-over.js';
import type { HopClock } from './hop-clock.js';
import type { Observations } from './nodes.js';
import type { Passage } from './passage.js';
import type { Leg, Path } from './path.js';
import { hasEndOfHandshake, sideOf } from './sides.js';
import { ThreadTable } from './thread-table.js';
import { isUnsound, isWholeHalf } from './whole.js';

const UNSOUND = MessageFlag.partial | MessageFlag.damaged | MessageFlag.unreadable;

/** Follows the messages of one direction over all legs of a path. */
export function threads(
  path: Path,
  observations: Observations,
  clocks: readonly (HopClock | null)[],
  direction: 'fromServer' | 'fromClient',
  usualDelay: (inner: number, outer: number) => Passage | null,
): ThreadTable {
  if (observations.length === 1)
    return ThreadTable.ofOneHop(path.legs[0]?.connection[direction].rows ?? new Int32Array(0));
  const table = new ThreadTable(observations.length);
  const inward: { side: AlignSide; threadAt: Int32Array; hop: number; leg: Leg }[] = [];
  const agreements: Agreement[] = [];
  for (const leg of path.legs) {
    if (leg === null) continue;
    const side = sideOf(leg, observations, direction, clocks[leg.hop]);
    const { rows } = side.half;
    const threadAt = new Int32Array(rows.length).fill(-1);
    // The neighbour first; what its capture missed may stand in one further in.
    for (const before of inward) {
      const unread = !isWholeHalf(side.half) || !isWholeHalf(before.side.half);
      if (!unread && !isMissing(table, threadAt, before.hop)) continue;
      const usual = unread ? usualDelay(before.hop, leg.hop) : null;
      const { inner, mode, proven } = align(before.side, side, direction === 'fromServer', usual);
      if (mode !== 'offsets' && (unread || isUnsound(side.half) || isUnsound(before.side.half))) table.doubt();
      if (unread)
        agreements.push({ inner: before.hop, outer: leg.hop, proven: [...proven, ...byAcks(before, { side, leg })] });
      for (let position = 0; position < rows.length; position++) {
        if (inner[position] < 0) continue;
        const thread = before.threadAt[inner[position]];
        if (threadAt[position] >= 0) {
          // The neighbour saw it, and did not know it for what the hop further in saw.
          if (threadAt[position] !== thread && table.merge(threadAt[position], thread)) {
            for (const each of inward) replace(each.threadAt, threadAt[position], thread);
            threadAt[position] = thread;
          }
          continue;
        }
        if (table.row(thread, leg.hop) >= 0) continue;
        threadAt[position] = thread;
        table.set(thread, leg.hop, rows[position]);
      }
    }
    for (let position = 0; position < rows.length; position++) {
      if (threadAt[position] >= 0) continue;
      threadAt[position] = table.add();
      table.set(threadAt[position], leg.hop, rows[position]);
    }
    inward.unshift({ side, threadAt, hop: leg.hop, leg });
  }
  for (const { side, hop } of inward) tellOfParts(table, side, hop, observations);
  if (agreements.length > 0)
    carryOver(
      table,
      inward.map((each) => carrySide(path, observations, each)),
      agreements,
    );
  return table;
}

/** Whether any message of a leg has no row at an inner hop yet. */
function isMissing(table: ThreadTable, threadAt: Int32Array, hop: number): boolean {
  for (const thread of threadAt) if (thread < 0 || table.row(thread, hop) < 0) return true;
  return false;
}

function replace(threadAt: Int32Array, thread: number, by: number): void {
  const position = threadAt.indexOf(thread);
  if (position >= 0) threadAt[position] = by;
}

/** Where one of two legs shows nothing of a direction but its TCP ACKs. */
function byAcks(inner: { side: AlignSide; leg: Leg }, outer: { side: AlignSide; leg: Leg }): ProvenStretch[] {
  const isInner = isUnseen(inner.side.half);
  if (isInner === isUnseen(outer.side.half)) return [];
  const [unseen, read] = isInner ? [inner, outer] : [outer, inner];
  const found = ackMarks(unseen.side, read.side, hasEndOfHandshake(unseen.leg));
  return found === null ? [] : [stretchOf(found, isInner)];
}

function carrySide(
  path: Path,
  observations: Observations,
  { side, threadAt, hop }: { side: AlignSide; threadAt: Int32Array; hop: number },
): CarrySide {
  const { connection } = path.legs[hop] as Leg;
  const plain = connection.tls === null && connection.alignment === null;
  const observation = observations[hop] as HopObservation;
  const { half } = side;
  return {
    hop,
    connection: connection.index,
    half,
    observation,
    rows: half.rows,
    threadAt,
    plain,
    read: connection.alignment === null,
  };
}

/** Messages of which a hop has only a part, and another one all. */
function tellOfParts(table: ThreadTable, { half }: AlignSide, hop: number, observations: Observations): void {
  if (half.unsound.length === 0) return;
  const unsound = new Set(half.unsound);
  const isWhole = (other: number, row: number) =>
    row >= 0 && !(observations[other] as HopObservation).messages.has(row, UNSOUND);
  for (let thread = 0; thread < table.count; thread++) {
    const row = table.row(thread, hop);
    if (!unsound.has(row)) continue;
    for (let other = 0; other < table.hops; other++)
      if (other !== hop && isWhole(other, table.row(thread, other))) table.know(hop, row);
  }
}
