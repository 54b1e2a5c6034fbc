/**
 * The main job, from files to the verdict: observe each hop, build the paths, judge every command. In: cli/ with hops and options.
 * Out: Verdict. The commands are judged when they are asked for, one by one.
 */

import { createRequire } from 'node:module';
import { Epoch } from '../capture/epoch.js';
import { isPipe } from '../capture/read-together.js';
import { UsageError } from '../evidence/usage-error.js';
import type { HopObservation } from '../hop/observation.js';
import { observeHop } from '../hop/observe.js';
import { loadProfile } from '../message/load-profile.js';
import { buildPaths } from '../path/build-paths.js';
import type { HopView, Path } from '../path/path.js';
import { hasUnread, isSample } from '../path/tls-align.js';
import { Beyond } from './beyond.js';
import type { Case, Visitor } from './case.js';
import { CommandLog } from './commands.js';
import { nothingButLengths } from './cut-short.js';
import { describeConnection, describeHop } from './describe.js';
import { attachDispatches } from './dispatches.js';
import { type CommandCourt, type DecidedCommand, doubtedNs, judgeCommand, slackOf } from './judge-command.js';
import { inputWarnings, orderNote, refuseMisuse } from './misuse.js';
import { nameFromDispatches } from './name-from-dispatches.js';
import { type BeyondTheLast, hopsTied, innermostIsCertain, OtherOrder } from './order-doubt.js';
import { Meanings } from './roles.js';
import { type CommandList, OUTCOMES, type Outcome } from './verdict.js';

export interface HopInput {
  name: string;
  /** `-` is standard input. */
  files: string[];
}

export interface KeyLogInput {
  hop: string | null;
  content: Uint8Array;
}

export interface AnalyseOptions {
  /** Names of all hops, server outward, where some of them were not captured. */
  path?: string[];
  ackTimeoutMs?: number;
  profile?: unknown;
  /** TLS key logs as their files hold them; without a hop they are for all. */
  keyLogs?: KeyLogInput[];
  commandIds?: string[];
  agents?: string[];
  /** Milliseconds since 1970: only commands first sent (or asked for) in between. */
  /** Keep a row of every message, not only of those that commands need: for one command's story. */
  keepMessages?: boolean;
  since?: number | null;
  until?: number | null;
  /** A hop was read: what it was read with is not needed any more. */
  onHopRead?: () => void;
  onProgress?: (progress: { hop: string; file: string; octetsRead: number; octetsTotal: number | null }) => void;
  warn?: (text: string) => void;
}

const DEFAULT_ACK_TIMEOUT_MS = 10_000;
const MOST_NAMED = 5;

