/**
 * How connections ended, in sentences: those that ended together one by one, all others summed up by whoever ended them. In: closes of a
 * verdict. Out: table, Markdown and HTML.
 */
import type { CloseReport } from '../delivery/verdict.js';
import { count, counted, duration } from './figures.js';

const MOST_NAMED = 8;
const MOST_TOGETHER = 12;

export function closeLines(closes: readonly CloseReport[], safe: (text: string) => string): string[] {
  const together = closes.filter((one) => one.count > 1);
  const lines = together.slice(0, MOST_TOGETHER).map((one) => togetherLine(one, safe));
  if (together.length > MOST_TOGETHER)
    lines.push(`${count(together.length - MOST_TOGETHER)} more times several at once.`);
  const singles = new Map<string, CloseReport[]>();
  for (const one of closes) {
    if (one.count > 1) continue;
    const key = `${one.by} ${one.hop} ${one.how.closeFrame}`;
    singles.set(key, [...(singles.get(key) ?? []), one]);
  }
  for (const same of singles.values()) lines.push(singleLine(same, safe));
  return lines;
}

/** `All 5 connections open at origin ended at 05:59:40.313 within 0.147 ms, by origin (5 FIN), after …; all back within 2.2 s: …` */
function togetherLine(one: CloseReport, safe: (text: string) => string): string {
  const { hop, at, withinMs, open, back, backWithinMs, addresses } = one;
  const part = one.count >= open ? `All ${count(one.count)}` : `${count(one.count)} of ${count(open)}`;
  const from = addresses.length === 1 && one.count < open ? ` (all from ${safe(addresses[0])})` : '';
  const returned =
    back === 0 || backWithinMs === null
      ? ''
      : `; ${back === one.count ? 'all' : count(back)} back within ${duration(backWithinMs)}`;
  return (
    `${part} connections open at ${safe(hop)} ended at ${at.slice(11, 23)} within ${duration(withinMs)}${from}, ` +
    `${whom(one, safe)} (${how([one])})${quiet([one])}${returned}${named(one.agents, safe)}.`
  );
}

function singleLine(same: readonly CloseReport[], safe: (text: string) => string): string {
  const agents = [...new Set(same.flatMap((one) => one.agents))];
  return `${counted(same.length, 'connection')} ended ${same.length === 1 ? `at ${same[0].at.slice(11, 23)}` : 'one by one'}, ${whom(same[0], safe)} (${how(same)})${quiet(same)}${named(agents, safe)}.`;
}

function whom({ by, hop }: CloseReport, safe: (text: string) => string): string {
  if (by === null) return `seen at ${safe(hop)}, who began is not`;
  return by === 'agent' ? "from the agent's end" : `by ${safe(by)}`;
}

function how(same: readonly CloseReport[]): string {
  const sum = (of: (one: CloseReport['how']) => number) => same.reduce((total, one) => total + of(one.how), 0);
  const parts = [
    [sum(({ closeFrame }) => closeFrame), 'with a Close frame'],
    [sum(({ fin }) => fin), 'FIN'],
    [sum(({ rst }) => rst), 'RST'],
  ] as const;
  const shown = parts.filter(([number]) => number > 0);
  return shown.length === 1 ? shown[0][1] : shown.map(([number, word]) => `${count(number)} ${word}`).join(', ');
}

/** `, after 3.9–4.0 s of silence`: on the leg of the hop named. */
function quiet(same: readonly CloseReport[]): string {
  const ranges = same.map(({ quietMs }) => quietMs).filter((range) => range !== null);
  if (ranges.length === 0) return '';
  const least = duration(Math.min(...ranges.map(({ min }) => min)));
  const most = duration(Math.max(...ranges.map(({ max }) => max)));
  return `, after ${least === most ? least : `${least} to ${most}`} of silence`;
}

function named(agents: readonly string[], safe: (text: string) => string): string {
  if (agents.length === 0) return '';
  const more = agents.length - MOST_NAMED;
  return `: ${agents.slice(0, MOST_NAMED).map(safe).join(', ')}${more > 0 ? ` and ${count(more)} more` : ''}`;
}
