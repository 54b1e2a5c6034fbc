/**
 * What an encrypted connection carried, as its alignment with a plain one tells it: rows of the message table, as if its messages had
 * been read, with the times, packets and TCP ACKs of the records that carried them. In: walks of both directions. Out: the connection
 * as `websocket`, with `alignment`; what could not be told for certain has no row, and stands in `unidentified`.
 * Stream offsets of the rows are those of the plain connection.
 */

import { MessageFlag, type MessageTable } from '../hop/message-table.js';
import type {
  AlignedHalf,
  BlindSpan,
  HopObservation,
  ObservedConnection,
  ObservedHalf,
  RecordAlignment,
} from '../hop/observation.js';
import { RecordFlag } from '../hop/record-table.js';
import type { RecordOverhead } from '../tls/record-overhead.js';
import { SEGMENTS } from './cut-align.js';
import { Fate, type Records, type Walk } from './record-walk.js';
import { copyRow } from './row-copy.js';
import type { MessageUnits } from './tls-units.js';

/** Another reading must be short of the best one by so much. */
const CERTAIN_BITS = 8;
/** What was stepped over is not forwarded where so many records before and as many behind it fit. */
const CERTAIN_NEIGHBOURS = 1;
const RECORD_HEADER = 5;

/** Of a record: which octets of the plain leg it carried is not told for certain, or is, and what they were is known or not. */
const Told = { no: 0, known: 1, unread: 2 } as const;

export interface WalkedHalf {
  units: MessageUnits;
  records: Records;
  walk: Walk;
  slackNs: number;
}

export interface Walked {
  plain: { observation: HopObservation; connection: ObservedConnection; hop: number };
  encrypted: { observation: HopObservation; connection: ObservedConnection; hop: number };
  overhead: RecordOverhead;
  fromServer: WalkedHalf;
  fromClient: WalkedHalf;
}

export function alignedConnection(walked: Walked): ObservedConnection {
  const { encrypted, plain } = walked;
  const newRows = new Map<number, number>();
  const server = alignedHalf(walked, 'fromServer', newRows);
  const client = alignedHalf(walked, 'fromClient', newRows);
  const { messages } = encrypted.observation;
  for (const [row, copy] of newRows) {
    const pair = newRows.get(plain.observation.messages.pair[row]);
    if (pair !== undefined) messages.pair[copy] = pair;
  }
  const alignment: RecordAlignment = {
    of: isCut(walked) ? 'segments' : 'records',
    overhead: walked.overhead.name,
    plainHop: plain.observation.hop,
    plain: plain.connection,
    fromServer: server.aligned,
    fromClient: client.aligned,
  };
  return {
    ...encrypted.connection,
    protocol: 'websocket',
    alignment,
    agentNames: plain.connection.agentNames,
    fromServer: server.half,
    fromClient: client.half,
    pings: pingsOf(server.half, encrypted.observation),
  };
}

function isCut({ overhead }: Walked): boolean {
  return overhead === SEGMENTS;
}

function pingsOf({ rows }: ObservedHalf, { messages }: HopObservation): ObservedConnection['pings'] {
  const pings: ObservedConnection['pings'] = { sent: 0, tcpAcked: 0, answered: 0, roundTripsNs: [] };
  for (const row of rows) {
    if (messages.opcode[row] !== 9) continue;
    pings.sent++;
    if (!Number.isNaN(messages.tcpAckNs[row])) pings.tcpAcked++;
    const pong = messages.pair[row];
    if (pong < 0) continue;
    pings.answered++;
    pings.roundTripsNs.push(messages.sentNs[pong] - messages.sentNs[row]);
  }
  return pings;
}