export async function hearCase(hops: HopInput[], options: AnalyseOptions): Promise<Case> {
  const profile = await loadProfile(options.profile);
  const names = hopNames(hops, options.path);
  const observations: (HopObservation | null)[] = names.map(() => null);
  const epoch = new Epoch();
  const observe = ({ name, files }: HopInput, keepAll: boolean): Promise<HopObservation> =>
    observeHop(name, files, profile, {
      epoch,
      onProgress: progressFor(name, options),
      keepAll,
      keyLogs: keyLogsOf(name, options),
    });
  const hear = async (input: HopInput) => {
    observations[names.indexOf(input.name)] = await observe(input, options.keepMessages ?? false);
    options.onHopRead?.();
  };
  // Captures that still run lose packets while nobody takes them from their pipes: they are read first, and all at once.
  await Promise.all(hops.filter(isPiped).map(hear));
  for (const input of hops) if (!isPiped(input)) await hear(input);
  // Encrypted records are set against all messages, not a sample of them.
  if (hasUnread(observations))
    for (const [i, observation] of observations.entries()) {
      const input = hops.find((hop) => hop.name === names[i]);
      if (observation === null || input === undefined || isPiped(input)) continue;
      if (isSample(observation)) observations[i] = await observe(input, true);
    }
  const { paths, views, order, unplaced, doubts } = buildPaths(names, observations);
  refuseMisuse(views, paths, order);
  for (const text of inputWarnings(views, { ...order, unplaced }, paths, Boolean(options.path?.length)))
    options.warn?.(text);
  const ackTimeoutNs = (options.ackTimeoutMs ?? DEFAULT_ACK_TIMEOUT_MS) * 1e6;
  const meanings = new Meanings(profile, observations);
  const log = new CommandLog(paths, views, meanings);
  attachDispatches(log, views, ackTimeoutNs);
  nameFromDispatches(log, paths);
  const commandIds = (options.commandIds ?? []).map((id) => wholeId(log, id));
  for (const id of commandIds) log.name(id);
  const learned = meanings.learnedFrom;
  if (learned !== null)
    options.warn?.(`message names are unfamiliar; learned from IDs that come back: ${learned.words}`);
  const beyond = (inOrder: readonly HopView[], of: readonly Path[]): BeyondTheLast => {
    const found = new Beyond(of, inOrder.length - 1);
    // Whoever names the whole path knows it.
    if (options.path?.length)
      return {
        goesOnTo: (path) => path.beyond,
        goesOnBecause: () => null,
        takenForAgent: () => null,
        mayBeProxy: () => null,
      };
    return {
      goesOnBecause: perPath((path) => (path.beyond === null ? found.goesOnBecause(path) : null)),
      goesOnTo: perPath((path) => path.beyond ?? found.goesOnTo(path)),
      takenForAgent: (path) => found.takenForAgent(path),
      mayBeProxy: (path) => found.mayBeProxy(path),
    };
  };
  const court: CommandCourt = {
    log,
    views,
    paths,
    ackTimeoutNs,
    slackNs: slackOf(views),
    doubtedNs: doubtedNs(views),
    doubts,
    wholePathNamed: Boolean(options.path?.length),
    ...beyond(views, paths),
    learned: learned?.words ?? null,
    orderNote: orderNote(views, order),
    otherOrders: [],
  };
  const tied = order.others.length === 0 ? [] : hopsTied(views.length, paths);
  court.otherOrders = order.others.map((each) => new OtherOrder(court, each, tied, beyond));
  const commands = new Commands(court, { ...options, commandIds }, epoch.seconds ?? 0);
  if (log.inTime.length === 0) warnOf(nothingButLengths(views, paths), options);
  return {
    verdict: {
      schema: 'lasthop/verdict@1',
      generator: { name: 'lasthop', version: version() },
      hops: views.map(describeHop),
      connections: paths.map((path) => describeConnection(path, views)),
      commands,
    },
    decide: (visitor) => commands.decide(visitor),
    court,
    agents: options.agents?.length ? new Set(options.agents) : null,
  };
}

function warnOf(text: string | null, { warn }: AnalyseOptions): void {
  if (text !== null) warn?.(text);
}

function isPiped({ files }: HopInput): boolean {
  return files.some(isPipe);
}

/** The report shortens IDs where it is narrow: the beginning of one that is unique is as good. */
function wholeId(log: CommandLog, id: string): string {
  const found = log.idsStartingWith(id, MOST_NAMED);
  if (found.includes(id) || found.length === 0) return id;
  if (found.length > 1) throw new UsageError(`--command ${id}: several commands begin so: ${found.join(', ')}`);
  return found[0];
}

function keyLogsOf(hop: string, { keyLogs = [] }: AnalyseOptions): Uint8Array[] {
  return keyLogs.filter((each) => each.hop === null || each.hop === hop).map(({ content }) => content);
}

function hopNames(hops: readonly HopInput[], path: readonly string[] | undefined): string[] {
  if (path === undefined || path.length === 0) return hops.map((hop) => hop.name);
  const stray = hops.find((hop) => !path.includes(hop.name));
  if (stray !== undefined) throw new UsageError(`hop "${stray.name}" is not in --path ${path.join(',')}`);
  const order = hops.map((hop) => path.indexOf(hop.name));
  if (order.some((place, i) => i > 0 && place < order[i - 1]))
    throw new UsageError(`hops are given in another order than in --path ${path.join(',')}`);
  return [...path];
}

function progressFor(hop: string, { onProgress }: AnalyseOptions) {
  if (onProgress === undefined) return undefined;
  return (file: string, octetsRead: number, octetsTotal: number | null) =>
    onProgress({ hop, file, octetsRead, octetsTotal });
}

