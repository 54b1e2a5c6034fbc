/**
 * The hops at the head of the terminal report: which files, what they cover, how far they can be trusted, and how far
 * their clocks are apart. In: HopReport. Out: table.ts. Whoever doubts a verdict looks here first.
 */
import type { CaptureReport, HopReport } from '../delivery/verdict.js';
import { counted, duration, timeRange } from './figures.js';
import { printable } from './printable.js';
import { referenceHop } from './reference-hop.js';
import type { Style } from './style.js';
import { columns, joined, padded, shortened, wrapped } from './width.js';

/** Captures are rotated into many files; those with nothing against them need not all be named. */
const MOST_FILES = 4;
const MOST_REASONS = 4;

export function* hopLines(hops: HopReport[], width: number, style: Style): Generator<string> {
  const nameWidth = Math.min(16, Math.max(3, ...hops.map((hop) => columns(printable(hop.name, style.unicode)))));
  for (const [index, hop] of hops.entries()) {
    const name = shortened(printable(hop.name, style.unicode), nameWidth, style.glyph.ellipsis);
    const indent = ' '.repeat(nameWidth + 2);
    let first = true;
    for (const line of linesOf(hop, hops, index, width - indent.length, style)) {
      yield `${first ? `${style.bold(padded(name, nameWidth))}  ` : indent}${line}\n`;
      first = false;
    }
  }
}

function* linesOf(hop: HopReport, hops: HopReport[], index: number, width: number, style: Style): Generator<string> {
  const separator = ` ${style.glyph.dot} `;
  if (hop.captures.length === 0) {
    yield style.quiet('not captured: unobserved');
    return;
  }
  // What is wrong comes first, so that the bound never hides it.
  const files = [...hop.captures].sort((a, b) => rank(a) - rank(b)).slice(0, MOST_FILES);
  const shown = hop.captures.filter((capture) => files.includes(capture));
  const clock = clockWords(hop, hops, index, style);
  for (const [at, capture] of shown.entries()) {
    const parts = captureParts(capture, style);
    if (at === shown.length - 1) parts.push(clock);
    yield* joined(parts, separator, width);
    yield* reasonLines(capture, width, style);
  }
  const rest = hop.captures.filter((capture) => !shown.includes(capture));
  if (rest.length > 0) {
    const packets = rest.reduce((sum, capture) => sum + capture.packets, 0);
    yield style.quiet(`+ ${counted(rest.length, 'more file')}, ${counted(packets, 'packet')}`);
  }
}

function rank(capture: CaptureReport): number {
  return ['none', 'limited', 'full'].indexOf(capture.trust);
}

function captureParts(capture: CaptureReport, style: Style): string[] {
  const trust = capture.trust === 'full' ? 'trust full' : style.tone('unknown', `trust ${capture.trust}`);
  return [
    printable(capture.file, style.unicode, 200),
    counted(capture.packets, 'packet'),
    timeRange(capture.firstAt, capture.lastAt, style.glyph.dash),
    trust,
  ];
}

function* reasonLines(capture: CaptureReport, width: number, style: Style): Generator<string> {
  for (const reason of capture.reasons.slice(0, MOST_REASONS)) {
    const [first, ...rest] = wrapped(printable(reason, style.unicode), width - 2);
    yield `${style.tone('unknown', '!')} ${first}`;
    for (const line of rest) yield `  ${line}`;
  }
  const more = capture.reasons.length - MOST_REASONS;
  if (more > 0) yield style.quiet(`  + ${counted(more, 'more reason')}`);
}

function clockWords(hop: HopReport, hops: HopReport[], index: number, style: Style): string {
  const first = referenceHop(hops);
  if (index === first) return 'clock: reference';
  const { clockOffsetMs: offset, clockUncertaintyMs: uncertainty } = hop;
  if (offset === null) return 'clock: unknown';
  const reference = printable(hops[first]?.name ?? 'the first hop', style.unicode, 24);
  const within = uncertainty === null ? '' : ` ${style.glyph.plusMinus} ${duration(uncertainty)}`;
  if (offset === 0) return `clock: as ${reference}${within}`;
  return `clock: ${duration(Math.abs(offset))} ${offset > 0 ? 'ahead of' : 'behind'} ${reference}${within}`;
}
