/**
 * Whether a hop between two connections writes a Sec-WebSocket-Key of its own, so that two keys are yet one WebSocket. In: two
 * connections with different keys, and what else was seen at their servers. Such a hop ends WebSocket on both sides (RFC 6455
 * section 4.1: each client chooses its key), masks anew and may compress on one side only: only contents and times are left.
 */

import type { MessageTable } from '../hop/message-table.js';
import type { ObservedConnection } from '../hop/observation.js';
import type { HopClock } from './hop-clock.js';
import { plainAddress } from './path.js';

export interface KeyedConnection {
  connection: ObservedConnection;
  messages: MessageTable;
  /** Of its capture, where other paths have told it. */
  clock: HopClock | null;
}

/** What passes through a hop takes the same time each time, nearly. */
const STEADY_WITHIN_NS = 1e9;
/** A hop opens its inner connection so soon after the outer one. */
const OPENS_WITHIN_NS = 5e9;
const LEAST_STEADY = 2;
const MANY_STEADY = 8;
const LONG_NS = 30e9;
/** Shorter ones without an ID are Heartbeats, alike on all connections. */
const TELLS_FROM = 48;
/** What is told by its time alone, since its content is on every connection. */
const IN_STEP_WITHIN_NS = 250e6;
const LEAST_IN_STEP = 5;

/**
 * The servers at which the connections end, each as its capture shows it; between which of them a key was seen to pass: there no
 * hop writes its own. Connections are named by their index in the list given.
 */
export class Servers {
  readonly of: string[];
  private readonly passages = new Set<string>();
  private readonly clients = new Map<string, Set<string>>();

  constructor(private readonly sightings: readonly { hop: number; connection: ObservedConnection }[]) {
    this.of = sightings.map(({ hop, connection }) => `${hop} ${connection.serverAddress} ${connection.serverPort}`);
    const byKey = new Map<string, Set<string>>();
    sightings.forEach(({ connection }, i) => {
      const server = this.of[i];
      const clients = this.clients.get(server) ?? new Set();
      this.clients.set(server, clients.add(plainAddress(connection.clientAddress)));
      const key = connection.handshake?.key;
      if (key) byKey.set(key, (byKey.get(key) ?? new Set()).add(server));
    });
    for (const servers of byKey.values())
      for (const a of servers) for (const b of servers) if (a !== b) this.passages.add(`${a}|${b}`);
  }

  keysPass(a: number, b: number): boolean {
    return this.passages.has(`${this.of[a]}|${this.of[b]}`);
  }

  /**
   * X-Forwarded-For of `inner` names a client that came to a server of `outer`, and it is the client of none of these. They are one
   * WebSocket: a capture on all interfaces shows its connection also with the address that it had before NAT.
   */
  forwardsAnother(inner: number, outer: readonly number[]): boolean {
    const named = this.sightings[inner].connection.handshake?.forwardedFor.map(plainAddress) ?? [];
    if (outer.some((i) => named.includes(plainAddress(this.sightings[i].connection.clientAddress)))) return false;
    return named.some((address) => outer.some((i) => this.clients.get(this.of[i])?.has(address)));
  }
}

/**
 * Whether two connections live together and pass the same messages at a steady distance in time. A connection that is made again
 * and offered the old commands again fails this: it opens later, and what came by and by comes at once. One of another agent that
 * gets the same commands fails, too: what the agent says is not the same, nor is its name.
 */
export function passesSteadily(a: KeyedConnection, b: KeyedConnection): boolean {
  const [lifeA, lifeB] = [lifeOf(a), lifeOf(b)];
  if (lifeA.toNs < lifeB.fromNs || lifeB.toNs < lifeA.fromNs) return false;
  if (namesContradict(a.connection, b.connection)) return false;
  const fromAgent = sharedTimes(a, b, 'fromClient');
  if (fromAgent.length === 0) return false;
  const shared = [...fromAgent, ...sharedTimes(a, b, 'fromServer')];
  const middle = usualDelay(shared);
  const steady = shared.filter(([here, there]) => Math.abs(there - here - middle) <= STEADY_WITHIN_NS);
  if (steady.length < LEAST_STEADY || steady.length * 3 < shared.length * 2) return false;
  const opened = openedApart(a, b);
  if (Math.abs(opened - middle) > OPENS_WITHIN_NS) return false;
  return Math.abs(opened) <= OPENS_WITHIN_NS || isLong(steady.map(([here]) => here));
}

/**
 * Whether what the agent says on one connection it says on the other, message by message, each after the same time. For agents that
 * say little: one message that only these two carry, which the caller has found, tells the delay, and Heartbeats, alike on all
 * connections, keep step with it. Either side may have said more: the hop between may be the one that drops it.
 */
