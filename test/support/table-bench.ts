/** A connection table that plays tapes, and what its consumers were told. */

import { PacketDecoder } from '../../src/packet/decode.js';
import { Decoded } from '../../src/packet/decode-result.js';
import { Segment } from '../../src/packet/segment.js';
import type { TcpConnection } from '../../src/tcp/connection.js';
import { ConnectionTable } from '../../src/tcp/connection-table.js';
import { PacketClock } from '../../src/tcp/packet-clock.js';
import { Recorder } from './half.js';
import type { Tape } from './tape.js';

export interface Played {
  connections: TcpConnection[];
  /** By connection: what each direction said, 0 the side that the capture saw first. */
  texts: [string, string][];
  recorders: Recorder[];
  finished: number[];
  /** Indices of connections that were over when a packet of theirs came. */
  late: number[];
}

/** `ended` is told of each connection that is over, and when. */
export function play(tape: Tape, ended?: (index: number, atMs: number) => void): Played {
  const clock = new PacketClock();
  const recorders: Recorder[] = [];
  const texts: [string, string][] = [];
  const finished: number[] = [];
  const connections: TcpConnection[] = [];
  const late: number[] = [];
  const table = new ConnectionTable(
    clock,
    (connection) => {
      const recorder = new Recorder();
      const text: [string, string] = ['', ''];
      recorders[connection.index] = recorder;
      texts[connection.index] = text;
      return {
        data(half, bytes, start, end, offset) {
          text[half.direction] += new TextDecoder().decode(bytes.subarray(start, end));
          recorder.data(half, bytes, start, end, offset);
        },
        gap: (half, from, to, kind) => recorder.gap(half, from, to, kind),
        acked: (half) => recorder.acked(half),
        sentAgain: (half, from, to) => recorder.sentAgain(half, from, to),
      };
    },
    (connection) => {
      connections[connection.index] = connection;
      finished.push(connection.index);
      ended?.(connection.index, clock.timeNs / 1e6);
    },
    (index) => late.push(index),
  );
  const decoder = new PacketDecoder();
  const segment = new Segment();
  tape.play({
    packet(record) {
      clock.timeNs = record.timeNs;
      clock.ref = record.number;
      if (decoder.decode(record, segment) === Decoded.tcp) table.segment(segment);
    },
  });
  table.finish();
  return { connections, texts, recorders, finished, late };
}
