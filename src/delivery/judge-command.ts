/**
 * The verdict of one command: its attempts judged one by one, each with the reply that belongs to it, and the furthest of them.
 * In: the command log. Out: CommandVerdict, built when asked for and not kept.
 */

import { isoTime } from '../hop/timestamp.js';
import { Role } from '../message/profile.js';
import type { HopView, Path } from '../path/path.js';
import type { CommandLog, Entry } from './commands.js';
import { cited, described, type Judged, milliseconds, type Sender, stateAt } from './hop-state.js';
import { type Attempt, type JudgedReply, judgeAttempt, type Ruling } from './judge.js';
import { neverSent } from './never-sent.js';
import { type AttemptVerdict, type CommandVerdict, OUTCOMES, type Reply } from './verdict.js';

export interface CommandCourt {
  log: CommandLog;
  views: readonly HopView[];
  paths: readonly Path[];
  ackTimeoutNs: number;
  goesOnTo(path: Path): string | null;
  /** Said with every reason where roles were learned. */
  note: string;
}

export function judgeCommand(court: CommandCourt, command: number): CommandVerdict {
  const { log } = court;
  const entries = log.entries(command);
  const attempts = entries.filter((entry) => entry.role === Role.command);
  const acks = paired(
    attempts,
    entries.filter((entry) => entry.role === Role.commandAck),
    court.ackTimeoutNs,
  );
  const results = paired(
    attempts,
    entries.filter((entry) => entry.role === Role.result),
    court.ackTimeoutNs,
  );
  const verdicts = attempts.map((entry, i) => attemptVerdict(court, entry, i + 1, acks[i], results[i]));
  const base = { id: log.ids.text(command), dispatch: describedDispatch(court, command) };
  if (verdicts.length === 0) return { ...base, ...neverSent(court, command), attempts: [] };
  let best = verdicts[0];
  for (const verdict of verdicts) if (isFurther(verdict, best, court.views)) best = verdict;
  return {
    ...base,
    agent:
      attempts.find((entry) => entry.path.agent !== null)?.path.agent ??
      log.dispatches.get(command)?.dispatch.agent ??
      null,
    outcome: best.outcome,
    lastHop: best.lastHop,
    lostAt: best.lostAt,
    grade: best.grade,
    late: best.late,
    reason: best.reason + court.note,
    attempts: verdicts,
  };
}

/** Only `inconclusive` yields to everything; between equals the one that got further out, then the later one. */
function isFurther(a: AttemptVerdict, b: AttemptVerdict, views: readonly HopView[]): boolean {
  const rank = OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome);
  if (rank !== 0) return rank < 0;
  if (a.outcome === 'delivered') return b.late && !a.late;
  const place = (verdict: AttemptVerdict) => views.findIndex((view) => view.name === verdict.lastHop);
  return place(a) >= place(b);
}

/**
 * Which reply belongs to which attempt. A reply answers the latest attempt before it on its connection; where as many replies
 * as unanswered attempts stand together, each answers one in order. An earlier attempt whose deadline a reply still
 * kept shares it: nobody can tell which of the two was answered.
 */
function paired(attempts: readonly Entry[], replies: readonly Entry[], ackTimeoutNs: number): (Entry | null)[] {
  const answer: (Entry | null)[] = attempts.map(() => null);
  let done = 0;
  while (done < replies.length) {
    const reply = replies[done];
    const before = attempts
      .map((attempt, i) => (attempt.timeNs <= reply.timeNs + SLACK_NS ? i : -1))
      .filter((i) => i >= 0);
    const samePath = before.filter((i) => attempts[i].path === reply.path);
    const candidates = samePath.length > 0 ? samePath : before;
    const open = candidates.filter((i) => answer[i] === null);
    const nextAttemptNs = attempts[(before.at(-1) ?? -1) + 1]?.timeNs ?? Number.POSITIVE_INFINITY;
    let together = 1;
    while (
      done + together < replies.length &&
      replies[done + together].timeNs < nextAttemptNs &&
      replies[done + together].path === reply.path
    )
      together++;
    const answered = open.slice(-Math.min(together, open.length));
    for (const [k, i] of answered.entries()) answer[i] = replies[done + k];
    done += together;
  }
  for (let i = 0; i < attempts.length; i++) {
    if (answer[i] !== null) continue;
    answer[i] =
      replies.find(
        (reply) =>
          reply.path === attempts[i].path &&
          reply.timeNs >= attempts[i].timeNs - SLACK_NS &&
          reply.timeNs <= attempts[i].timeNs + ackTimeoutNs,
      ) ?? null;
  }
  return answer;
}

/** Attempt and reply may be timed by different captures. */
const SLACK_NS = 50e6;

