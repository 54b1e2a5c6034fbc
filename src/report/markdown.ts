/**
 * The verdict as Markdown, for an incident report: summary, captures, failures with what they mean and the packets that
 * prove them, then what was delivered. In: Verdict. Out: pieces of text. No payloads; whole IDs; bounded unless --all.
 */
import { type CommandVerdict, OUTCOMES, type PacketCitation, type Verdict } from '../delivery/verdict.js';
import { agentGroups, groupFacts, isWorthShowing, namesOf } from './agent-groups.js';
import { closeLines } from './close-lines.js';
import { connectionsOf, type Group, pingWords } from './explain.js';
import { count, counted, duration, packetNumbers, timeRange } from './figures.js';
import { groupHeading, hypothesisGroups } from './hypothesis-groups.js';
import { markdownCode as code, markdown as text } from './printable.js';
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
} from './reading.js';
import { referenceHop } from './reference-hop.js';
import { beyond, LIMITS, type Selection, type SelectOptions, select } from './select.js';

const TITLES = { failed: 'Not delivered', inconclusive: 'Inconclusive', delivered: 'Delivered' } as const;
const MOST_EXPLAINED = 40;
const MOST_HYPOTHESES = 20;
const MOST_SLOWEST = 10;

export function* verdictMarkdown(verdict: Verdict, options: SelectOptions): Generator<string> {
  const hops = verdict.hops.map((hop) => hop.name);
  const row = (command: CommandVerdict) => commandRow(command, hops);
  const chosen = select(verdict, options, row);
  const parts = outcomeCounts(verdict.summary.byOutcome, OUTCOMES).map(
    ([outcome, number]) => `${count(number)} ${outcome}`,
  );
  const all = `${counted(verdict.summary.commands, 'command')}`;
  yield `# Delivery of commands\n\n**${all}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}**\n\n`;
  yield* captureSection(verdict);
  yield* findingSection(verdict);
  yield* hypothesisSection(verdict, options.all);
  yield* agentSection(verdict);
  yield* closeSection(verdict);
  yield* latencySection(verdict);
  yield* meaningSection(verdict, chosen, options.all);
  for (const kind of STANDINGS) {
    if (chosen.counts[kind] === 0) continue;
    yield `## ${TITLES[kind]} (${count(chosen.counts[kind])})\n\n`;
    const heads = ['Command', 'Agent', 'Outcome', 'Lost', ...hops.map((hop) => text(hop)), 'CommandAck', 'Attempts'];
    yield tableHead(heads);
    yield* chosen.rows[kind];
    if (options.all) for (const command of beyond(verdict, kind)) yield row(command);
    const more = chosen.counts[kind] - LIMITS[kind];
    yield more > 0 && !options.all ? `\n${count(more)} more (\`--all\` lists them).\n\n` : '\n';
  }
  yield `---\n\n${text(verdict.generator.name)} ${text(verdict.generator.version)}. Packet numbers are those that Wireshark shows for the file named.\n`;
}

function tableHead(heads: string[]): string {
  return `| ${heads.join(' | ')} |\n|${' --- |'.repeat(heads.length)}\n`;
}

function line(cells: string[]): string {
  return `| ${cells.join(' | ')} |\n`;
}

function commandRow(command: CommandVerdict, hops: string[]): string {
  const attempt = decisive(command);
  const states = hops.map((hop) => {
    const state = attempt?.hops.find((one) => one.hop === hop);
    if (state === undefined || attempt === null) return '–';
    const delay = state.tcpAckDelayMs === null ? '' : ` ${duration(state.tcpAckDelayMs)}`;
    const part = state.state === 'partial' ? ` ${partialBytes(state, attempt)}` : '';
    return `${STATE_WORDS[state.state]}${state.grade === 'inferred' ? ' (inferred)' : ''}${delay}${part}`;
  });
  const agent = command.agent === null ? '–' : text(command.agent);
  const lost = command.lostAt === null ? '–' : text(lostWords(command.lostAt));
  const ack = text(commandAckWords(command, attempt));
  return line([code(command.id), agent, command.outcome, lost, ...states, ack, count(command.attempts.length)]);
}

