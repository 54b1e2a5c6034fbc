/**
 * origin-restarted: all connections of a hop closed at the same moment, and agents connected again after it. In: the legs of all
 * paths; the innermost hop that closed from its own side is the one that restarted. Out: one finding for each such moment.
 */

import { seconds } from '../delivery/coverage.js';
import type { ObservedConnection } from '../hop/observation.js';
import { commonNs, type HopView, type Path } from '../path/path.js';
import { cite, clockTime } from './cite.js';
import type { Facts } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { byName, counted, listed } from './words.js';

/** A process that dies or exits closes its sockets in one go; a loaded machine needs a moment. */
const SAME_MOMENT_NS = 1e9;
const LEAST_CONNECTIONS = 2;
/** Few connections may close together by chance: then it must have been at the very same moment. */
const FEW = 4;
const FEW_WITHIN_NS = 100e6;
/** A Close frame is answered, and the connection closed, within this. */
const CLOSES_WITHIN_NS = 2e9;

interface Closed {
  path: Path;
  connection: ObservedConnection;
}

export function originRestarted(facts: Facts, found: Found): void {
  for (const view of facts.views) {
    const legs = facts.court.paths.flatMap((path) => {
      const connection = path.legs[view.index]?.connection;
      return connection === undefined ? [] : [{ path, connection }];
    });
    const closed = legs
      .filter(
        ({ path, connection }) =>
          connection.closedFrom === 'server' &&
          !mayBeClientsWish(connection) &&
          !path.legs.some(
            (leg) => leg !== null && leg.hop >= view.index && isClientsWish(facts.views[leg.hop], leg.connection),
          ),
      )
      .sort((a, b) => a.connection.closedNs - b.connection.closedNs);
    for (let i = 0; i < closed.length; ) {
      const startNs = closed[i].connection.closedNs;
      let end = i;
      while (end < closed.length && closed[end].connection.closedNs <= startNs + SAME_MOMENT_NS) end++;
      const together = closed.slice(i, end).filter(({ path }) => !found.has(path, 'origin-restarted'));
      const withinNs = (together.at(-1)?.connection.closedNs ?? startNs) - startNs;
      const enough = together.length >= (withinNs <= FEW_WITHIN_NS ? LEAST_CONNECTIONS : FEW);
      const nextNs = closed[end]?.connection.closedNs ?? Number.POSITIVE_INFINITY;
      if (enough && isAll(legs, startNs, together.length)) judge(facts, found, view, together, legs, nextNs);
      i = end;
    }
  }
}

/** The client's Close frame may have come first, unseen: octets of it are missing from the time before. */
export function mayBeClientsWish({ fromClient, closedNs }: ObservedConnection): boolean {
  const lost = [...fromClient.gaps, ...fromClient.blind];
  return (
    fromClient.packets === 0 ||
    lost.some((each) => each.fromNs <= closedNs && !(each.toNs < closedNs - CLOSES_WITHIN_NS))
  );
}

/** By the order of times in one capture, which need not be the right one; a hop further out may show it. The client sent its Close frame first: the server only complies (RFC 6455 section 5.5.1). */
export function isClientsWish({ observation }: HopView, { fromServer, fromClient }: ObservedConnection): boolean {
  if (observation === null || fromClient.counts.close === 0) return false;
  const { opcode, sentNs, firstRef } = observation.messages;
  const [theirs, ours] = [fromClient, fromServer].map(({ rows }) => rows.findLast((row) => opcode[row] === 8));
  if (theirs === undefined || ours === undefined) return theirs !== undefined;
  // Coarse stamps are equal: then the file's order tells.
  return sentNs[theirs] < sentNs[ours] || (sentNs[theirs] === sentNs[ours] && firstRef[theirs] < firstRef[ours]);
}

/** No connection of that hop was open before and stayed open. */
function isAll(legs: readonly Closed[], startNs: number, together: number): boolean {
  const open = legs.filter(({ connection }) => connection.firstNs < startNs && !(connection.closedNs < startNs));
  return open.length === together;
}

