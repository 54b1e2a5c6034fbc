/**
 * A row for a message that one hop read, in the table of another hop that could not. In: tls-rows.ts and carry-over.ts. Out: the row, in which
 * they write what the other hop's packets tell of it.
 */

import { MessageFlag } from '../hop/message-table.js';
import type { HopObservation } from '../hop/observation.js';

/** A new row of `into`, which says what row `from` of `source` says of the message itself: nothing of packets, times and TCP ACKs. */
export function copyRow(source: HopObservation, from: number, into: HopObservation, connection: number): number {
  const a = source.messages;
  const b = into.messages;
  const row = b.add();
  b.connection[row] = connection;
  b.opcode[row] = a.opcode[from];
  b.flags[row] = a.flags[from] & ~(MessageFlag.partial | MessageFlag.damaged);
  b.startOffset[row] = a.startOffset[from];
  b.endOffset[row] = a.endOffset[from];
  b.length[row] = a.length[from];
  b.digest[row] = a.digest[from];
  b.maskingKey[row] = a.maskingKey[from];
  const sameStrings = source.strings === into.strings;
  const string = (index: number) => (index < 0 || sameStrings ? index : into.strings.internFrom(source.strings, index));
  b.type[row] = string(a.type[from]);
  b.id[row] = string(a.id[from]);
  const spans = a.spans.get(from);
  if (spans !== undefined) b.spans.set(row, spans);
  return row;
}
