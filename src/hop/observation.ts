/**
 * The waist of lasthop: what one hop's capture says, without payloads. In: observer.ts. Out: path/ and delivery/.
 * Times are nanoseconds since `epochSeconds`; packets are running numbers over all files of the hop, from 1.
 */

import type { CaptureSummary } from '../capture/capture-summary.js';
import type { Issue } from '../evidence/issue.js';
import type { OpeningHandshake } from '../http/opening-handshake.js';
import type { ByteStringTable } from '../message/byte-string-table.js';
import type { BlockedInterval } from '../tcp/blocked.js';
import type { ClockStep } from '../tcp/clock-steps.js';
import type { Gap } from '../tcp/half-stream.js';
import type { Losses } from '../tcp/losses.js';
import type { TlsFacts } from '../tls/facts.js';
import type { RecordOverhead } from '../tls/record-overhead.js';
import type { MessageTable } from './message-table.js';
import type { RecordTable } from './record-table.js';
import type { SetBack } from './steady-clock.js';

export interface ObservedFile {
  file: string;
  /** Running number of its first packet, less one. */
  base: number;
  summary: CaptureSummary;
}

/** Octets [from, to) of a direction in which messages may stand that were not read. */
export interface BlindSpan {
  from: number;
  to: number;
  fromNs: number;
  toNs: number;
  why: string;
  /** The packet that began it, 0 if it is not known any more. */
  ref: number;
}

/** What had left and was not TCP-ACKed when nothing more was seen. */
export interface UnackedTail {
  /** Octets above the cumulative TCP ACK, and how many of them SACKs cover. */
  octets: number;
  sackedOctets: number;
  /** The first octet of them: how often it left, in which packets (the first ones), and when last. */
  transmissions: number;
  refs: number[];
  lastSentNs: number;
  /** The largest and the smallest segment that carried it, and the smallest of all that wait (SACKed or not). */
  segmentOctets: number;
  leastSegmentOctets: number;
  smallestOctets: number;
}

export interface ObservedHalf {
  /** Stream offset of the first octet of the WebSocket part; NaN where its beginning was not seen. */
  webSocketFrom: number;
  /** Bits of evidence by which the frame boundary was found in mid-stream, the least of several times; NaN where it was never looked for. */
  foundByBits: number;
  /** Sequence number of offset 0, unsigned; -1 where nothing was seen. */
  baseSequence: number;
  /** Stream offset up to which octets are known, and the octets that a TCP ACK covers; of a decrypted stream its own. */
  next: number;
  ackedTo: number;
  /** Octets that the ACK number of the other side's RST covers; of a decrypted stream its own. */
  resetTo: number;
  packets: number;
  /** IPv4 Time to Live or IPv6 Hop Limit of the first packet: what routers on its way left of it. */
  hopLimit: number;
  firstSeenNs: number;
  lastSeenNs: number;
  /** When new octets were last seen, and when the last whole Text or Binary message was complete; NaN for never. */
  lastOctetsNs: number;
  lastMessageNs: number;
  /** From when to when whole messages went by that are no JSON: what they say is not known. Null where none did. */
  opaque: { fromNs: number; toNs: number } | null;
  /** Null where all was TCP-ACKed. */
  unacked: UnackedTail | null;
  /** The latest time until which the capture proves that nothing else was sent; NaN where never. */
  wholeUntilNs: number;
  finNs: number;
  gaps: Gap[];
  blind: BlindSpan[];
  blocked: BlockedInterval[];
  missedOctets: number;
  cutOctets: number;
  /** Packets that are known to have been sent again, wherever the first copy was lost. */
  retransmissions: number;
  /** What was sent again or came out of order; null where nothing was, or its octets were not followed. */
  losses: Losses | null;
  duplicates: number;
  counts: { text: number; binary: number; ping: number; pong: number; close: number };
  closeCode: number | null;
  /** Rows of the message table, in stream order; and those of them that could not be read whole. */
  rows: Int32Array;
  unsound: Int32Array;
  /** Rows of segments from which no message was read: where they stood, when they left, their TCP ACK. Not among `rows`. */
  unread: Int32Array;
}

export type Protocol = 'websocket' | 'http' | 'http2' | 'tls' | 'upgrade-refused' | 'other' | 'none';

/** Of a TLS connection that could not be read: its records, rows of the record table in stream order. */
export interface ObservedRecords {
  /** What of a record is not plaintext: one where it was negotiated in sight, else what is possible, likeliest first. */
  overheads: readonly RecordOverhead[];
  fromServer: Int32Array;
  fromClient: Int32Array;
}

/** One direction of an encrypted connection whose records were aligned with the messages of a plain one (path/). */
export interface AlignedHalf {
  /** Records that end where a message ends. */
  records: number;
  /** By place in the half's rows: how many of them came before, and how many bits the best other reading is short of. */
  before: Int32Array;
  margin: Float64Array;
  /** Records that may have carried anything. */
  unidentified: BlindSpan[];
}

export interface RecordAlignment {
  /** What was aligned: encrypted records, or the segments (and frames) of a connection whose packets were cut. */
  of: 'records' | 'segments';
  /** What of a record was taken for no plaintext. */
  overhead: string;
  plainHop: string;
  plain: ObservedConnection;
  fromServer: AlignedHalf;
  fromClient: AlignedHalf;
}