const LATE_MARK = 16;

/** The commands in question, judged anew at each iteration. */
class Commands implements CommandList {
  private readonly wanted: Int32Array;
  /** By place in `wanted`, once judged: outcome plus one, and 16 for late. */
  private readonly judged: Uint8Array;

  constructor(
    private readonly court: CommandCourt,
    options: AnalyseOptions,
    epochSeconds: number,
  ) {
    const { log } = court;
    const ids = options.commandIds?.length ? new Set(options.commandIds) : null;
    log.settleOrder((command) => {
      if (ids?.has(log.ids.text(command))) return this.timeOf(command) || 0;
      return this.timeOf(command);
    });
    const from = options.since == null ? Number.NEGATIVE_INFINITY : (options.since / 1e3 - epochSeconds) * 1e9;
    const to = options.until == null ? Number.POSITIVE_INFINITY : (options.until / 1e3 - epochSeconds) * 1e9;
    const agents = options.agents?.length ? new Set(options.agents) : null;
    const isAny = ids === null && agents === null && options.since == null && options.until == null;
    this.wanted = isAny
      ? log.inTime
      : log.inTime.filter((command) => {
          if (ids !== null && !ids.has(log.ids.text(command))) return false;
          const timeNs = this.timeOf(command);
          if (agents !== null && !this.isOf(command, agents)) return false;
          return Number.isNaN(timeNs) || (timeNs >= from && timeNs <= to);
        });
    this.judged = new Uint8Array(this.wanted.length);
  }

  *[Symbol.iterator](): Generator<DecidedCommand> {
    for (let place = 0; place < this.wanted.length; place++) yield this.judge(place);
  }

  decide(visitor: Visitor): void {
    const { log, ackTimeoutNs, slackNs } = this.court;
    const isInnermost = innermostIsCertain(this.court);
    for (let place = 0; place < this.wanted.length; place++) {
      const { plain } = log;
      if (
        isInnermost &&
        log.isPlainDelivery(this.wanted[place], slackNs) &&
        plain.ackNs <= plain.timeNs + ackTimeoutNs
      ) {
        this.judged[place] = OUTCOMES.indexOf('delivered') + 1;
        visitor.delivered(plain.path as Path, plain.thread, plain.timeNs, this.wanted[place]);
      } else visitor.command(this.judge(place));
    }
  }

  *only(wanted: (outcome: Outcome, late: boolean) => boolean): Generator<DecidedCommand> {
    for (let place = 0; place < this.wanted.length; place++) {
      if (this.judged[place] === 0) this.judge(place);
      const judged = this.judged[place];
      if (wanted(OUTCOMES[(judged & (LATE_MARK - 1)) - 1], (judged & LATE_MARK) !== 0)) yield this.judge(place);
    }
  }

  private judge(place: number): DecidedCommand {
    const command = judgeCommand(this.court, this.wanted[place]);
    this.judged[place] = (OUTCOMES.indexOf(command.outcome) + 1) | (command.late ? LATE_MARK : 0);
    return command;
  }

  /** First attempt, else the dispatch; NaN for an ID that only the agent's messages hold. */
  private timeOf(command: number): number {
    const timeNs = this.court.log.firstSentNs(command);
    return Number.isNaN(timeNs) ? (this.court.log.dispatches.get(command)?.askedNs ?? Number.NaN) : timeNs;
  }

  private isOf(command: number, agents: ReadonlySet<string>): boolean {
    const path = this.court.log.firstPath(command);
    const dispatched = this.court.log.dispatches.get(command)?.dispatch.agent;
    return (path?.names.some((name) => agents.has(name)) ?? false) || (dispatched != null && agents.has(dispatched));
  }
}

/** Asked for every attempt, answered once for each path. */
function perPath<T>(answer: (path: Path) => T): (path: Path) => T {
  const known = new Map<Path, T>();
  return (path) => {
    if (!known.has(path)) known.set(path, answer(path));
    return known.get(path) as T;
  };
}

export function version(): string {
  return (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
}
