/**
 * Where the time of delivered commands goes: from the request to the first hop, from hop to hop, in each leg's TCP ACK, past the last
 * hop, and back. In: the command log and the threads. Out: Latency. Between two captures lie a leg and a hop: they are told
 * together, on corrected clocks; what one capture tells by itself (TCP ACK, the agent, CommandAck) has no uncertainty.
 */

import type { Entry } from '../delivery/commands.js';
import { milliseconds } from '../delivery/hop-state.js';
import type { CommandCourt } from '../delivery/judge-command.js';
import type { Latency, LatencyStage, Percentiles } from '../delivery/verdict.js';
import { mayBeAckedEarlier } from '../hop/first-tcp-ack.js';
import { Role } from '../message/profile.js';
import { commonNs, type HopView } from '../path/path.js';

const MOST_SLOWEST = 10;

export class LatencyMeter {
  private readonly stages = new Map<string, Stage>();
  private commands = 0;
  private slowest: Latency['slowest'] = [];

  constructor(private readonly court: CommandCourt) {
    const captured = court.views.filter(({ observation }) => observation !== null);
    const [first] = captured;
    const last = captured.at(-1);
    if (first === undefined || last === undefined) return;
    this.add('asked', `from the HTTP request to leaving ${first.name}`, 0);
    captured.forEach((view, i) => {
      const next = captured[i + 1];
      if (next !== undefined)
        this.add(
          `${view.name}->${next.name}`,
          `from leaving ${view.name} to leaving ${next.name}`,
          between(view, next),
        );
    });
    for (const view of captured) this.add(`tcp-ack:${view.name}`, `from leaving ${view.name} to its TCP ACK there`, 0);
    this.add('agent', `from leaving ${last.name} to the CommandAck there: the last leg and the agent`, 0);
    captured.forEach((view, i) => {
      const next = captured[i + 1];
      if (next !== undefined)
        this.add(
          `${view.name}<-${next.name}`,
          `the CommandAck, from ${next.name} to ${view.name}`,
          between(view, next),
        );
    });
    this.add('command-ack', `from leaving ${first.name} to the CommandAck there`, 0);
    this.add('result', `from leaving ${first.name} to the result there`, 0);
  }

  /** A command that was delivered. */
  measure(command: number): void {
    const { log } = this.court;
    const entries = log.entries(command);
    const ack = entries.find(({ role }) => role === Role.commandAck);
    const result = entries.find(({ role }) => role === Role.result);
    const answer = ack ?? result;
    if (answer === undefined) return;
    // Which of several attempts was answered: the latest before the answer, on its connection.
    const attempt = entries.findLast(
      ({ role, path, timeNs }) => role === Role.command && path === answer.path && timeNs <= answer.timeNs,
    );
    if (attempt === undefined) return;
    this.commands++;
    const captured = this.court.views.filter(({ observation }) => observation !== null);
    const leftAt = captured.map((view) => sentNs(view, attempt, 'fromServer'));
    const backAt = captured.map((view) => (ack === undefined ? Number.NaN : sentNs(view, ack, 'fromClient')));
    const [first] = captured;
    const last = captured.length - 1;
    const way: [string, number][] = [];
    const note = (stage: string, ns: number, onTheWay: boolean) => {
      if (!Number.isFinite(ns)) return;
      this.stages.get(stage)?.note(ns, command);
      if (onTheWay) way.push([stage, ns]);
    };
    const asked = log.dispatches.get(command)?.askedNs ?? Number.NaN;
    // Asked for long before: it waited for its agent, and tells nothing of the way.
    if (entries[0] === attempt) note('asked', leftAt[0] - asked, false);
    captured.forEach((view, i) => {
      note(`tcp-ack:${view.name}`, tcpAckNs(view, attempt), false);
      if (i === last) return;
      const next = captured[i + 1];
      note(`${view.name}->${next.name}`, leftAt[i + 1] - leftAt[i], true);
      note(`${view.name}<-${next.name}`, backAt[i] - backAt[i + 1], true);
    });
    note('agent', backAt[last] - leftAt[last], true);
    const ackNs = backAt[0] - leftAt[0];
    note('command-ack', ackNs, false);
    if (result !== undefined) note('result', sentNs(first, result, 'fromClient') - leftAt[0], false);
    if (Number.isFinite(ackNs)) this.rankSlowest(command, ackNs, way);
  }

