/**
 * What record-walk.ts needs of both legs: the messages of a plain direction as units without holes, the records of an encrypted one with
 * the bounds of their plaintext. In: observations. Out: columns, times on the record clock.
 */

import type { MessageTable } from '../hop/message-table.js';
import type { ObservedHalf } from '../hop/observation.js';
import { RecordFlag, type RecordTable } from '../hop/record-table.js';
import { leastPlaintext, mostPlaintext, type RecordOverhead } from '../tls/record-overhead.js';
import type { Records, Units } from './record-walk.js';

const RECORD_HEADER = 5;

/** Units with the rows that they stand for: the first of them in `rows`, -1 for an opaque stretch. */
export interface MessageUnits extends Units {
  rows: Int32Array;
}

/** `clockNs`: what to add to the message's times to have them on the record clock. */
export function unitsOf(half: ObservedHalf, messages: MessageTable, clockNs: number): MessageUnits {
  const most = half.rows.length * 2 + 1;
  const units: MessageUnits = {
    count: 0,
    start: new Float64Array(most),
    end: new Float64Array(most),
    timeNs: new Float64Array(most),
    opaque: new Uint8Array(most),
    rows: new Int32Array(most),
    webSocketFrom: half.webSocketFrom,
  };
  let reached = half.webSocketFrom;
  let lastNs = Number.NEGATIVE_INFINITY;
  const add = (start: number, end: number, timeNs: number, row: number) => {
    const at = units.count++;
    units.start[at] = start;
    units.end[at] = end;
    units.timeNs[at] = timeNs;
    units.opaque[at] = row < 0 ? 1 : 0;
    units.rows[at] = row;
    reached = end;
  };
  for (const row of half.rows) {
    if (Number.isNaN(messages.sentNs[row])) continue;
    const start = messages.startOffset[row];
    const end = messages.endOffset[row];
    // A control frame between the fragments of a message is part of that stretch.
    if (start < reached) {
      if (end > reached && units.count > 0) units.end[units.count - 1] = reached = end;
      continue;
    }
    const timeNs = messages.sentNs[row] + clockNs;
    if (start > reached) add(reached, start, lastNs, -1);
    add(start, end, timeNs, row);
    lastNs = timeNs;
  }
  return units;
}

export function recordsOf(rows: Int32Array, table: RecordTable, overhead: RecordOverhead): Records {
  const records: Records = {
    count: rows.length,
    least: new Float64Array(rows.length),
    most: new Float64Array(rows.length),
    timeNs: new Float64Array(rows.length),
    lost: new Uint8Array(rows.length),
    acked: Uint8Array.from(rows, (row) => (Number.isNaN(table.tcpAckNs[row]) ? 0 : 1)),
  };
  let lastNs = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    const length = table.to[row] - table.from[row] - RECORD_HEADER;
    const isLost = (table.flags[row] & RecordFlag.lost) !== 0;
    records.lost[i] = isLost ? 1 : 0;
    records.least[i] = isLost ? 0 : leastPlaintext(overhead, length);
    records.most[i] = isLost ? table.to[row] - table.from[row] : mostPlaintext(overhead, length);
    // What was never seen leaving has no time of its own.
    if (!Number.isNaN(table.sentNs[row])) lastNs = table.sentNs[row];
    records.timeNs[i] = lastNs;
  }
  return records;
}
