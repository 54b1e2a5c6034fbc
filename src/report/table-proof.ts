/**
 * "Proof": for each way of failing one sentence, the packets that prove it, and the Pings on the same connection,
 * since that contrast is the diagnosis. In: groups of commands. Out: table.ts.
 */
import type { CommandVerdict, ConnectionReport, HopState, Verdict } from '../delivery/verdict.js';
import { connectionsOf, type Group, type Groups, pingWords } from './explain.js';
import { citedPackets, count, counted, duration } from './figures.js';
import { printable } from './printable.js';
import { causesOf, decisive, lostWords, meaning, partialBytes, STATE_WORDS } from './reading.js';
import { gradeMark, outcomeGlyph, outcomeTone, type Style, stateGlyph } from './style.js';
import { joined, padded, wrapped } from './width.js';

const MOST_GROUPS = 25;

export function* proofLines(
  verdict: Verdict,
  groups: Groups,
  width: number,
  style: Style,
  all: boolean,
): Generator<string> {
  const ordered = groups.inOrder();
  if (ordered.length === 0) return;
  yield `\n${style.bold('Proof')}\n`;
  const shown = all ? ordered : ordered.slice(0, MOST_GROUPS);
  for (const group of shown) yield* groupLines(group, verdict, width, style);
  const more = ordered.length - shown.length;
  if (more > 0) yield `\n${style.quiet(`+ ${counted(more, 'more group')} of commands (--all explains them)`)}\n`;
  if (groups.ungrouped > 0) yield `\n${style.quiet(`+ ${counted(groups.ungrouped, 'more command')} not explained`)}\n`;
}

function* groupLines(group: Group, verdict: Verdict, width: number, style: Style): Generator<string> {
  const { example } = group;
  const agent = group.agent === null ? '(agent unknown)' : printable(group.agent, style.unicode, 100);
  const lost = group.lostAt === null ? '' : `, lost ${lostWords(printable(group.lostAt, style.unicode, 60))}`;
  const outcome = `${group.outcome}${lost}`;
  const heading = `${outcomeGlyph(style.glyph, group.outcome)} ${agent}: ${counted(group.commands, 'command')} ${outcome}`;
  yield '\n';
  for (const line of wrapped(heading, width)) yield `${style.tone(outcomeTone(group.outcome), line)}\n`;
  const body = (text: string) => wrapped(text, width - 2).map((line) => `  ${line}\n`);
  yield* body(printable(meaning(example, causesOf(verdict.findings, example)), style.unicode, 600));
  if (example.reason !== '') yield* body(`Because: ${printable(example.reason, style.unicode, 600)}`);
  yield* statesLines(example, group, width, style);
  yield* pingLines(connectionsOf(group, verdict), width, style);
  yield* idLines(group, width, style);
}

function* statesLines(command: CommandVerdict, group: Group, width: number, style: Style): Generator<string> {
  const attempt = decisive(command);
  const id = printable(command.id, style.unicode, 100);
  const { dispatch } = command;
  if (attempt !== null) {
    const which = `attempt ${attempt.n} of ${command.attempts.length} on ${printable(attempt.connection, style.unicode, 40)}`;
    const whose = group.commands > 1 ? `${id}, ${which}` : which;
    yield* wrapped(`Proof (${whose}, ${attempt.grade}):`, width - 2).map((line) => `  ${line}\n`);
    const names = attempt.hops.map((hop) => printable(hop.hop, style.unicode, 24));
    const nameWidth = Math.max(0, ...names.map((name) => name.length));
    for (const [index, state] of attempt.hops.entries()) {
      const facts = stateFacts(state, partialBytes(state, attempt), style);
      const indent = ' '.repeat(nameWidth + 6);
      for (const [at, line] of joined(facts, ', ', width - indent.length).entries()) {
        yield `${at === 0 ? `    ${padded(names[index], nameWidth)}  ` : indent}${line}\n`;
      }
    }
  }
  if (dispatch !== null) {
    const answer =
      dispatch.status === null ? 'never answered while captured' : `answered with status ${dispatch.status}`;
    const where = `${printable(dispatch.file, style.unicode, 100)} #${dispatch.packets.slice(0, 4).join(',')}`;
    yield* wrapped(`Asked for over HTTP at ${dispatch.askedAt} (${where}), ${answer}.`, width - 2).map(
      (line) => `  ${line}\n`,
    );
  }
}

function stateFacts(state: HopState, partial: string, style: Style): string[] {
  const words = `${stateGlyph(style.glyph, state.state)} ${STATE_WORDS[state.state]}${gradeMark(style.glyph, state.grade)}`;
  const facts = [state.tcpAckDelayMs === null ? words : `${words} after ${duration(state.tcpAckDelayMs)}`];
  if (state.state === 'partial' && partial !== '') facts.push(`${partial} seen`);
  if (state.retransmissions > 0) facts.push(counted(state.retransmissions, 'retransmission'));
  for (const packets of state.packets.slice(0, 3)) {
    facts.push(`${printable(packets.file, style.unicode, 120)} ${citedPackets(packets)}`);
  }
  if (state.packets.length > 3) facts.push(`and ${counted(state.packets.length - 3, 'more file')}`);
  // It begins with the hop's name, which stands before the line.
  const reason = state.reason?.startsWith(`${state.hop}: `) ? state.reason.slice(state.hop.length + 2) : state.reason;
  if (reason !== null) facts.push(printable(reason, style.unicode));
  return facts;
}

function* pingLines(connections: ConnectionReport[], width: number, style: Style): Generator<string> {
  for (const connection of connections) {
    const id = printable(connection.id, style.unicode, 40);
    const { fromServer, fromAgent } = connection.messages;
    const text = `Pings on ${id}: ${pingWords(connection, duration)}. Messages: ${count(fromServer)} from the server, ${count(fromAgent)} from the agent.`;
    yield* wrapped(text, width - 2).map((line) => `  ${line}\n`);
  }
}

function* idLines(group: Group, width: number, style: Style): Generator<string> {
  const ids = group.ids.map((id) => printable(id, style.unicode, 200));
  const more = group.commands - ids.length;
  if (more > 0) ids.push(`+ ${count(more)} more`);
  const lines = joined(ids, '  ', width - 4);
  yield `  ${group.commands === 1 ? 'Command' : 'Commands'}:\n`;
  for (const line of lines) yield `    ${line}\n`;
}
