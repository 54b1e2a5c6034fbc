/**
 * Glyphs and colours of the terminal reports. In: what cli/ found out about the terminal. Out: table.ts and the lists.
 * Colour only repeats what a glyph or a word already says: reports are pasted, printed and read by the colour-blind.
 */
import { Chalk } from 'chalk';
import type { Grade, Outcome, State } from '../delivery/verdict.js';

export interface ReportOptions {
  /** Columns of the terminal. */
  width: number;
  colour: boolean;
  /** False where the terminal's encoding is not UTF-8. */
  unicode: boolean;
  /** List every command, however many. */
  all: boolean;
  /** Only the commands that are not delivered. */
  failedOnly: boolean;
}

const UNICODE = {
  good: '✓',
  bad: '✗',
  unknown: '?',
  waiting: '…',
  partial: '◐',
  ellipsis: '…',
  arrow: '→',
  dash: '–',
  dot: '·',
  rule: '─',
  plusMinus: '±',
  inferred: '~',
};
const ASCII: Glyphs = {
  good: '+',
  bad: 'x',
  unknown: '?',
  waiting: '.',
  partial: '%',
  ellipsis: '~',
  arrow: '>',
  dash: '-',
  dot: '-',
  rule: '-',
  plusMinus: '+/-',
  inferred: '*',
};
export type Glyphs = typeof UNICODE;
export type Tone = 'good' | 'bad' | 'unknown' | 'quiet';

export interface Style {
  unicode: boolean;
  glyph: Glyphs;
  tone(tone: Tone, text: string): string;
  bold(text: string): string;
  quiet(text: string): string;
}

export function style(options: Pick<ReportOptions, 'colour' | 'unicode'>): Style {
  const chalk = new Chalk({ level: options.colour ? 1 : 0 });
  const paint = { good: chalk.green, bad: chalk.red, unknown: chalk.yellow, quiet: chalk.dim };
  return {
    unicode: options.unicode,
    glyph: options.unicode ? UNICODE : ASCII,
    tone: (tone, text) => paint[tone](text),
    bold: (text) => chalk.bold(text),
    quiet: (text) => chalk.dim(text),
  };
}

export function outcomeTone(outcome: Outcome): Tone {
  if (outcome === 'delivered') return 'good';
  return outcome === 'inconclusive' ? 'unknown' : 'bad';
}

export const STATE_TONE: Record<State, Tone> = {
  'tcp-acked': 'good',
  'sent-unacked': 'bad',
  partial: 'bad',
  absent: 'bad',
  unobserved: 'unknown',
};

export function outcomeGlyph(glyph: Glyphs, outcome: Outcome): string {
  return glyph[outcomeTone(outcome) as 'good' | 'bad' | 'unknown'];
}

export function stateGlyph(glyph: Glyphs, state: State): string {
  if (state === 'tcp-acked') return glyph.good;
  if (state === 'sent-unacked') return glyph.waiting;
  if (state === 'partial') return glyph.partial;
  return state === 'absent' ? glyph.bad : glyph.unknown;
}

export function gradeMark(glyph: Glyphs, grade: Grade): string {
  return grade === 'inferred' ? glyph.inferred : '';
}