function alignedHalf(
  walked: Walked,
  way: 'fromServer' | 'fromClient',
  newRows: Map<number, number>,
): { half: ObservedHalf; aligned: AlignedHalf } {
  const { units, records, walk, slackNs } = walked[way];
  const { observation, connection } = walked.encrypted;
  const source = walked.plain.observation;
  const table = observation.records;
  const recordRows = (connection.records as NonNullable<ObservedConnection['records']>)[way];
  const original = connection[way];
  const ordinals = ordinalsOf(walk);
  const rows: number[] = [];
  const before: number[] = [];
  const margin: number[] = [];
  const identified = new Uint8Array(records.count);
  const certainUnits = new Uint8Array(units.count);
  const counts = { text: 0, binary: 0, ping: 0, pong: 0, close: 0 };
  let lastMessageNs = Number.NaN;
  let first = 0;
  for (let unit = 0; unit < units.count; unit++) {
    const last = walk.record[unit];
    if (last < 0) continue;
    while (first < last && !(walk.to[first] > units.start[unit])) first++;
    if (walk.margin[unit] < CERTAIN_BITS) continue;
    certainUnits[unit] = 1;
    const from = units.rows[unit];
    if (from < 0) continue;
    // Its first octet must stand in a record of the same walk.
    if (!(walk.from[first] <= units.start[unit]) || hasHole(walk, first, last)) continue;
    const row = copyRow(source, from, observation, connection.index);
    const { messages } = observation;
    newRows.set(from, row);
    carry(observation, row, recordRows, first, last, walked, way);
    rows.push(row);
    before.push(ordinals[last]);
    margin.push(walk.margin[unit]);
    count(counts, messages.opcode[row]);
    if (messages.opcode[row] < 8) lastMessageNs = table.sentNs[recordRows[last]];
  }
  const unread = unreadUnits(units, walked.plain.connection[way], source.messages);
  markIdentified(walk, units, certainUnits, unread, identified);
  const part = partOf(walked[way], isCut(walked));
  if (part !== null) {
    const row = copyRow(source, units.rows[part.unit], observation, connection.index);
    const { messages } = observation;
    newRows.set(units.rows[part.unit], row);
    carry(observation, row, recordRows, part.first, part.last, walked, way);
    messages.flags[row] |= MessageFlag.partial;
    messages.tcpAckNs[row] = Number.NaN;
    messages.octetsSeen[row] = part.octets;
    rows.push(row);
    before.push(ordinals[part.first] + walk.isAligned[part.first]);
    margin.push(CERTAIN_BITS);
    for (let i = part.first; i <= part.last; i++) identified[i] = Told.known;
  }
  const unidentified = spansOf(walked, way, identified, recordRows, original, slackNs);
  unidentified.push(...uncertainDrops(walked, way, ordinals));
  const position = positions(walk, recordRows, table.to, original.ackedTo);
  const opened = isCut(walked) ? isFromSyn(connection) : connection.tls?.handshake === 'seen';
  const whole = opened && units.count > 0 && walk.record[0] >= 0;
  return {
    half: {
      ...original,
      webSocketFrom: whole ? units.webSocketFrom : Number.NaN,
      next: position.next,
      ackedTo: position.ackedTo,
      lastMessageNs,
      counts,
      rows: Int32Array.from(rows),
      unsound: new Int32Array(0),
      // Lengths of what was cut are known: what it held is told by the walk, or stands in `unidentified`.
      gaps: original.gaps.filter(({ kind }) => kind !== 'cut'),
      ...(isCut(walked) ? { blind: [], unread: NONE } : {}),
    },
    aligned: {
      records: walk.aligned,
      before: Int32Array.from(before),
      margin: Float64Array.from(margin),
      unidentified,
    },
  };
}

const NONE = new Int32Array(0);

function isFromSyn({ initialSequence: { client, server } }: ObservedConnection): boolean {
  return client >= 0 && server >= 0;
}

function count(counts: ObservedHalf['counts'], opcode: number): void {
  if (opcode === 1) counts.text++;
  else if (opcode === 2) counts.binary++;
  else if (opcode === 9) counts.ping++;
  else if (opcode === 10) counts.pong++;
  else if (opcode === 8) counts.close++;
}

/** By record: how many before it ended where a message ends. */
function ordinalsOf(walk: Walk): Int32Array {
  const ordinals = new Int32Array(walk.isAligned.length);
  for (let i = 1; i < ordinals.length; i++) ordinals[i] = ordinals[i - 1] + walk.isAligned[i - 1];
  return ordinals;
}

function hasHole(walk: Walk, first: number, last: number): boolean {
  for (let i = first; i < last; i++) if (walk.inserted[i] === 0 && !(walk.to[i] >= walk.from[i])) return true;
  return false;
}

