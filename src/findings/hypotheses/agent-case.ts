/**
 * What the hypotheses of one failing agent are judged on: where its commands were lost, how far they were seen, and what its connections
 * did meanwhile. In: facts and findings. Out: one AgentCase for each agent whose commands provably failed, or of which none could
 * be followed to the end. Nothing is measured twice: outcomes and findings stay as they are.
 */

import { stateAt } from '../../delivery/hop-state.js';
import { MessageFlag } from '../../hop/message-table.js';
import type { HopObservation } from '../../hop/observation.js';
import { Role } from '../../message/profile.js';
import { commonNs, type Path, withinNs } from '../../path/path.js';
import { agentLeg, type Facts, type Failed, openPaths, type Unsent } from '../facts.js';
import type { Found } from '../found.js';
import { heldBack } from '../held-back.js';
import { closedWindowOf, isCauseKnown } from '../receiver-window-closed.js';
import { startNs } from '../survives-reconnect.js';
import { neverAcked, outermost } from '../tcp-waits.js';

import { type Life, lifeOf } from './life.js';

export type How =
  | 'unsent'
  | 'partial'
  | 'dropped'
  | 'unacked'
  | 'behind'
  | 'window'
  | 'window-beyond'
  | 'silent'
  | 'cut-off'
  | 'ack-dropped'
  | 'ack-lost';

/** Where attempts were lost: in a hop, on the leg outward of it, or at the agent. */
export interface Site {
  kind: 'hop' | 'leg' | 'agent';
  hop: number;
  how: How;
  /** Attempts, or commands that were never sent. */
  count: number;
  example: { path: Path; thread: number } | null;
}

/** How the attempts were seen on one hop's leg. */
export interface Tally {
  /** All octets seen leaving, here or further out. */
  passed: number;
  /** All octets seen leaving here, and of those: TCP-ACKed. */
  left: number;
  acked: number;
  /** Of those that were not: the capture shows none of the other side's packets. */
  acksUnseen: number;
  retransmissions: number;
  slowestAckNs: number;
  fewestOctets: number;
  mostOctets: number;
  example: { row: number } | null;
}

export interface AgentCase {
  /** Its name, or its connection's ID where that is not known. */
  agent: string;
  named: boolean;
  /** Its connections in order of time, and those of them on which commands failed. */
  paths: Path[];
  failing: Path[];
  sites: Site[];
  attempts: number;
  tallies: Tally[];
  lives: Life[];
  unsent: readonly Unsent[];
  /** Nothing is proven: the captures end the commands' story before their end. */
  inconclusive: boolean;
  /** Of a case that is inconclusive: the last hop's capture is whole there, and none of the commands is in it. */
  absentAtLast: boolean;
  /** Beside failures that are proven: attempts that ended before the last hop's leg, which is whole and does not hold them; where is not known. */
  endedEarlier: number;
  /** And those that did leave the last hop; what became of them is not known. */
  wentOn: number;
  /** Of a case that is inconclusive: the answer to each of its commands, as far in as it was seen; null where one has none. */
  answers: { hop: number; row: number }[] | null;
  /** Of a case that is inconclusive, by hop: an answer may have come to it and gone no further, for nothing shows the contrary. */
  mayHaveKept: boolean[];
  firstFailedNs: number;
  lastFailedNs: number;
}

/** A connection that closed sooner gave no time for a CommandAck. */
const LEAST_WAIT_NS = 2e9;
const FIRST_REFUSAL = 400;

export function agentCases(facts: Facts, found: Found): AgentCase[] {
  const agents = new Map<string, { paths: Path[]; unsent: Unsent[] }>();
  const of = (name: string) => {
    const known = agents.get(name) ?? { paths: [], unsent: [] };
    agents.set(name, known);
    return known;
  };
  for (const path of facts.paths) of(path.agent ?? path.id).paths.push(path);
  for (const unsent of facts.unsent) {
    // What the server refused was never to be sent.
    if (unsent.dispatch === null || unsent.dispatch.status >= FIRST_REFUSAL) continue;
    if (unsent.agent !== null) of(unsent.agent).unsent.push(unsent);
  }
  const cases: AgentCase[] = [];
  for (const [agent, { paths, unsent }] of agents) {
    const each = caseOf(facts, found, agent, paths, unsent);
    if (each !== null) cases.push(each);
  }
  return cases;
}

