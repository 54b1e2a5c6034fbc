/**
 * peer-unreachable: what a hop sends on its leg is retransmitted and never TCP-ACKed. In: facts; paths that a split connection
 * or a path MTU explains are left alone. Out: one finding for each leg of the chain where it happens.
 */

import { seconds } from '../delivery/coverage.js';
import { commonNs, type Path } from '../path/path.js';
import { cite, clockTime, type Evidence } from './cite.js';
import { agentLeg, beyond, type Facts, failedOn, legName } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { heldBack, heldWords } from './held-back.js';
import { neverAcked, outermost, type Wait } from './tcp-waits.js';
import { counted, listed } from './words.js';

/** Pings go out some seconds apart: what died together is noticed within their interval. */
const ONE_MOMENT_NS = 60e9;

/** An octet count that every path lets pass (RFC 791: 576 octets with headers). */
const SMALL_SEGMENT_OCTETS = 536;

export function peerUnreachable(facts: Facts, found: Found): void {
  const byHop = new Map<number, { path: Path; wait: Wait }[]>();
  for (const path of facts.paths) {
    if (found.has(path, 'split-connection', 'large-frames-lost', 'receiver-window-closed', 'reply-address-mismatch'))
      continue;
    const wait = outermost(path.legs, (leg) => (isDead(neverAcked(leg)) ? neverAcked(leg) : null));
    if (wait === null) continue;
    byHop.set(wait.leg.hop, [...(byHop.get(wait.leg.hop) ?? []), { path, wait }]);
  }
  for (const [hop, dead] of byHop) report(facts, found, hop, dead);
}

function isDead(wait: Wait | null): boolean {
  if (wait === null) return false;
  const { fromServer, fromClient } = wait.leg.connection;
  const { unacked, blocked } = fromServer;
  if (unacked === null || unacked.sackedOctets > 0) return false;
  if (blocked.some((each) => each.kind === 'window-closed' && each.toNs > wait.fromNs)) return false;
  // Only large segments wait, and the peer still talks: that may be a matter of size.
  const silent = !(fromClient.lastSeenNs > wait.fromNs);
  return silent || unacked.smallestOctets <= SMALL_SEGMENT_OCTETS;
}

function report(facts: Facts, found: Found, hop: number, dead: { path: Path; wait: Wait }[]): void {
  const view = facts.views[hop];
  const evidence: Evidence[] = [];
  const commands: number[] = [];
  let halfOpen = 0;
  for (const { path, wait } of dead) {
    const { fromServer, fromClient } = wait.leg.connection;
    const { unacked } = fromServer;
    if (unacked === null) continue;
    const talks = fromClient.lastSeenNs > wait.fromNs + 1e9;
    if (talks) halfOpen++;
    evidence.push(
      ...cite(
        view,
        unacked.refs,
        `${nameOf(path)}: sent ${unacked.transmissions} times from ${clockTime(view, wait.fromNs)} on, ${counted(unacked.octets, 'octet')} never TCP-ACKed${talks ? '; its own packets still arrive' : ''}`,
      ),
    );
    const fromNs = commonNs(view, wait.fromNs) - 0.5e9;
    for (const failed of failedOn(facts, path, 'stalled'))
      failed.commands.forEach((command, i) => {
        if (failed.timesNs[i] >= fromNs) commands.push(command);
      });
  }
  const paths = dead.map(({ path }) => path);
  const held = paths.flatMap((path) => heldBack(facts, path));
  const last = hop === facts.views.length - 1;
  const agents = last && paths.every((path) => agentLeg(facts, path) !== null);
  const who = agents ? listed(namesOf(paths)) : `${beyond(facts, paths[0], hop)} for ${listed(namesOf(paths))}`;
  const longest = Math.max(...dead.map(({ wait }) => wait.toNs - wait.fromNs));
  const addresses = new Set(dead.map(({ wait }) => wait.leg.connection.clientAddress));
  const froms = dead.map(({ wait }) => wait.fromNs);
  const spreadNs = Math.max(...froms) - Math.min(...froms);
  // Further in every agent's leg comes from the same proxy.
  const site = last && dead.length > 1 && addresses.size === 1 && spreadNs < ONE_MOMENT_NS ? [...addresses][0] : null;
  const state =
    halfOpen === 0
      ? 'black-holed, in at least one direction'
      : halfOpen === dead.length
        ? 'half-open (its own packets still arrive)'
        : 'black-holed or half-open';
  found.add({
    id: 'peer-unreachable',
    severity: 'error',
    paths,
    commands: [...commands, ...held.map(({ command }) => command)],
    summary:
      `What ${view.name} sends to ${who} was sent again and again for ${seconds(longest)} and never TCP-ACKed: ` +
      `the connection${dead.length === 1 ? ' is' : 's are'} ${state}${site === null ? '' : `. All ${dead.length} come from ${site}, and went dark within ${seconds(spreadNs)}: one site, or what stands before it`}${heldWords(held)}.`,
    evidence,
    next:
      `Find where packets are lost on ${legName(facts, hop)}: capture on both sides of each device between (firewall states, NAT time-outs), ` +
      'and have the server drop a connection whose Pings go unanswered.',
  });
}
