/**
 * large-frames-lost: a large segment is retransmitted and never TCP-ACKed while smaller ones behind it are (SACK): a path MTU black
 * hole; or an ICMP message says that it was too big. RFC 2923 section 2.1, RFC 2018, RFC 1191. In: facts. Out: one finding for each leg of the chain where it happens.
 */

import type { UnackedTail } from '../hop/observation.js';
import { commonNs, type Path } from '../path/path.js';
import { cite, clockTime, type Evidence } from './cite.js';
import { type Facts, failedOn, legName } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { neverAcked, outermost, type Wait } from './tcp-waits.js';
import { leastMtu, tooBigOn } from './too-big.js';
import { counted, listed } from './words.js';

/** Below this no path MTU can be the cause (RFC 791: every host takes 576 octets, headers included). */
export const LEAST_SEGMENT_OCTETS = 537;
/** Where as much as this many such segments got through behind it, size is not what tells it from them. */
export const MOST_PASSED_SEGMENTS = 3;
/** IPv4 and TCP without options. */
const LEAST_HEADER_OCTETS = 40;

export function largeFramesLost(facts: Facts, found: Found): void {
  const byHop = new Map<number, { path: Path; wait: Wait }[]>();
  for (const path of facts.paths) {
    const wait = outermost(path.legs, (leg) => {
      const waiting = neverAcked(leg);
      return isBySize(waiting) || isToldTooBig(facts, waiting) ? waiting : null;
    });
    if (wait === null) continue;
    byHop.set(wait.leg.hop, [...(byHop.get(wait.leg.hop) ?? []), { path, wait }]);
  }
  for (const [hop, lost] of byHop) report(facts, found, hop, lost);
}

function isBySize(wait: Wait | null): boolean {
  const unacked = wait?.leg.connection.fromServer.unacked ?? null;
  // Sent again in small segments and lost all the same: then size is not what loses it.
  if (unacked === null || unacked.leastSegmentOctets < LEAST_SEGMENT_OCTETS) return false;
  return (
    unacked.sackedOctets > 0 &&
    unacked.smallestOctets < unacked.leastSegmentOctets &&
    unacked.sackedOctets < unacked.leastSegmentOctets * MOST_PASSED_SEGMENTS
  );
}

/** A router said so, of a packet of this connection, and what waits is larger than what it lets pass. */
function isToldTooBig(facts: Facts, wait: Wait | null): boolean {
  if (wait === null) return false;
  const { unacked } = wait.leg.connection.fromServer;
  const errors = tooBigOn(facts, wait.leg).filter(({ timeNs }) => timeNs >= wait.fromNs);
  const mtu = leastMtu(errors);
  return (
    unacked !== null && errors.length > 0 && (mtu === null || unacked.leastSegmentOctets + LEAST_HEADER_OCTETS > mtu)
  );
}

function report(facts: Facts, found: Found, hop: number, lost: { path: Path; wait: Wait }[]): void {
  const view = facts.views[hop];
  const evidence: Evidence[] = [];
  const commands: number[] = [];
  let smallestOctets = Number.POSITIVE_INFINITY;
  const told = new Set<number | null>();
  for (const { path, wait } of lost) {
    const { unacked } = wait.leg.connection.fromServer;
    if (unacked === null) continue;
    smallestOctets = Math.min(smallestOctets, unacked.leastSegmentOctets);
    const passed = unacked.sackedOctets > 0 ? `, while ${sackedWords(unacked)}` : '';
    const text = `${nameOf(path)}: sent ${unacked.transmissions} times, in segments of ${segmentSizes(unacked)} octets, from ${clockTime(view, wait.fromNs)} on, never TCP-ACKed${passed}`;
    evidence.push(...cite(view, unacked.refs, text));
    const errors = tooBigOn(facts, wait.leg);
    const mtu = leastMtu(errors);
    if (errors.length > 0) told.add(mtu);
    const icmp = `ICMP "fragmentation needed" about packets to ${nameOf(path)}${mtu === null ? '' : `: next-hop MTU ${mtu}`}`;
    evidence.push(
      ...cite(
        view,
        errors.map(({ ref }) => ref),
        icmp,
      ),
    );
    const fromNs = commonNs(view, wait.fromNs) - 0.5e9;
    for (const failed of failedOn(facts, path, 'stalled'))
      failed.commands.forEach((command, i) => {
        if (failed.timesNs[i] >= fromNs) commands.push(command);
      });
  }
  const paths = lost.map(({ path }) => path);
  found.add({
    id: 'large-frames-lost',
    severity: 'error',
    paths,
    commands,
    summary:
      `On ${legName(facts, hop)} segments of ${smallestOctets} octets and more to ${listed(namesOf(paths))} are never TCP-ACKed, ` +
      `${toldWords(told)}: the path takes only smaller packets (path MTU).`,
    evidence,
    next: 'Let ICMP "fragmentation needed" through to the sender, or clamp the TCP MSS on the tunnel or firewall in between; test with ping -M do -s 1400.',
  });
}

function toldWords(told: ReadonlySet<number | null>): string {
  if (told.size === 0) return 'while smaller ones get through';
  const known = [...told].filter((mtu) => mtu !== null);
  return `and ICMP says that they are too big${known.length > 0 ? ` (next-hop MTU ${Math.min(...known)})` : ''}`;
}

/** `1448 to 4096`: an offload lets a segment leave the kernel larger than the wire carries it. */
export function segmentSizes({ leastSegmentOctets, segmentOctets }: UnackedTail): string {
  return leastSegmentOctets === segmentOctets ? `${segmentOctets}` : `${leastSegmentOctets} to ${segmentOctets}`;
}

/** `10 octets in smaller segments behind them were SACKed`. */
export function sackedWords({ sackedOctets }: UnackedTail): string {
  return `${counted(sackedOctets, 'octet')} in smaller segments behind them were SACKed`;
}
