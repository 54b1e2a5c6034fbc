/**
 * The exit statuses that scripts rely on. In: every command and main. Out: the process. README and --help list the same.
 */
import { OUTCOMES, type Summary } from '../delivery/verdict.js';

export const ExitStatus = {
  ok: 0,
  /** verify: at least one command was not delivered. */
  notDelivered: 1,
  usage: 2,
  /** An input cannot be read or is no capture, or the output cannot be written. */
  input: 3,
  /** verify: nothing failed, but something is inconclusive, or there were no commands. */
  inconclusive: 4,
  /** A fault of lasthop itself: EX_SOFTWARE of sysexits.h, far from the statuses that mean something. */
  internal: 70,
} as const;

export interface Judgement {
  status: number;
  /** One line for standard error: why. */
  why: string;
}

/** Delivered late is delivered: the command arrived, and the table says how late. */
export function judged(summary: Summary, allowEmpty: boolean): Judgement {
  const delivered = summary.byOutcome.delivered ?? 0;
  const inconclusive = summary.byOutcome.inconclusive ?? 0;
  const total = OUTCOMES.reduce((sum, outcome) => sum + (summary.byOutcome[outcome] ?? 0), 0);
  const failed = total - delivered - inconclusive;
  const of = `of ${total} ${total === 1 ? 'command' : 'commands'}`;
  if (failed > 0) {
    const which = OUTCOMES.filter((one) => one !== 'delivered' && one !== 'inconclusive' && summary.byOutcome[one])
      .map((one) => `${summary.byOutcome[one]} ${one}`)
      .join(', ');
    const rest = inconclusive > 0 ? `; ${inconclusive} inconclusive` : '';
    return { status: ExitStatus.notDelivered, why: `failed: ${failed} ${of} not delivered (${which}${rest})` };
  }
  if (inconclusive > 0) {
    return {
      status: ExitStatus.inconclusive,
      why: `inconclusive: ${inconclusive} ${of} cannot be told from these captures`,
    };
  }
  if (total > 0) return { status: ExitStatus.ok, why: `passed: all ${of.slice(3)} delivered` };
  if (allowEmpty) return { status: ExitStatus.ok, why: 'passed: no commands, and --allow-empty was given' };
  return {
    status: ExitStatus.inconclusive,
    why: 'inconclusive: there were no commands (--allow-empty lets that pass)',
  };
}
