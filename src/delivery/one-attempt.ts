/**
 * Attempts that may be one message: a command was seen on two legs that could not be linked, or at hops whose rows could not be matched.
 * An attempt is a Text message from the server (SPEC.md), so what is seen further out adds none. In: a command's attempts, each judged by
 * what it was seen as. Out: the attempts as they are counted.
 */

import type { HopView } from '../path/path.js';
import { commonNs, withinNs } from '../path/path.js';
import type { Entry } from './commands.js';
import { NOT_HELD, unseenState } from './hop-state.js';
import type { AttemptVerdict, Grade, HopState, Outcome, Reply } from './verdict.js';

export interface Judgement extends AttemptVerdict {
  n: number;
  readonly entry: Entry;
  /** Its reason, without the capture that would settle it. */
  readonly openReason: string;
}

/** What passes the hops takes no longer, unless TCP holds it back; copies of a command are offered further apart. */
const PASSES_WITHIN_NS = 1e9;
const PASSES_AT_ONCE_NS = 250e6;
/** Stamps of two captures, besides what is known of their clocks. */
const SLACK_NS = 60e6;

/** `attempts` in order of time; numbered anew. */
export function countedOnce<T extends Judgement>(
  attempts: readonly T[],
  views: readonly HopView[],
): (T | SplitAttempt)[] {
  if (attempts.every((each) => isSeen(each, innermost(views)))) return [...attempts];
  const groups = together(attempts, views);
  return groups.map(({ parts, certain }, i) => {
    const own = parts.map((part) => attempts[part]);
    if (own.length > 1) return new SplitAttempt(i + 1, own, certain, views);
    own[0].n = i + 1;
    return own[0];
  });
}

/** One attempt, seen as two messages or more. */
export class SplitAttempt implements Judgement {
  private readonly told: Judgement;

  /** `parts`: the one seen furthest in first. `certain`: by their times they are one message, if they are on one path. */
  constructor(
    public n: number,
    private readonly parts: readonly Judgement[],
    private readonly certain: boolean,
    private readonly views: readonly HopView[],
  ) {
    // What a part further in did not see of it proves nothing, but what came back to it does.
    const answered = parts.find(({ outcome }) => outcome === 'delivered') ?? null;
    this.told = answered ?? parts.find(({ outcome }) => outcome === 'ack-lost') ?? parts[parts.length - 1];
  }

  get entry(): Entry {
    return this.told.entry;
  }

  get connection(): string {
    return this.told.connection;
  }

  get outcome(): Outcome {
    return this.told.outcome;
  }

  get lastHop(): string | null {
    return this.told.lastHop;
  }

  get lostAt(): string | null {
    return this.told.lostAt;
  }

  get late(): boolean {
    return this.told.late;
  }

  get grade(): Grade {
    return this.told.grade;
  }

  get reason(): string {
    const { told, parts } = this;
    if (told.outcome !== 'inconclusive') return `${told.reason}; ${this.asOne}`;
    // What one part's leg is said to lack stands on the other's.
    let reason = told.openReason;
    for (const { name, index } of this.views)
      if (parts.some((part) => isSeen(part, index)))
        reason = reason.replace(`${name}: ${NOT_HELD}`, `${name}'s leg could not be linked with this one`);
    return `${reason}; ${this.asOne}`;
  }

  get openReason(): string {
    return this.reason;
  }

  get commandAck(): Reply | null {
    return this.told.commandAck ?? this.parts.find(({ commandAck }) => commandAck !== null)?.commandAck ?? null;
  }

  get result(): Reply | null {
    return this.told.result ?? this.parts.find(({ result }) => result !== null)?.result ?? null;
  }

  get hops(): HopState[] {
    const all = this.parts.map((part) => part.hops);
    const { told } = this;
    return this.views.map(({ index, name }, hop) => {
      const saw = this.parts.findIndex((part) => isSeen(part, index));
      if (saw < 0) {
        const has = this.parts.findIndex(({ entry }) => entry.path.legs[index] !== null);
        return all[has < 0 ? this.parts.indexOf(told) : has][hop];
      }
      const state = all[saw][hop];
      if (this.parts[saw] === told) return state;
      const where = `seen on ${this.parts[saw].connection}, the rest of this attempt on ${told.connection}`;
      const why = `${name}: ${this.isOnePath ? 'not matched by its place' : `${where}; the two could not be linked`}`;
      if (!this.certain)
        return unseenState(
          name,
          'unobserved',
          'none',
          `${why}, and which of the copies seen there this one is cannot be told`,
        );
      if (state.state === 'unobserved') return state;
      return { ...state, grade: 'inferred', reason: `${why}, and taken for it by its ID and time` };
    });
  }

  private get isOnePath(): boolean {
    return this.parts.every(({ entry }) => entry.path === this.parts[0].entry.path);
  }

