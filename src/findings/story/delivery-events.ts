/**
 * The command's own way: its HTTP dispatch, each attempt at each hop with its TCP ACK, its deadline, and CommandAcks and results
 * on their way back. In: the verdict and the command log. Out: moments.
 */

import type { Entry } from '../../delivery/commands.js';
import { seconds } from '../../delivery/coverage.js';
import type { DecidedCommand } from '../../delivery/judge-command.js';
import { mayBeAckedEarlier } from '../../hop/first-tcp-ack.js';
import { MessageFlag } from '../../hop/message-table.js';
import { Role } from '../../message/profile.js';
import { localNs } from '../../path/path.js';
import { counted, listed } from '../words.js';
import type { Moment, Telling } from './telling.js';

export function deliveryEvents(telling: Telling, decided: DecidedCommand): Moment[] {
  const { log } = telling.court;
  const moments = [...dispatchEvents(telling, decided)];
  decided.attempts.forEach((attempt, i) => {
    moments.push(...attemptEvents(telling, attempt.entry, i + 1, decided));
  });
  for (const entry of log.entries(decided.command))
    if (entry.role !== Role.command) moments.push(...replyEvents(telling, entry));
  return moments.sort((a, b) => a.timeNs - b.timeNs || a.rank - b.rank);
}

function* dispatchEvents(telling: Telling, { command }: DecidedCommand): Generator<Moment> {
  const seen = telling.court.log.dispatches.get(command);
  if (seen === undefined) return;
  const { dispatch, hop } = seen;
  yield telling.moment(
    hop,
    dispatch.askedNs,
    'asked',
    `asked for over HTTP: ${dispatch.target.split('?')[0]}`,
    [dispatch.askedRef],
    { rank: 0 },
  );
  if (dispatch.answeredRef > 0)
    yield telling.moment(
      hop,
      dispatch.answeredNs,
      'asked-answered',
      `the request was answered with status ${dispatch.status}`,
      [dispatch.answeredRef],
    );
}

function* attemptEvents(telling: Telling, entry: Entry, n: number, decided: DecidedCommand): Generator<Moment> {
  const { views, ackTimeoutNs } = telling.court;
  const { path, thread } = entry;
  telling.tell(path, 'fromServer', thread);
  const more = { path, attempt: n, from: 'server' as const };
  for (const view of views) {
    const row = path.fromServer.row(thread, view.index);
    const { observation } = view;
    if (row < 0 || observation === null) continue;
    const { messages } = observation;
    const octets = messages.octets(row);
    const resent = messages.retransmissions[row];
    const part = messages.has(row, MessageFlag.partial) ? `, only ${messages.octetsSeen[row]} of them ever` : '';
    const again = resent > 0 ? `, sent again: ${counted(resent, 'retransmission')}` : '';
    const name = `${nameOf(observation.strings, messages.type[row]) ?? 'Command'} attempt ${n}`;
    yield telling.moment(
      view.index,
      messages.sentNs[row],
      'command',
      `${name} left ${view.name}, ${octets} octets${part}${again}`,
      messages.dataRefs(row),
      { ...more, rank: 1 },
    );
    const ackNs = messages.tcpAckNs[row];
    if (!Number.isNaN(ackNs))
      yield telling.moment(
        view.index,
        ackNs,
        'tcp-ack',
        `TCP-ACKed by ${outward(telling, entry, view.index)} after ${mayBeAckedEarlier(observation, row) ? 'at most ' : ''}${seconds(ackNs - messages.sentNs[row])}`,
        [messages.tcpAckRef[row]],
        { ...more, rank: 2 },
      );
  }
  const verdict = decided.attempts[n - 1];
  if (verdict.outcome === 'delivered' && !verdict.late) return;
  const hop = views.findIndex(({ observation }) => observation !== null);
  const elsewhere = verdict.hops
    .filter(({ state }) => state === 'absent' || state === 'unobserved')
    .map(
      (state) =>
        `${state.hop}: ${state.state === 'absent' ? 'never left it' : (state.reason ?? 'unobserved').replace(`${state.hop}: `, '')}`,
    );
  const ends =
    verdict.outcome === 'delivered'
      ? 'no CommandAck yet'
      : `${verdict.outcome}${verdict.lostAt === null ? '' : `, lost at ${verdict.lostAt}`}`;
  yield telling.moment(
    hop,
    localNs(views[hop], entry.timeNs + ackTimeoutNs),
    'deadline',
    `deadline of attempt ${n}: ${ends}${elsewhere.length > 0 ? ` (${listed(elsewhere)})` : ''}`,
    [],
    { path, attempt: n, rank: 9 },
  );
}

function* replyEvents(telling: Telling, entry: Entry): Generator<Moment> {
  const { path, thread, role } = entry;
  telling.tell(path, 'fromClient', thread);
  const kind = role === Role.commandAck ? 'command-ack' : 'result';
  for (const view of [...telling.court.views].reverse()) {
    const row = path.fromClient.row(thread, view.index);
    const { observation } = view;
    if (row < 0 || observation === null) continue;
    const { messages } = observation;
    const name = nameOf(observation.strings, messages.type[row]) ?? (kind === 'result' ? 'result' : 'CommandAck');
    const acked = Number.isNaN(messages.tcpAckNs[row]) ? ', never TCP-ACKed' : '';
    yield telling.moment(
      view.index,
      messages.sentNs[row],
      kind,
      `${name} arrived at ${view.name}, ${messages.octets(row)} octets${acked}`,
      messages.dataRefs(row),
      { path, from: 'agent', rank: 3 },
    );
  }
}

/** Who TCP-ACKs on a hop's leg. */
function outward({ court }: Telling, { path }: Entry, hop: number): string {
  return court.views[hop + 1]?.name ?? court.goesOnTo(path) ?? "the agent's end";
}

export function nameOf(strings: { text(number: number): string }, type: number): string | null {
  return type < 0 ? null : strings.text(type);
}
