/**
 * What TCP says of a row's octets: when they left, in which packets, how often again. In: sent-rows.ts for messages, record-log.ts for
 * TLS records that nobody decrypts. Out: the columns that both tables have.
 */

import type { SegmentLedger } from '../tcp/segment-ledger.js';

export interface SentColumns {
  readonly sentNs: Float64Array;
  readonly retransmissions: Uint16Array;
  /** The first `count` of the list. */
  setDataRefs(row: number, refs: ArrayLike<number>, count: number): void;
}

/** Writes what the ledger knows of TCP's octets [from, to); how many of them were seen. */
export function noteSent(columns: SentColumns, row: number, ledger: SegmentLedger, from: number, to: number): number {
  const carriers = ledger.carriersInTurn(from, to);
  if (carriers > 0) {
    columns.sentNs[row] = ledger.soleTimeNs;
    columns.setDataRefs(row, ledger.carriers, carriers);
    return to - from;
  }
  const range = ledger.range(from, to);
  columns.sentNs[row] = range.firstSentNs;
  columns.retransmissions[row] = Math.min(range.retransmissions, 0xffff);
  columns.setDataRefs(row, range.refs, range.refs.length);
  return range.octetsSeen;
}
