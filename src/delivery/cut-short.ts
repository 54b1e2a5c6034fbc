/**
 * Where no command is known because packets were cut before any ID: what the captures say all the same. In: paths and hops. Out: a warning, or
 * null where nothing was cut of what the server sent.
 */

import type { HopView, Path } from '../path/path.js';

export function nothingButLengths(views: readonly HopView[], paths: readonly Path[]): string | null {
  const cutAt = views.filter(({ index }) =>
    paths.some(({ legs }) => (legs[index]?.connection.fromServer.cutOctets ?? 0) > 0),
  );
  if (cutAt.length === 0) return null;
  const names = cutAt.map(({ name }) => name).join(', ');
  return `no ID of a command is in the captures: at ${names} packets were cut by the snapshot length (capture with tcpdump -s 0); ${cutAt.map((view) => whatLeft(view, paths)).join('; ')}`;
}

/** What TCP's headers say of one hop's legs. */
function whatLeft({ index, name }: HopView, paths: readonly Path[]): string {
  const halves = paths.flatMap(({ legs }) => legs[index]?.connection.fromServer ?? []).filter(({ next }) => next > 0);
  const waiting = halves.filter(({ unacked }) => unacked !== null).length;
  const on = `on ${halves.length} connection${halves.length === 1 ? '' : 's'}`;
  if (waiting === 0) return `all that left ${name} ${on} was TCP-ACKed`;
  return `of what left ${name} ${on} all was TCP-ACKed but the last octets on ${waiting} of them`;
}