export function passesInStep(a: KeyedConnection, b: KeyedConnection): boolean {
  if (namesContradict(a.connection, b.connection)) return false;
  const shared = [...sharedTimes(a, b, 'fromClient'), ...sharedTimes(a, b, 'fromServer')];
  if (shared.length === 0) return false;
  const delay = usualDelay(shared);
  if (Math.abs(openedApart(a, b) - delay) > OPENS_WITHIN_NS) return false;
  const [lifeA, lifeB] = [lifeOf(a), lifeOf(b)];
  const from = Math.max(lifeA.fromNs, lifeB.fromNs - delay);
  const to = Math.min(lifeA.toNs, lifeB.toNs - delay);
  const here = saidBetween(a, from + IN_STEP_WITHIN_NS, to - IN_STEP_WITHIN_NS);
  const there = saidBetween(b, from + delay + IN_STEP_WITHIN_NS, to + delay - IN_STEP_WITHIN_NS);
  // A hop may drop what the agent says, too: CommandAcks, and no Heartbeats.
  const fewest = Math.min(here.length, there.length);
  let inStep = 0;
  let next = 0;
  for (const { digest, timeNs } of here) {
    const isIt = (each: Said) => each.digest === digest && Math.abs(each.timeNs - timeNs - delay) <= IN_STEP_WITHIN_NS;
    const found = there.findIndex((each, i) => i >= next && isIt(each));
    if (found < 0) continue;
    inStep++;
    next = found + 1;
  }
  return inStep >= LEAST_IN_STEP && inStep * 5 >= fewest * 4;
}

/** The middle one: of a message that waited, or of two copies taken for one, the others know better. */
function usualDelay(shared: readonly [number, number][]): number {
  const delays = shared.map(([here, there]) => there - here).sort((x, y) => x - y);
  return delays[delays.length >> 1];
}

interface Said {
  digest: number;
  timeNs: number;
}

/** Data messages of the agent in that time. */
function saidBetween(side: KeyedConnection, fromNs: number, toNs: number): Said[] {
  const said: Said[] = [];
  const { connection, messages } = side;
  for (const row of connection.fromClient.rows) {
    const timeNs = common(side, messages.sentNs[row]);
    if (messages.opcode[row] < 8 && timeNs >= fromNs && timeNs <= toNs)
      said.push({ digest: messages.digest[row], timeNs });
  }
  return said;
}

/** Clocks that are far apart are believed where messages agree on it over a time in which no burst of old ones can. */
function isLong(times: number[]): boolean {
  if (times.length < MANY_STEADY) return false;
  const first = times.reduce((least, each) => Math.min(least, each));
  return times.some((each) => each - first >= LONG_NS);
}

function openedApart(a: KeyedConnection, b: KeyedConnection): number {
  const [lifeA, lifeB] = [lifeOf(a), lifeOf(b)];
  const apart = lifeB.openedNs - lifeA.openedNs;
  return Number.isNaN(apart) ? lifeB.fromNs - lifeA.fromNs : apart;
}

function lifeOf(side: KeyedConnection): { openedNs: number; fromNs: number; toNs: number } {
  const { openedNs, firstNs, lastNs } = side.connection;
  return { openedNs: common(side, openedNs), fromNs: common(side, firstNs), toNs: common(side, lastNs) };
}

function common({ clock }: KeyedConnection, timeNs: number): number {
  return clock === null ? timeNs : clock.toCommon(timeNs);
}

/** When each message that both carry equally often was sent at `a` and at `b`: a command is offered more than once. */
function sharedTimes(a: KeyedConnection, b: KeyedConnection, way: 'fromServer' | 'fromClient'): [number, number][] {
  const shared: [number, number][] = [];
  const here = timesOf(a, way);
  for (const [digest, there] of timesOf(b, way)) {
    const times = here.get(digest);
    if (times?.length !== there.length) continue;
    for (let i = 0; i < there.length; i++)
      if (!Number.isNaN(times[i]) && !Number.isNaN(there[i])) shared.push([times[i], there[i]]);
  }
  return shared;
}

export function namesContradict({ agentNames: a }: ObservedConnection, { agentNames: b }: ObservedConnection): boolean {
  return a.length > 0 && b.length > 0 && !a.some((name) => b.includes(name));
}

/** By digest, in order. */
function timesOf(side: KeyedConnection, way: 'fromServer' | 'fromClient'): Map<number, number[]> {
  const { connection, messages } = side;
  const times = new Map<number, number[]>();
  for (const row of connection[way].rows) {
    if (messages.opcode[row] >= 8 || (messages.id[row] < 0 && messages.length[row] < TELLS_FROM)) continue;
    const digest = messages.digest[row];
    const all = times.get(digest);
    if (all === undefined) times.set(digest, [common(side, messages.sentNs[row])]);
    else all.push(common(side, messages.sentNs[row]));
  }
  return times;
}