function caseOf(facts: Facts, found: Found, agent: string, paths: Path[], unsent: Unsent[]): AgentCase | null {
  const all = paths.flatMap((path) => facts.records.get(path)?.failed ?? []);
  const proven = all.filter(({ outcome }) => outcome !== 'inconclusive');
  const delivered = paths.some((path) => (facts.records.get(path)?.delivered ?? 0) > 0);
  const inconclusive = proven.length === 0 && unsent.length === 0;
  if (inconclusive && (all.length === 0 || (delivered && !isOpenForOtherReasons(facts, all)))) return null;
  const failed = inconclusive ? all : proven;
  const undecided = inconclusive ? [] : all.filter(({ outcome }) => outcome === 'inconclusive');
  const last = facts.views.length - 1;
  const failing = [...new Set(failed.map(({ path }) => path))].sort((a, b) => startNs(facts, a) - startNs(facts, b));
  let firstFailedNs = Number.POSITIVE_INFINITY;
  let lastFailedNs = Number.NEGATIVE_INFINITY;
  for (const { timesNs } of failed)
    for (const timeNs of timesNs) {
      firstFailedNs = Math.min(firstFailedNs, timeNs);
      lastFailedNs = Math.max(lastFailedNs, timeNs);
    }
  for (const { askedNs } of unsent) {
    firstFailedNs = Math.min(firstFailedNs, askedNs);
    lastFailedNs = Math.max(lastFailedNs, askedNs);
  }
  return {
    agent,
    named: paths.some((path) => path.agent !== null) || paths.length === 0,
    paths: [...paths].sort((a, b) => startNs(facts, a) - startNs(facts, b)),
    failing,
    sites: [...sitesOf(facts, found, proven), ...unsentSites(facts, found, unsent)],
    attempts: attemptsOf(failed),
    tallies: talliesOf(facts, failed),
    lives: failing.map((path) => lifeOf(facts, path, failed)).filter((each): each is Life => each !== null),
    unsent,
    inconclusive,
    absentAtLast: inconclusive && absentAtLast(facts, failed) === attemptsOf(failed),
    endedEarlier: absentAtLast(facts, undecided, furthestOf(facts, proven)),
    wentOn: undecided.reduce(
      (sum, { path, threads }) => sum + threads.filter((thread) => path.fromServer.row(thread, last) >= 0).length,
      0,
    ),
    answers: inconclusive ? answersOf(facts, failed) : null,
    mayHaveKept: facts.views.map(
      (_, hop) => inconclusive && !failed.every((each) => isAnswerSettled(facts, each, hop)),
    ),
    firstFailedNs,
    lastFailedNs,
  };
}

function attemptsOf(failed: readonly Failed[]): number {
  return failed.reduce((sum, { threads }) => sum + threads.length, 0);
}

/** The outermost hops that attempts were seen to leave: what stopped there alike may have the same cause. */
function furthestOf({ views }: Facts, failed: readonly Failed[]): ReadonlySet<number> {
  return new Set(
    failed.flatMap(({ path, threads }) =>
      threads.map((thread) => views.findLastIndex(({ index }) => path.fromServer.row(thread, index) >= 0)),
    ),
  );
}

/** Attempts that are not on the last hop's leg, which is whole then; less those seen no further than `known` hops. */
function absentAtLast(facts: Facts, failed: readonly Failed[], known: ReadonlySet<number> = new Set()): number {
  const { views, court } = facts;
  const last = views.length - 1;
  const isAbsent = ({ path, threads, timesNs }: Failed, i: number): boolean => {
    const thread = threads[i];
    const row = path.fromServer.row(thread, last);
    const toNs = timesNs[i] + court.ackTimeoutNs;
    if (known.has(views.findLastIndex(({ index }) => path.fromServer.row(thread, index) >= 0))) return false;
    return row < 0 && stateAt(views, last, path, 'fromServer', { row, thread }, timesNs[i], toNs).state === 'absent';
  };
  return failed.reduce((sum, each) => sum + each.threads.filter((_, i) => isAbsent(each, i)).length, 0);
}

