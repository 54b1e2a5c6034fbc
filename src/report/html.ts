/**
 * The verdict as one HTML file: failures first, each row opens to its attempts and their packets. In: Verdict.
 * Out: pieces of text. Everything that came from a capture passes through markup().
 */
import { type AttemptVerdict, type CommandVerdict, OUTCOMES, type Outcome, type Verdict } from '../delivery/verdict.js';
import { agentGroups, groupFacts, isWorthShowing, namesOf } from './agent-groups.js';
import { connectionsOf, type Group, pingWords } from './explain.js';
import { citedPackets, count, counted, duration, timeRange } from './figures.js';
import { PAGE_FOOT, PAGE_HEAD } from './html-page.js';
import { closesHtml, latencyHtml } from './html-sections.js';
import { groupHeading, hypothesisGroups } from './hypothesis-groups.js';
import { markup as text } from './printable.js';
import {
  bySeverity,
  causesOf,
  commandAckWords,
  decisive,
  lostWords,
  meaning,
  outcomeCounts,
  partialBytes,
  STANDINGS,
  STATE_WORDS,
  standing,
} from './reading.js';
import { referenceHop } from './reference-hop.js';
import { beyond, LIMITS, type SelectOptions, select } from './select.js';

const TITLES = { failed: 'Not delivered', inconclusive: 'Inconclusive', delivered: 'Delivered' } as const;
const MOST_ATTEMPTS = 20;
const MOST_EXPLAINED = 60;
const MOST_HYPOTHESES = 40;

export function* verdictHtml(verdict: Verdict, options: SelectOptions): Generator<string> {
  const hops = verdict.hops.map((hop) => hop.name);
  const row = (command: CommandVerdict) => commandRow(command, hops);
  const chosen = select(verdict, options, row);
  yield PAGE_HEAD;
  const parts = outcomeCounts(verdict.summary.byOutcome, OUTCOMES).map(
    ([outcome, number]) => `<span class="${tone(outcome)}">${count(number)} ${outcome}</span>`,
  );
  const total = counted(verdict.summary.commands, 'command');
  yield `<h1>Delivery of commands</h1>\n<p class="lead">${[total, ...parts].join(' · ')}</p>\n`;
  yield* findings(verdict);
  yield* hypotheses(verdict, options.all);
  yield* agents(verdict);
  yield* closesHtml(verdict);
  yield* latencyHtml(verdict);
  const groups = chosen.groups.inOrder();
  if (groups.length > 0) yield '<h2>Proof</h2>\n';
  for (const group of options.all ? groups : groups.slice(0, MOST_EXPLAINED)) yield groupCard(group, verdict);
  for (const kind of STANDINGS) {
    if (chosen.counts[kind] === 0) continue;
    yield `<h2>${TITLES[kind]} (${count(chosen.counts[kind])})</h2>\n<div class="scroll"><table>\n`;
    yield head(['Command', 'Agent', 'Outcome', 'Lost', ...hops.map((hop) => text(hop)), 'CommandAck', 'Attempts']);
    yield* chosen.rows[kind];
    if (options.all) for (const command of beyond(verdict, kind)) yield row(command);
    yield '</table></div>\n';
    const more = chosen.counts[kind] - LIMITS[kind];
    if (more > 0 && !options.all) yield `<p class="quiet">${count(more)} more (--all lists them)</p>\n`;
  }
  yield* captures(verdict);
  yield `<p class="quiet">${text(verdict.generator.name)} ${text(verdict.generator.version)}. Packet numbers are those that Wireshark shows.</p>\n`;
  yield PAGE_FOOT;
}

function tone(outcome: Outcome): string {
  return { failed: 'bad', inconclusive: 'unknown', delivered: 'good' }[standing(outcome)];
}

function head(cells: string[]): string {
  return `<tr>${cells.map((cell) => `<th>${cell}</th>`).join('')}</tr>\n`;
}

