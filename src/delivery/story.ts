/**
 * One command's whole story, as the schema lasthop/explain@1 has it. In: findings/story/. Out: report/story*.ts.
 * Times are on the first hop's clock: what other hops' captures say is corrected by their offset, known to `uncertaintyMs`.
 */

import type { CommandVerdict, HopReport } from './verdict.js';

export type StoryKind =
  | 'asked'
  | 'asked-answered'
  | 'opened'
  | 'closed'
  | 'command'
  | 'tcp-ack'
  | 'command-ack'
  | 'result'
  | 'deadline'
  | 'ping'
  | 'message'
  | 'blocked'
  | 'gap';

export interface StoryEvent {
  at: string;
  /** Since the first event of the command itself; negative for what went before. */
  afterMs: number;
  /** Of the hop's clock against the first hop's; null where it is not known. */
  uncertaintyMs: number | null;
  hop: string;
  connection: string | null;
  kind: StoryKind;
  /** Number of the attempt that it belongs to. */
  attempt: number | null;
  /** Who sent it, for messages. */
  from: 'server' | 'agent' | null;
  text: string;
  evidence: { file: string; packets: number[] }[];
}

export interface Story {
  schema: 'lasthop/explain@1';
  generator: { name: 'lasthop'; version: string };
  hops: HopReport[];
  command: Pick<CommandVerdict, 'id' | 'agent' | 'outcome' | 'lastHop' | 'lostAt' | 'grade' | 'late' | 'reason'>;
  /** In order of time. */
  events: StoryEvent[];
  /** Events that found no room: the bound is in the thousands. */
  omitted: number;
}
