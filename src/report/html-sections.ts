/**
 * Sections of the HTML report beside the commands: how connections ended, and where the time goes. In: Verdict. Out: html.ts.
 */
import type { Verdict } from '../delivery/verdict.js';
import { closeLines } from './close-lines.js';
import { counted, duration } from './figures.js';
import { markup as text } from './printable.js';

const MOST_SLOWEST = 10;

export function* closesHtml(verdict: Verdict): Generator<string> {
  const closes = closeLines(verdict.closes ?? [], (one) => text(one));
  if (closes.length > 0)
    yield `<h2>Connections that ended</h2>\n<ul>${closes.map((close) => `<li>${close}</li>`).join('')}</ul>\n`;
}

export function* latencyHtml({ latency }: Verdict): Generator<string> {
  if (latency === undefined) return;
  yield `<h2>Latency of ${counted(latency.commands, 'delivered command')}</h2>\n`;
  if (latency.stages.length === 0) return;
  const heads = ['Stretch', 'What it is', 'Median', '90 %', '99 %', 'Longest', 'Clocks'];
  yield `<div class="scroll"><table>\n<tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr>\n`;
  for (const { stage, text: what, ms, uncertaintyMs } of latency.stages) {
    const clocks = uncertaintyMs === null ? 'unknown' : uncertaintyMs === 0 ? 'one' : `± ${duration(uncertaintyMs)}`;
    const cells = [text(stage), text(what), ...[ms.median, ms.p90, ms.p99, ms.max].map(duration), clocks];
    yield `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>\n`;
  }
  yield '</table></div>\n<p>Slowest to be acknowledged</p>\n<ul>';
  for (const { id, agent, commandAckMs, stage, stageMs } of latency.slowest.slice(0, MOST_SLOWEST))
    yield `<li>${duration(commandAckMs)}: <code>${text(id)}</code> for ${text(agent ?? '(agent unknown)')}, of it ${duration(stageMs)} on ${text(stage)}</li>`;
  yield '</ul>\n';
}
