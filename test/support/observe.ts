/** What the observer says of tapes, in a form that a test can state: no files needed. */

import { missedIn } from '../../src/hop/loss-times.js';
import { MessageFlag } from '../../src/hop/message-table.js';
import type { HopObservation, ObservedConnection } from '../../src/hop/observation.js';
import { Observer } from '../../src/hop/observer.js';
import { autoProfile, type Profile } from '../../src/message/profile.js';
import type { KeyLog } from '../../src/tls/key-log.js';
import type { Tape } from './tape.js';

export interface Row {
  opcode: number;
  type: string | null;
  id: string | null;
  span: [number, number];
  length: number;
  flags: string[];
  sentMs: number;
  ackedMs: number;
  data: number[];
  ack: number;
  octetsSeen: number;
  retransmissions: number;
}

export interface Observed {
  observation: HopObservation;
  connections: ObservedConnection[];
  fromServer(connection?: number): Row[];
  fromClient(connection?: number): Row[];
}

const FLAGS = ['partial', 'damaged', 'compressed', 'fragmented', 'unreadable', 'masked', 'rest'] as const;

export function observe(tape: Tape, profile: Profile = autoProfile, keyLog?: KeyLog): Observed {
  const observer = new Observer(profile, keyLog);
  tape.play(observer);
  const connections = observer.finish();
  const { context } = observer;
  const { messages, strings } = context;
  const rowsOf = (side: 'fromServer' | 'fromClient') => (index: number) =>
    [...connections[index][side].rows].map((row): Row => {
      return {
        opcode: messages.opcode[row],
        type: messages.type[row] < 0 ? null : strings.text(messages.type[row]),
        id: messages.id[row] < 0 ? null : strings.text(messages.id[row]),
        span: [messages.startOffset[row], messages.endOffset[row]],
        length: messages.length[row],
        flags: FLAGS.filter((flag) => messages.has(row, MessageFlag[flag])),
        sentMs: messages.sentNs[row] / 1e6,
        ackedMs: messages.tcpAckNs[row] / 1e6,
        data: messages.dataRefs(row),
        ack: messages.tcpAckRef[row],
        octetsSeen: messages.octetsSeen[row],
        retransmissions: messages.retransmissions[row],
      };
    });
  const fromServer = rowsOf('fromServer');
  const fromClient = rowsOf('fromClient');
  const observation: HopObservation = {
    hop: 'origin',
    epochSeconds: observer.epochSeconds,
    files: [],
    timeDigits: 6,
    firstNs: observer.firstNs,
    lastNs: observer.lastNs,
    packets: observer.packets,
    tcpPackets: observer.tcpPackets,
    bareTcpAcks: observer.bareTcpAcks,
    withoutTcp: '',
    connections,
    messages,
    records: context.records,
    strings,
    candidates: context.candidates,
    dispatches: context.dispatches,
    missedOctets: observer.missedOctets,
    missedIn: missedIn(connections),
    tooBig: observer.tooBig,
    setBacks: observer.context.clock.setBacks,
    resumed: observer.steady.setBacks,
    clockSteps: observer.context.clock.steps.finish(),
    issues: observer.decoder.issues.issues,
    issueCounts: observer.decoder.issues.counts,
    droppedPackets: null,
    hasKeys: false,
  };
  return {
    observation,
    connections,
    fromServer: (connection = 0) => fromServer(connection),
    fromClient: (connection = 0) => fromClient(connection),
  };
}
