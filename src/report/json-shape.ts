/**
 * The fields of lasthop/verdict@1, named one by one in the contract's order. In: parts of a Verdict. Out: json.ts.
 * Spelt out rather than passed through: the order is part of the contract, and a field that delivery keeps for itself
 * (a payload, say) can then never reach a report by accident.
 */
import type {
  AttemptVerdict,
  CaptureReport,
  CommandVerdict,
  ConnectionReport,
  Finding,
  HopState,
  Hypothesis,
  Reply,
} from '../delivery/verdict.js';

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
      const { hop, client, server, openedAt, closedAt, closedBy, handshake, encrypted, decrypted, linkedBy } = leg;
      return { hop, client, server, openedAt, closedAt, closedBy, handshake, encrypted, decrypted, linkedBy };
    }),
    pings: {
      sent: pings.sent,
      tcpAcked: pings.tcpAcked,
      answered: pings.answered,
      rttMs: pings.rttMs && { min: pings.rttMs.min, median: pings.rttMs.median, max: pings.rttMs.max },
    },
    messages: { fromServer: messages.fromServer, fromAgent: messages.fromAgent },
  };
}

export function commandShape(command: CommandVerdict) {
  const { id, agent, outcome, lastHop, lostAt, grade, late, reason, dispatch } = command;
  return {
    id,
    agent,
    outcome,
    lastHop,
    lostAt,
    grade,
    late,
    reason,
    attempts: command.attempts.map(attemptShape),
    dispatch: dispatch && {
      hop: dispatch.hop,
      askedAt: dispatch.askedAt,
      answeredAt: dispatch.answeredAt,
      status: dispatch.status,
      file: dispatch.file,
      packets: dispatch.packets,
    },
  };
}

function attemptShape(attempt: AttemptVerdict) {
  const { n, connection, outcome, lastHop, lostAt, grade, late, reason } = attempt;
  return {
    n,
    connection,
    outcome,
    lastHop,
    lostAt,
    grade,
    late,
    reason,
    hops: attempt.hops.map(stateShape),
    commandAck: replyShape(attempt.commandAck),
    result: replyShape(attempt.result),
  };
}

function replyShape(reply: Reply | null) {
  return reply && { afterMs: reply.afterMs, connection: reply.connection, hops: reply.hops.map(stateShape) };
}

function stateShape(state: HopState) {
  const { hop, grade, reason, sentAt, tcpAckedAt, tcpAckDelayMs, bytes, retransmissions } = state;
  return {
    hop,
    state: state.state,
    grade,
    reason,
    sentAt,
    tcpAckedAt,
    tcpAckDelayMs,
    bytes,
    retransmissions,
    packets: state.packets.map(({ file, data, tcpAck }) => ({ file, data, tcpAck })),
  };
}

export function findingShape(finding: Finding) {
  const { id, severity, grade, agents, connections, commands, summary, next } = finding;
  const evidence = finding.evidence.map(({ file, packets, text }) => ({ file, packets, text }));
  return { id, severity, grade, agents, connections, commands, summary, evidence, next };
}

export function hypothesisShape({ id, agent, status, because }: Hypothesis) {
  return { id, agent, status, because };
}
