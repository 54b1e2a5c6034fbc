/**
 * Finds the connection of a segment: open addressing over 32-bit hashes, no strings, nothing allocated for a packet
 * of a known connection. In: hop/. Out: connection.ts.
 */

import { Flag, type Segment } from '../packet/segment.js';
import { TcpConnection } from './connection.js';
import type { StreamConsumer } from './half-stream.js';
import type { PacketClock } from './packet-clock.js';

export class ConnectionTable {
  readonly connections: TcpConnection[] = [];
  private slots = new Int32Array(256);
  private used = 0;
  private direction: 0 | 1 = 0;

  constructor(
    private readonly clock: PacketClock,
    /** Who follows a new connection's streams. */
    private readonly opened: (connection: TcpConnection) => StreamConsumer,
    /** The connection got its last packet: reopened on the same four-tuple, or the capture is over. */
    private readonly finished: (connection: TcpConnection) => void,
  ) {}

  segment(segment: Segment): TcpConnection {
    let at = this.slotOf(segment);
    let index = this.slots[at] - 1;
    if (index < 0) {
      if ((this.used + 1) * 2 > this.slots.length) {
        this.enlarge();
        at = this.slotOf(segment);
      }
      this.used++;
      index = this.open(segment, at);
      this.direction = 0;
    }
    let connection = this.connections[index];
    const { direction } = this;
    const reopened =
      (segment.flags & (Flag.syn | Flag.ack)) === Flag.syn
        ? connection.isReopenedBy(segment, direction)
        : connection.isReplacedBy(segment, direction);
    if (reopened) {
      connection.finish();
      this.finished(connection);
      index = this.open(segment, at);
      connection = this.connections[index];
      connection.segment(segment, 0);
      return connection;
    }
    connection.segment(segment, direction);
    return connection;
  }

  /** The capture is over: every connection that is still in the table gets its end. */
  finish(): void {
    for (const slot of this.slots) {
      if (slot === 0) continue;
      const connection = this.connections[slot - 1];
      connection.finish();
      this.finished(connection);
    }
    this.slots = new Int32Array(0);
  }

  private open(segment: Segment, at: number): number {
    const index = this.connections.length;
    const connection = new TcpConnection(index, segment, this.clock);
    const consumer = this.opened(connection);
    for (const half of connection.halves) half.consumer = consumer;
    this.connections.push(connection);
    this.slots[at] = index + 1;
    return index;
  }

  /** Whether a slot's connection is the segment's; then `direction` says who sent it. */
  private matches(at: number, segment: Segment): boolean {
    const slot = this.slots[at];
    if (slot === 0) return false;
    const { addressA, addressB, portA, portB } = this.connections[slot - 1];
    const { source, destination, sourcePort, destinationPort } = segment;
    if (
      portA === sourcePort &&
      portB === destinationPort &&
      sameWords(addressA, source) &&
      sameWords(addressB, destination)
    ) {
      this.direction = 0;
      return true;
    }
    this.direction = 1;
    return (
      portB === sourcePort &&
      portA === destinationPort &&
      sameWords(addressB, source) &&
      sameWords(addressA, destination)
    );
  }

  /** The slot that holds the segment's four-tuple, or the empty one where it belongs. */
  private slotOf(segment: Segment): number {
    const mask = this.slots.length - 1;
    const { source, destination } = segment;
    let at =
      hash(
        source[0] ^ destination[0],
        source[1] ^ destination[1],
        source[2] ^ destination[2],
        source[3] ^ destination[3],
        segment.sourcePort ^ segment.destinationPort,
        segment.sourcePort + segment.destinationPort,
      ) & mask;
    for (;;) {
      const slot = this.slots[at];
      if (slot === 0) return at;
      if (this.matches(at, segment)) return at;
      at = (at + 1) & mask;
    }
  }

  private enlarge(): void {
    const old = this.slots;
    this.slots = new Int32Array(old.length * 2);
    const mask = this.slots.length - 1;
    for (const slot of old) {
      if (slot === 0) continue;
      const { addressA: a, addressB: b, portA, portB } = this.connections[slot - 1];
      let at = hash(a[0] ^ b[0], a[1] ^ b[1], a[2] ^ b[2], a[3] ^ b[3], portA ^ portB, portA + portB) & mask;
      while (this.slots[at] !== 0) at = (at + 1) & mask;
      this.slots[at] = slot;
    }
  }
}

/** Symmetrical by what it is given: both directions of a connection meet in one slot. */
function hash(w0: number, w1: number, w2: number, w3: number, portsXor: number, portsSum: number): number {
  let h = Math.imul(w0 ^ Math.imul(w1, 0x9e3779b1) ^ Math.imul(w2, 0x85ebca6b), 0xc2b2ae35) ^ w3;
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ portsXor ^ (portsSum << 13), 0x297a2d39);
  return h ^ (h >>> 16);
}

function sameWords(a: Int32Array, b: Int32Array): boolean {
  return a[3] === b[3] && a[2] === b[2] && a[1] === b[1] && a[0] === b[0];
}
