/**
 * What every hypothesis is made of, and the few questions that most of them ask. In: one agent's case. Out: a Conclusion.
 * `ruled-out` and `supported` need a measurement; where there is none it is `open`, with the capture that would settle it.
 */

import type { Hypothesis } from '../../delivery/verdict.js';
import type { Path } from '../../path/path.js';
import { clockTime } from '../cite.js';
import { agentLeg, type Facts, openPaths } from '../facts.js';
import type { FindingId, Found } from '../found.js';
import { neverAcked, outermost } from '../tcp-waits.js';
import { counted, listed } from '../words.js';
import type { AgentCase, Site } from './agent-case.js';
import { lostElsewhere, packets, rowPackets } from './words.js';

export type Conclusion = Pick<Hypothesis, 'status' | 'because'>;

export interface Question {
  facts: Facts;
  found: Found;
  /** The agent in question, and all that fail. */
  each: AgentCase;
  all: readonly AgentCase[];
}

export const supported = (because: string): Conclusion => ({ status: 'supported', because });
export const ruledOut = (because: string): Conclusion => ({ status: 'ruled-out', because });
export const open = (because: string): Conclusion => ({ status: 'open', because });

export function isFound({ found, each }: Question, ...ids: FindingId[]): boolean {
  return (
    each.paths.some((path) => found.has(path, ...ids)) ||
    found.findings.some((finding) => ids.some((id) => id === finding.id) && finding.agents.includes(each.agent))
  );
}

export function pathWith({ found, each }: Question, ...ids: FindingId[]): Path | null {
  return each.paths.find((path) => found.has(path, ...ids)) ?? null;
}

/** Place on the way outward: hop 0, its leg, hop 1, …, the agent. */
export function placeOf({ facts }: Question, { kind, hop }: Site): number {
  if (kind === 'agent') return 2 * facts.views.length;
  return kind === 'hop' ? 2 * hop : 2 * hop + 1;
}

/** All failures are proven to lie before the last leg, or on the way back within the captured hops: nothing past it is their cause. */
export function isInside(question: Question): boolean {
  const { facts, each } = question;
  const lastLeg = 2 * facts.views.length - 1;
  return each.sites.length > 0 && each.sites.every((site) => placeOf(question, site) < lastLeg);
}

/** The legs to the agent itself were captured, on every connection that failed. */
export function endsAtAgent({ facts, each }: Question): boolean {
  return each.failing.length > 0 && each.failing.every((path) => agentLeg(facts, path) !== null);
}

/** What would show more than the captures at hand: the first hop that was not captured, what lies beyond, or the agent's machine. */
export function nextCapture({ facts, each }: Question): string {
  const missing = facts.views.find(({ observation }) => observation === null);
  if (missing !== undefined) return `a capture at ${missing.name} would settle it`;
  const absent = facts.views.find((view) => each.failing.some((path) => path.legs[view.index] === null));
  if (absent !== undefined)
    return absent.observation?.connections.some((connection) => connection?.protocol === 'tls')
      ? `the TLS keys of ${absent.name} (--keylog) would settle it`
      : `a capture at ${absent.name} that holds this connection would settle it`;
  const beyond = each.failing.map((path) => facts.court.goesOnTo(path)).find((address) => address !== null);
  if (beyond != null) return `a capture at the proxy that connects from ${beyond} would settle it`;
  return "a capture on the agent's machine would settle it";
}

export function has({ each }: Question, ...hows: Site['how'][]): boolean {
  return each.sites.some(({ how }) => hows.includes(how));
}

/** Its commands were never sent, while its own connection is the one that could not move: what they wait for is not the server's doing alone. */
export function ownConnectionStuck({ found, each }: Question): Conclusion | null {
  const stuck = each.paths.find((path) => found.suspects.has(path));
  if (stuck === undefined || each.sites.some(({ how }) => how !== 'unsent')) return null;
  return open(
    `no command was sent any more, and its own connection, ${stuck.id}, is one that could not move (dispatch-stalled): why it could not, a whole capture at the last hop from before that on would tell`,
  );
}

/** What rules out a cause for the failures that are proven leaves it open for those of which only is known that they ended earlier. */
export function unlessMoreEnded({ facts, each }: Question, conclusion: Conclusion): Conclusion {
  if (each.endedEarlier === 0 || conclusion.status !== 'ruled-out') return conclusion;
  const last = facts.views[facts.views.length - 1].name;
  return open(
    `${counted(each.endedEarlier, 'attempt')} more never came to ${last}'s own leg, and where ${each.endedEarlier === 1 ? 'it' : 'they'} ended is not known: captures of the hops before it that go on past the deadline would settle it`,
  );
}

