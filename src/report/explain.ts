/**
 * Gathers commands that failed in the same way, so that thirty failures of one agent are one paragraph.
 * In: verdicts, one by one. Out: table, Markdown and HTML. Keeps a bounded number of groups and of IDs in each.
 */
import type { CommandVerdict, ConnectionReport, Outcome, PingReport, Verdict } from '../delivery/verdict.js';
import { decisive, STANDINGS, standing } from './reading.js';

const MOST_GROUPS = 500;
const MOST_CONNECTIONS = 6;

export interface Group {
  agent: string | null;
  outcome: Outcome;
  lostAt: string | null;
  /** The first of them, whose packets stand for the others. */
  example: CommandVerdict;
  commands: number;
  /** The first IDs; `commands` counts them all. */
  ids: string[];
  attempts: number;
  /** IDs of the connections on which they were sent. */
  connections: Set<string>;
}

export class Groups {
  private readonly groups = new Map<string, Group>();
  /** Commands that found no room in a group of their own. */
  ungrouped = 0;

  constructor(private readonly mostIds: number) {}

  add(command: CommandVerdict): void {
    if (command.outcome === 'delivered' && !command.late) return;
    // One cause, however many seconds each command was short of its deadline.
    const reason = command.outcome === 'inconclusive' ? command.reason.replace(/\d+(?:\.\d+)?/g, '#') : null;
    const key = JSON.stringify([command.agent, command.outcome, command.lostAt, reason]);
    let group = this.groups.get(key);
    if (group === undefined) {
      if (this.groups.size >= MOST_GROUPS) {
        this.ungrouped += 1;
        return;
      }
      const { agent, outcome, lostAt } = command;
      group = {
        agent,
        outcome,
        lostAt,
        example: command,
        commands: 0,
        ids: [],
        attempts: 0,
        connections: new Set(),
      };
      this.groups.set(key, group);
    }
    group.commands += 1;
    group.attempts += command.attempts.length;
    if (group.ids.length < this.mostIds) group.ids.push(command.id);
    const connection = decisive(command)?.connection;
    if (connection !== undefined && group.connections.size < MOST_CONNECTIONS) group.connections.add(connection);
  }

  /** Failures before what is inconclusive, before what was only late; the largest group of each first. */
  inOrder(): Group[] {
    const rank = (group: Group) => STANDINGS.indexOf(standing(group.outcome));
    return [...this.groups.values()].sort((a, b) => rank(a) - rank(b) || b.commands - a.commands);
  }
}

/** The connections of a group whose Pings can be set against its commands. */
export function connectionsOf(group: Group, verdict: Pick<Verdict, 'connections'>): ConnectionReport[] {
  return verdict.connections.filter((one) => group.connections.has(one.id));
}

/** The contrast that makes the diagnosis: Pings and commands went over the same connection. */
export function pingWords(connection: ConnectionReport, durationOf: (ms: number) => string): string {
  const { answeredBy, atLastHop, ...pings } = connection.pings;
  if (answeredBy === null || atLastHop === null) return countsOf(pings, durationOf);
  return `${countsOf(pings, durationOf)}, by ${answeredBy} itself; ${atLastHop.hop}'s own to the agent: ${countsOf(atLastHop, durationOf)}`;
}

function countsOf({ sent, tcpAcked, answered, rttMs }: PingReport, durationOf: (ms: number) => string): string {
  if (sent === 0) return 'none sent while captured';
  const trip = rttMs === null ? '' : ` (median ${durationOf(rttMs.median)})`;
  return `${sent} sent, ${tcpAcked} TCP-ACKed, ${answered} answered${trip}`;
}
