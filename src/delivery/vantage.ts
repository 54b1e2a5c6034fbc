/**
 * Whether a capture was taken at the host of the hop that it is given for, as far as it tells. In: a leg as captured. Out: for hop-state.ts, why what is
 * not in it may yet have left the hop: a capture at the agent's end, or at a gateway, shows only what came so far.
 */

import type { ObservedConnection, ObservedHalf } from '../hop/observation.js';
import type { Stretch } from './coverage.js';

/** Routers that a packet may pass on the host itself: into a container, or out of one. */
const OWN_ROUTERS = 1;
/** No path is as long: a host that begins with another number. */
const MOST_ROUTERS = 30;
/** What hosts write into a packet's Time to Live or Hop Limit. */
const INITIAL_HOP_LIMITS = [64, 128, 255];

/** Null where nothing speaks against the hop's own host. */
export function takenElsewhere({ fromServer, fromClient }: ObservedConnection, stretch: Stretch): string | null {
  const passed = routersPassed(fromServer);
  if (passed > OWN_ROUTERS && passed < MOST_ROUTERS)
    return `the capture was taken ${passed} routers away (by the Time to Live of ${fromServer.hopLimit}), so it may have left and been lost before`;
  // What waits behind octets that were seen leaving waits there, wherever the capture was taken.
  if (fromServer.unacked !== null || !isUnanswered(fromClient, stretch)) return null;
  return 'what the other end sent on this leg at this time was sent again and never TCP-ACKed, as it would have been at its own host: it may have left and been lost before the capture';
}

function routersPassed({ packets, hopLimit }: ObservedHalf): number {
  if (packets === 0 || hopLimit === 0) return 0;
  return Math.min(...INITIAL_HOP_LIMITS.filter((each) => each >= hopLimit)) - hopLimit;
}

function isUnanswered({ blocked }: ObservedHalf, { fromNs, toNs }: Stretch): boolean {
  return blocked.some((each) => each.kind === 'unacked' && each.fromNs <= toNs && each.toNs >= fromNs);
}
