/**
 * Finds the connection of a segment: open addressing over 32-bit hashes, no strings, nothing allocated for a packet
 * of a known connection. In: hop/. Out: connection.ts.
 */

import { Flag, type Segment } from '../packet/segment.js';
import { TcpConnection } from './connection.js';
import { hash, hashOf } from './four-tuple.js';
import type { HalfStream, StreamConsumer } from './half-stream.js';
import type { PacketClock } from './packet-clock.js';
import { PastConnections } from './past-connections.js';

/** So many connections are opened before it is worth while to look which are over. */
const LEAST_OPENED = 512;

export class ConnectionTable {
  /** By index; emptied when a connection is over. */
  private readonly connections: (TcpConnection | undefined)[] = [];
  /** Those that are not over, or were not when it was last looked; and how many were opened since. */
  private live: TcpConnection[] = [];
  private opened = 0;
  private readonly past = new PastConnections();
  /** Index + 1 of a connection, -1 - row of one that is over, 0 for none. */
  private slots = new Int32Array(256);
  private used = 0;
  private direction: 0 | 1 = 0;
  /** Whose octets are being read. */
  private current: TcpConnection | null = null;
  /** Stands in for the consumer until there are octets: of a port scan's connections hardly one ever has any. */
  private readonly awaiting: StreamConsumer = {
    data: (half, bytes, start, end, offset) => this.follow().data(half, bytes, start, end, offset),
    gap: (half, from, to, kind) => this.follow().gap(half, from, to, kind),
    acked() {},
    sentAgain() {},
  };

  constructor(
    private readonly clock: PacketClock,
    /** Who follows a connection's streams: asked when the first octets come. */
    private readonly consumerOf: (connection: TcpConnection) => StreamConsumer,
    /**
     * The connection got its last packet: it was closed, or reopened on the same four-tuple, or the capture is over. Without octets, it
     * never had a consumer.
     */
    private readonly finished: (connection: TcpConnection) => void,
    /** A packet of a connection that is finished: it was sent again, or captured twice. */
    private readonly late: (index: number) => void,
  ) {}

  segment(segment: Segment): void {
    let at = this.slotOf(segment);
    let index = this.slots[at] - 1;
    if (index < -1) {
      const row = -2 - index;
      if (!this.past.isFollowedBy(row, segment, this.direction)) {
        this.late(this.past.indexOf(row));
        return;
      }
      index = this.open(segment, at);
      this.direction = 0;
    } else if (index < 0) {
      if ((this.used + 1) * 2 > this.slots.length) {
        this.enlarge();
        at = this.slotOf(segment);
      }
      this.used++;
      index = this.open(segment, at);
      this.direction = 0;
    }
    let connection = this.connections[index] as TcpConnection;
    this.current = connection;
    const { direction } = this;
    if (isAnother(connection, segment, direction)) {
      this.end(connection);
      index = this.open(segment, at);
      connection = this.connections[index] as TcpConnection;
      this.current = connection;
      connection.segment(segment, 0);
    } else connection.segment(segment, direction);
  }

  /** The stream that a segment follows where it stands, though it is stamped earlier; null where none does. */
  continuedBy(segment: Segment): HalfStream | null {
    const slot = this.slots[this.slotOf(segment)];
    const connection = slot > 0 ? this.connections[slot - 1] : undefined;
    if (connection === undefined || (segment.flags & (Flag.syn | Flag.rst)) !== 0) return null;
    const half = connection.halves[this.direction];
    const { sequence, payloadLength, acknowledgment, timestampValue } = segment;
    return half.isContinuedBy(sequence | 0, payloadLength, acknowledgment | 0, timestampValue | 0) ? half : null;
  }

  /** The capture is over: every connection that is still in the table gets its end. */
  finish(): void {
    for (const connection of this.live) if (this.connections[connection.index] !== undefined) this.end(connection);
    this.live = [];
    this.slots = new Int32Array(0);
  }

  private follow(): StreamConsumer {
    const connection = this.current as TcpConnection;
    const consumer = this.consumerOf(connection);
    for (const half of connection.halves) half.consumer = consumer;
    return consumer;
  }

  private end(connection: TcpConnection): void {
    this.current = connection;
    connection.finish();
    this.finished(connection);
    this.connections[connection.index] = undefined;
  }

  /** Connections that are over leave their place to a row of a few numbers. */
  private retire(): void {
    const { live, connections, clock } = this;
    this.live = live.filter((connection) => {
      if (connections[connection.index] === undefined) return false;
      if (!connection.isOver(clock.timeNs)) return true;
      this.slots[this.slotOfConnection(connection)] = -1 - this.past.add(connection);
      this.end(connection);
      return false;
    });
    this.opened = 0;
  }

  private open(segment: Segment, at: number): number {
    if (++this.opened > LEAST_OPENED && this.opened * 2 > this.live.length) this.retire();
    const index = this.connections.length;
    const connection = new TcpConnection(index, segment, this.clock);
    for (const half of connection.halves) half.consumer = this.awaiting;
    this.connections.push(connection);
    this.live.push(connection);
    this.slots[at] = index + 1;
    return index;
  }

  /** Whether a slot's connection is the segment's; then `direction` says who sent it. */
  private matches(at: number, segment: Segment): boolean {
    const slot = this.slots[at];
    if (slot === 0) return false;
    if (slot < 0) {
      const direction = this.past.directionOf(-1 - slot, segment);
      if (direction < 0) return false;
      this.direction = direction as 0 | 1;
      return true;
    }
    const direction = (this.connections[slot - 1] as TcpConnection).directionOf(segment);
    if (direction < 0) return false;
    this.direction = direction as 0 | 1;
    return true;
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
      let at = (slot < 0 ? this.past.hash(-1 - slot) : this.hashOf(slot - 1)) & mask;
      while (this.slots[at] !== 0) at = (at + 1) & mask;
      this.slots[at] = slot;
    }
  }

  private hashOf(index: number): number {
    const { addressA, addressB, portA, portB } = this.connections[index] as TcpConnection;
    return hashOf(addressA, addressB, portA, portB);
  }

  private slotOfConnection(connection: TcpConnection): number {
    const mask = this.slots.length - 1;
    let at = this.hashOf(connection.index) & mask;
    while (this.slots[at] !== connection.index + 1) at = (at + 1) & mask;
    return at;
  }
}

/** Whether a segment begins, or belongs to, a later connection on the four-tuple of this one. */
function isAnother(connection: TcpConnection, segment: Segment, direction: 0 | 1): boolean {
  if ((segment.flags & Flag.syn) === 0) return connection.isReplacedBy(segment, direction);
  return (segment.flags & Flag.ack) === 0
    ? connection.isReopenedBy(segment, direction)
    : connection.isReopenedBySynAck(segment, direction);
}
