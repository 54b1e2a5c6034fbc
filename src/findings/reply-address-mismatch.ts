/**
 * reply-address-mismatch: the answer to a SYN comes from another address or port than the one that the client connected to, as
 * with a wrong outbound NAT on a firewall with several WANs. In: connections of each hop of which only one direction was seen
 * (the client's kernel resets what it never asked for); the SYN-ACK's acknowledgment number joins the two. Out: one finding for each hop.
 */

import { divertedTo } from '../delivery/diverted.js';
import type { HopObservation, ObservedConnection } from '../hop/observation.js';
import { commonNs, type HopView } from '../path/path.js';
import { cite, clockTime } from './cite.js';
import type { Facts } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { counted, listed } from './words.js';

/** A message takes a moment from the first hop to here. */
const JUST_BEFORE_NS = 1e9;

export function replyAddressMismatch(facts: Facts, found: Found): void {
  for (const view of facts.views) {
    if (view.observation === null) continue;
    diverted(facts, found, view);
    const pairs = mismatches(view.observation);
    if (pairs.length === 0) continue;
    const [{ asked, answered }] = pairs;
    const reset = pairs.filter((pair) => pair.answered.closedFrom === 'client').length;
    found.add({
      id: 'reply-address-mismatch',
      severity: 'error',
      summary:
        `At ${view.name} ${counted(pairs.length, 'connection')} to ${endpoint(asked)} from ${listed([...new Set(pairs.map((pair) => pair.asked.clientAddress))])} ${pairs.length === 1 ? 'is' : 'are'} answered from ${endpoint(answered)}: ` +
        `the replies leave from another address than the one that was connected to${reset === 0 ? '' : `, and the client resets ${reset === pairs.length ? 'them' : `${reset} of them`}`}.`,
      evidence: pairs
        .slice(0, 8)
        .flatMap(({ asked: one, answered: other }) =>
          cite(
            view,
            [one.openedRef, other.openedRef, other.closedFrom === 'client' ? other.closedRef : 0],
            `${one.clientAddress}:${one.clientPort} connects to ${endpoint(one)}, the SYN-ACK comes from ${endpoint(other)}${other.closedFrom === 'client' ? ', and a RST goes back to it' : ''}`,
          ),
        ),
      next: 'Look at the outbound NAT and the reply-to rules of the firewall: replies must leave by the WAN and the address that the request came in on.',
    });
  }
}

export function mismatches(observation: HopObservation): { asked: ObservedConnection; answered: ObservedConnection }[] {
  const asking = new Map<string, ObservedConnection>();
  for (const connection of observation.connections) {
    if (connection === undefined || connection.fromServer.packets > 0 || connection.initialSequence.client < 0)
      continue;
    const { client } = connection.initialSequence;
    asking.set(`${connection.clientAddress} ${connection.clientPort} ${(client + 1) >>> 0}`, connection);
  }
  if (asking.size === 0) return [];
  const pairs: { asked: ObservedConnection; answered: ObservedConnection }[] = [];
  for (const answered of observation.connections) {
    if (answered === undefined || answered.initialSequence.server < 0 || !isUnasked(answered)) continue;
    const { baseSequence } = answered.fromClient;
    const asked = asking.get(`${answered.clientAddress} ${answered.clientPort} ${baseSequence}`);
    if (asked !== undefined) pairs.push({ asked, answered });
  }
  return pairs;
}

/** A SYN-ACK whose SYN went elsewhere: its client says nothing on it, or only RST. */
function isUnasked({ initialSequence, fromClient, closedBy, closedFrom }: ObservedConnection): boolean {
  if (initialSequence.client >= 0) return false;
  if (fromClient.packets === 0) return true;
  return Number.isNaN(fromClient.lastOctetsNs) && closedBy === 'rst' && closedFrom === 'client';
}

function endpoint({ serverAddress, serverPort }: ObservedConnection): string {
  return serverAddress.includes(':') ? `[${serverAddress}]:${serverPort}` : `${serverAddress}:${serverPort}`;
}

/** Connections that were answered well at first, and whose octets then left from another address. */
function diverted(facts: Facts, found: Found, view: HopView): void {
  const { observation } = view;
  if (observation === null) return;
  const all = facts.paths.flatMap((path) => {
    const connection = path.legs[view.index]?.connection;
    const on = connection === undefined ? null : divertedTo(observation, connection);
    return connection === undefined || on === null ? [] : [{ path, connection, on }];
  });
  if (all.length === 0) return;
  const paths = all.map(({ path }) => path);
  const [{ connection, on }] = all;
  const commands = all.flatMap(({ path, on: { firstNs } }) =>
    (facts.records.get(path)?.failed ?? []).flatMap((failed) =>
      failed.commands.filter((_, i) => failed.timesNs[i] >= commonNs(view, firstNs) - JUST_BEFORE_NS),
    ),
  );
  const reset = all.filter((each) => each.on.closedFrom === 'client').length;
  found.add({
    id: 'reply-address-mismatch',
    severity: 'error',
    paths,
    commands,
    summary:
      `From ${clockTime(view, on.firstNs)} UTC on, what ${view.name} sends to ${listed(namesOf(paths))} leaves from ${endpoint(on)} instead of ${endpoint(connection)}: ` +
      `the sequence of the same connection${all.length === 1 ? '' : 's'} goes on from another address${reset === 0 ? '' : ', and the client resets it'}.`,
    evidence: all
      .slice(0, 8)
      .flatMap((each) =>
        cite(
          view,
          [each.connection.openedRef, ...(each.on.fromServer.unacked?.refs ?? []), each.on.closedRef],
          `${nameOf(each.path)}: opened towards ${endpoint(each.connection)}, then octets from ${endpoint(each.on)}${each.on.closedFrom === 'client' ? ', and RST for them' : ''}`,
        ),
      ),
    next: 'Look at the outbound NAT of the firewall at that time (a rule, a gateway that changed, a second WAN): replies must leave by the address that the connection was opened to.',
  });
}
