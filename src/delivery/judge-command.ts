/**
 * The verdict of one command: its attempts judged one by one, each with the reply that belongs to it, and the furthest of them.
 * In: the command log. Out: CommandVerdict, built when asked for and not kept.
 */

import { stampOf } from '../hop/timestamp.js';
import { Role } from '../message/profile.js';
import type { ClockDoubt } from '../path/clocks.js';
import { commonNs, type HopView, type Path, withinNs } from '../path/path.js';
import type { ThreadTable } from '../path/thread-table.js';
import { deadlineAfter, steppedBetween } from './clock-doubt.js';
import type { CommandLog, Entry } from './commands.js';
import { cited, described, type Judged, milliseconds, type Sender, stateAt } from './hop-state.js';
import { type Attempt, areComparable, hasLeft, type JudgedReply, judgeAttempt, type Ruling } from './judge.js';
import { neverSent } from './never-sent.js';
import { countedOnce, type Judgement } from './one-attempt.js';
import { type OtherOrder, undecidedByOrder } from './order-doubt.js';
import { settledBy } from './settle.js';
import {
  type AttemptVerdict,
  type CommandVerdict,
  type Grade,
  type HopState,
  OUTCOMES,
  type Outcome,
  type Reply,
} from './verdict.js';

export interface CommandCourt {
  log: CommandLog;
  views: readonly HopView[];
  paths: readonly Path[];
  ackTimeoutNs: number;
  /** What comes back may be stamped this much before what it answers. */
  slackNs: number;
  /** Times of two hops may be off against each other by this much. */
  doubtedNs: number;
  /** When a clock was stepped. */
  doubts: readonly ClockDoubt[];
  goesOnTo(path: Path): string | null;
  /** In words, what shows that. */
  goesOnBecause(path: Path): string | null;
  /** The outermost leg's client, where it is taken for the agent's end and the leg's opening was not captured. */
  takenForAgent(path: Path): string | null;
  /** In words, what speaks for its being a proxy; null where nothing does. */
  mayBeProxy(path: Path): string | null;
  /** The user named every hop. */
  wholePathNamed: boolean;
  /** What was learned of unfamiliar message names, in words; null where the profile knew them. */
  learned: string | null;
  /** In words, where the order in which hops were given could not be checked. */
  orderNote: string | null;
  /** The orders that the hops may be in then; none where the one given is proven. */
  otherOrders: readonly OtherOrder[];
}

/** A verdict that still knows what it was made of. */
export interface DecidedCommand extends CommandVerdict {
  /** Its number in the command log. */
  command: number;
  attempts: (AttemptVerdict & { entry: Entry })[];
}

/** Decides at once how far the command got; evidence and words are put together when they are read. */
export function judgeCommand(court: CommandCourt, command: number): DecidedCommand {
  const entries = court.log.entries(command);
  const attempts = entries.filter((entry) => entry.role === Role.command);
  if (attempts.length === 0) return unsent(court, command);
  const acks = paired(attempts, entries, Role.commandAck, court);
  const results = paired(attempts, entries, Role.result, court);
  const judged = attempts.map((entry, i) => new JudgedAttempt(court, entry, i + 1, acks[i], results[i], entries));
  const verdicts = judged.length === 1 ? judged : countedOnce(judged, court.views);
  let best: Judgement = verdicts[0];
  for (const verdict of verdicts) if (isFurther(verdict, best, court.views)) best = verdict;
  return new JudgedCommand(court, command, verdicts, best);
}

function unsent(court: CommandCourt, command: number): DecidedCommand {
  const base = { id: court.log.ids.text(command), dispatch: describedDispatch(court, command) };
  return { ...base, ...neverSent(court, command), command, attempts: [] };
}

class JudgedCommand implements DecidedCommand {
  readonly outcome: Outcome;
  readonly lastHop: string | null;
  readonly lostAt: string | null;
  readonly grade: Grade;
  readonly late: boolean;

