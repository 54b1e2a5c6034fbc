/**
 * A case that was heard: the verdict as far as delivery/ gives it, and what it was made of. In: analyse.ts. Out: findings/,
 * which looks at the same paths and commands again and never changes them.
 */

import type { CommandCourt, DecidedCommand } from './judge-command.js';
import type { Verdict } from './verdict.js';

export interface Case {
  /** Without findings and hypotheses; its commands are judged when they are asked for. */
  verdict: Omit<Verdict, 'findings' | 'hypotheses' | 'summary'>;
  /** The same commands with what they were made of. */
  decided: Iterable<DecidedCommand>;
  court: CommandCourt;
  /** Agents that were asked for; null for all. */
  agents: ReadonlySet<string> | null;
}
