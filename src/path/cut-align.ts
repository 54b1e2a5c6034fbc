/**
 * Connections of which the packets were cut so short that nothing ties them to another hop's: no masking key, no content. Their headers
 * still tell how many octets left when, so they are aligned with a connection that was read as encrypted ones are: what takes the place of
 * a TLS record is a segment, or a frame of which the head was read. In: observations, the clocks that read legs give. Out: the
 * observations' connections, replaced where they could be aligned.
 */

import type { HopObservation, ObservedConnection, ObservedHalf } from '../hop/observation.js';
import { RecordFlag } from '../hop/record-table.js';
import type { RecordOverhead } from '../tls/record-overhead.js';
import { groupConnections } from './group.js';
import type { Observations } from './nodes.js';

/** A record's header that segments do not have: what the table holds of them is all plaintext. */
const RECORD_HEADER = 5;
export const SEGMENTS: RecordOverhead = { name: 'segments', fixed: -RECORD_HEADER, padding: 0 };
/** What one record may hold. */
const MOST_OCTETS = 1 << 14;
/** Of a connection the share of octets that were not read. */
const LEAST_CUT = 0.5;

/** Makes records of what is known of such connections; gives back what puts those in their place that were not aligned. */
export function cutToRecords(observations: Observations): (() => void) | null {
  const cut = unlinked(observations);
  if (cut.length === 0) return null;
  for (const { observation, connection } of cut)
    observation.connections[connection.index] = {
      ...connection,
      protocol: 'none',
      records: {
        overheads: [SEGMENTS],
        fromServer: recordsOf(observation, connection.fromServer),
        fromClient: recordsOf(observation, connection.fromClient),
      },
    };
  return () => {
    for (const { observation, connection } of cut)
      if (observation.connections[connection.index].alignment === null)
        observation.connections[connection.index] = connection;
  };
}

interface Cut {
  observation: HopObservation;
  connection: ObservedConnection;
}

/** Cut, and linked with no other hop's connection by what can be read of it. */
function unlinked(observations: Observations): Cut[] {
  const cut = observations.flatMap((observation, hop) =>
    (observation?.connections ?? [])
      .filter((connection) => connection !== undefined && isCut(connection) && !names(observation, connection))
      .map((connection) => ({ hop, observation: observation as HopObservation, connection })),
  );
  if (cut.length === 0 || observations.filter((each) => each !== null).length < 2) return [];
  const linked = new Set<ObservedConnection>();
  for (const { sightings } of groupConnections(observations))
    if (sightings.some(({ hop }) => hop !== sightings[0].hop))
      for (const each of sightings) linked.add(each.connection);
  return cut.filter(({ connection }) => !linked.has(connection));
}

function isCut({ stray, tls, records, alignment, protocol, fromServer, fromClient }: ObservedConnection): boolean {
  if (stray || tls !== null || records !== null || alignment !== null) return false;
  if (protocol !== 'none' && protocol !== 'websocket') return false;
  const octets = fromServer.next + fromClient.next;
  return octets > 0 && fromServer.cutOctets + fromClient.cutOctets >= octets * LEAST_CUT;
}

/** A command's ID was read on it: that must not be given up for what lengths tell. */
function names(observation: HopObservation | null, { fromServer, fromClient }: ObservedConnection): boolean {
  const named = (row: number) => (observation as HopObservation).messages.id[row] >= 0;
  return fromServer.rows.some(named) || fromClient.rows.some(named);
}

/** Of one direction, in stream order: frames as far as their heads were read, else segments; and the holes between. */
function recordsOf({ messages, records }: HopObservation, half: ObservedHalf): Int32Array {
  const pieces = [...half.rows, ...half.unread].sort(
    (a, b) => messages.startOffset[a] - messages.startOffset[b] || messages.endOffset[a] - messages.endOffset[b],
  );
  const found: number[] = [];
  let reached = 0;
  const lost = (to: number) => {
    if (to > reached) found.push(records.add(reached, to, RecordFlag.lost));
    reached = Math.max(reached, to);
  };
  for (const piece of pieces) {
    const [start, end] = [messages.startOffset[piece], messages.endOffset[piece]];
    if (end <= reached) continue;
    lost(start);
    for (let from = Math.max(start, reached); from < end; from += MOST_OCTETS) {
      const to = Math.min(end, from + MOST_OCTETS);
      const row = records.add(from, to, 0);
      records.sentNs[row] = messages.sentNs[piece];
      records.tcpAckNs[row] = messages.tcpAckNs[piece];
      records.tcpAckRef[row] = messages.tcpAckRef[piece];
      records.retransmissions[row] = messages.retransmissions[piece];
      records.octetsSeen[row] = to - from;
      const refs = messages.dataRefs(piece);
      records.setDataRefs(row, refs, refs.length);
      found.push(row);
    }
    reached = end;
  }
  lost(half.next);
  return Int32Array.from(found);
}