/** `nextNs`: when connections of that hop were closed from its side again. */
function judge(
  facts: Facts,
  found: Found,
  view: HopView,
  together: Closed[],
  legs: readonly Closed[],
  nextNs: number,
): void {
  const startNs = together[0].connection.closedNs;
  const closedNs = (together.at(-1) as Closed).connection.closedNs;
  const back = legs.filter(({ connection }) => connection.firstNs > startNs && connection.firstNs < nextNs);
  const refused = refusals(facts, commonNs(view, startNs), commonNs(view, nextNs));
  if (back.length === 0 && refused === null) return;
  together.sort((a, b) => byName(nameOf(a.path), nameOf(b.path)));
  const paths = together.map(({ path }) => path);
  const cutOff: number[] = [];
  for (const path of paths)
    for (const failed of facts.records.get(path)?.failed ?? [])
      failed.timesNs.forEach((timeNs, i) => {
        if (timeNs + facts.court.ackTimeoutNs >= commonNs(view, startNs)) cutOff.push(failed.commands[i]);
      });
  const inFlight = new Set(cutOff).size;
  const waiting = paths.filter((path) =>
    facts.records.get(path)?.failed.some(({ commands }) => commands.some((command) => cutOff.includes(command))),
  );
  const backNs = Math.max(...back.map(({ connection }) => connection.firstNs)) - startNs;
  // With a hop between that was not captured, who ended first is not seen.
  const innerUnseen = view.index > 0 && together.some(({ path }) => path.legs[view.index - 1] === null);
  // Whoever answers 502 is alive: what ended lies behind it.
  const lives = refused?.view === view && refused.statuses.includes('50');
  const behind = innerUnseen || lives || facts.views.length === 1;
  const who = behind && !lives ? `${view.name}, or a hop behind it,` : view.name;
  const what = lives
    ? `${view.name} goes on answering, so what ended or restarted lies behind it`
    : `${behind ? 'a' : 'its'} process ended or restarted`;
  // A server that says goodbye to everyone was told to.
  const codes = new Set(together.map(({ connection }) => connection.fromServer.closeCode));
  const planned = inFlight === 0 && !codes.has(null);
  found.add({
    id: 'origin-restarted',
    severity: planned ? 'warning' : 'error',
    paths,
    commands: cutOff,
    summary:
      `${who} closed all of its ${together.length} connections within ${seconds(closedNs - startNs)} at ${clockTime(view, startNs)} UTC${codes.has(null) ? '' : ` with Close frames (${listed([...codes].map(String))})`}` +
      `${refused === null ? '' : `, ${counted(refused.connections.length, 'Upgrade request')} met ${refused.statuses} at ${refused.view.name}`}` +
      `${back.length === 0 ? '' : ` and ${counted(back.length, 'new connection')} came within ${seconds(backNs)}`}: ` +
      `${what}${inFlight === 0 ? '' : `, with ${counted(inFlight, 'command')} in flight (${listed(namesOf(waiting))})`}.`,
    evidence: [
      ...cite(
        view,
        together.slice(0, 12).map(({ connection }) => connection.closedRef),
        `connections of ${listed(namesOf(paths))} closed from ${view.name}'s side`,
      ),
      ...cite(
        view,
        back.slice(0, 12).map(({ connection }) => connection.handshakeRefs[0] ?? 0),
        'Upgrade requests that were taken up after it',
      ),
      ...(refused === null
        ? []
        : cite(
            refused.view,
            refused.connections.slice(0, 12).flatMap(({ handshakeRefs }) => handshakeRefs),
            `Upgrade requests after it that met ${refused.statuses}`,
          )),
    ],
    next:
      `${behind ? `Capture further in than ${view.name} to see which process ended, and look` : 'Look'} for why ${behind ? 'it' : `the process at ${view.name}`} ended (its log and the service manager's at that time${planned ? '; Close frames to all speak for a planned end' : ''}${view.index > 0 ? '; a proxy that was reloaded closes what it had when worker_shutdown_timeout is over' : ''})` +
      `${inFlight === 0 ? '.' : ', and send again what was in flight.'}`,
  });
}

interface Refusals {
  view: HopView;
  connections: ObservedConnection[];
  /** `502`, `502 and 503`. */
  statuses: string;
}

/** Upgrade requests that were turned away in that time (common clock), at the outermost hop that saw some; null for none. */
function refusals({ views }: Facts, fromNs: number, toNs: number): Refusals | null {
  for (const view of [...views].reverse()) {
    const connections = (view.observation?.connections ?? []).filter((connection) => {
      const timeNs = connection === undefined ? Number.NaN : commonNs(view, connection.firstNs);
      return connection?.protocol === 'upgrade-refused' && timeNs > fromNs && timeNs < toNs;
    });
    const statuses = [...new Set(connections.map(({ handshake }) => handshake?.status ?? 0))].filter((one) => one > 0);
    if (connections.length > 0)
      return { view, connections, statuses: statuses.length === 0 ? 'a refusal' : listed(statuses.map(String)) };
  }
  return null;
}
