/**
 * Which of two connections of one WebSocket lies nearer to the server, by the one clock of a capture that holds both. In: nodes.ts. Out: the
 * order, and whether all that tells of it agrees: stamps of packets may be out of order by more than a proxy takes.
 */

import type { MessageTable } from '../hop/message-table.js';
import type { ObservedConnection } from '../hop/observation.js';
import { anchors } from './align.js';

export interface TimedOrder {
  /** Negative if the first is inner, positive if the second is, 0 where nothing tells. */
  order: number;
  sure: boolean;
}

/** No stamps are as far out of order. */
const APART_NS = 250e6;
/** One message in so many may say otherwise. */
const AGREEMENT = 10;

/** Agents open the outer connection first; what the server sends is on the inner one first, what the agent sends on the outer one. */
export function orderInOneCapture(a: ObservedConnection, b: ObservedConnection, messages: MessageTable): TimedOrder {
  const known = KNOWN.get(a)?.get(b);
  if (known !== undefined) return known;
  const timed = compare(a, b, messages);
  const ofA = KNOWN.get(a) ?? new Map<ObservedConnection, TimedOrder>();
  KNOWN.set(a, ofA.set(b, timed));
  return timed;
}

/** Asked for several times on the way from connections to legs. */
const KNOWN = new WeakMap<ObservedConnection, Map<ObservedConnection, TimedOrder>>();

function compare(a: ObservedConnection, b: ObservedConnection, messages: MessageTable): TimedOrder {
  const apartNs = b.openedNs - a.openedNs;
  if (Math.abs(apartNs) >= APART_NS) return { order: Math.sign(apartNs), sure: true };
  const opened = Number.isNaN(apartNs) ? 0 : Math.sign(apartNs);
  let inner = opened < 0 ? 1 : 0;
  let outer = opened > 0 ? 1 : 0;
  for (const way of ['fromServer', 'fromClient'] as const)
    for (const [i, j] of anchors({ half: a[way], messages }, { half: b[way], messages })) {
      const aheadNs = messages.sentNs[b[way].rows[j]] - messages.sentNs[a[way].rows[i]];
      if (aheadNs === 0 || Number.isNaN(aheadNs)) continue;
      if (aheadNs > 0 === (way === 'fromServer')) inner++;
      else outer++;
    }
  const order = Math.sign(outer - inner);
  return { order, sure: Math.min(inner, outer) * AGREEMENT <= Math.max(inner, outer) };
}
