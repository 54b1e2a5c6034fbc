/**
 * The fate of octets that come below the highest ones captured: lost before the place of capture, behind it, or only overtaken (losses.ts).
 * In: half-stream.ts, with the segment at hand and what is known of the stream. Out: its fate. Seldom asked, and so off the hot path.
 */

import type { Fate } from './losses.js';
import { distance } from './sequence.js';

/** Of the packet at hand, or of one captured before it: the sender's timestamp and the IPv4 ID; 0 where it has none. */
export interface Mark {
  tick: number;
  identification: number;
  timeNs: number;
}

interface Held extends Mark {
  readonly start: number;
  readonly wireEnd: number;
}

export interface Again {
  /** The octets of the segment that stand below the highest ones; and whether others follow them. */
  readonly from: number;
  readonly to: number;
  readonly bringsNew: boolean;
  /** A TCP ACK or SACK for all of them was captured before. */
  readonly isAcked: boolean;
  readonly own: Mark;
  /** The next octet in order, what is held behind holes from there on, and the holes that were given up. */
  readonly next: number;
  readonly held: readonly Held[];
  readonly gaps: readonly { readonly kind: string; readonly from: number; readonly to: number }[];
}

export interface Told {
  /** It is known to be no first copy. */
  isAgain: boolean;
  /** Null where there is nothing to tell. */
  fate: Fate | null;
  octets: number;
  /** When the hole that it fills was first seen. */
  sinceNs: number;
}

/** No network delays one packet by so much more than those that follow it; a slow queue was seen to do it for 0.3 s. Senders wait 0.2 s or more. */
const SENT_AGAIN_AFTER_NS = 1e9;
/** IP IDs of one sender's packets that follow each other: how far they may be apart where they are known to count, and where not. */
const COUNTED_IDS = 4096;
const NEXT_IDS = 16;

export function fateOf({ from, to, bringsNew, isAcked, own, next, held, gaps }: Again): Told {
  const ahead = Math.max(from, next);
  const fills = to > next ? unseenAhead(ahead, to, held) : 0;
  if (fills > 0) {
    const behind = held.filter(({ start }) => start > ahead);
    const again = behind.length === 0 ? null : isSentAgain(own, behind);
    const sinceNs = Math.min(...behind.map(({ timeNs }) => timeNs));
    const fate = isAcked ? 'retransmitted-after-ack' : 'lost-before-capture';
    return {
      isAgain: again === true,
      fate: again ? fate : again === null ? 'undecided' : 'out-of-order',
      octets: fills,
      sinceNs,
    };
  }
  const repeats = to - from - unseenBehind(from, Math.min(to, next), gaps);
  // A single octet that new ones follow was a probe of the receiver's closed window.
  const isProbe = bringsNew && repeats <= 1;
  const fate = isAcked ? 'retransmitted-after-ack' : 'retransmitted-after-capture';
  return { isAgain: !isProbe, fate: isProbe || repeats === 0 ? null : fate, octets: repeats, sinceNs: Number.NaN };
}

/** Octets of [from, to), in a part of the stream that is not in order yet, that no held segment has. */
function unseenAhead(from: number, to: number, held: Again['held']): number {
  let unseen = 0;
  let at = from;
  for (const { start, wireEnd } of held) {
    if (start >= to) break;
    if (start > at) unseen += start - at;
    at = Math.max(at, wireEnd);
  }
  return unseen + Math.max(0, to - at);
}

/** Octets of [from, to), in the part that is in order, that were not captured. */
function unseenBehind(from: number, to: number, gaps: Again['gaps']): number {
  let unseen = 0;
  for (let i = gaps.length - 1; i >= 0 && gaps[i].to > from; i--)
    if (gaps[i].kind !== 'cut') unseen += Math.max(0, Math.min(to, gaps[i].to) - Math.max(from, gaps[i].from));
  return unseen;
}

/**
 * Whether what fills a hole was sent after what stands behind the hole: a sender sends octets in order at first, so it was sent again. Null where
 * that cannot be told. `behind`: the packets captured so far that stand behind it, in stream order, one at least.
 */
function isSentAgain(filler: Mark, behind: readonly Mark[]): boolean | null {
  let first = behind[0];
  let sinceNs = first.timeNs;
  for (const each of behind) {
    if (distance(each.tick, first.tick) < 0) first = each;
    sinceNs = Math.min(sinceNs, each.timeNs);
  }
  const ticks = distance(filler.tick, first.tick);
  if (ticks !== 0) return ticks > 0;
  const ids = distanceOfIds(filler, first);
  if (ids !== 0 && Math.abs(ids) <= (countsIds(behind) ? COUNTED_IDS : NEXT_IDS)) return ids > 0;
  return filler.timeNs - sinceNs >= SENT_AGAIN_AFTER_NS ? true : null;
}

/** 0 also where one has none. */
function distanceOfIds(a: Mark, b: Mark): number {
  if (a.identification === 0 || b.identification === 0) return 0;
  return ((a.identification - b.identification) << 16) >> 16;
}

/** Packets that came one after the other have IDs that do. */
function countsIds(marks: readonly Mark[]): boolean {
  for (let i = 1; i < marks.length; i++) {
    const step = distanceOfIds(marks[i], marks[i - 1]);
    if (step <= 0 || step > NEXT_IDS) return false;
  }
  return marks.length > 1;
}
