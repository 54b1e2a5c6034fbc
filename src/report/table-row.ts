/**
 * One command as a row of the verdict table. In: CommandVerdict. Out: table-layout.ts, which sets rows out.
 * A row is a handful of short strings, so that keeping those that are shown costs little.
 */
import type { AttemptVerdict, CommandVerdict, HopState } from '../delivery/verdict.js';
import { citation, duration } from './figures.js';
import { printable } from './printable.js';
import { attemptsWords, commandAckWords, decisive, lostWords, partialBytes, STATE_WORDS } from './reading.js';
import { gradeMark, outcomeGlyph, outcomeTone, STATE_TONE, type Style, stateGlyph, type Tone } from './style.js';

interface HopCell {
  tone: Tone | undefined;
  /** `✓ TCP-ACKed` */
  words: string;
  /** `0.04 ms` or `512/4096 B` */
  detail: string;
  /** `#411→412` */
  packets: string;
}

export interface TableRow {
  tone: Tone;
  outcome: string;
  lost: string;
  id: string;
  agent: string;
  hops: HopCell[];
  /** `origin✓ nginx✓ npm✓ agent✗` */
  path: string;
  commandAck: string;
  attempts: string;
  attemptsShort: string;
}

export function tableRow(command: CommandVerdict, hops: string[], style: Style): TableRow {
  const attempt = decisive(command);
  const { glyph, unicode } = style;
  return {
    tone: outcomeTone(command.outcome),
    outcome: `${outcomeGlyph(glyph, command.outcome)} ${command.outcome}${gradeMark(glyph, command.grade)}`,
    lost: command.lostAt === null ? '' : `  ${lostWords(printable(command.lostAt, unicode, 40))}`,
    id: printable(command.id, unicode, 200),
    agent: command.agent === null ? '(agent unknown)' : printable(command.agent, unicode, 100),
    hops: hops.map((hop) => hopCell(stateAt(attempt, hop), attempt, style)),
    path: pathWords(command, attempt, hops, style),
    commandAck: command.outcome === 'ack-lost' ? 'lost' : commandAckWords(command, attempt),
    attempts: attemptsWords(command),
    attemptsShort: `${unicode ? '×' : 'x'}${command.attempts.length}`,
  };
}

function stateAt(attempt: AttemptVerdict | null, hop: string): HopState | undefined {
  return attempt?.hops.find((one) => one.hop === hop);
}

function hopCell(state: HopState | undefined, attempt: AttemptVerdict | null, style: Style): HopCell {
  if (state === undefined || attempt === null)
    return { tone: undefined, words: style.glyph.dash, detail: '', packets: '' };
  const { glyph } = style;
  let detail = '';
  if (state.state === 'partial') detail = partialBytes(state, attempt);
  else if (state.tcpAckDelayMs !== null) detail = duration(state.tcpAckDelayMs);
  return {
    tone: STATE_TONE[state.state],
    words: `${stateGlyph(glyph, state.state)} ${STATE_WORDS[state.state]}${gradeMark(glyph, state.grade)}`,
    detail,
    packets: citation(state.packets, glyph.arrow),
  };
}

/** Two lines for each hop: the state, and below it what proves it. */
export function hopCells(row: TableRow, withPackets: boolean): string[][] {
  return row.hops.map((cell) => {
    const proof = withPackets ? [cell.detail, cell.packets] : [cell.detail];
    return [cell.words, proof.filter((part) => part !== '').join(' ')];
  });
}

function pathWords(command: CommandVerdict, attempt: AttemptVerdict | null, hops: string[], style: Style): string {
  const { glyph } = style;
  const parts = hops.map((hop) => {
    const state = stateAt(attempt, hop);
    const name = printable(hop, style.unicode, 24).replaceAll(' ', '_');
    return `${name}${state === undefined ? glyph.dash : stateGlyph(glyph, state.state)}`;
  });
  // Only where the outcome itself speaks of the agent: on other outcomes nothing is known of it.
  if (command.outcome === 'delivered' || command.outcome === 'ack-lost') parts.push(`agent${glyph.good}`);
  if (command.outcome === 'reached-agent') parts.push(`agent${glyph.bad}`);
  return parts.join(' ');
}
