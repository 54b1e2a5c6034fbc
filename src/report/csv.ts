/**
 * The verdict as CSV. In: Verdict. Out: pieces of text. One row for each attempt, with the command's own outcome repeated
 * on it, so that a pivot table or awk needs no second file; a command that was never sent has one row without an attempt.
 */
import type { AttemptVerdict, CommandVerdict, HopState, Verdict } from '../delivery/verdict.js';
import { type CsvValue, csvLine } from './csv-line.js';
import { citedPackets } from './figures.js';
import { listed } from './select.js';

const COMMAND = ['command', 'agent', 'outcome', 'lostAt', 'lastHop', 'grade', 'late', 'reason', 'attempts'];
const ATTEMPT = ['attempt', 'connection', 'attemptOutcome', 'attemptLostAt', 'commandAckAfterMs', 'resultAfterMs'];
const HOP = ['state', 'sentAt', 'tcpAckedAt', 'tcpAckDelayMs', 'bytes', 'retransmissions', 'packets'];

export function* verdictCsv(verdict: Verdict, options: { failedOnly: boolean }): Generator<string> {
  const hops = verdict.hops.map((hop) => hop.name);
  yield csvLine([...COMMAND, ...ATTEMPT, ...hops.flatMap((hop) => HOP.map((field) => `${hop}.${field}`))]);
  for (const command of listed(verdict, options.failedOnly)) {
    const own = commandCells(command);
    if (command.attempts.length === 0)
      yield csvLine([...own, ...Array(ATTEMPT.length + hops.length * HOP.length).fill(null)]);
    for (const attempt of command.attempts) {
      const states = hops.map((hop) => attempt.hops.find((state) => state.hop === hop));
      yield csvLine([...own, ...attemptCells(attempt), ...states.flatMap(stateCells)]);
    }
  }
}

function commandCells(command: CommandVerdict): CsvValue[] {
  const { id, agent, outcome, lostAt, lastHop, grade, late, reason, attempts } = command;
  return [id, agent, outcome, lostAt, lastHop, grade, late, reason, attempts.length];
}

function attemptCells(attempt: AttemptVerdict): CsvValue[] {
  const { n, connection, outcome, lostAt, commandAck, result } = attempt;
  return [n, connection, outcome, lostAt, commandAck?.afterMs, result?.afterMs];
}

function stateCells(state: HopState | undefined): CsvValue[] {
  if (state === undefined) return HOP.map(() => null);
  const { sentAt, tcpAckedAt, tcpAckDelayMs, bytes, retransmissions, packets } = state;
  const cited = packets.map((one) => `${one.file} ${citedPackets(one)}`).join('; ');
  return [state.state, sentAt, tcpAckedAt, tcpAckDelayMs, bytes, retransmissions, cited === '' ? null : cited];
}
