/** Feeds a reader with octets in any cut and notes all that it gives, for comparing one cut with another. */

import type { CaptureReader, ReaderOptions } from '../../src/capture/capture-reader.js';
import type { PacketRecord } from '../../src/capture/packet-record.js';
import type { Issue } from '../../src/evidence/issue.js';

export interface Seen {
  number: number;
  timeNs: number;
  timed: boolean;
  wireLength: number;
  linkType: number;
  interfaceId: number;
  direction: number;
  hex: string;
}

export interface Reading {
  packets: Seen[];
  issues: readonly Issue[];
  reader: CaptureReader;
}

export function seen(record: PacketRecord): Seen {
  const { number, timeNs, timed, wireLength, linkType, interfaceId, direction } = record;
  const hex = Buffer.from(record.bytes.slice(record.start, record.end)).toString('hex');
  return { number, timeNs, timed, wireLength, linkType, interfaceId, direction, hex };
}

/** `cuts` are the lengths of the pieces, repeated until the input ends; without them all comes at once. */
export function feed(
  create: new (options: ReaderOptions) => CaptureReader,
  octets: Uint8Array,
  cuts: readonly number[] = [octets.length || 1],
  epochSeconds: number | null = null,
): Reading {
  const packets: Seen[] = [];
  const reader = new create({ sink: { packet: (record) => packets.push(seen(record)) }, epochSeconds });
  let rest = new Uint8Array(0);
  for (let at = 0, turn = 0; at < octets.length; turn++) {
    const piece = octets.subarray(at, at + Math.max(1, cuts[turn % cuts.length]));
    at += piece.length;
    // A new buffer each time, the octets at another place in it: nothing may depend on either.
    const lead = turn % 5;
    const buffer = new Uint8Array(lead + rest.length + piece.length + 3).fill(0xee);
    buffer.set(rest, lead);
    buffer.set(piece, lead + rest.length);
    const end = lead + rest.length + piece.length;
    const position = reader.read(buffer, lead, end);
    if (position < lead || position > end) throw new Error('the reader left its octets');
    rest = buffer.slice(position, end);
  }
  reader.finish(rest, 0, rest.length);
  return { packets, issues: reader.issues.issues, reader };
}

/** What must be the same however the input was cut. */
export function outcome(reading: Reading): unknown {
  const { packets, cutPackets, firstTimeNs, lastTimeNs, minTimeNs, maxTimeNs, backwardsTimestamps, stopped, offset } =
    reading.reader;
  const { interfaces, secrets, epochSeconds, timeDigits, droppedBeforePackets } = reading.reader;
  return structuredClone({
    seen: reading.packets,
    issues: reading.issues,
    figures: {
      packets,
      cutPackets,
      firstTimeNs,
      lastTimeNs,
      minTimeNs,
      maxTimeNs,
      backwardsTimestamps,
      stopped,
      offset,
    },
    described: { interfaces, secrets, epochSeconds, timeDigits, droppedBeforePackets },
  });
}
