/**
 * The schema lasthop/verdict@1 as the contract prints it: written down here again, and not taken from src/,
 * so that a field that changes its name or meaning there is noticed here.
 */
export interface HopState {
  hop: string;
  state: string;
  grade: string;
  reason: string | null;
  sentAt: string | null;
  tcpAckedAt: string | null;
  tcpAckDelayMs: number | null;
  bytes: number | null;
  retransmissions: number;
  packets: { file: string; data: number[]; tcpAck: number[] }[];
}

export interface Reply {
  afterMs: number | null;
  connection: string;
  hops: HopState[];
}

export interface Attempt {
  n: number;
  connection: string;
  outcome: string;
  lastHop: string | null;
  lostAt: string | null;
  reason: string;
  late: boolean;
  hops: HopState[];
  commandAck: Reply | null;
  result: Reply | null;
}

export interface Command {
  id: string;
  agent: string | null;
  outcome: string;
  lastHop: string | null;
  lostAt: string | null;
  grade: string;
  late: boolean;
  reason: string;
  attempts: Attempt[];
}

export interface Leg {
  hop: string;
  client: string;
  server: string;
  openedAt: string | null;
  closedAt: string | null;
  closedBy: string | null;
  handshake: string;
  encrypted: boolean;
  decrypted: boolean;
  linkedBy: string;
}

export interface Connection {
  id: string;
  agent: string | null;
  legs: Leg[];
  pings: { sent: number; tcpAcked: number; answered: number; rttMs: { min: number } | null };
  messages: { fromServer: number; fromAgent: number };
}

export interface VerdictJson {
  schema: string;
  hops: {
    name: string;
    captures: {
      file: string;
      packets: number;
      firstAt: string | null;
      lastAt: string | null;
      trust: string;
      reasons: string[];
    }[];
    clockOffsetMs: number | null;
    clockUncertaintyMs: number | null;
  }[];
  connections: Connection[];
  commands: Command[];
  findings: { id: string; agents: string[] }[];
  hypotheses: { id: string; agent: string; status: 'supported' | 'open' | 'ruled-out' }[];
  summary: { commands: number; byOutcome: Record<string, number> };
}
