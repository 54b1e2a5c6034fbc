/**
 * Inputs that cannot be meant so: hops in the wrong order, one capture for two hops. In: views and paths. Out: a UsageError where every
 * verdict would name the wrong hop; warnings where that cannot be ruled out.
 */

import { UsageError } from '../evidence/usage-error.js';
import type { HopObservation } from '../hop/observation.js';
import type { HopOrder } from '../path/hop-order.js';
import type { HopView, Path } from '../path/path.js';
import { isSameCapture } from '../path/same-capture.js';
import { seconds } from './coverage.js';

/** What would make every verdict name the wrong hop is the user's to put right. */
export function refuseMisuse(views: readonly HopView[], paths: readonly Path[], { misordered }: HopOrder): void {
  for (const [i, a] of views.entries())
    for (const b of views.slice(i + 1)) {
      if (!isSameCapture(a.observation, b.observation)) continue;
      if (paths.some(({ legs }) => legs[a.index] !== null && legs[b.index] !== null)) continue;
      // Legs that cannot be read (cut, encrypted) may still be there.
      if (serversIn(a.observation) > 1) continue;
      throw new UsageError(
        `${a.name} and ${b.name} are given the same capture, and it holds the connections of one hop only: give each hop its own`,
      );
    }
  if (misordered === null) return;
  const [first, second] = misordered.map((hop) => views[hop].name);
  throw new UsageError(
    `the captures show ${second} nearer to the server than ${first}: give the hops in order from the server out, or check which file is whose`,
  );
}

/** In words, for the reasons of verdicts; null where the order is proven. */
export function orderNote(views: readonly HopView[], { unproven }: HopOrder): string | null {
  if (unproven.length === 0) return null;
  const pairs = unproven.map(({ inner, outer }) => `${views[inner].name} and ${views[outer].name}`);
  return `the order of ${pairs.join(', and of ')} could not be checked`;
}

/** What the user should look at before the verdict is believed. */
export function inputWarnings(
  views: readonly HopView[],
  order: HopOrder & { unplaced: readonly number[] },
  paths: readonly Path[],
  wholePathNamed: boolean,
): string[] {
  const uncaptured = wholePathNamed ? [] : uncapturedWarnings(views, paths);
  return [
    ...orderWarnings(views, order),
    ...unplacedWarnings(views, order),
    ...uncaptured,
    ...apartWarnings(views, paths),
  ];
}

function orderWarnings(views: readonly HopView[], { unproven }: HopOrder): string[] {
  return unproven.map(({ inner, outer, doubtful }) => {
    const pair = `the order of ${views[inner].name} and ${views[outer].name}`;
    return doubtful
      ? `${pair} is doubtful: by the times of a few messages ${views[outer].name} is nearer to the server; check which file is whose`
      : `${pair} could not be checked: nothing in the captures shows which of them is nearer to the server`;
  });
}

function unplacedWarnings(views: readonly HopView[], { unplaced }: { unplaced: readonly number[] }): string[] {
  return unplaced.map((hop) => {
    const { name } = views[hop];
    const others = views.filter(({ observation }) => observation === null).map((view) => view.name);
    return `${name}'s capture holds several connections of one path, and nothing shows which of them is ${name}'s and which are those of ${others.join(', ')}: give each hop's own capture`;
  });
}

function uncapturedWarnings(views: readonly HopView[], paths: readonly Path[]): string[] {
  return views.flatMap(({ index, name }) => {
    const address = paths.map(({ uncaptured }) => uncaptured[index]).find((each) => each !== null);
    return address === undefined
      ? []
      : [
          `between ${views[index - 1].name} and ${name} stands a hop that was not captured (${address}): name all hops with --path`,
        ];
  });
}

/** Captures of different times, in which no connection is the same either: one may be of another day, or its clock far off. */
function apartWarnings(views: readonly HopView[], paths: readonly Path[]): string[] {
  const captured = views.filter(({ observation }) => observation !== null && observation.tcpPackets > 0);
  const warnings: string[] = [];
  for (const [i, b] of captured.entries()) {
    if (i === 0) continue;
    const a = captured[i - 1];
    if (paths.some(({ legs }) => legs[a.index] !== null && legs[b.index] !== null)) continue;
    const [one, other] = [a, b].map(({ observation }) => observation as HopObservation);
    const apartNs = Math.max(other.firstNs - one.lastNs, one.firstNs - other.lastNs);
    if (apartNs > 0)
      warnings.push(
        `the captures of ${a.name} and ${b.name} are ${seconds(apartNs)} apart and share no connection: check that they are of the same time`,
      );
  }
  return warnings;
}

/** Endpoints that something was sent to or from. */
function serversIn(observation: HopObservation | null): number {
  const servers = new Set<string>();
  for (const connection of observation?.connections ?? []) {
    if (connection === undefined || connection.stray) continue;
    const { fromServer, fromClient, serverAddress, serverPort } = connection;
    if (Number.isNaN(fromServer.lastOctetsNs) && Number.isNaN(fromClient.lastOctetsNs)) continue;
    servers.add(`${serverAddress} ${serverPort}`);
  }
  return servers.size;
}
