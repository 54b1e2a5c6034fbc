/**
 * reply-address-mismatch: the answer to a SYN comes from another address or port than the one that the client connected to, as
 * with a wrong outbound NAT on a firewall with several WANs. In: connections of each hop of which only one direction was seen
 * (the client's kernel resets what it never asked for); the SYN-ACK's acknowledgment number joins the two. Out: one finding for each hop.
 */

import type { HopObservation, ObservedConnection } from '../hop/observation.js';
import { cite } from './cite.js';
import type { Facts } from './facts.js';
import type { Found } from './found.js';
import { counted, listed } from './words.js';

export function replyAddressMismatch(facts: Facts, found: Found): void {
  for (const view of facts.views) {
    if (view.observation === null) continue;
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
