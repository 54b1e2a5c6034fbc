/** How much of a direction its capture holds and could read. In: an observed half. Out: whoever matches messages by what they say. */

import type { ObservedHalf } from '../hop/observation.js';

/** No octet is missing from it, or went by unread. */
export function isWholeHalf({ gaps, blind }: ObservedHalf): boolean {
  return gaps.length === 0 && blind.length === 0;
}

/** Of some messages only a part could be read. */
export function isUnsound({ unsound }: ObservedHalf): boolean {
  return unsound.length > 0;
}