export interface ObservedConnection {
  index: number;
  clientAddress: string;
  clientPort: number;
  serverAddress: string;
  serverPort: number;
  /** How it is known who the TCP client is. */
  rolesFrom: 'syn' | 'tls' | 'http' | 'masking' | 'ports';
  /** Initial sequence numbers of client and server; -1 where not captured. */
  initialSequence: { client: number; server: number };
  /** What it carries; `tls` where that could not be read. */
  protocol: Protocol;
  /** Of an encrypted connection. */
  tls: TlsFacts | null;
  /** Null where it is not encrypted, or was decrypted. */
  records: ObservedRecords | null;
  /** Where its messages are told by the sizes of its records: everything about them is inferred. Set by path/. */
  alignment: RecordAlignment | null;
  openedNs: number;
  closedNs: number;
  closedBy: 'fin' | 'rst' | null;
  /** Packets of no connection that the other side knows: it answers nothing but RSTs. */
  stray: boolean;
  /** Whose FIN or RST came first; null also where the capture holds one direction only. */
  closedFrom: 'client' | 'server' | null;
  /** Packets that opened and closed it: the first SYN (or SYN-ACK), the first FIN or the RST; 0 where not captured. */
  openedRef: number;
  closedRef: number;
  firstNs: number;
  lastNs: number;
  packets: number;
  handshake: OpeningHandshake | null;
  /** Sec-WebSocket-Accept of a 101 whose request the capture does not hold. */
  accept: string | null;
  /** Packets of the opening handshake: request, response. */
  handshakeRefs: number[];
  agentNames: string[];
  /** Of its software, as its authentication message says; null where that says none. */
  agentVersion: string | null;
  /** One side began with an SSH identification string (RFC 4253 section 4.2). */
  greetedAsSsh: boolean;
  /** Packets that the capturing host sent (+) or got (-) as the server, by link-layer direction; 0 where unknown. */
  serverSide: number;
  fromServer: ObservedHalf;
  fromClient: ObservedHalf;
  /** Pings of the server: sent, covered by a TCP ACK, answered by a Pong; round trips in nanoseconds. */
  pings: { sent: number; tcpAcked: number; answered: number; roundTripsNs: number[] };
}

/** An HTTP request that asks for a command (INCIDENT.md: POST /api/agents/:id/command). */
export interface ObservedDispatch {
  connection: number;
  askedNs: number;
  askedRef: number;
  answeredNs: number;
  answeredRef: number;
  status: number;
  target: string;
  agent: string | null;
  /** Command ID from the response or the request; null where neither names one. */
  id: string | null;
}

/** An ICMP message that a packet was too big to go on (RFC 1191, RFC 8201), about a packet of which it quotes the TCP header. */
export interface ObservedTooBig {
  timeNs: number;
  ref: number;
  /** Of the packet that was not delivered: who sent it, and to whom. */
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
  packetOctets: number;
  /** Null where the router does not say (before RFC 1191). */
  nextHopMtu: number | null;
}

export interface CandidateColumns {
  count: number;
  row: Int32Array;
  key: Int32Array;
  value: Int32Array;
}

/** Where the octets are that the capture missed, and when: before another capture of the same connections filled them in. */
export interface MissedIn {
  holes: number;
  connections: number;
  times: readonly { fromNs: number; toNs: number }[];
}

export interface HopObservation {
  hop: string;
  epochSeconds: number;
  files: ObservedFile[];
  timeDigits: 6 | 9;
  firstNs: number;
  lastNs: number;
  packets: number;
  tcpPackets: number;
  /** What the files hold where that is 0, in words. */
  withoutTcp: string;
  connections: ObservedConnection[];
  messages: MessageTable;
  records: RecordTable;
  /** Types, IDs and candidates' keys by number. */
  strings: ByteStringTable;
  /** For messages of unfamiliar type: values that may be an ID, with their keys. */
  candidates: CandidateColumns;
  dispatches: ObservedDispatch[];
  tooBig: ObservedTooBig[];
  /** Octets that receivers TCP-ACKed and the capture does not hold, over all its connections: but for directions of which it holds no packet. */
  missedOctets: number;
  missedIn: MissedIn;
  /** Packets without octets that only TCP-ACK, over all connections: a filter may leave out every one. */
  bareTcpAcks: number;
  /** Times that passed twice, by this capture's clock: it was set back. */
  setBacks: { fromNs: number; toNs: number }[];
  /** It was set back while streams went on: times go on from there, and are shown as they were stamped. */
  resumed: readonly SetBack[];
  /** It was set forward between two packets, as the senders' timestamps tell. */
  clockSteps: readonly ClockStep[];
  /** What was wrong with packets below TCP, each kind a few times; and how often, by code. */
  issues: readonly Issue[];
  issueCounts: ReadonlyMap<string, number>;
  /** Packets that the capture says it dropped (pcapng statistics); null where it says nothing. */
  droppedPackets: number | null;
  /** Keys were given for it, or stand in its files. */
  hasKeys: boolean;
}