  /** Why the parts are taken for one, and which capture would link them. */
  private get asOne(): string {
    const seenAt = (part: Judgement) =>
      this.views
        .filter(({ index }) => isSeen(part, index))
        .map(({ name }) => name)
        .join(', ');
    if (this.isOnePath)
      return `what was seen of it at ${this.parts.map(seenAt).join(' and at ')} could not be matched by its place, and is counted as one attempt`;
    const seen = this.parts.map((part) => `${part.connection} at ${seenAt(part)}`);
    return `it was seen on ${seen.join(' and ')}, legs that could not be linked, and is counted as one attempt: captures that hold the opening of both would link them`;
  }
}

/** What was seen there is what the server sent: a message each. */
function innermost(views: readonly HopView[]): number {
  return views.findIndex(({ observation }) => observation !== null);
}

function isSeen({ entry }: Judgement, hop: number): boolean {
  return entry.path.fromServer.row(entry.thread, hop) >= 0;
}

/** Where a message was seen. */
interface Sight {
  hop: number;
  timeNs: number;
  withinNs: number;
}

interface Together {
  /** By index in the attempts given, the one seen furthest in first. */
  parts: number[];
  certain: boolean;
}

/**
 * Each copy seen further out goes with the one further in that passed at the nearest time before it; where clocks are not known, or copies
 * stand too close together for them, which one that is is not certain.
 */
function together(attempts: readonly Judgement[], views: readonly HopView[]): Together[] {
  const sights = attempts.map(({ entry }) => sightsOf(entry, views));
  const waiting = attempts.map((_, i) => i);
  waiting.sort((a, b) => sights[a][0].hop - sights[b][0].hop || a - b);
  const found: Together[] = [];
  while (waiting.length > 0) {
    const { hop } = sights[waiting[0]][0];
    const level = waiting.filter((i) => sights[i][0].hop === hop);
    waiting.splice(0, level.length);
    const pairs = level.flatMap((i) =>
      found.flatMap((each) => {
        const apart = apartNs(each.parts, i, attempts, sights);
        return apart === null ? [] : [{ i, each, ...apart }];
      }),
    );
    pairs.sort((a, b) => a.ns - b.ns);
    const taken = new Set<number | Together>();
    for (const { i, each, ns, withinNs: within } of pairs) {
      if (taken.has(i) || taken.has(each)) continue;
      taken.add(i).add(each);
      const reach = ns + 2 * within + SLACK_NS;
      const isOpen = pairs.some((other) => (other.i === i) !== (other.each === each) && other.ns <= reach);
      // By clocks that nothing compares, only what seems to have passed at once.
      const isFar = !Number.isFinite(within) && ns > PASSES_AT_ONCE_NS;
      if (isOpen || isFar) each.certain = false;
      each.parts.push(i);
    }
    for (const i of level) if (!taken.has(i)) found.push({ parts: [i], certain: true });
  }
  return found.sort((a, b) => Math.min(...a.parts) - Math.min(...b.parts));
}

function sightsOf({ path, thread }: Entry, views: readonly HopView[]): Sight[] {
  const sights: Sight[] = [];
  for (const view of views) {
    const row = path.fromServer.row(thread, view.index);
    if (row < 0 || view.observation === null) continue;
    const timeNs = commonNs(view, view.observation.messages.sentNs[row]);
    sights.push({ hop: view.index, timeNs, withinNs: withinNs(view, timeNs) });
  }
  return sights;
}

/** How far an attempt is from those already taken together, if it may be one with them; null where it is another one. */
function apartNs(
  parts: readonly number[],
  attempt: number,
  attempts: readonly Judgement[],
  sights: readonly Sight[][],
): { ns: number; withinNs: number } | null {
  let ns = 0;
  let within = 0;
  for (const part of parts) {
    if (!mayBeOne(attempts[part].entry, attempts[attempt].entry) || attempts[part].outcome === 'stalled') return null;
    for (const a of sights[part])
      for (const b of sights[attempt]) {
        if (a.hop === b.hop) return null;
        const passedNs = a.hop < b.hop ? b.timeNs - a.timeNs : a.timeNs - b.timeNs;
        const slack = SLACK_NS + a.withinNs + b.withinNs;
        if (passedNs < -slack || passedNs > PASSES_WITHIN_NS + slack) return null;
        ns = Math.max(ns, Number.isNaN(passedNs) ? 0 : Math.abs(passedNs));
        within = Math.max(within, a.withinNs + b.withinNs);
      }
  }
  return { ns, withinNs: within };
}

/** One path, or two that could be parts of one: no hop has a leg of both, and no name says that the agents are two. */
function mayBeOne({ path: a }: Entry, { path: b }: Entry): boolean {
  if (a === b) return true;
  if (a.legs.some((leg, hop) => leg !== null && b.legs[hop] !== null)) return false;
  return a.names.length === 0 || b.names.length === 0 || a.names.some((name) => b.names.includes(name));
}
