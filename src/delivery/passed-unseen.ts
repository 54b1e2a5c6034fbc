/**
 * Whether messages passed a hop that its capture does not hold, by what the other hops of the path captured. In: a leg of a path.
 * Out: null, or the reason why the leg's quiet proves nothing. No sequence number tells of a connection of which every packet is
 * missing from some moment on, or up to one: only its neighbours do.
 */

import { commonNs, type HopView, type Leg, type Path, withinNs } from '../path/path.js';
import { blindness, type Known, provenQuiet, type Stretch, seconds } from './coverage.js';

/** What a hop takes in it may pass on a little later, while nothing more comes. */
const HELD_WITHIN_NS = 250e6;
const FIRST_CONTROL = 8;

type Sender = 'fromServer' | 'fromClient';

/** As `blindness` of one direction of a leg; and where all rests on its being quiet, no other hop may say that it was not. */
export function blindnessOn(
  views: readonly HopView[],
  path: Path,
  hop: number,
  sender: Sender,
  stretch: Stretch,
  known?: Known,
): string | null {
  const view = views[hop];
  const leg = path.legs[hop];
  if (leg === null || view.observation === null) return `${view.name}: no capture holds it`;
  const half = leg.connection[sender];
  const reason = blindness(view.observation, leg.connection, half, stretch, known);
  if (reason !== null) return reason;
  const quietBefore = !(half.webSocketFrom >= 0) && half.firstSeenNs > stretch.fromNs;
  const quietAfter = !provenQuiet(half, stretch.toNs);
  return (quietAfter ? passedAfter(views, path, leg) : null) ?? (quietBefore ? passedBefore(views, path, leg) : null);
}

/** Messages that left an outer hop, or came to an inner one, after the last packet of this leg that was captured. */
function passedAfter(views: readonly HopView[], path: Path, leg: Leg): string | null {
  const view = views[leg.hop];
  const lastNs = commonNs(view, leg.connection.lastNs);
  for (const other of path.legs) {
    if (other === null || other === leg) continue;
    const passing = other.connection[senderThrough(leg, other)];
    const passedNs = commonNs(views[other.hop], passing.lastMessageNs);
    if (passedNs > lastNs + slackNs(view, views[other.hop], lastNs))
      return `the capture holds no packet of this connection for the last ${seconds(passedNs - lastNs)} in which messages passed, as ${views[other.hop].name} shows`;
  }
  return null;
}

/** The same before its first packet; the capture had begun by then. */
function passedBefore(views: readonly HopView[], path: Path, leg: Leg): string | null {
  const view = views[leg.hop];
  const { observation } = view;
  if (observation === null) return null;
  const beganNs = commonNs(view, observation.firstNs);
  const firstNs = commonNs(view, leg.connection.firstNs);
  for (const other of path.legs) {
    const messages = other === null ? undefined : views[other.hop].observation?.messages;
    if (other === null || other === leg || messages === undefined) continue;
    const slack = slackNs(view, views[other.hop], firstNs);
    for (const row of other.connection[senderThrough(leg, other)].rows) {
      const sentNs = commonNs(views[other.hop], messages.sentNs[row]);
      if (!(sentNs < firstNs - slack)) break;
      if (sentNs > beganNs + slack && messages.opcode[row] < FIRST_CONTROL)
        return `the first packet of this connection that it holds came ${seconds(firstNs - sentNs)} after a message had passed, as ${views[other.hop].name} shows`;
    }
  }
  return null;
}

/** Who sends what has passed `leg` when it is on the other one. */
function senderThrough(leg: Leg, other: Leg): Sender {
  return other.hop > leg.hop ? 'fromServer' : 'fromClient';
}

function slackNs(one: HopView, other: HopView, atNs: number): number {
  return HELD_WITHIN_NS + withinNs(one, atNs) + withinNs(other, atNs);
}