/** The agent's own CommandAcks or results, which prove that the commands came to it whatever became of them further in. */
function answersOf(facts: Facts, failed: readonly Failed[]): { hop: number; row: number }[] | null {
  const answers: { hop: number; row: number }[] = [];
  for (const { commands } of failed)
    for (const command of new Set(commands)) {
      const reply = facts.court.log.entries(command).find(({ role }) => role !== Role.command);
      const hop =
        reply === undefined
          ? -1
          : facts.views.findIndex(({ index }) => reply.path.fromClient.row(reply.thread, index) >= 0);
      if (reply === undefined || hop < 0) return null;
      answers.push({ hop, row: reply.path.fromClient.row(reply.thread, hop) });
    }
  return answers.length === 0 ? null : answers;
}

/** Of every attempt an answer was seen further in than the hop, or none came as far as the hop while its or an outer capture shows all that came. */
function isAnswerSettled(facts: Facts, { path, commands, timesNs }: Failed, hop: number): boolean {
  return commands.every((command, i) => {
    const replies = facts.court.log.entries(command).filter(({ role }) => role !== Role.command);
    const isSeenAt = (index: number) => replies.some((reply) => reply.path.fromClient.row(reply.thread, index) >= 0);
    if (facts.views.slice(0, hop).some(({ index }) => isSeenAt(index))) return true;
    return facts.views.slice(hop).some((view) => {
      if (view.observation === null || isSeenAt(view.index)) return false;
      // An answer after the end of the capture is none that the hop kept in it.
      const { lastNs } = view.observation;
      const endNs = commonNs(view, lastNs);
      const toNs = Math.min(timesNs[i] + facts.court.ackTimeoutNs, endNs - 2 * withinNs(view, endNs));
      return (
        stateAt(facts.views, view.index, path, 'fromClient', { row: -1, thread: -1 }, timesNs[i], toNs).state ===
        'absent'
      );
    });
  });
}

/** Commands of an agent that works otherwise, which stayed open though the captures go on: they may have failed. */
function isOpenForOtherReasons(facts: Facts, failed: readonly Failed[]): boolean {
  const commands = new Set(failed.flatMap((each) => each.commands));
  return facts.inconclusive.some(({ command, reason }) => commands.has(command) && !/the capture .*ends /.test(reason));
}

function sitesOf(facts: Facts, found: Found, proven: readonly Failed[]): Site[] {
  const sites: Site[] = [];
  const add = (kind: Site['kind'], hop: number, how: How, path: Path, thread: number) => {
    const same = sites.find((each) => each.kind === kind && each.hop === hop && each.how === how);
    if (same !== undefined) same.count++;
    else sites.push({ kind, hop, how, count: 1, example: { path, thread } });
  };
  const last = facts.views.length - 1;
  for (const failed of proven) {
    const { path, outcome, lostAt, threads, timesNs } = failed;
    const closed = found.has(path, 'receiver-window-closed') ? closedWindowOf(facts, path) : null;
    threads.forEach((thread, i) => {
      if (outcome === 'reached-agent')
        add('agent', last, isCutOff(facts, path, timesNs[i]) ? 'cut-off' : 'silent', path, thread);
      else if (closed !== null && outcome === 'stalled' && !isCauseKnown(facts, path, closed))
        add('hop', closed.leg.hop + 1, 'window-beyond', path, thread);
      else if (closed !== null && outcome === 'stalled')
        if (closed.leg.hop === last)
          // What waits further in is back-pressure: the one that does not read stands at the end of this leg.
          add('agent', last, 'window', path, thread);
        else add('hop', closed.leg.hop + 1, 'window', path, thread);
      else {
        const { kind, hop } = placeOf(facts, lostAt);
        if (outcome === 'stalled') add(kind, hop, kind === 'hop' ? 'partial' : 'unacked', path, thread);
        else if (outcome === 'not-forwarded') add('hop', hop, 'dropped', path, thread);
        else if (outcome === 'ack-lost') add(kind, hop, kind === 'hop' ? 'ack-dropped' : 'ack-lost', path, thread);
      }
    });
  }
  return sites;
}

