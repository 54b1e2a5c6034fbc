/**
 * The fields of lasthop/verdict@1, named one by one in the contract's order. In: parts of a Verdict. Out: json.ts.
 * Spelt out rather than passed through: the order is part of the contract, and a field that delivery keeps for itself
 * (a payload, say) can then never reach a report by accident.
 */
import type {
  AgentReport,
  AttemptVerdict,
  CaptureReport,
  CloseReport,
  CommandVerdict,
  ConnectionReport,
  Finding,
  HopState,
  Hypothesis,
  Latency,
  PacketCitation,
  PingReport,
  Reply,
} from '../delivery/verdict.js';
import { jsonText, quoted } from './json-text.js';

export function captureShape(capture: CaptureReport) {
  const { file, format, linkTypes, packets, firstAt, lastAt, trust, reasons, compression } = capture;
  return { file, format, linkTypes, packets, firstAt, lastAt, trust, reasons, compression };
}

export function connectionShape(connection: ConnectionReport) {
  const { id, agent, pings, messages } = connection;
  return {
    id,
    agent,
    legs: connection.legs.map((leg) => {
      const { hop, client, server, openedAt, closedAt, closedBy, handshake, encrypted, decrypted, linkedBy, tls } = leg;
      const { quietBeforeCloseMs } = leg;
      const contract = { hop, client, server, openedAt, closedAt, closedBy, handshake, encrypted, decrypted, linkedBy };
      return { ...contract, tls, quietBeforeCloseMs };
    }),
    pings: {
      ...pingShape(pings),
      answeredBy: pings.answeredBy,
      atLastHop: pings.atLastHop && { hop: pings.atLastHop.hop, ...pingShape(pings.atLastHop) },
    },
    messages: { fromServer: messages.fromServer, fromAgent: messages.fromAgent },
  };
}

function pingShape({ sent, tcpAcked, answered, rttMs }: PingReport) {
  return { sent, tcpAcked, answered, rttMs: rttMs && { min: rttMs.min, median: rttMs.median, max: rttMs.max } };
}

/** One command, on one line. Written out by hand, since there may be hundreds of thousands. */
export function commandJson(command: CommandVerdict): string {
  const { id, agent, outcome, lastHop, lostAt, grade, late, reason, dispatch } = command;
  return (
    `{"id":${quoted(id)},"agent":${quoted(agent)},"outcome":"${outcome}","lastHop":${quoted(lastHop)},` +
    `"lostAt":${quoted(lostAt)},"grade":"${grade}","late":${late},"reason":${quoted(reason)},` +
    `"attempts":[${command.attempts.map(attemptJson).join(',')}],"dispatch":${jsonText(dispatchShape(dispatch))}}`
  );
}

function dispatchShape(dispatch: CommandVerdict['dispatch']) {
  return (
    dispatch && {
      hop: dispatch.hop,
      askedAt: dispatch.askedAt,
      answeredAt: dispatch.answeredAt,
      status: dispatch.status,
      file: dispatch.file,
      packets: dispatch.packets,
    }
  );
}

function attemptJson(attempt: AttemptVerdict): string {
  const { n, connection, outcome, lastHop, lostAt, grade, late, reason } = attempt;
  return (
    `{"n":${n},"connection":${quoted(connection)},"outcome":"${outcome}","lastHop":${quoted(lastHop)},` +
    `"lostAt":${quoted(lostAt)},"grade":"${grade}","late":${late},"reason":${quoted(reason)},` +
    `"hops":${statesJson(attempt.hops)},"commandAck":${replyJson(attempt.commandAck)},"result":${replyJson(attempt.result)}}`
  );
}

function replyJson(reply: Reply | null): string {
  if (reply === null) return 'null';
  return `{"afterMs":${reply.afterMs},"connection":${quoted(reply.connection)},"hops":${statesJson(reply.hops)}}`;
}

function statesJson(states: readonly HopState[]): string {
  return `[${states.map(stateJson).join(',')}]`;
}

function stateJson(state: HopState): string {
  const { hop, grade, reason, sentAt, tcpAckedAt, tcpAckDelayMs, bytes, retransmissions } = state;
  return (
    `{"hop":${quoted(hop)},"state":"${state.state}","grade":"${grade}","reason":${quoted(reason)},` +
    `"sentAt":${quoted(sentAt)},"tcpAckedAt":${quoted(tcpAckedAt)},"tcpAckDelayMs":${tcpAckDelayMs},` +
    `"bytes":${bytes},"retransmissions":${retransmissions},"packets":[${state.packets.map(citationJson).join(',')}]}`
  );
}

function citationJson({ file, data, tcpAck }: PacketCitation): string {
  return `{"file":${quoted(file)},"data":[${data.join(',')}],"tcpAck":[${tcpAck.join(',')}]}`;
}

export function findingShape(finding: Finding) {
  const { id, severity, grade, agents, connections, commands, summary, next } = finding;
  const evidence = finding.evidence.map(({ file, packets, text }) => ({ file, packets, text }));
  return { id, severity, grade, agents, connections, commands, summary, evidence, next };
}

export function hypothesisShape({ id, agent, status, because }: Hypothesis) {
  return { id, agent, status, because };
}

export function agentShape(one: AgentReport) {
  const { agent, ways, byOutcome, connections, connectionCount, addresses, clients, pings } = one;
  const { lastDelivered, firstFailed } = one;
  const between = one.between.map(({ kind, at, connection, text }) => ({ kind, at, connection, text }));
  const seen = { connections, connectionCount, addresses, clients, pings, lastDelivered, firstFailed, between };
  return { agent, ways, byOutcome, ...seen };
}

export function closeShape(one: CloseReport) {
  const { by, hop, at, withinMs, count, open, connections, agents, addresses, how, quietMs, back, backWithinMs } = one;
  const { closeFrame, fin, rst } = how;
  return {
    ...{ by, hop, at, withinMs, count, open, connections, agents, addresses, how: { closeFrame, fin, rst } },
    quietMs: quietMs && { min: quietMs.min, median: quietMs.median, max: quietMs.max },
    ...{ back, backWithinMs },
  };
}

export function latencyShape({ commands, stages, slowest }: Latency) {
  return {
    commands,
    stages: stages.map(({ stage, text, count, ms, uncertaintyMs, slowest: one }) => {
      return { stage, text, count, ms, uncertaintyMs, slowest: one };
    }),
    slowest: slowest.map(({ id, agent, commandAckMs, stage, stageMs }) => ({
      id,
      agent,
      commandAckMs,
      stage,
      stageMs,
    })),
  };
}
