/**
 * A case that was heard: the verdict as far as delivery/ gives it, and what it was made of. In: analyse.ts. Out: findings/,
 * which looks at the same paths and commands again and never changes them.
 */

import type { Path } from '../path/path.js';
import type { CommandCourt, DecidedCommand } from './judge-command.js';
import type { Verdict } from './verdict.js';

/** Gets every command once: the delivered ones that leave nothing to say as bare facts, the others as verdicts. */
export interface Visitor {
  delivered(path: Path, thread: number, timeNs: number, command: number): void;
  command(command: DecidedCommand): void;
}

export interface Case {
  /** Without findings and hypotheses; its commands are judged when they are asked for. */
  verdict: Omit<Verdict, 'findings' | 'hypotheses' | 'agents' | 'latency' | 'summary'>;
  /** One walk over the same commands, with what they were made of. */
  decide(visitor: Visitor): void;
  court: CommandCourt;
  /** Agents that were asked for; null for all. */
  agents: ReadonlySet<string> | null;
}
