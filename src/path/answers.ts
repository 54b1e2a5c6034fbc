/**
 * What two captures' clocks are to each other where one of them holds one direction only: no message that both saw goes the other way. An
 * answer does: whatever was answered had come before. In: the legs of a path at two hops. Out: samples for clocks.ts, of causes and answers
 * of which one capture saw the one, the other one the other.
 */

import { ackMarks, isUnseen } from './ack-marks.js';
import { type AlignSide, align, anchors, matchedPairs } from './align.js';

/** A moment at each of the two hops, by its capture's own clock; `outward` where the one at the inner hop was first. */
export interface CauseAndAnswer {
  innerNs: number;
  outerNs: number;
  outward: boolean;
}

/** One leg's two directions. */
export interface TwoWays {
  fromServer: AlignSide;
  fromClient: AlignSide;
  /** Its opening handshake was captured, so that the first copy of a message is; the end of it was. */
  whole: boolean;
  accepted: boolean;
}

export function answersBetween(inner: TwoWays, outer: TwoWays): CauseAndAnswer[] {
  const found: CauseAndAnswer[] = [];
  const add = (innerNs: number, outerNs: number, outward: boolean) => {
    if (!Number.isNaN(innerNs) && !Number.isNaN(outerNs)) found.push({ innerNs, outerNs, outward });
  };
  const replies = firstReplies(inner);
  for (const direction of ['fromServer', 'fromClient'] as const) {
    const said = new Map(
      replies.map(({ question, reply }) => (direction === 'fromServer' ? [question, reply] : [reply, question])),
    );
    const [i, o] = [inner[direction], outer[direction]];
    const outward = direction === 'fromServer';
    for (const [a, b] of shared(i, o, outward)) {
      const [innerRow, outerRow] = [i.half.rows[a], o.half.rows[b]];
      const [innerNs, outerNs] = [i.messages.sentNs[innerRow], o.messages.sentNs[outerRow]];
      // Whichever of the two saw the Ping's or the Pong's other half, and the side on which it lies in time.
      const [innerPair, outerPair] = [pairNs(i, innerRow), pairNs(o, outerRow)];
      if (innerPair > innerNs && outward) add(innerPair, outerNs, false);
      if (innerPair < innerNs && !outward) add(innerPair, outerNs, true);
      if (outerPair < outerNs && outward) add(innerNs, outerPair, false);
      if (outerPair > outerNs && !outward) add(innerNs, outerPair, true);
      const other = said.get(innerRow);
      if (other !== undefined) add(i.messages.sentNs[other], outerNs, !outward);
    }
  }
  // What was TCP-ACKed had come: by the innermost of the two from further out, by the outermost's peer from further in.
  const [said, heard] = [inner.fromClient, outer.fromClient];
  if (isUnseen(said.half))
    for (const { ackNs, row } of ackMarks(said, heard, inner.accepted)?.marks ?? [])
      add(ackNs, heard.messages.sentNs[row], false);
  const [sent, taken] = [inner.fromServer, outer.fromServer];
  if (isUnseen(taken.half))
    for (const { ackNs, row } of ackMarks(taken, sent, outer.accepted)?.marks ?? [])
      add(sent.messages.sentNs[row], ackNs, true);
  return found;
}

/** Position pairs of messages that both saw. */
function shared(inner: AlignSide, outer: AlignSide, outward: boolean): Iterable<[number, number]> {
  const found = align(inner, outer, outward);
  return found.mode === 'offsets' ? matchedPairs(found) : anchors(inner, outer);
}

/** When the other half of a Ping and its Pong went by in the same capture; NaN where that is not known. */
function pairNs({ messages }: AlignSide, row: number): number {
  const pair = messages.pair[row];
  return pair < 0 ? Number.NaN : messages.sentNs[pair];
}

/**
 * Rows of the first message of the server that bears an ID, and of the agent's first that does, where it came later. In mid-connection of
 * what was offered once only: an earlier copy may have come before the capture, and been answered.
 */
function firstReplies({ fromServer, fromClient, whole }: TwoWays): { question: number; reply: number }[] {
  const { messages } = fromServer;
  const asked = new Map<number, number>();
  for (const row of fromServer.half.rows) {
    const id = messages.id[row];
    if (id < 0) continue;
    if (!asked.has(id)) asked.set(id, row);
    else if (!whole) asked.set(id, -1);
  }
  const found: { question: number; reply: number }[] = [];
  for (const reply of fromClient.half.rows) {
    const question = asked.get(messages.id[reply]) ?? -1;
    if (question < 0) continue;
    asked.delete(messages.id[reply]);
    if (messages.sentNs[reply] >= messages.sentNs[question]) found.push({ question, reply });
  }
  return found;
}