function commandRow(command: CommandVerdict, hops: string[]): string {
  const attempt = decisive(command);
  const states = hops.map((hop) => {
    const state = attempt?.hops.find((one) => one.hop === hop);
    if (state === undefined || attempt === null) return '<td>–</td>';
    const shade = state.state === 'tcp-acked' ? 'good' : state.state === 'unobserved' ? 'unknown' : 'bad';
    const facts = [state.tcpAckDelayMs === null ? '' : duration(state.tcpAckDelayMs)];
    if (state.state === 'partial') facts.push(partialBytes(state, attempt));
    if (state.grade === 'inferred') facts.push('inferred');
    const below = facts.filter((fact) => fact !== '').join(', ');
    return `<td><span class="${shade}">${STATE_WORDS[state.state]}</span><br><span class="quiet">${text(below)}</span></td>`;
  });
  const evidence = command.attempts.slice(0, MOST_ATTEMPTS).map(attemptTable).join('');
  const more = command.attempts.length - MOST_ATTEMPTS;
  const rest = more > 0 ? `<p class="quiet">${counted(more, 'more attempt')}</p>` : '';
  const because = command.reason === '' ? '' : `<p>${text(command.reason, 1000)}</p>`;
  const id = `<td class="wrap"><details><summary class="id">${text(command.id)}</summary>${because}${evidence}${rest}</details></td>`;
  const outcome = `<td class="${tone(command.outcome)}">${command.outcome}${command.late ? ' (late)' : ''}</td>`;
  const lost = `<td>${command.lostAt === null ? '–' : text(lostWords(command.lostAt))}</td>`;
  const ack = `<td>${text(commandAckWords(command, attempt))}</td>`;
  return `<tr>${id}<td>${text(command.agent ?? '–')}</td>${outcome}${lost}${states.join('')}${ack}<td>${count(command.attempts.length)}</td></tr>\n`;
}