  private rankSlowest(command: number, ackNs: number, way: readonly [string, number][]): void {
    const { slowest } = this;
    const ms = milliseconds(ackNs);
    if (slowest.length === MOST_SLOWEST && ms <= slowest[MOST_SLOWEST - 1].commandAckMs) return;
    let worst: [string, number] = ['command-ack', ackNs];
    if (way.length > 0) worst = way.reduce((a, b) => (b[1] > a[1] ? b : a));
    slowest.push({ ...this.named(command), commandAckMs: ms, stage: worst[0], stageMs: milliseconds(worst[1]) });
    slowest.sort((a, b) => b.commandAckMs - a.commandAckMs);
    slowest.length = Math.min(slowest.length, MOST_SLOWEST);
  }

  get latency(): Latency {
    const stages: LatencyStage[] = [];
    for (const [stage, { text, values, count, slowest, uncertaintyNs }] of this.stages) {
      if (count === 0) continue;
      const sorted = values.slice(0, count).sort();
      stages.push({
        stage,
        text,
        count,
        ms: percentiles(sorted),
        uncertaintyMs: Number.isFinite(uncertaintyNs) ? milliseconds(uncertaintyNs) : null,
        slowest: this.named(slowest),
      });
    }
    return { commands: this.commands, stages, slowest: this.slowest };
  }

  private named(command: number): { id: string; agent: string | null } {
    const { log } = this.court;
    return { id: log.ids.text(command), agent: log.firstPath(command)?.agent ?? null };
  }

  private add(stage: string, text: string, uncertaintyNs: number): void {
    this.stages.set(stage, new Stage(text, uncertaintyNs));
  }
}

/** All values of a stage: eight octets each, since percentiles of a fleet's tail are what is asked for. */
class Stage {
  values = new Float64Array(64);
  count = 0;
  slowest = -1;
  private slowestNs = Number.NEGATIVE_INFINITY;

  constructor(
    readonly text: string,
    readonly uncertaintyNs: number,
  ) {}

  note(ns: number, command: number): void {
    if (this.count === this.values.length) {
      const values = new Float64Array(this.count * 2);
      values.set(this.values);
      this.values = values;
    }
    this.values[this.count++] = ns;
    if (ns <= this.slowestNs) return;
    this.slowestNs = ns;
    this.slowest = command;
  }
}

/** Bounds of one offset are known against the first hop only: both hops' add up. */
function between(inner: HopView, outer: HopView): number {
  return (inner.clock?.uncertaintyNs ?? Number.NaN) + (outer.clock?.uncertaintyNs ?? Number.NaN);
}

function sentNs(view: HopView, { path, thread }: Entry, sender: 'fromServer' | 'fromClient'): number {
  const row = path[sender].row(thread, view.index);
  if (row < 0 || view.observation === null || view.clock === null) return Number.NaN;
  return commonNs(view, view.observation.messages.sentNs[row]);
}

function tcpAckNs(view: HopView, { path, thread }: Entry): number {
  const row = path.fromServer.row(thread, view.index);
  if (row < 0 || view.observation === null) return Number.NaN;
  // Of an upper bound there is no telling how long it took.
  if (mayBeAckedEarlier(view.observation, row)) return Number.NaN;
  const { messages } = view.observation;
  return messages.tcpAckNs[row] - messages.sentNs[row];
}

function percentiles(sorted: Float64Array): Percentiles {
  const at = (share: number) => milliseconds(sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]);
  return { min: milliseconds(sorted[0]), median: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}
