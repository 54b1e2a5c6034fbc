/**
 * protocol-desync: octets that are no valid WebSocket frame at a place where one must start (RFC 6455 section 5.2). In: spans that
 * could not be read, on connections whose handshake was seen and of which nothing is missing before: there the boundary is
 * known, and the fault is the sender's. Out: one finding for each hop, the innermost of a path.
 */

import type { Sender } from '../delivery/hop-state.js';
import type { BlindSpan } from '../hop/observation.js';
import type { Path } from '../path/path.js';
import { cite, clockTime } from './cite.js';
import type { Facts } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { listed } from './words.js';

const FAULT = 'no WebSocket frame can start here';

interface Desync {
  path: Path;
  hop: number;
  sender: Sender;
  span: BlindSpan;
}

export function protocolDesync(facts: Facts, found: Found): void {
  const groups = new Map<string, Desync[]>();
  for (const path of facts.paths)
    for (const sender of ['fromServer', 'fromClient'] as const) {
      const desync = nearestToSender(path, sender);
      if (desync === null) continue;
      const key = `${desync.hop} ${sender}`;
      groups.set(key, [...(groups.get(key) ?? []), desync]);
    }
  for (const group of groups.values()) report(facts, found, group);
}

function nearestToSender(path: Path, sender: Sender): Desync | null {
  const order = path.legs.map((_, hop) => (sender === 'fromServer' ? hop : path.legs.length - 1 - hop));
  for (const hop of order) {
    const half = path.legs[hop]?.connection[sender];
    if (half === undefined || !(half.webSocketFrom >= 0)) continue;
    const span = half.blind.find((each) => each.why.startsWith(FAULT));
    if (span !== undefined && !half.gaps.some((gap) => gap.from <= span.from)) return { path, hop, sender, span };
  }
  return null;
}

function report(facts: Facts, found: Found, group: Desync[]): void {
  const { hop, sender, span } = group[0];
  const view = facts.views[hop];
  const paths = group.map(({ path }) => path);
  const fault = span.why.slice(FAULT.length).replace(/^:\s*/, '');
  found.add({
    id: 'protocol-desync',
    severity: 'error',
    paths,
    summary:
      `From ${clockTime(view, span.fromNs)} UTC on, octets from the ${sender === 'fromServer' ? 'server' : 'agent'} on the ${paths.length === 1 ? 'connection' : 'connections'} of ${listed(namesOf(paths))} ` +
      `are no WebSocket frame where one must start (${fault}): what follows cannot be read by anyone.`,
    evidence: group.flatMap(({ path, span: each }) =>
      cite(view, [each.ref], `${nameOf(path)}: ${each.why}, at stream offset ${each.from}`),
    ),
    next: 'Look at what was written just before it: a frame whose length is wrong, two writers on one socket, a write that was cut off and begun again.',
  });
}