  constructor(
    private readonly court: CommandCourt,
    readonly command: number,
    readonly attempts: Judgement[],
    private readonly best: Judgement,
  ) {
    this.outcome = best.outcome;
    this.lastHop = best.lastHop;
    this.lostAt = best.lostAt;
    this.grade = best.grade;
    this.late = best.late;
  }

  get id(): string {
    return this.court.log.ids.text(this.command);
  }

  get agent(): string | null {
    for (const attempt of this.attempts) if (attempt.entry.path.agent !== null) return attempt.entry.path.agent;
    return this.court.log.dispatches.get(this.command)?.dispatch.agent ?? null;
  }

  get reason(): string {
    return this.best.reason;
  }

  get dispatch(): CommandVerdict['dispatch'] {
    return describedDispatch(this.court, this.command);
  }
}

class JudgedAttempt implements Judgement {
  readonly outcome: Outcome;
  readonly lastHop: string | null;
  readonly lostAt: string | null;
  readonly late: boolean;
  private readonly attempt: Attempt;
  private readonly ruling: Ruling;
  private readonly judgedAck: JudgedReply | null;
  private judgedResult: JudgedReply | null = null;

  constructor(
    private readonly court: CommandCourt,
    readonly entry: Entry,
    public n: number,
    private readonly ack: Entry | null,
    private readonly resultEntry: Entry | null,
    private readonly entries: readonly Entry[],
  ) {
    const { views, ackTimeoutNs } = court;
    const deadlineNs = deadlineAfter(court, entry.timeNs, ackTimeoutNs);
    this.attempt = {
      path: entry.path,
      views,
      states: statesOf(views, entry, 'fromServer', deadlineNs, entries),
      sentNs: entry.timeNs,
      deadlineNs,
      ackTimeoutNs,
      goesOnTo: court.goesOnTo(entry.path),
      goesOnBecause: court.goesOnBecause(entry.path),
      takenForAgent: court.takenForAgent(entry.path),
      mayBeProxy: () => court.mayBeProxy(entry.path),
      uncaptured: court.wholePathNamed ? [] : entry.path.uncaptured,
      steppedAt: (fromNs, toNs) => steppedBetween(court, fromNs, toNs),
    };
    this.judgedAck = ack === null ? null : judgedReply(court, ack, entries, false);
    const { states } = this.attempt;
    const isOnly = entries.every(({ role }, i) => role !== Role.command || entries[i] === entry);
    if (isOnly && (ack ?? resultEntry) !== null)
      for (let hop = 0; hop < states.length; hop++) passed(states, hop, views[hop], 'the agent answered it');
    this.ruling = this.inAnyOrder(this.rule());
    this.outcome = this.ruling.outcome;
    this.lastHop = this.ruling.lastHop;
    this.lostAt = this.ruling.lostAt;
    this.late = this.ruling.late;
  }

  get connection(): string {
    return this.entry.path.id;
  }

  /** In this order of the hops, a hop sent on what never came to it: then it is not their order. */
  private get isFromNowhere(): boolean {
    const replies = [this.judgedAck, this.judgedResult].flatMap((reply) => reply?.states ?? []);
    return [...this.attempt.states, ...replies].some(({ fromNowhere }) => fromNowhere);
  }

  /** The innermost place where the CommandAck or result was seen; -1 for none. */
  private get answeredAt(): number {
    const { judgedAck, judgedResult } = this;
    return this.attempt.states.findIndex((_, hop) =>
      [judgedAck, judgedResult].some((reply) => reply !== null && hasLeft(reply.states[hop])),
    );
  }

  get grade(): Grade {
    if (this.outcome === 'inconclusive' && this.lastHop === null) return 'none';
    return this.isInferred ? 'inferred' : 'measured';
  }

