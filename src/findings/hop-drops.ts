/**
 * What a hop that swallows messages does with control frames in the same time: the contrast between hop-drops-frames and
 * hop-drops-text. In: facts. Out: one Dropping for each path and hop at which commands (or CommandAcks) ended.
 */

import type { Sender } from '../delivery/hop-state.js';
import type { HopObservation } from '../hop/observation.js';
import type { Path } from '../path/path.js';
import { earliest, type Facts, type Failed } from './facts.js';
import { lastPassedNs, nearSide, type Passages, passages } from './passage.js';

export interface Dropping {
  path: Path;
  hop: number;
  sender: Sender;
  /** The hop's leg on which the frames arrived is captured at `near`, the one on which they should leave at `far`. */
  near: number;
  far: number;
  failed: Failed;
  passages: Passages;
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
