/**
 * Findings below the table, errors first. In: what findings/ concluded. Out: table.ts.
 */
import type { Finding, Verdict } from '../delivery/verdict.js';
import { counted, packetNumbers } from './figures.js';
import { printable } from './printable.js';
import { bySeverity } from './reading.js';
import type { Style, Tone } from './style.js';
import { joined, wrapped } from './width.js';

const SEVERITY: Record<Finding['severity'], { tone: Tone; glyph: 'bad' | 'unknown' | 'dot' }> = {
  error: { tone: 'bad', glyph: 'bad' },
  warning: { tone: 'unknown', glyph: 'unknown' },
  info: { tone: 'quiet', glyph: 'dot' },
};
const MOST_FINDINGS = 40;
const MOST_EVIDENCE = 5;

export function* findingLines(verdict: Verdict, width: number, style: Style): Generator<string> {
  const findings = bySeverity(verdict.findings);
  for (const finding of findings.slice(0, MOST_FINDINGS)) yield* oneFinding(finding, width, style);
  if (findings.length > MOST_FINDINGS) {
    yield `\n${style.quiet(`+ ${counted(findings.length - MOST_FINDINGS, 'more finding')} (--json has them)`)}\n`;
  }
}

function* oneFinding(finding: Finding, width: number, style: Style): Generator<string> {
  const { tone, glyph } = SEVERITY[finding.severity];
  const safe = (text: string) => printable(text, style.unicode, 600);
  const body = (text: string) => wrapped(text, width - 2).map((line) => `  ${line}\n`);
  const grade = finding.grade === 'measured' ? '' : ` (${finding.grade})`;
  yield `\n${style.tone(tone, `${style.glyph[glyph]} ${finding.severity}: ${safe(finding.id)}${grade}`)}\n`;
  yield* body(safe(finding.summary));
  if (finding.agents.length > 0) yield* body(`Agents: ${joined(finding.agents.slice(0, 12).map(safe), ', ', 1e6)[0]}`);
  for (const evidence of finding.evidence.slice(0, MOST_EVIDENCE)) {
    const packets = evidence.packets.length > 0 ? ` #${packetNumbers(evidence.packets)}` : '';
    yield* body(`${safe(evidence.file)}${packets}: ${safe(evidence.text)}`);
  }
  if (finding.next !== '') yield* body(`Next: ${safe(finding.next)}`);
}
