/**
 * What a hop that swallows messages does with control frames in the same time: the contrast between hop-drops-frames and
 * hop-drops-text. In: facts. Out: one Dropping for each path and hop at which commands (or CommandAcks) ended.
 */

import type { Sender } from '../delivery/hop-state.js';
import { MessageFlag } from '../hop/message-table.js';
import type { HopObservation } from '../hop/observation.js';
import { commonNs, type Path } from '../path/path.js';
import { earliest, type Facts, type Failed } from './facts.js';
import { lastPassedNs, nearSide, type Passages, passages } from './passage.js';

const CLOSE = 8;

export interface Dropping {
  path: Path;
  hop: number;
  sender: Sender;
  /** The hop's leg on which the frames arrived is captured at `near`, the one on which they should leave at `far`. */
  near: number;
  far: number;
  failed: Failed;
  passages: Passages;
  /** Rows at `far` of control frames that the hop itself sent in the same time. */
  ownControl: number[];
}

/** Towards the agent: attempts that arrived at a hop and never left it. Towards the server: CommandAcks. */
export function droppings(facts: Facts): Dropping[] {
  const found: Dropping[] = [];
  for (const path of facts.paths)
    for (const failed of facts.records.get(path)?.failed ?? []) {
      const sender = failed.outcome === 'not-forwarded' ? 'fromServer' : 'fromClient';
      if (failed.outcome !== 'not-forwarded' && failed.outcome !== 'ack-lost') continue;
      const hop = facts.views.findIndex((view) => view.name === failed.lostAt);
      if (hop < 0) continue; // a leg, not a hop
      // The agent's messages arrive on the hop's own leg and leave on the next inner one.
      const far = sender === 'fromServer' ? hop : nearSide(path, hop, 'fromServer');
      const near = sender === 'fromServer' ? nearSide(path, hop, sender) : hop;
      if (near < 0 || far < 0 || path.legs[near] === null || path.legs[far] === null) continue;
      if (isWrittenInPart(facts, path, sender, far)) continue;
      const stretch = waiting(facts, path, failed);
      // What did not pass before the first of them belongs to it as well: a server may stop its Pings at the first one unanswered.
      stretch.fromNs = lastPassedNs(facts, path, sender, near, far, stretch.fromNs);
      found.push({
        path,
        hop,
        sender,
        near,
        far,
        failed,
        passages: passages(facts, path, sender, near, far, stretch),
        ownControl: ownControl(facts, path, sender, near, far, stretch),
      });
    }
  return found;
}

/** From the first of them to the deadline of the last, and on to the next Ping: the same period for all kinds. */
function waiting(facts: Facts, path: Path, failed: Failed): { fromNs: number; toNs: number } {
  const fromNs = earliest(failed.timesNs);
  const last = failed.timesNs.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const deliveredNs = facts.records.get(path)?.lastDeliveredNs ?? Number.NaN;
  const toNs = last + facts.court.ackTimeoutNs;
  // It worked again later: what passes from then on tells nothing of before.
  return { fromNs, toNs: deliveredNs > last ? Math.min(toNs, deliveredNs) : toNs };
}

/** The stream ends within a message: nothing can follow it, whatever the hop does with what arrives. */
function isWrittenInPart({ views }: Facts, path: Path, sender: Sender, far: number): boolean {
  const row = path.legs[far]?.connection[sender].rows.at(-1) ?? -1;
  return row >= 0 && (views[far].observation as HopObservation).messages.has(row, MessageFlag.partial);
}

/** Pings and Pongs that left a hop and came from no leg behind it, TCP-ACKed. */
function ownControl(
  { views }: Facts,
  path: Path,
  sender: Sender,
  near: number,
  far: number,
  stretch: { fromNs: number; toNs: number },
): number[] {
  const threads = path[sender];
  const { messages } = views[far].observation as HopObservation;
  const own: number[] = [];
  for (let thread = 0; thread < threads.count; thread++) {
    const row = threads.row(thread, far);
    if (row < 0 || messages.opcode[row] <= CLOSE || threads.row(thread, near) >= 0) continue;
    const sentNs = commonNs(views[far], messages.sentNs[row]);
    if (sentNs >= stretch.fromNs && sentNs <= stretch.toNs && !Number.isNaN(messages.tcpAckNs[row])) own.push(row);
  }
  return own;
}

export function firstRefs(facts: Facts, hop: number, rows: readonly number[]): number[] {
  const { messages } = facts.views[hop].observation as HopObservation;
  return rows.slice(0, 6).map((row) => messages.firstRef[row]);
}

/** The same way of dropping at the same hop is one finding. */
export function byHopAndSender(all: readonly Dropping[]): Dropping[][] {
  const groups = new Map<string, Dropping[]>();
  for (const each of all) {
    const key = `${each.hop} ${each.sender}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()];
}
