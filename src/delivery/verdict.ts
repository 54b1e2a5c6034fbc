/**
 * The verdict model: what the JSON schema lasthop/verdict@1 fixes, as types, in the order of its fields.
 * In: judged by delivery/. Out: report/ prints it and never computes one.
 * Times are ISO 8601 UTC strings with the capture's own digits; durations are milliseconds and end in Ms.
 */

export type State = 'tcp-acked' | 'sent-unacked' | 'partial' | 'absent' | 'unobserved';
export type Grade = 'measured' | 'inferred' | 'none';
/** In the contract's order, furthest first. */
export const OUTCOMES = [
  'delivered',
  'ack-lost',
  'reached-agent',
  'stalled',
  'not-forwarded',
  'never-sent',
  'inconclusive',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface PacketCitation {
  file: string;
  /** Packet numbers within the file, from 1. */
  data: number[];
  tcpAck: number[];
}

/** One message (a command's attempt, its CommandAck or its result) on one hop's leg. */
export interface HopState {
  hop: string;
  state: State;
  grade: Grade;
  /** Always given where the state is `unobserved`. */
  reason: string | null;
  sentAt: string | null;
  tcpAckedAt: string | null;
  tcpAckDelayMs: number | null;
  /** Octets of the message's frames on the wire, headers included; for `partial` what was seen of them. */
  bytes: number | null;
  /** Segments that carried octets of the message again. */
  retransmissions: number;
  packets: PacketCitation[];
}

export interface Reply {
  /** From the attempt leaving the innermost observed hop to this message's arrival at the innermost hop that saw it. */
  afterMs: number | null;
  /** The path it came back on, where it is not the attempt's. */
  connection: string;
  hops: HopState[];
}

export interface AttemptVerdict {
  n: number;
  connection: string;
  outcome: Outcome;
  lastHop: string | null;
  lostAt: string | null;
  grade: Grade;
  late: boolean;
  reason: string;
  hops: HopState[];
  commandAck: Reply | null;
  result: Reply | null;
}

export interface CommandVerdict {
  id: string;
  agent: string | null;
  outcome: Outcome;
  lastHop: string | null;
  lostAt: string | null;
  grade: Grade;
  late: boolean;
  reason: string;
  attempts: AttemptVerdict[];
  /** The HTTP dispatch that asked for it, where one was captured. */
  dispatch: {
    hop: string;
    askedAt: string;
    answeredAt: string | null;
    status: number | null;
    file: string;
    packets: number[];
  } | null;
}

export interface CaptureReport {
  file: string;
  format: 'pcap' | 'pcapng';
  compression: 'gzip' | 'zstd' | null;
  linkTypes: string[];
  packets: number;
  firstAt: string | null;
  lastAt: string | null;
  trust: 'full' | 'limited' | 'none';
  reasons: string[];
}

export interface HopReport {
  name: string;
  /** Empty where the hop was only named with --path. */
  captures: CaptureReport[];
  /** Against the clock of the first hop that was captured; null where that is not known. */
  clockOffsetMs: number | null;
  clockUncertaintyMs: number | null;
  /** Whether the captures prove that it stands further out than the captured hop before it; null for the first. */
  orderProven: boolean | null;
}

export interface LegReport {
  hop: string;
  client: string;
  server: string;
  openedAt: string | null;
  closedAt: string | null;
  closedBy: 'fin' | 'rst' | null;
  /** Without an octet in either direction before that; null where a Close frame came first, or nothing can be said. */
  quietBeforeCloseMs: number | null;
  handshake: 'seen' | 'missing';
  encrypted: boolean;
  decrypted: boolean;
  /** Of an encrypted leg. */
  tls: { version: string | null; cipherSuite: string | null; serverName: string | null; alpn: string | null } | null;
  linkedBy: 'sec-websocket-key' | 'bytes' | 'tls-record-sizes' | 'only';
}

export interface PingReport {
  sent: number;
  tcpAcked: number;
  answered: number;
  rttMs: { min: number; median: number; max: number } | null;
}

export interface ConnectionReport {
  id: string;
  agent: string | null;
  legs: LegReport[];
  /** On the innermost captured leg. */
  pings: PingReport & {
    /** The hop that answers them itself, so that the answers say nothing of the agent; null where none shows itself. */
    answeredBy: string | null;
    /** Where one does: the Pings on the outermost captured leg. */
    atLastHop: (PingReport & { hop: string }) | null;
  };
  messages: { fromServer: number; fromAgent: number };
}

export interface Finding {
  id: string;
  severity: 'error' | 'warning' | 'info';
  grade: Grade;
  agents: string[];
  connections: string[];
  commands: string[];
  summary: string;
  evidence: { file: string; packets: number[]; text: string }[];
  next: string;
}

/** A command of an agent, named where it matters when it was. */
export interface CommandMoment {
  id: string;
  at: string;
  connection: string;
}

/** What happened to an agent between its last command that was delivered and the first that failed. */
export interface Change {
  kind: 'reconnect' | 'configuration' | 'restart';
  at: string;
  connection: string;
  text: string;
}

/** One agent beside the others: how it fails or works. */
export interface AgentReport {
  /** Null where no name is known: then it is told by its connection. */
  agent: string | null;
  /** IDs of the findings that explain its failures; outcomes where none does; `delivered` or `no-commands`. */
  ways: string[];
  byOutcome: Partial<Record<Outcome, number>>;
  /** The first of its connections, and how many it had. */
  connections: string[];
  connectionCount: number;
  /** Client addresses of its outermost legs, and User-Agents of its handshakes. */
  addresses: string[];
  clients: string[];
  /**
   * As the first hop saw them, or the last one where a hop between answers Pings itself; and the Pongs that came to the last hop, more
   * where they were lost further in.
   */
  pings: { sent: number; answered: number; answeredAtLastHop: number };
  lastDelivered: CommandMoment | null;
  firstFailed: CommandMoment | null;
  /** Where its failures came after its successes: what lies between. */
  between: Change[];
}

/** Connections that ended, at one moment if they are several. */
export interface CloseReport {
  /** The hop that ended them, `agent` for whoever lies past the last hop; null where who began was not seen. */
  by: string | null;
  /** On whose leg the rest was measured. */
  hop: string;
  at: string;
  withinMs: number;
  count: number;
  /** Of so many that were open at that hop. */
  open: number;
  connections: string[];
  agents: string[];
  /** Client addresses of the outermost legs. */
  addresses: string[];
  how: { closeFrame: number; fin: number; rst: number };
  /** Silence before it, of those that no Close frame ended. */
  quietMs: { min: number; median: number; max: number } | null;
  /** How many of them are followed by a new connection of the same agent, and within which time all those were. */
  back: number;
  backWithinMs: number | null;
}

export interface Percentiles {
  min: number;
  median: number;
  p90: number;
  p99: number;
  max: number;
}

/** One stretch of the way of delivered commands, over all of them. */
export interface LatencyStage {
  /** `asked`, `origin->nginx`, `tcp-ack:npm`, `agent`, `nginx<-npm`, `command-ack`, `result`. */
  stage: string;
  text: string;
  count: number;
  ms: Percentiles;
  /** What the two captures' clocks leave open; null where they cannot be compared. */
  uncertaintyMs: number | null;
  slowest: { id: string; agent: string | null };
}

export interface Latency {
  commands: number;
  stages: LatencyStage[];
  /** By time to the CommandAck, with the stretch on the way that took longest. */
  slowest: { id: string; agent: string | null; commandAckMs: number; stage: string; stageMs: number }[];
}

export interface Hypothesis {
  id: string;
  agent: string;
  status: 'ruled-out' | 'supported' | 'open';
  because: string;
}

export interface Summary {
  commands: number;
  byOutcome: Partial<Record<Outcome, number>>;
}

/** Commands in order of time, built one by one at each walk over them. */
export interface CommandList extends Iterable<CommandVerdict> {
  /** Only those of the outcomes wanted; quick once all were judged. */
  only?(wanted: (outcome: Outcome, late: boolean) => boolean): Iterable<CommandVerdict>;
}

/**
 * A whole verdict. `commands` is iterable again and again and builds each one when asked: a capture may hold
 * hundreds of thousands, and memory is bounded by what is kept of each, not by what is printed.
 */
export interface Verdict {
  schema: 'lasthop/verdict@1';
  generator: { name: 'lasthop'; version: string };
  hops: HopReport[];
  connections: ConnectionReport[];
  /** In order of time. */
  commands: CommandList;
  findings: Finding[];
  hypotheses: Hypothesis[];
  /** Failing agents beside healthy ones. */
  agents?: AgentReport[];
  /** How connections ended, in order of time. */
  closes?: CloseReport[];
  /** Only where it was asked for. */
  latency?: Latency;
  summary: Summary;
}