/** Likewise for those that left the last hop: what stopped the others before it says nothing of what became of these. */
export function unlessMoreWentOn(question: Question, conclusion: Conclusion): Conclusion {
  const { facts, each } = question;
  if (each.wentOn === 0 || conclusion.status !== 'ruled-out' || !isInside(question)) return conclusion;
  const last = facts.views[facts.views.length - 1].name;
  return open(
    `${counted(each.wentOn, 'attempt')} more left ${last}, and what became of ${each.wentOn === 1 ? 'it' : 'them'} is not known: ${nextCapture(question)}`,
  );
}

/** The connection ended so soon that there was no time for an answer: nothing can be said of the agent. Null where that is not all. */
export function cutOff(question: Question): Conclusion | null {
  const { each } = question;
  if (each.sites.length === 0 || each.sites.some(({ how }) => how !== 'cut-off')) return null;
  const why = isFound(question, 'origin-restarted') ? ' (origin-restarted)' : '';
  return open(
    `${closedWords(question)}${why}, before an answer was due: send ${each.attempts === 1 ? 'it' : 'them'} again, and capture until the deadline`,
  );
}

/** `the connection was closed at 08:40:38.787 (npm.pcap #93)`. */
export function closedWords({ facts, each }: Question): string {
  const closed = each.failing.flatMap((path) => {
    const leg = path.legs.findLast((one) => one !== null && one.connection.closedRef > 0);
    return leg == null ? [] : [leg];
  });
  const when = closed.map(
    ({ hop, connection }) =>
      `${clockTime(facts.views[hop], connection.closedNs)} (${packets(facts, hop, [connection.closedRef])})`,
  );
  return `the connection${when.length === 1 ? ' was' : 's were'} closed${when.length === 0 ? '' : ` at ${listed(when)}`}`;
}

/** All its commands were asked for while no WebSocket of it was open: they tell nothing of the way that they would have gone. */
export function notConnected({ facts, each }: Question): Conclusion | null {
  const { unsent, attempts } = each;
  if (attempts > 0 || unsent.length === 0) return null;
  if (unsent.some(({ agent, askedNs }) => openPaths(facts, agent, askedNs).length > 0)) return null;
  return open(
    'no WebSocket of the agent was open when its commands were asked for: capture at every hop while it connects',
  );
}

/** Every command was answered, and what became of the answers is not known: the way outward and the agent did their part. */
export function answeredAll({ facts, each }: Question): Conclusion | null {
  if (each.answers === null) return null;
  const [{ hop, row }] = each.answers;
  const count = each.answers.length;
  return ruledOut(
    `the agent did answer: ${count === 1 ? 'its CommandAck was' : `CommandAcks to all ${count} commands were`} seen at ${facts.views[hop].name} (${rowPackets(facts, hop, row)}), and not further in`,
  );
}

/** No command came past the last hop, whose capture is whole there: nothing past it is the cause, wherever before it the commands ended. */
export function neverPastLast(question: Question): Conclusion | null {
  const { name } = outermostHop(question);
  return question.each.absentAtLast
    ? ruledOut(
        `none of the commands is in ${name}'s own leg, of which nothing is missing at that time: it ends before that`,
      )
    : null;
}

/**
 * Attempts that were never TCP-ACKed: packets of the agent that still come, and do not TCP-ACK them, prove that its kernel has not got
 * them; where nothing comes, only that the path is broken in one direction at least.
 */
export function unackedConclusion({ facts, each }: Question): Conclusion {
  const hears = each.failing.some((path) => {
    const wait = outermost(path.legs, neverAcked);
    return wait !== null && wait.leg.connection.fromClient.lastSeenNs > wait.fromNs + 1e9;
  });
  const lost = lostElsewhere(facts, each);
  return hears
    ? ruledOut(`what its kernel sends meanwhile does not TCP-ACK them, so they have not come to it: ${lost}`)
    : open(
        `${lost}: the path is broken in at least one direction, and whether the commands came to the agent cannot be seen from here; mend that first`,
      );
}

/** Whoever closed its window may not read, or may not be able to pass on what it read: the next leg would tell, and was not captured. */
export function beyondWindow({ facts, each }: Question): { from: number; conclusion: Conclusion } | null {
  const site = each.sites.find(({ how }) => how === 'window-beyond');
  if (site === undefined) return null;
  const name = facts.views[site.hop]?.name;
  return {
    from: site.hop,
    conclusion: open(
      `${lostElsewhere(facts, each)}: whether it does not read itself, or cannot pass on what it read, a capture ${name === undefined ? 'of the leg that it writes to' : `at ${name} through that time`} would settle`,
    ),
  };
}

/** What comes behind a fault in the stream nobody can read: that the agent does not answer it tells nothing of the agent. */
export function behindDesync(question: Question): Conclusion | null {
  return isFound(question, 'protocol-desync')
    ? open(
        'what came behind the fault in the stream (protocol-desync) nobody can read: its silence tells nothing of the agent',
      )
    : null;
}

/** The last hop's name and index. */
export function outermostHop({ facts }: Question): { name: string; hop: number } {
  const hop = facts.views.length - 1;
  return { name: facts.views[hop].name, hop };
}