  /** Whether a state that decides was told by other hops, or by the sizes of encrypted records. */
  private get isInferred(): boolean {
    const { attempt, outcome } = this;
    const { views, states, path } = attempt;
    const last = views.findIndex(({ name }) => name === this.lastHop);
    const reply = this.judgedAck ?? this.judgedResult;
    if (outcome === 'delivered') {
      const at = reply?.states.findIndex(hasLeft) ?? -1;
      return reply?.states[at]?.inferred === true || isAligned(reply, at);
    }
    if (outcome === 'ack-lost' && reply?.states.some((_, hop) => isAligned(reply, hop))) return true;
    // How far it got rests on the hop that it left last and on the one that it did not leave.
    if (states[last]?.inferred || path.legs[last]?.connection.alignment != null) return true;
    return path.legs[last + 1]?.connection.alignment != null;
  }

  get openReason(): string {
    return this.ruling.reason();
  }

  get reason(): string {
    const { learned, orderNote } = this.court;
    const note = learned === null ? '' : ` (message names are unfamiliar; taken from IDs that came back: ${learned})`;
    const reason = this.ruling.reason();
    const settled =
      this.outcome === 'inconclusive' ? settledBy(this.attempt, this.judgedAck ?? this.judgedResult, reason) : '';
    return reason + settled + note + (this.outcome === 'inconclusive' || orderNote === null ? '' : ` (${orderNote})`);
  }

  get hops(): HopState[] {
    return this.attempt.states.map((judged, hop) => described(this.court.views[hop], judged));
  }

  get commandAck(): Reply | null {
    return this.judgedAck === null ? null : describedReply(this.court, this.attempt, this.judgedAck);
  }

  get result(): Reply | null {
    if (this.resultEntry === null) return null;
    this.judgedResult ??= judgedReply(this.court, this.resultEntry, this.entries, this.judgedAck === null);
    return describedReply(this.court, this.attempt, this.judgedResult);
  }

  /** The CommandAck speaks first; a result that came back where the CommandAck did not is as good. */
  private rule(): Ruling {
    const byAck = judgeAttempt(this.attempt, this.judgedAck);
    if (this.resultEntry === null || byAck.outcome === 'delivered') return byAck;
    this.judgedResult = judgedReply(this.court, this.resultEntry, this.entries, this.judgedAck === null);
    const ruling = judgeAttempt(this.attempt, this.judgedResult);
    const byResult = { ...ruling, reason: () => ruling.reason().replace('CommandAck', 'result') };
    return byResult.outcome === 'delivered' || this.judgedAck === null ? byResult : byAck;
  }

  /** Claimed only if it is so in every order of the hops that nothing contradicts; `delivered`, which accuses nobody, also where one is only idle. */
  private inAnyOrder(ruling: Ruling): Ruling {
    if (ruling.outcome === 'inconclusive') return ruling;
    for (const other of this.court.otherOrders) {
      const { entry, ack, resultEntry, n, entries } = this;
      const all = entries.map((each) => other.entry(each));
      const [entryThere, ackThere, resultThere] = [entry, ack, resultEntry].map((each) =>
        each === null ? null : (all[entries.indexOf(each)] ?? other.entry(each)),
      );
      if (entryThere === null) continue;
      const there = new JudgedAttempt(other.court, entryThere, n, ackThere, resultThere, all);
      if (there.isFromNowhere && !this.isFromNowhere) continue;
      if (there.outcome === ruling.outcome && there.lostAt === ruling.lostAt && there.late === ruling.late) continue;
      const isOnlyUnseen = ruling.outcome === 'delivered' && there.outcome !== 'delivered';
      if (isOnlyUnseen && other.isIdle(this.answeredAt, there.answeredAt)) continue;
      return undecidedByOrder(this.court, ruling, other);
    }
    return ruling;
  }
}

/** Whether what a hop tells of the reply is told by the sizes of encrypted records. */
function isAligned(reply: JudgedReply | null, hop: number): boolean {
  return reply?.path.legs[hop]?.connection.alignment != null;
}

/** Only `inconclusive` yields to everything; between equals the one that got further out, then the later one. */
function isFurther(a: Judgement, b: Judgement, views: readonly HopView[]): boolean {
  const rank = OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome);
  if (rank !== 0) return rank < 0;
  if (a.outcome === 'delivered') return b.late && !a.late;
  const place = (verdict: Judgement) => views.findIndex((view) => view.name === verdict.lastHop);
  return place(a) >= place(b);
}

