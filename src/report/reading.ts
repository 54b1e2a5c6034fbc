/**
 * What the words of a verdict mean to the one who reads it. In: a command's verdict. Out: the sentences and cell texts
 * that table, Markdown, HTML and JUnit share. Only words are chosen here: the verdict itself is delivery's.
 */
import type { AttemptVerdict, CommandVerdict, Finding, HopState, Outcome, State } from '../delivery/verdict.js';
import { counted, duration } from './figures.js';

export type Standing = 'failed' | 'inconclusive' | 'delivered';
/** The order in which an operator needs them. */
export const STANDINGS: readonly Standing[] = ['failed', 'inconclusive', 'delivered'];

export function standing(outcome: Outcome): Standing {
  if (outcome === 'delivered' || outcome === 'inconclusive') return outcome;
  return 'failed';
}

/** The attempt that the command's outcome was taken from: the first that says the same. */
export function decisive(command: CommandVerdict): AttemptVerdict | null {
  const same = command.attempts.filter((one) => one.outcome === command.outcome);
  return (
    same.find((one) => one.lostAt === command.lostAt && one.reason === command.reason) ??
    same.find((one) => one.lostAt === command.lostAt) ??
    same[0] ??
    command.attempts[0] ??
    null
  );
}

export const STATE_WORDS: Record<State, string> = {
  'tcp-acked': 'TCP-ACKed',
  'sent-unacked': 'no TCP ACK',
  partial: 'partial',
  absent: 'absent',
  unobserved: 'unobserved',
};

export const STATE_MEANING: Record<State, string> = {
  'tcp-acked': 'every byte left and was TCP-ACKed',
  'sent-unacked': 'left, and was not wholly TCP-ACKed',
  partial: 'only a part was ever written',
  absent: 'proven not to have left',
  unobserved: 'the capture cannot tell',
};

/** `512/4096 B`: the whole is known where another hop saw all of the message. */
export function partialBytes(state: HopState, attempt: AttemptVerdict): string {
  if (state.bytes === null) return '';
  const whole = Math.max(0, ...attempt.hops.filter((one) => one.state !== 'partial').map((one) => one.bytes ?? 0));
  return whole > state.bytes ? `${state.bytes}/${whole} B` : `${state.bytes} B`;
}

const FIRST_REFUSAL = 400;

/** What became of the CommandAck, in as few words as are true. */
export function commandAckWords(command: CommandVerdict, attempt: AttemptVerdict | null): string {
  if (attempt === null) return 'none';
  const { commandAck, result } = attempt;
  if (command.outcome === 'ack-lost') return `lost at ${command.lostAt ?? '?'}`;
  if (commandAck !== null) {
    const after = commandAck.afterMs === null ? 'seen' : duration(commandAck.afterMs);
    return attempt.late || command.late ? `late ${after}` : after;
  }
  if (result !== null) return result.afterMs === null ? 'result only' : `result ${duration(result.afterMs)}`;
  return command.outcome === 'inconclusive' ? 'none seen' : 'none';
}

export function attemptsWords(command: CommandVerdict): string {
  return counted(command.attempts.length, 'attempt');
}

/** `lost at agent`, `on npm->agent`, `at nginx`; empty where nothing was lost. */
export function lostWords(lostAt: string | null): string {
  if (lostAt === null) return '';
  return lostAt.includes('->') ? `on ${lostAt}` : `at ${lostAt}`;
}

const SEVERITIES: readonly Finding['severity'][] = ['error', 'warning', 'info'];

/** Errors first; among equals causes before consequences, as they were found. */
export function bySeverity(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

/** Findings that name the command: what it means depends on them. */
export function causesOf(findings: readonly Finding[], { id }: Pick<CommandVerdict, 'id'>): string[] {
  return findings.filter(({ commands }) => commands.includes(id)).map((finding) => finding.id);
}

/** Where these are found, a TCP ACK from the agent's end and no CommandAck do not accuse the agent. */
const REACHED: Record<string, string> = {
  'protocol-desync':
    'what left a hop was no valid stream of frames by then, so that nobody could read it (protocol-desync)',
  'origin-restarted': 'its connection was ended first (origin-restarted)',
  'split-connection': 'it went out on an older connection than the one that the agent speaks on (split-connection)',
  'middlebox-acks': 'something before the agent seems to TCP-ACK in its place (middlebox-acks)',
};

/** One plain sentence: what the outcome means, and where to look. */
export function meaning(
  command: Pick<CommandVerdict, 'outcome' | 'lostAt' | 'lastHop' | 'late'> & Partial<Pick<CommandVerdict, 'dispatch'>>,
  causes: readonly string[] = [],
): string {
  const { lostAt, lastHop } = command;
  switch (command.outcome) {
    case 'delivered':
      return command.late
        ? 'The CommandAck came, but only after the deadline: the path works, the agent or the way to it is slow.'
        : 'The CommandAck came back.';
    case 'ack-lost':
      return `The agent did answer: its CommandAck disappeared on the way back ${lostAt === null ? '' : lostWords(lostAt)}.`;
    case 'reached-agent':
      return `Every byte left ${lastHop ?? 'the last hop'} and was TCP-ACKed from the agent's end, and no CommandAck came back in time: ${REACHED[causes.find((cause) => cause in REACHED) ?? ''] ?? 'the captured hops did their part, so look at the agent, or at what lies past the last capture'}.`;
    case 'stalled':
      if (lostAt?.includes('->') && lostAt.split('->')[0] !== lastHop)
        return `It arrived at ${lostAt.split('->')[0]} and waits there: TCP on ${lostAt} was blocked by what was sent before it. Look at that leg and at its far end.`;
      return lostAt?.includes('->')
        ? `It left ${lostAt.split('->')[0]} and was not wholly TCP-ACKed by ${lostAt.endsWith('->agent') ? 'the agent' : lostAt.split('->')[1]}: look at the leg ${lostAt}.`
        : `${lostAt ?? 'A hop'} wrote only a part of it: look at that hop's write path.`;
    case 'not-forwarded':
      return `It arrived at ${lostAt ?? 'a hop'}, which TCP-ACKed it and never sent it on: look at ${lostAt ?? 'that hop'}.`;
    case 'never-sent':
      if ((command.dispatch?.status ?? 0) >= FIRST_REFUSAL)
        return `The request for it was refused with status ${command.dispatch?.status}, so there was nothing to send.`;
      return `${command.dispatch === null ? 'It was named with --command' : 'It was asked for'}, and no Text frame with it ever left ${lostAt ?? 'the innermost hop'}: ${command.dispatch === null ? 'check the ID, then look at that process.' : 'look at that process.'}`;
    case 'inconclusive':
      return 'Not proven either way: the captures do not settle it.';
  }
}

/** `12 commands: 3 reached-agent, 9 delivered` has its parts here, in the order given by the caller. */
export function outcomeCounts(
  byOutcome: Partial<Record<Outcome, number>>,
  order: readonly Outcome[],
): [Outcome, number][] {
  return order.flatMap((outcome) => {
    const number = byOutcome[outcome] ?? 0;
    return number > 0 ? [[outcome, number] as [Outcome, number]] : [];
  });
}
