/**
 * write-stalled: some octets of a Text message left a hop and the rest never did, though TCP did not hold them back.
 * In: facts; a stream ends inside its last message. Out: one finding for each hop whose write stopped, the innermost of a path.
 */

import { blockedThrough } from '../delivery/coverage.js';
import { blindnessOn } from '../delivery/passed-unseen.js';
import { MessageFlag } from '../hop/message-table.js';
import type { HopObservation } from '../hop/observation.js';
import type { Leg, Path } from '../path/path.js';
import { cite, clockTime, type Evidence } from './cite.js';
import { type Facts, failedOn } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { listed } from './words.js';

const CONTROL = 8;
/** Without a command's deadline to go by: a write that takes longer than this is not under way. */
const LEAST_WAIT_NS = 2e9;

interface Stopped {
  path: Path;
  leg: Leg;
  row: number;
}

export function writeStalled(facts: Facts, found: Found): void {
  const byHop = new Map<number, Stopped[]>();
  for (const path of facts.paths) {
    if (found.has(path, 'receiver-window-closed', 'peer-unreachable', 'large-frames-lost')) continue;
    for (const leg of path.legs) {
      const row = leg === null ? -1 : stoppedRow(facts, path, leg);
      if (leg === null || row < 0) continue;
      byHop.set(leg.hop, [...(byHop.get(leg.hop) ?? []), { path, leg, row }]);
      break;
    }
  }
  for (const [hop, stopped] of byHop) report(facts, found, hop, stopped);
}

/** The message that the stream towards the agent ends in, and waits in: -1 for none. */
function stoppedRow(facts: Facts, path: Path, leg: Leg): number {
  const { connection } = leg;
  const half = connection.fromServer;
  const observation = facts.views[leg.hop].observation as HopObservation;
  const { messages } = observation;
  const row = half.rows.at(-1) ?? -1;
  if (row < 0 || !messages.has(row, MessageFlag.partial) || messages.opcode[row] >= CONTROL) return -1;
  const had = messages.octetsSeen[row];
  if (had <= 0 || had >= messages.endOffset[row] - messages.startOffset[row]) return -1;
  const lastNs = half.lastOctetsNs;
  const waited = { fromNs: lastNs, toNs: lastNs + Math.max(facts.court.ackTimeoutNs, LEAST_WAIT_NS) };
  // Closed in the middle of a write: that is no write that waits.
  if (connection.closedNs < waited.toNs || observation.lastNs < waited.toNs) return -1;
  if (half.unacked !== null || blockedThrough(half, waited) !== null) return -1;
  return blindnessOn(facts.views, path, leg.hop, 'fromServer', waited) === null ? row : -1;
}

function report(facts: Facts, found: Found, hop: number, stopped: Stopped[]): void {
  const view = facts.views[hop];
  const { messages } = view.observation as HopObservation;
  const evidence: Evidence[] = stopped.flatMap(({ path, row }) =>
    cite(
      view,
      messages.dataRefs(row),
      `${nameOf(path)}: ${messages.octetsSeen[row]} of ${messages.endOffset[row] - messages.startOffset[row]} octets left at ${clockTime(view, messages.sentNs[row])}, TCP-ACKed, the rest never did`,
    ),
  );
  const paths = stopped.map(({ path }) => path);
  const inner = facts.views.slice(0, hop).some((each) => each.observation !== null);
  found.add({
    id: 'write-stalled',
    severity: 'error',
    paths,
    commands: paths.flatMap((path) => failedOn(facts, path, 'stalled').flatMap((failed) => failed.commands)),
    summary:
      `${view.name} wrote only a part of a Text message to ${listed(namesOf(paths))} and then nothing more, ` +
      'though TCP was ready to take it: the write never completed.',
    evidence,
    next:
      hop === 0
        ? `Look at ${view.name}'s own write path: a write that was cancelled half way, a lock, a full buffer; nothing can follow on this connection, so it must be closed.`
        : `Look at ${view.name}${inner ? '' : ' and at what writes to it'}: its buffers, its error log, a reload at that time; the connection must be closed.`,
  });
}
