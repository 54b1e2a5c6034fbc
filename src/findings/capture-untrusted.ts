/**
 * capture-untrusted: a capture has gaps, drops or cut packets, or ends or begins within the time in question. In: what delivery/
 * said of each file, and the commands that stayed open. Out: one finding for each hop with such a capture. What is only
 * remarkable (a packet stamped early, a last record cut when tcpdump was stopped) is none.
 */

import type { CaptureReport } from '../delivery/verdict.js';
import { oneWayConnections } from '../hop/capture-doubts.js';
import type { HopView } from '../path/path.js';
import type { Facts } from './facts.js';
import type { Found } from './found.js';
import { counted } from './words.js';

const MOST_FILES = 6;

export function captureUntrusted(facts: Facts, found: Found): void {
  facts.views.forEach((view, hop) => {
    if (view.observation === null) return;
    const captures = facts.hops[hop].captures;
    const oneWay = oneWayConnections(view.observation.connections) > 0;
    const doubtful = captures.filter((capture) => isDoubtful(view, capture, oneWay));
    const open = facts.inconclusive.filter(({ reason }) => blames(reason, view.name)).map(({ command }) => command);
    if (doubtful.length === 0 && open.length === 0) return;
    report(facts, found, view, doubtful, open, oneWay);
  });
}

function isDoubtful({ observation }: HopView, capture: CaptureReport, oneWay: boolean): boolean {
  // A rotated set may well have a file without packets.
  if (capture.packets === 0) return observation?.packets === 0;
  if (capture.trust === 'none') return true;
  const summary = observation?.files.find(({ file }) => file === capture.file)?.summary;
  if (observation === null || summary === undefined) return false;
  const { dropped, droppedByOs, beforePackets } = summary.drops;
  return (
    observation.missedOctets > 0 ||
    oneWay ||
    summary.cutPackets > 0 ||
    (dropped ?? 0) + (droppedByOs ?? 0) + beforePackets > 0 ||
    summary.issues.some((issue) => !/truncated|reserved-bits|version|variant|appended|no-time/.test(issue.code))
  );
}

/** The reason why a command stayed open names this hop's capture as too short. */
function blames(reason: string, hop: string): boolean {
  return (
    reason.includes(`the capture of ${hop} ends`) ||
    reason.includes(`${hop}: the capture starts`) ||
    reason.includes(`${hop}: the capture ends`) ||
    reason.includes(`${hop}: the capture is empty`)
  );
}

function report(
  facts: Facts,
  found: Found,
  view: HopView,
  doubtful: CaptureReport[],
  open: number[],
  oneWay: boolean,
): void {
  const why = [...new Set(doubtful.flatMap((capture) => capture.reasons))][0];
  const short = open.length > 0 ? `${counted(open.length, 'command')} could not be judged to the end with it` : '';
  found.add({
    id: 'capture-untrusted',
    severity: 'warning',
    commands: open,
    summary: `The capture of ${view.name} does not support every conclusion: ${[why, short].filter(Boolean).join('; ')}.`,
    evidence: (doubtful.length > 0 ? doubtful : facts.hops[view.index].captures)
      .slice(0, MOST_FILES)
      .map(({ file, reasons }) => ({
        file,
        packets: [],
        text: reasons.slice(0, 3).join('; ') || 'does not cover all of the time in question',
      })),
    next: adviceOn(view.name, doubtful, oneWay),
  });
}

function adviceOn(name: string, doubtful: readonly CaptureReport[], oneWay: boolean): string {
  if (doubtful.some(({ trust }) => trust === 'none'))
    return `Check the interface and the filter with which ${name} was captured: a capture of it must hold the TCP connections of its own leg (tcpdump -i any -s 0, see lasthop capture-plan).`;
  const where = oneWay ? ' where both directions pass, with a filter that asks for neither src nor dst' : '';
  return `Capture again at ${name}${where}, before the commands and until the deadline after the last one, with a larger buffer and whole packets: tcpdump -B 65536 -s 0 (see lasthop capture-plan).`;
}