/**
 * Which reply belongs to which attempt. A reply answers the latest attempt before it on its connection; where as many replies
 * as unanswered attempts stand together, each answers one in order. An earlier attempt whose deadline a reply still
 * kept shares it: nobody can tell which of the two was answered.
 */
function paired(
  attempts: readonly Entry[],
  entries: readonly Entry[],
  role: number,
  { ackTimeoutNs, slackNs, doubtedNs: doubted }: CommandCourt,
): (Entry | null)[] {
  if (attempts.length === 1) return [onlyAnswer(attempts[0], entries, role, Math.max(slackNs, doubted))];
  // Clocks that are known badly may turn the order round; but not so far that the copy before is nearer.
  const slackOfAttempt = attempts.map(({ timeNs }, i) =>
    Math.max(slackNs, i === 0 ? doubted : Math.min(doubted, (timeNs - attempts[i - 1].timeNs) / 2)),
  );
  const replies = entries.filter((entry) => entry.role === role);
  const answer: (Entry | null)[] = attempts.map(() => null);
  if (replies.length === 0) return answer;
  let done = 0;
  while (done < replies.length) {
    const reply = replies[done];
    const before = attempts
      .map((attempt, i) => (attempt.timeNs <= reply.timeNs + slackOfAttempt[i] ? i : -1))
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
          reply.timeNs >= attempts[i].timeNs - slackNs &&
          reply.timeNs <= attempts[i].timeNs + ackTimeoutNs,
      ) ?? null;
  }
  return answer;
}

/** The first reply to a command that was sent once; one on its own connection before one that came on another. */
function onlyAnswer(attempt: Entry, entries: readonly Entry[], role: number, slackNs: number): Entry | null {
  let elsewhere: Entry | null = null;
  for (const entry of entries) {
    if (entry.role !== role || entry.timeNs < attempt.timeNs - slackNs) continue;
    if (entry.path === attempt.path) return entry;
    elsewhere ??= entry;
  }
  return elsewhere;
}

/** Attempt and reply may be timed by different captures. */
const SLACK_NS = 50e6;

/** Where a clock was set back, or the clocks contradict each other, as much more as that makes. */
export function slackOf(views: readonly HopView[]): number {
  let slackNs = SLACK_NS;
  for (const { observation, clock } of views) {
    // What passed twice was seen on one direction; the clock may have gone back by more.
    for (const back of observation?.setBacks ?? []) slackNs = Math.max(slackNs, 2 * (back.toNs - back.fromNs));
    if (clock !== null && (!clock.steady || clock.pieces.length > 1))
      slackNs = Math.max(slackNs, SLACK_NS + 2 * (clock.steady ? clock.withinNs : clock.uncertaintyNs));
  }
  return slackNs;
}

/** How far times of two hops may be off against each other. */
export function doubtedNs(views: readonly HopView[]): number {
  let mostNs = 0;
  for (const { clock } of views) if (clock !== null) mostNs = Math.max(mostNs, clock.withinNs);
  return SLACK_NS + 2 * mostNs;
}