/** Times, packets and TCP ACK of the records first to last, which carried the message. */
function carry(
  observation: HopObservation,
  row: number,
  recordRows: Int32Array,
  first: number,
  last: number,
  walked: Walked,
  way: 'fromServer' | 'fromClient',
): void {
  const { messages, records: table } = observation;
  const { walk } = walked[way];
  const refs = new Set<number>();
  let tcpAckNs = Number.NEGATIVE_INFINITY;
  let missing = 0;
  for (let i = first; i <= last; i++) {
    if (walk.inserted[i] === 1) continue;
    const record = recordRows[i];
    for (const ref of table.dataRefs(record)) refs.add(ref);
    messages.retransmissions[row] = Math.min(0xffff, messages.retransmissions[row] + table.retransmissions[record]);
    const lacks = table.to[record] - table.from[record] - table.octetsSeen[record];
    if (lacks > 0 && (table.flags[record] & RecordFlag.partial) !== 0) {
      messages.flags[row] |= MessageFlag.partial;
      const seenTo = walk.from[i] + Math.max(0, table.octetsSeen[record] - RECORD_HEADER - headOf(walked.overhead));
      missing += Math.max(0, messages.endOffset[row] - Math.max(seenTo, messages.startOffset[row]));
    } else missing += lacks;
    const ackNs = table.tcpAckNs[record];
    if (Number.isNaN(ackNs)) tcpAckNs = Number.NaN;
    else if (ackNs > tcpAckNs) {
      tcpAckNs = ackNs;
      messages.tcpAckRef[row] = table.tcpAckRef[record];
    }
  }
  messages.sentNs[row] = table.sentNs[recordRows[first]];
  messages.tcpAckNs[row] = tcpAckNs;
  if (Number.isNaN(tcpAckNs)) messages.tcpAckRef[row] = 0;
  messages.octetsSeen[row] = Math.max(0, messages.octets(row) - missing);
  messages.setDataRefs(
    row,
    [...refs].sort((a, b) => a - b),
  );
}

/** Octets of a fragment before its plaintext. */
function headOf({ fixed, padding }: RecordOverhead): number {
  if (padding > 0) return 16;
  return fixed === 24 ? 8 : 0;
}

/** A message of which less was sent is not told from another one. */
const LEAST_PART_OCTETS = 1024;
const LEAST_BEFORE_PART = 2;

/** The stream ends within a message: which, and which records carried the part of it that left. */
function partOf({ units, records, walk, slackNs }: WalkedHalf, isPlain: boolean) {
  let last = records.count - 1;
  // A close_notify alert (RFC 8446 section 6.1) carries nothing of it.
  if (!isPlain && last >= 0 && records.most[last] === 2) last--;
  let at = last;
  while (at >= 0 && !(walk.to[at] > walk.from[at])) at--;
  if (at < 0 || walk.aligned < LEAST_BEFORE_PART) return null;
  let to = walk.to[at];
  for (let i = at + 1; i <= last; i++) {
    if (records.lost[i] === 1 || walk.inserted[i] === 1) return null;
    to += records.most[i];
  }
  let unit = 0;
  while (unit < units.count && units.end[unit] <= to) unit++;
  if (unit >= units.count || units.rows[unit] < 0 || walk.record[unit] !== Fate.none) return null;
  const octets = to - units.start[unit];
  // What goes before it must be where the walk stood.
  if (octets < LEAST_PART_OCTETS || (walk.to[at] < units.start[unit] && at < last)) return null;
  let first = at + 1;
  while (first > 0 && walk.from[first - 1] >= units.start[unit] && walk.to[first - 1] <= to) first--;
  if (first > last || records.timeNs[first] < units.timeNs[unit] - slackNs) return null;
  return { unit, first, last, octets };
}

/** Of which the plain leg itself does not tell what they are: holes, and messages that were not read to the end. */
function unreadUnits(
  { count, opaque, rows }: MessageUnits,
  { unsound }: ObservedHalf,
  messages: MessageTable,
): Uint8Array {
  const unread = opaque.slice(0, count);
  const notRead = new Set(unsound);
  for (let unit = 0; unit < count; unit++)
    if (rows[unit] >= 0 && messages.id[rows[unit]] < 0 && notRead.has(rows[unit])) unread[unit] = 1;
  return unread;
}