function attemptVerdict(
  court: CommandCourt,
  entry: Entry,
  n: number,
  ack: Entry | null,
  result: Entry | null,
): AttemptVerdict {
  const { views, ackTimeoutNs } = court;
  const deadlineNs = entry.timeNs + ackTimeoutNs;
  const states = statesOf(views, entry, 'fromServer', deadlineNs);
  const attempt: Attempt = {
    path: entry.path,
    views,
    states,
    sentNs: entry.timeNs,
    deadlineNs,
    ackTimeoutNs,
    goesOnTo: court.goesOnTo(entry.path),
  };
  const judgedAck = ack === null ? null : judgedReply(court, ack);
  const judgedResult = result === null ? null : judgedReply(court, result);
  const ruling = rule(attempt, judgedAck, judgedResult);
  return {
    n,
    connection: entry.path.id,
    outcome: ruling.outcome,
    lastHop: ruling.lastHop,
    lostAt: ruling.lostAt,
    grade: ruling.outcome === 'inconclusive' && ruling.lastHop === null ? 'none' : 'measured',
    late: ruling.late,
    reason: ruling.reason,
    hops: states.map((judged, hop) => described(views[hop], judged)),
    commandAck: judgedAck === null ? null : describedReply(court, attempt, judgedAck),
    result: judgedResult === null ? null : describedReply(court, attempt, judgedResult),
  };
}

/** The CommandAck speaks first; a result that came back where the CommandAck did not is as good. */
function rule(attempt: Attempt, ack: JudgedReply | null, result: JudgedReply | null): Ruling {
  const byAck = judgeAttempt(attempt, ack);
  if (result === null || byAck.outcome === 'delivered') return byAck;
  const byResult = judgeAttempt(attempt, result);
  if (byResult.outcome === 'delivered') return { ...byResult, reason: byResult.reason.replace('CommandAck', 'result') };
  return ack === null ? { ...byResult, reason: byResult.reason.replace('CommandAck', 'result') } : byAck;
}

/** States at all hops; what is not seen at a hop is looked for from its arrival there to the deadline. */
function statesOf(views: readonly HopView[], entry: Entry, sender: Sender, deadlineNs: number): Judged[] {
  const threads = entry.path[sender];
  const states: Judged[] = [];
  const order = views.map((_, hop) => (sender === 'fromServer' ? hop : views.length - 1 - hop));
  let sinceNs = entry.timeNs;
  for (const hop of order) {
    const row = threads.row(entry.thread, hop);
    const judged = stateAt(views[hop], entry.path, sender, row, {
      fromNs: sinceNs,
      toNs: Math.max(deadlineNs, sinceNs),
    });
    if (!Number.isNaN(judged.sentNs)) sinceNs = judged.sentNs;
    states[hop] = judged;
  }
  // Seen further on, so it did pass: what a hop then does not show is the capture's fault.
  let passed = false;
  for (const hop of [...order].reverse()) {
    if (passed && states[hop].state === 'absent')
      states[hop] = {
        ...states[hop],
        state: 'unobserved',
        reason: `${views[hop].name}: not in the capture, though it was seen further on`,
      };
    if (states[hop].row >= 0) passed = true;
  }
  return states;
}

function judgedReply(court: CommandCourt, entry: Entry): JudgedReply {
  return {
    path: entry.path,
    states: statesOf(court.views, entry, 'fromClient', entry.timeNs + court.ackTimeoutNs),
    firstNs: entry.timeNs,
  };
}

function describedReply(court: CommandCourt, attempt: Attempt, reply: JudgedReply): Reply {
  const arrived = reply.states.find((judged) => !Number.isNaN(judged.sentNs));
  return {
    afterMs: arrived === undefined ? null : milliseconds(arrived.sentNs - attempt.sentNs),
    connection: reply.path.id,
    hops: reply.states.map((judged, hop) => described(court.views[hop], judged)),
  };
}

function describedDispatch(court: CommandCourt, command: number): CommandVerdict['dispatch'] {
  const seen = court.log.dispatches.get(command);
  const observation = seen === undefined ? null : court.views[seen.hop].observation;
  if (seen === undefined || observation === null) return null;
  const { dispatch } = seen;
  const refs = dispatch.answeredRef > 0 ? [dispatch.askedRef, dispatch.answeredRef] : [dispatch.askedRef];
  const [{ file, data }] = cited(observation, refs, []);
  return {
    hop: court.views[seen.hop].name,
    askedAt: isoTime(dispatch.askedNs, observation.epochSeconds, observation.timeDigits) ?? '',
    answeredAt: isoTime(dispatch.answeredNs, observation.epochSeconds, observation.timeDigits),
    status: dispatch.status === 0 ? null : dispatch.status,
    file,
    packets: data,
  };
}
