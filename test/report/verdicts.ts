/**
 * Hand-made verdicts for the tests of report/ and cli/. In: what a test wants to see. Out: a whole Verdict.
 * `incident()` is the first incident of the project in small: three agents, of which one never runs a command.
 */
import {
  type AttemptVerdict,
  type CaptureReport,
  type CommandVerdict,
  type ConnectionReport,
  type HopReport,
  type HopState,
  OUTCOMES,
  type Outcome,
  type State,
  type Verdict,
} from '../../src/delivery/verdict.js';

export function hopState(hop: string, state: State = 'tcp-acked', more: Partial<HopState> = {}): HopState {
  const seen = state !== 'absent' && state !== 'unobserved';
  return {
    hop,
    state,
    grade: state === 'unobserved' ? 'none' : 'measured',
    reason: state === 'unobserved' ? 'the capture ends before this time' : null,
    sentAt: seen ? '2025-11-03T09:00:00.123456Z' : null,
    tcpAckedAt: state === 'tcp-acked' ? '2025-11-03T09:00:00.123496Z' : null,
    tcpAckDelayMs: state === 'tcp-acked' ? 0.04 : null,
    bytes: seen ? 131 : null,
    retransmissions: 0,
    packets: seen ? [{ file: `${hop}.pcap`, data: [411], tcpAck: state === 'tcp-acked' ? [412] : [] }] : [],
    ...more,
  };
}

export function attempt(n: number, outcome: Outcome, more: Partial<AttemptVerdict> = {}): AttemptVerdict {
  return {
    n,
    connection: 'c1',
    outcome,
    lastHop: 'npm',
    lostAt: null,
    grade: 'measured',
    late: false,
    reason: '',
    hops: [
      hopState('origin'),
      hopState('nginx', 'tcp-acked', {
        tcpAckDelayMs: 0.113,
        packets: [{ file: 'nginx.pcap', data: [822], tcpAck: [823] }],
      }),
      hopState('npm', 'tcp-acked', {
        tcpAckDelayMs: 23.42,
        packets: [{ file: 'npm.pcap', data: [1203], tcpAck: [1207] }],
      }),
    ],
    commandAck: null,
    result: null,
    ...more,
  };
}

export function command(id: string, outcome: Outcome, more: Partial<CommandVerdict> = {}): CommandVerdict {
  const { lostAt = null, lastHop = 'npm', grade = 'measured', late = false, reason = '' } = more;
  const reply = {
    afterMs: late ? 12_412.7 : 41.2,
    connection: 'c1',
    hops: ['npm', 'nginx', 'origin'].map((hop) => hopState(hop)),
  };
  const first = attempt(1, outcome, { lostAt, lastHop, grade, late, reason });
  if (outcome === 'delivered') first.commandAck = reply;
  return {
    id,
    agent: 'HV-01',
    outcome,
    lastHop,
    lostAt,
    grade,
    late,
    reason,
    attempts: [first],
    dispatch: null,
    ...more,
  };
}

export function capture(file: string, more: Partial<CaptureReport> = {}): CaptureReport {
  return {
    file,
    format: 'pcap',
    compression: null,
    linkTypes: ['LINUX_SLL2'],
    packets: 1812,
    firstAt: '2025-11-03T09:00:00.001200Z',
    lastAt: '2025-11-03T09:14:59.998100Z',
    trust: 'full',
    reasons: [],
    ...more,
  };
}

export function hop(name: string, more: Partial<HopReport> = {}): HopReport {
  return {
    name,
    captures: [capture(`${name}.pcap`)],
    clockOffsetMs: 0,
    clockUncertaintyMs: 0.05,
    orderProven: true,
    ...more,
  };
}

export function connection(id: string, agent: string | null, more: Partial<ConnectionReport> = {}): ConnectionReport {
  return {
    id,
    agent,
    legs: [
      {
        hop: 'origin',
        client: '127.0.0.1:40112',
        server: '127.0.0.1:3001',
        openedAt: '2025-11-03T09:00:00.002000Z',
        closedAt: null,
        closedBy: null,
        quietBeforeCloseMs: null,
        handshake: 'seen',
        encrypted: false,
        decrypted: false,
        tls: null,
        linkedBy: 'sec-websocket-key',
      },
    ],
    pings: {
      ...{ sent: 12, tcpAcked: 12, answered: 12, rttMs: { min: 21, median: 24.1, max: 31 } },
      ...{ answeredBy: null, atLastHop: null },
    },
    messages: { fromServer: 30, fromAgent: 44 },
    ...more,
  };
}

export function verdict(commands: Iterable<CommandVerdict>, more: Partial<Verdict> = {}): Verdict {
  const byOutcome: Partial<Record<Outcome, number>> = {};
  let total = 0;
  for (const one of commands) {
    byOutcome[one.outcome] = (byOutcome[one.outcome] ?? 0) + 1;
    total += 1;
  }
  for (const outcome of OUTCOMES) if (byOutcome[outcome] === undefined) delete byOutcome[outcome];
  return {
    schema: 'lasthop/verdict@1',
    generator: { name: 'lasthop', version: '0.1.0' },
    hops: [
      hop('origin'),
      hop('nginx', { clockOffsetMs: 1.204 }),
      hop('npm', {
        captures: [capture('npm.pcap', { trust: 'limited', reasons: ['23 packets dropped by the kernel'] })],
        clockOffsetMs: -12.5,
      }),
    ],
    connections: [connection('c1', 'HV-01'), connection('c7', 'PST-SERVER')],
    commands,
    findings: [],
    hypotheses: [],
    summary: { commands: total, byOutcome },
    ...more,
  };
}

const REASON = 'TCP-ACKed from the agent, and no CommandAck within 10 s';

export function ignored(id: string, agent = 'PST-SERVER', tries = 10): CommandVerdict {
  return command(id, 'reached-agent', {
    agent,
    lostAt: 'agent',
    reason: REASON,
    attempts: Array.from({ length: tries }, (_, index) =>
      attempt(index + 1, 'reached-agent', { connection: 'c7', lostAt: 'agent', reason: REASON }),
    ),
  });
}

export function incident(): Verdict {
  return verdict([
    command('0192f3a1-7c3e-7bd1-8f00-5d1b3c2a9e01', 'delivered'),
    ignored('0192f3a1-9d40-7aa2-b1c4-77e0d2f4aa10'),
    command('0192f3a2-01bb-7c55-9e3f-08b1c6d5ee42', 'delivered', { agent: 'WS-LAB-3' }),
    ignored('0192f3a3-44e1-7d9f-a2b0-13f7e8c9bb21'),
    command('0192f3a4-8812-7e0a-8c6d-6a5b4c3d2e1f', 'inconclusive', {
      agent: 'WS-LAB-3',
      reason: 'the capture at npm ends 3.2 s after the message left; a capture that runs 10 s longer would settle it',
      attempts: [
        attempt(1, 'inconclusive', {
          reason:
            'the capture at npm ends 3.2 s after the message left; a capture that runs 10 s longer would settle it',
          hops: [hopState('origin'), hopState('nginx', 'sent-unacked'), hopState('npm', 'unobserved')],
        }),
      ],
    }),
  ]);
}