/** What is told of each record: nothing, where one of its messages is not told for certain. */
function markIdentified(
  walk: Walk,
  units: MessageUnits,
  certain: Uint8Array,
  unread: Uint8Array,
  identified: Uint8Array,
): void {
  let unit = 0;
  for (let record = 0; record < identified.length; record++) {
    if (!(walk.to[record] > walk.from[record])) continue;
    while (unit < units.count && units.end[unit] <= walk.from[record]) unit++;
    let told: number = Told.known;
    for (let at = unit; at < units.count && units.start[at] < walk.to[record] && told !== Told.no; at++)
      if (certain[at] === 0) told = Told.no;
      else if (unread[at] === 1) told = Told.unread;
    identified[record] = told;
  }
}

/** Records that may have carried anything. */
function spansOf(
  walked: Walked,
  way: 'fromServer' | 'fromClient',
  identified: Uint8Array,
  recordRows: Int32Array,
  half: ObservedHalf,
  slackNs: number,
): BlindSpan[] {
  const { records, walk } = walked[way];
  const { records: table } = walked.encrypted.observation;
  const [noun, nouns] = isCut(walked) ? ['segment', 'cut segments'] : ['TLS record', 'TLS records'];
  const spans: BlindSpan[] = [];
  for (let i = 0; i < records.count; i++) {
    if (identified[i] === Told.known || records.most[i] === 0) continue;
    const row = recordRows[i];
    const timeNs = records.timeNs[i];
    const lost = records.lost[i] === 1;
    const fromNs = lost && i > 0 ? records.timeNs[i - 1] : timeNs;
    const why = lost
      ? `octets of ${nouns} are missing from the capture`
      : identified[i] === Told.unread
        ? `a ${noun} at this time carried octets that were not read at ${walked.plain.observation.hop}`
        : walk.inserted[i] === 1 || Number.isNaN(walk.from[i])
          ? `a ${noun} at this time fits no message of ${walked.plain.observation.hop}`
          : `which message of ${walked.plain.observation.hop} a ${noun} at this time carried is not certain`;
    const [ref] = table.dataRefs(row);
    spans.push({
      from: table.from[row],
      to: table.to[row],
      fromNs: fromNs - slackNs,
      toNs: (lost ? (records.timeNs[i + 1] ?? half.lastSeenNs) : timeNs) + slackNs,
      why,
      ref: ref ?? 0,
    });
  }
  return spans;
}

/** Messages that the walk steps over without enough around them to call that proven. */
function uncertainDrops(walked: Walked, way: 'fromServer' | 'fromClient', ordinals: Int32Array): BlindSpan[] {
  const { units, walk, slackNs } = walked[way];
  const spans: BlindSpan[] = [];
  let last = 0;
  for (let unit = 0; unit < units.count; unit++) {
    if (walk.record[unit] >= 0) last = walk.record[unit];
    if (walk.record[unit] !== Fate.dropped) continue;
    const before = (ordinals[last] ?? 0) + (walk.isAligned[last] ?? 0);
    const after = walk.aligned - before;
    if (walk.margin[unit] >= CERTAIN_BITS && before >= CERTAIN_NEIGHBOURS && after >= CERTAIN_NEIGHBOURS) continue;
    spans.push({
      from: units.start[unit],
      to: units.end[unit],
      fromNs: units.timeNs[unit] - slackNs,
      toNs: units.timeNs[unit] + slackNs,
      why: `whether it was forwarded cannot be told from the sizes of the ${isCut(walked) ? 'segments' : 'TLS records'}`,
      ref: 0,
    });
  }
  return spans;
}

/** Plain offsets up to which the walk goes, and up to which records are wholly TCP-ACKed. */
function positions(walk: Walk, recordRows: Int32Array, ends: Float64Array, ackedWire: number) {
  let next = 0;
  let ackedTo = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < recordRows.length; i++) {
    if (!(walk.to[i] >= walk.from[i])) continue;
    next = walk.to[i];
    if (ends[recordRows[i]] <= ackedWire) ackedTo = walk.to[i];
  }
  return { next, ackedTo };
}