function attemptTable(attempt: AttemptVerdict): string {
  const rows = attempt.hops.map((state) => {
    const packets = state.packets.map((one) => `${text(one.file)} ${text(citedPackets(one))}`).join('<br>');
    const delay = state.tcpAckDelayMs === null ? '' : duration(state.tcpAckDelayMs);
    const cells = [
      text(state.hop),
      STATE_WORDS[state.state],
      text(state.sentAt ?? ''),
      delay,
      packets || text(state.reason ?? ''),
    ];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const title = `<p class="quiet">Attempt ${attempt.n} on ${text(attempt.connection)}: ${attempt.outcome}, ${attempt.grade}</p>`;
  return `${title}<table>${head(['Hop', 'State', 'Left at', 'TCP ACK after', 'Packets'])}${rows.join('')}</table>`;
}

function groupCard(group: Group, verdict: Verdict): string {
  const { example } = group;
  const lost = group.lostAt === null ? '' : `, lost ${text(lostWords(group.lostAt))}`;
  const attempt = decisive(example);
  const pings = connectionsOf(group, verdict).map(
    (one) => `<p>Pings on ${text(one.id)}: ${text(pingWords(one, duration))}</p>`,
  );
  const ids = group.ids.map((id) => `<code>${text(id)}</code>`).join(', ');
  const more = group.commands - group.ids.length;
  return `<div class="card ${tone(group.outcome)}"><h3>${text(group.agent ?? '(agent unknown)')}: ${counted(group.commands, 'command')} ${group.outcome}${lost}</h3>
<p>${text(meaning(example, causesOf(verdict.findings, example)), 1000)}</p>${example.reason === '' ? '' : `\n<p>Because: ${text(example.reason, 1000)}</p>`}
${pings.join('\n')}
<p class="quiet">Commands: ${ids}${more > 0 ? ` and ${count(more)} more` : ''}</p>
${attempt === null ? '' : `<details><summary>Proof: ${text(example.id)}</summary><div class="scroll">${attemptTable(attempt)}</div></details>`}</div>\n`;
}

function* findings(verdict: Verdict): Generator<string> {
  if (verdict.findings.length > 0) yield '<h2>What this means</h2>\n';
  for (const finding of bySeverity(verdict.findings)) {
    const shade = { error: 'bad', warning: 'unknown', info: '' }[finding.severity];
    const evidence = finding.evidence.slice(0, 10).map((one) => {
      const packets = one.packets.length === 0 ? '' : ` #${one.packets.slice(0, 20).join(', #')}`;
      return `<li><code>${text(one.file)}</code>${packets}: ${text(one.text)}</li>`;
    });
    yield `<div class="card ${shade}"><h3>${finding.severity}: ${text(finding.id)}</h3><p>${text(finding.summary, 1000)} (${finding.grade})</p><ul>${evidence.join('')}</ul><p>Next: ${text(finding.next, 1000)}</p></div>\n`;
  }
}

function* hypotheses(verdict: Verdict, all: boolean): Generator<string> {
  const groups = hypothesisGroups(verdict.hypotheses);
  if (groups.length > 0) yield '<h2>Hypotheses</h2>\n';
  const shade = { supported: 'bad', open: 'unknown', 'ruled-out': 'good' };
  for (const group of all ? groups : groups.slice(0, MOST_HYPOTHESES)) {
    yield `<h3>${groupHeading(group, (name) => text(name))}</h3>\n<div class="scroll"><table>\n${head(['Status', 'Hypothesis', 'Because'])}`;
    for (const { ids, status, because } of group.hypotheses)
      yield `<tr><td class="${shade[status]}">${status}</td><td>${ids.map((id) => text(id)).join('<br>')}</td><td class="wrap">${text(because, 1000)}</td></tr>\n`;
    yield '</table></div>\n';
  }
  const more = groups.length - MOST_HYPOTHESES;
  if (more > 0 && !all) yield `<p class="quiet">${counted(more, 'more group')} of agents (--all shows them)</p>\n`;
}

function* agents(verdict: Verdict): Generator<string> {
  const groups = agentGroups(verdict.agents ?? []);
  if (!isWorthShowing(groups)) return;
  yield `<h2>Agents side by side</h2>\n<div class="scroll"><table>\n${head(['', 'Agents', 'How'])}`;
  const safe = (one: string) => text(one);
  for (const group of groups) {
    const shade = group.failing ? 'bad' : group.ways[0] === 'delivered' ? 'good' : 'unknown';
    yield `<tr><td class="${shade}">${group.ways.map(safe).join(', ')}</td><td class="wrap">${namesOf(group, safe)}</td><td class="wrap">${groupFacts(group, safe).join('; ')}</td></tr>\n`;
  }
  yield '</table></div>\n';
}

function* captures(verdict: Verdict): Generator<string> {
  yield `<h2>Captures</h2>\n<div class="scroll"><table>\n${head(['Hop', 'File', 'Packets', 'Time', 'Trust', 'Clock, against the first hop captured'])}`;
  const first = referenceHop(verdict.hops);
  for (const [index, hop] of verdict.hops.entries()) {
    const within = hop.clockUncertaintyMs === null ? '' : ` ± ${duration(hop.clockUncertaintyMs)}`;
    const clock =
      index === first
        ? 'reference'
        : hop.clockOffsetMs === null
          ? 'unknown'
          : `${duration(hop.clockOffsetMs)}${within}`;
    if (hop.captures.length === 0)
      yield `<tr><td>${text(hop.name)}</td><td colspan="5" class="quiet">not captured</td></tr>\n`;
    for (const one of hop.captures) {
      const trust = [one.trust, ...one.reasons.map((reason) => text(reason))].join('<br>');
      const time = text(timeRange(one.firstAt, one.lastAt, '–'));
      yield `<tr><td>${text(hop.name)}</td><td><code>${text(one.file)}</code></td><td>${count(one.packets)}</td><td>${time}</td><td class="wrap">${trust}</td><td>${clock}</td></tr>\n`;
    }
  }
  yield '</table></div>\n';
}