function* captureSection(verdict: Verdict): Generator<string> {
  yield `## Captures\n\n${tableHead(['Hop', 'File', 'Packets', 'Time', 'Trust', 'Clock, against the first hop captured'])}`;
  const first = referenceHop(verdict.hops);
  for (const [index, hop] of verdict.hops.entries()) {
    let clock = index === first ? 'reference' : 'unknown';
    if (index !== first && hop.clockOffsetMs !== null) {
      const within = hop.clockUncertaintyMs === null ? '' : ` ± ${duration(hop.clockUncertaintyMs)}`;
      clock = `${hop.clockOffsetMs > 0 ? '+' : ''}${duration(hop.clockOffsetMs)}${within}`;
    }
    if (hop.captures.length === 0) yield line([text(hop.name), '–', '–', '–', 'not captured', '–']);
    for (const capture of hop.captures) {
      const reasons = capture.reasons.length === 0 ? '' : `: ${capture.reasons.map((one) => text(one)).join('; ')}`;
      const time = timeRange(capture.firstAt, capture.lastAt, '–');
      yield line([text(hop.name), code(capture.file), count(capture.packets), time, capture.trust + reasons, clock]);
    }
  }
  yield '\n';
}

function* meaningSection(verdict: Verdict, chosen: Selection<string>, all: boolean): Generator<string> {
  const groups = chosen.groups.inOrder();
  if (groups.length === 0) return;
  yield '## Proof\n\n';
  const shown = all ? groups : groups.slice(0, MOST_EXPLAINED);
  for (const group of shown) yield* groupSection(group, verdict);
  const more = groups.length - shown.length;
  if (more > 0) yield `${counted(more, 'more group')} of commands (\`--all\` explains them).\n\n`;
}

function* groupSection(group: Group, verdict: Verdict): Generator<string> {
  const { example } = group;
  const lost = group.lostAt === null ? '' : `, lost ${text(lostWords(group.lostAt))}`;
  const agent = group.agent === null ? '(agent unknown)' : text(group.agent);
  yield `### ${agent}: ${counted(group.commands, 'command')} ${group.outcome}${lost}\n\n${text(meaning(example, causesOf(verdict.findings, example)), 1000)}\n\n`;
  if (example.reason !== '') yield `Because: ${text(example.reason, 1000)}\n\n`;
  for (const connection of connectionsOf(group, verdict)) {
    yield `- Pings on ${text(connection.id)}: ${text(pingWords(connection, duration))}\n`;
  }
  const ids = group.ids.map((id) => code(id)).join(', ');
  const more = group.commands - group.ids.length;
  yield `- Commands: ${ids}${more > 0 ? ` and ${count(more)} more` : ''}\n`;
  const { dispatch } = example;
  if (dispatch !== null) {
    const answer =
      dispatch.status === null ? 'never answered while captured' : `answered with status ${dispatch.status}`;
    yield `- Asked for over HTTP at ${dispatch.askedAt} (${code(dispatch.file)} packet ${dispatch.packets[0] ?? '?'}), ${answer}\n`;
  }
  const attempt = decisive(example);
  if (attempt !== null) {
    yield `\nProof: ${code(example.id)}, attempt ${attempt.n} of ${example.attempts.length} on ${text(attempt.connection)}, ${attempt.grade}.\n\n`;
    yield tableHead(['Hop', 'State', 'Left at (UTC)', 'TCP ACK after', 'Retransmissions', 'Packets']);
    for (const state of attempt.hops) {
      const packets = state.packets.map((one) => `${code(one.file)} ${cited(one)}`).join('<br>');
      const delay = state.tcpAckDelayMs === null ? '–' : duration(state.tcpAckDelayMs);
      const proof = packets || (state.reason === null ? '–' : text(state.reason));
      yield line([
        text(state.hop),
        STATE_WORDS[state.state],
        state.sentAt ?? '–',
        delay,
        `${state.retransmissions}`,
        proof,
      ]);
    }
  }
  yield '\n';
}

