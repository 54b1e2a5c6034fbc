/**
 * protocol-desync: octets that are no valid WebSocket frame at a place where one must start (RFC 6455 section 5.2). In: spans that
 * could not be read, on connections whose handshake was seen and of which nothing is missing before: there the boundary is
 * known, and the fault is the sender's. Out: one finding for each hop, the innermost of a path.
 */

import type { Sender } from '../delivery/hop-state.js';
import type { BlindSpan } from '../hop/observation.js';
import { commonNs, type Path } from '../path/path.js';
import { cite, clockTime } from './cite.js';
import type { Facts } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { listed } from './words.js';

/** A message takes a moment from the first hop to the one where it is spoilt. */
const JUST_BEFORE_NS = 1e9;
const PROTOCOL_ERROR = 1002;

const FAULT = 'no WebSocket frame can start here';

export interface Desync {
  path: Path;
  hop: number;
  sender: Sender;
  span: BlindSpan;
  /** The nearest hop before it on the way where the same octets were captured as whole frames to the end; -1 for none. */
  wholeAt: number;
}

export function protocolDesync(facts: Facts, found: Found): void {
  const groups = new Map<string, Desync[]>();
  for (const path of facts.paths)
    for (const sender of ['fromServer', 'fromClient'] as const) {
      const desync = desyncOn(path, sender);
      if (desync === null) continue;
      const key = `${desync.hop} ${sender} ${desync.wholeAt}`;
      groups.set(key, [...(groups.get(key) ?? []), desync]);
    }
  for (const group of groups.values()) report(facts, found, group);
}

/** Nearest to the sender: what follows on further hops is passed on. */
export function desyncOn(path: Path, sender: Sender): Desync | null {
  const order = path.legs.map((_, hop) => (sender === 'fromServer' ? hop : path.legs.length - 1 - hop));
  for (const hop of order) {
    const half = path.legs[hop]?.connection[sender];
    if (half === undefined || !(half.webSocketFrom >= 0)) continue;
    const span = half.blind.find((each) => each.why.startsWith(FAULT));
    if (span === undefined || half.gaps.some((gap) => gap.from <= span.from)) continue;
    const before = order.slice(0, order.indexOf(hop));
    return { path, hop, sender, span, wholeAt: before.findLast((near) => isWhole(path, near, sender)) ?? -1 };
  }
  return null;
}

/** The hops of which one (or something between them) changed the octets; where they were seen whole nowhere, those that may have. */
export function suspectsOf({ path, hop, sender, wholeAt }: Desync): number[] {
  // A hop writes what comes from the server to its own leg, and what comes from the agent to that of the next hop further in.
  const [first, last] =
    sender === 'fromServer' ? [wholeAt + 1, hop] : [hop + 1, wholeAt < 0 ? path.legs.length - 1 : wholeAt];
  return path.legs.map((_, each) => each).slice(first, last + 1);
}

/** Every octet of this direction was read there, as frames from the handshake on. */
function isWhole(path: Path, hop: number, sender: Sender): boolean {
  const half = path.legs[hop]?.connection[sender];
  return half !== undefined && half.webSocketFrom >= 0 && half.blind.length === 0 && half.gaps.length === 0;
}

/** Those of its commands that failed or stayed open from that moment on. */
function commandsOf(facts: Facts, { path, hop, span }: Desync): number[] {
  const fromNs = commonNs(facts.views[hop], span.fromNs) - JUST_BEFORE_NS;
  const commands: number[] = [];
  for (const failed of facts.records.get(path)?.failed ?? [])
    failed.timesNs.forEach((timeNs, i) => {
      if (timeNs >= fromNs) commands.push(failed.commands[i]);
    });
  return commands;
}

function report(facts: Facts, found: Found, group: Desync[]): void {
  const { hop, sender, span, wholeAt } = group[0];
  const view = facts.views[hop];
  const paths = group.map(({ path }) => path);
  const refused = paths.filter((path) => path.legs[hop]?.connection[other(sender)].closeCode === PROTOCOL_ERROR);
  const fault = span.why.slice(FAULT.length).replace(/^:\s*/, '');
  const suspects = suspectsOf(group[0]).map((each) => facts.views[each].name);
  found.add({
    id: 'protocol-desync',
    severity: 'error',
    paths,
    commands: group.flatMap((each) => commandsOf(facts, each)),
    summary:
      `From ${clockTime(view, span.fromNs)} UTC on, octets from the ${sender === 'fromServer' ? 'server' : 'agent'} on the ${paths.length === 1 ? 'connection' : 'connections'} of ${listed(namesOf(paths))} ` +
      `are no WebSocket frame where one must start (${fault})${
        wholeAt < 0
          ? ': what follows cannot be read as frames'
          : `, though they were on ${facts.views[wholeAt].name}'s leg: ${[...suspects, 'something between the two captures'].join(', or ')}, changed them`
      }${refused.length === 0 ? '' : `; ${listed(namesOf(refused))} closed with 1002 (protocol error)`}.`,
    evidence: group.flatMap(({ path, span: each }) =>
      cite(view, [each.ref], `${nameOf(path)}: ${each.why}, at stream offset ${each.from}`),
    ),
    next:
      wholeAt < 0
        ? 'Look at what was written just before it: a frame whose length is wrong, two writers on one socket, a write that was cut off and begun again.'
        : `Look at what ${listed(suspects)} ${suspects.length === 1 ? 'does' : 'do'} to the octets (a filter, a tunnel, a buffer that is reused), and capture on both sides of each device between ${facts.views[Math.min(hop, wholeAt)].name} and ${facts.views[Math.max(hop, wholeAt)].name}.`,
  });
}

function other(sender: Sender): Sender {
  return sender === 'fromServer' ? 'fromClient' : 'fromServer';
}
