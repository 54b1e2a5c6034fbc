/**
 * Commands that were asked for while the first hop's own connection could take nothing more: they were not sent because something
 * further out does not take what is before them. In: facts. Out: the rules that name that cause, and commands-not-sent, which leaves them.
 */

import { commonNs, type Path } from '../path/path.js';
import { type Facts, openPaths, type Unsent } from './facts.js';

/** The queue before a socket takes some more after the socket is full, and what was asked for just before it may still wait. */
const JUST_BEFORE_NS = 1e9;

export function heldBack(facts: Facts, path: Path): Unsent[] {
  return facts.unsent.filter(
    (unsent) => isHeld(facts, path, unsent) && openPaths(facts, unsent.agent, unsent.askedNs).includes(path),
  );
}

function isHeld({ views }: Facts, path: Path, { askedNs }: Unsent): boolean {
  const leg = path.legs[0];
  return (
    leg?.connection.fromServer.blocked.some(
      ({ fromNs, toNs }) =>
        commonNs(views[0], fromNs) <= askedNs + JUST_BEFORE_NS && commonNs(views[0], toNs) > askedNs,
    ) ?? false
  );
}

/** `; 24 more commands wait behind that, unsent`; empty for none. */
export function heldWords(held: readonly Unsent[]): string {
  const count = new Set(held.map(({ command }) => command)).size;
  return count === 0 ? '' : `; ${count} more command${count === 1 ? ' waits' : 's wait'} behind that, unsent`;
}