/** Not `#411`: where reports are pasted, that is often a link to an issue of that number. */
function cited(packets: PacketCitation): string {
  const data = packets.data.length > 0 ? `packet ${packetNumbers(packets.data)}` : '';
  const acks = packets.tcpAck.length > 0 ? `TCP ACK in ${packetNumbers(packets.tcpAck)}` : '';
  return [data, acks].filter((part) => part !== '').join(', ');
}

function* findingSection(verdict: Verdict): Generator<string> {
  if (verdict.findings.length > 0) yield '## What this means\n\n';
  for (const finding of bySeverity(verdict.findings)) {
    yield `### ${text(finding.severity)}: ${text(finding.id)}\n\n${text(finding.summary, 1000)} (${finding.grade})\n\n`;
    for (const one of finding.evidence.slice(0, 10)) {
      const packets = one.packets.length === 0 ? '' : ` packets ${one.packets.slice(0, 20).join(', ')}`;
      yield `- ${code(one.file)}${packets}: ${text(one.text)}\n`;
    }
    if (finding.next !== '') yield `\nNext: ${text(finding.next, 1000)}\n`;
    yield '\n';
  }
}

function* hypothesisSection(verdict: Verdict, all: boolean): Generator<string> {
  const groups = hypothesisGroups(verdict.hypotheses);
  if (groups.length > 0) yield '## Hypotheses\n\n';
  for (const group of all ? groups : groups.slice(0, MOST_HYPOTHESES)) {
    yield `### ${groupHeading(group, (name) => text(name))}\n\n${tableHead(['Status', 'Hypothesis', 'Because'])}`;
    for (const { ids, status, because } of group.hypotheses)
      yield line([status, ids.map((id) => text(id)).join(', '), text(because, 600)]);
    yield '\n';
  }
  const more = groups.length - MOST_HYPOTHESES;
  if (more > 0 && !all) yield `${counted(more, 'more group')} of agents (\`--all\` shows them).\n\n`;
}

function* agentSection(verdict: Verdict): Generator<string> {
  const groups = agentGroups(verdict.agents ?? []);
  if (!isWorthShowing(groups)) return;
  yield `## Agents side by side\n\n${tableHead(['', 'Agents', 'How'])}`;
  const safe = (one: string) => text(one);
  for (const group of groups)
    yield line([group.ways.map(safe).join(', '), namesOf(group, safe), groupFacts(group, safe).join('; ')]);
  yield '\n';
}

function* closeSection(verdict: Verdict): Generator<string> {
  const closes = closeLines(verdict.closes ?? [], (one) => text(one));
  if (closes.length > 0) yield `## Connections that ended\n\n${closes.map((close) => `- ${close}\n`).join('')}\n`;
}

function* latencySection({ latency }: Verdict): Generator<string> {
  if (latency === undefined) return;
  yield `## Latency of ${counted(latency.commands, 'delivered command')}\n\n`;
  if (latency.stages.length === 0) return;
  yield tableHead(['Stretch', 'What it is', 'Median', '90 %', '99 %', 'Longest', 'Clocks']);
  for (const { stage, text: what, ms, uncertaintyMs } of latency.stages)
    yield line([
      text(stage),
      text(what),
      ...[ms.median, ms.p90, ms.p99, ms.max].map((value) => duration(value)),
      uncertaintyMs === null ? 'unknown' : uncertaintyMs === 0 ? 'one' : `± ${duration(uncertaintyMs)}`,
    ]);
  yield '\nSlowest to be acknowledged:\n\n';
  for (const { id, agent, commandAckMs, stage, stageMs } of latency.slowest.slice(0, MOST_SLOWEST))
    yield `- ${duration(commandAckMs)}: ${code(id)} for ${agent === null ? '(agent unknown)' : text(agent)}, of it ${duration(stageMs)} on ${text(stage)}\n`;
  yield '\n';
}
