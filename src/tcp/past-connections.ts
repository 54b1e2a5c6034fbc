/**
 * Connections that are over, in columns: enough to know a late packet of theirs from a new connection on the same four-tuple.
 * In: connection-table.ts. A port scan, or a day of short requests, leaves a hundred thousand of them.
 */

import { Flag, type Segment } from '../packet/segment.js';
import type { TcpConnection } from './connection.js';
import { hashOf } from './four-tuple.js';
import { FAR_OCTETS } from './half-stream.js';
import { distance } from './sequence.js';

/** Words of a row: two addresses, both ports, the sequence numbers that either direction would go on with, which ISNs are known. */
const WORDS = 16;
const PORTS = 8;
const NEXT = 9;
const INITIAL = 11;
const KNOWN = 13;
const INDEX = 14;

export class PastConnections {
  private words = new Int32Array(64 * WORDS);
  private count = 0;

  /** Returns the row. */
  add(connection: TcpConnection): number {
    const row = this.count++;
    if (this.count * WORDS > this.words.length) {
      const words = new Int32Array(this.words.length * 2);
      words.set(this.words);
      this.words = words;
    }
    const { words } = this;
    const at = row * WORDS;
    words.set(connection.addressA, at);
    words.set(connection.addressB, at + 4);
    words[at + PORTS] = connection.portA | (connection.portB << 16);
    words[at + INDEX] = connection.index;
    for (const half of connection.halves) {
      words[at + NEXT + half.direction] = half.endSequence;
      words[at + INITIAL + half.direction] = half.initialSequence | 0;
      if (half.initialSequence >= 0) words[at + KNOWN] |= 1 << half.direction;
    }
    return row;
  }

  indexOf(row: number): number {
    return this.words[row * WORDS + INDEX];
  }

  /** Direction of the segment on this connection; -1 if it is another's. */
  directionOf(row: number, segment: Segment): -1 | 0 | 1 {
    const { words } = this;
    const at = row * WORDS;
    const { source, destination, sourcePort, destinationPort } = segment;
    const ports = words[at + PORTS];
    if (
      ports === (sourcePort | (destinationPort << 16)) &&
      isAddress(words, at, source) &&
      isAddress(words, at + 4, destination)
    )
      return 0;
    return ports === (destinationPort | (sourcePort << 16)) &&
      isAddress(words, at, destination) &&
      isAddress(words, at + 4, source)
      ? 1
      : -1;
  }

  /** Whether the segment begins another connection: what is sent again, and copies, do not. */
  isFollowedBy(row: number, segment: Segment, direction: 0 | 1): boolean {
    const { words } = this;
    const at = row * WORDS;
    const sequence = segment.sequence | 0;
    if ((segment.flags & Flag.rst) !== 0) return false;
    if ((segment.flags & Flag.syn) !== 0)
      return (words[at + KNOWN] & (1 << direction)) === 0 || words[at + INITIAL + direction] !== sequence;
    if (segment.payloadLength === 0) return false;
    const ahead = distance(sequence + segment.payloadLength, words[at + NEXT + direction]);
    if (ahead > 0) return true;
    const acknowledged = distance(segment.acknowledgment | 0, words[at + NEXT + (direction ^ 1)]);
    return -ahead > FAR_OCTETS && Math.abs(acknowledged) > FAR_OCTETS;
  }

  /** Where the table has it. */
  hash(row: number): number {
    const words = this.words.subarray(row * WORDS, (row + 1) * WORDS);
    const portA = words[PORTS] & 0xffff;
    const portB = words[PORTS] >>> 16;
    return hashOf(words.subarray(0, 4), words.subarray(4, 8), portA, portB);
  }
}

function isAddress(words: Int32Array, at: number, address: Int32Array): boolean {
  return (
    words[at + 3] === address[3] &&
    words[at + 2] === address[2] &&
    words[at + 1] === address[1] &&
    words[at] === address[0]
  );
}