/** Never sent: the innermost hop's doing, unless its connection could take nothing any more. */
function unsentSites(facts: Facts, found: Found, unsent: readonly Unsent[]): Site[] {
  if (unsent.length === 0) return [];
  const paths = [...new Set(unsent.flatMap(({ agent, askedNs }) => openPaths(facts, agent, askedNs)))];
  const dead = paths.find((path) => found.has(path, 'peer-unreachable') && heldBack(facts, path).length > 0);
  const wait = dead === undefined ? null : outermost(dead.legs, neverAcked);
  if (wait !== null) return [{ kind: 'leg', hop: wait.leg.hop, how: 'behind', count: unsent.length, example: null }];
  const open = paths.map((path) => ({
    path,
    wait: found.has(path, 'receiver-window-closed') ? closedWindowOf(facts, path) : null,
  }));
  const unknown = open.find(({ path, wait: each }) => each !== null && !isCauseKnown(facts, path, each));
  if (unknown?.wait != null)
    return [{ kind: 'hop', hop: unknown.wait.leg.hop + 1, how: 'window-beyond', count: unsent.length, example: null }];
  const how = paths.some((path) => found.has(path, 'receiver-window-closed')) ? 'window' : 'unsent';
  const closed = how === 'unsent' ? null : closedLegOf(facts, paths);
  const last = facts.views.length - 1;
  if (closed === null) return [{ kind: 'hop', hop: 0, how: 'unsent', count: unsent.length, example: null }];
  const site = closed === last ? { kind: 'agent' as const, hop: last } : { kind: 'hop' as const, hop: closed + 1 };
  return [{ ...site, how, count: unsent.length, example: null }];
}

function closedLegOf(facts: Facts, paths: readonly Path[]): number | null {
  for (const path of paths) {
    const wait = closedWindowOf(facts, path);
    if (wait !== null) return wait.leg.hop;
  }
  return null;
}

function placeOf(facts: Facts, lostAt: string | null): { kind: 'hop' | 'leg'; hop: number } {
  const hop = facts.views.findIndex((view) => view.name === lostAt);
  if (hop >= 0) return { kind: 'hop', hop };
  return {
    kind: 'leg',
    hop: Math.max(
      0,
      facts.views.findIndex((view) => lostAt?.startsWith(`${view.name}->`)),
    ),
  };
}

/** Its connection was closed so soon after it that no CommandAck could be asked of anybody. */
function isCutOff(facts: Facts, path: Path, timeNs: number): boolean {
  const leg = agentLeg(facts, path);
  if (leg === null) return false;
  const closedNs = commonNs(facts.views[leg.hop], leg.connection.closedNs);
  return closedNs < Math.min(timeNs + facts.court.ackTimeoutNs, timeNs + LEAST_WAIT_NS);
}

function talliesOf(facts: Facts, failed: readonly Failed[]): Tally[] {
  const tallies: Tally[] = facts.views.map(() => ({
    passed: 0,
    left: 0,
    acked: 0,
    acksUnseen: 0,
    retransmissions: 0,
    slowestAckNs: 0,
    fewestOctets: Number.POSITIVE_INFINITY,
    mostOctets: 0,
    example: null,
  }));
  for (const { path, threads } of failed)
    for (const thread of threads) {
      let passed = false;
      for (let hop = facts.views.length - 1; hop >= 0; hop--) {
        const row = path.fromServer.row(thread, hop);
        const messages = facts.views[hop].observation?.messages;
        if (row >= 0 && messages !== undefined && !messages.has(row, MessageFlag.partial)) {
          passed = true;
          note(tallies[hop], messages, row, path.legs[hop]?.connection.fromClient.packets === 0);
        }
        if (passed) tallies[hop].passed++;
      }
    }
  return tallies;
}

function note(tally: Tally, messages: HopObservation['messages'], row: number, oneWay: boolean): void {
  const octets = messages.octets(row);
  if (messages.octetsSeen[row] < octets) return;
  tally.left++;
  tally.retransmissions += messages.retransmissions[row];
  tally.fewestOctets = Math.min(tally.fewestOctets, octets);
  tally.mostOctets = Math.max(tally.mostOctets, octets);
  tally.example ??= { row };
  if (Number.isNaN(messages.tcpAckNs[row])) {
    if (oneWay) tally.acksUnseen++;
    return;
  }
  tally.acked++;
  tally.slowestAckNs = Math.max(tally.slowestAckNs, messages.tcpAckNs[row] - messages.sentNs[row]);
}