/** States at all hops; what is not seen at a hop is looked for from its arrival there to the deadline. */
function statesOf(
  views: readonly HopView[],
  entry: Entry,
  sender: Sender,
  deadlineNs: number,
  entries: readonly Entry[],
): Judged[] {
  const threads = entry.path[sender];
  const states: Judged[] = new Array(views.length);
  const outward = sender === 'fromServer';
  const step = outward ? 1 : -1;
  let sinceNs = entry.timeNs;
  let withinSinceNs = knownWithinNs(views, entry, threads);
  let seenFurther = -1;
  for (let hop = outward ? 0 : views.length - 1; hop >= 0 && hop < views.length; hop += step) {
    const row = threads.row(entry.thread, hop);
    const judged = stateAt(
      views,
      hop,
      entry.path,
      sender,
      { row, thread: entry.thread },
      sinceNs - withinSinceNs,
      Math.max(deadlineNs, sinceNs) + withinSinceNs,
    );
    if (!Number.isNaN(judged.sentNs)) {
      sinceNs = judged.sentNs;
      withinSinceNs = withinNs(views[hop], sinceNs);
    }
    if (judged.row >= 0) seenFurther = hop;
    states[hop] = judged;
    if (judged.state === 'absent' && threads.isDoubted && leftAsAnother(views[hop], entry, entries, sinceNs))
      states[hop] = mistakable(views[hop], judged);
  }
  // Seen further on, so it did pass: what a hop then does not show is the capture's fault.
  for (let hop = seenFurther - step; hop >= 0 && hop < views.length; hop -= step) {
    if (states[hop].state !== 'absent') continue;
    passed(states, hop, views[hop], 'it was seen further on');
    const unseen = { row: -1, thread: entry.thread };
    const [fromNs, toNs] = [entry.timeNs - MISORDERED_WITHIN_NS, Math.max(deadlineNs, sinceNs)];
    states[hop].fromNowhere = stateAt(views, hop, entry.path, sender, unseen, fromNs, toNs).state === 'absent';
  }
  return states;
}

/** How far the time of an entry may be off, by the clock that told it: a moment at one hop tells another one's no better than both are known. */
function knownWithinNs(views: readonly HopView[], { thread, timeNs }: Entry, threads: ThreadTable): number {
  const view = views.find(({ index, observation }) => observation !== null && threads.row(thread, index) >= 0);
  return view === undefined ? 0 : withinNs(view, timeNs);
}

/** Were the hops in another order, it would have passed a little earlier. */
const MISORDERED_WITHIN_NS = 1e9;

/** Whether another copy of the same message left this hop since then: it may be this one. */
function leftAsAnother(view: HopView, entry: Entry, entries: readonly Entry[], sinceNs: number): boolean {
  const { index, observation } = view;
  return entries.some(({ path, role, thread }) => {
    if (path !== entry.path || role !== entry.role || thread === entry.thread || observation === null) return false;
    const row = path[role === Role.command ? 'fromServer' : 'fromClient'].row(thread, index);
    const sentNs = row < 0 ? Number.NaN : observation.messages.sentNs[row];
    return row >= 0 && !(commonNs(view, sentNs) < sinceNs);
  });
}

function mistakable({ name }: HopView, judged: Judged): Judged {
  const reason = `${name}: another copy of it left at this time; captures lost octets, so which attempt that was cannot be told`;
  return { ...judged, state: 'unobserved', reason };
}

/** What a hop does not show has passed it all the same. */
function passed(states: Judged[], hop: number, view: HopView, why: string): void {
  if (states[hop].state !== 'absent') return;
  const reason = `${view.name}: not in the capture, though ${why}`;
  states[hop] = { ...states[hop], state: 'unobserved', reason };
}

function judgedReply(court: CommandCourt, entry: Entry, entries: readonly Entry[], lacksAck: boolean): JudgedReply {
  return {
    path: entry.path,
    states: statesOf(court.views, entry, 'fromClient', deadlineAfter(court, entry.timeNs, court.ackTimeoutNs), entries),
    firstNs: entry.timeNs,
    lacksAck,
  };
}

function describedReply(court: CommandCourt, attempt: Attempt, reply: JudgedReply): Reply {
  const hop = reply.states.findIndex((judged) => !Number.isNaN(judged.sentNs));
  // Of a command or a reply in a hole of the capture the moment is not known.
  const afterNs = hop >= 0 && areComparable(attempt, hop) ? reply.states[hop].sentNs - attempt.sentNs : Number.NaN;
  return {
    afterMs: Number.isFinite(afterNs) ? milliseconds(afterNs) : null,
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
    askedAt: stampOf(observation, dispatch.askedNs) ?? '',
    answeredAt: stampOf(observation, dispatch.answeredNs),
    status: dispatch.status === 0 ? null : dispatch.status,
    file,
    packets: data,
  };
}
