/**
 * One TCP connection as a capture shows it: two half-streams, opening and closing. In: connection-table.ts hands it every
 * segment of its four-tuple. Out: hop/ through the consumer. RFC 9293 section 3.5 and 3.6.
 */

import { Flag, type Segment } from '../packet/segment.js';
import { FAR_OCTETS, HalfStream } from './half-stream.js';
import type { PacketClock } from './packet-clock.js';
import { distance } from './sequence.js';

/** A SYN may be captured this much after what it opened. */
const REORDERED_NS = 250e6;
const REORDERED_OCTETS = 1 << 16;
/** What was closed from both sides is over after the copies of its last packets; a RST may have been nobody's business. */
const OVER_AFTER_NS = 1e9;
const OVER_AFTER_RESET_NS = 120e9;
/** Longer than a SYN is sent again. */
const NEVER_ANSWERED_NS = 300e9;

/** What a server leaves out after a connection that it kept in TIME-WAIT (Linux: 65535 and 2), and little more that it has sent since. */
const TIME_WAIT_OCTETS = 0xffff;
/** Meanwhile a client has gone on by its clock (RFC 6528): by a quarter of a second. */
const JUMP_OCTETS = 1 << 22;

function isFar(octets: number): boolean {
  return octets > FAR_OCTETS || octets < -FAR_OCTETS;
}

function isBeyondTimeWait(octets: number): boolean {
  return octets > TIME_WAIT_OCTETS && octets <= 2 * TIME_WAIT_OCTETS;
}

export class TcpConnection {
  /** Words of both addresses: numbers in the object itself, since a capture may hold connections by the ten thousand. */
  private readonly a0: number;
  private readonly a1: number;
  private readonly a2: number;
  private readonly a3: number;
  private readonly b0: number;
  private readonly b1: number;
  private readonly b2: number;
  private readonly b3: number;
  readonly portA: number;
  readonly portB: number;
  readonly halves: readonly [HalfStream, HalfStream];
  /** Direction of the TCP client's octets: known from a SYN; null until then. */
  clientDirection: 0 | 1 | null = null;
  /** Time of the client's first SYN, and of the end of the three-way handshake; NaN where not captured. */
  openedNs = Number.NaN;
  /** Of the SYN, or of the SYN-ACK where that was not captured. */
  synRef = 0;
  establishedNs = Number.NaN;
  closedNs = Number.NaN;
  closedRef = 0;
  closedBy: 'fin' | 'rst' | null = null;
  /** Who sent the first FIN or the RST. */
  closedFrom: 0 | 1 | null = null;
  resetNs = Number.NaN;
  /** NaN from the start: a field that once was `undefined` would hold an allocated number for every packet. */
  firstNs = Number.NaN;
  lastNs = Number.NaN;
  packets = 0;
  /** Of them, those that say nothing but how far the other side's octets have come. */
  bareAcks = 0;

  constructor(
    readonly index: number,
    segment: Segment,
    private readonly clock: PacketClock,
  ) {
    const { source, destination } = segment;
    [this.a0, this.a1, this.a2, this.a3] = source;
    [this.b0, this.b1, this.b2, this.b3] = destination;
    this.portA = segment.sourcePort;
    this.portB = segment.destinationPort;
    this.halves = [new HalfStream(0, clock), new HalfStream(1, clock)];
    this.halves[0].peer = this.halves[1];
    this.halves[1].peer = this.halves[0];
    this.firstNs = clock.timeNs;
    this.lastNs = clock.timeNs;
  }

  get addressA(): Int32Array {
    return Int32Array.of(this.a0, this.a1, this.a2, this.a3);
  }

  get addressB(): Int32Array {
    return Int32Array.of(this.b0, this.b1, this.b2, this.b3);
  }

  /** Direction of a segment of this connection; -1 if it is another's. */
  directionOf({ source, destination, sourcePort, destinationPort }: Segment): -1 | 0 | 1 {
    if (this.portA === sourcePort && this.portB === destinationPort && this.isA(source) && this.isB(destination))
      return 0;
    return this.portB === sourcePort && this.portA === destinationPort && this.isB(source) && this.isA(destination)
      ? 1
      : -1;
  }

  private isA(address: Int32Array): boolean {
    return address[3] === this.a3 && address[2] === this.a2 && address[1] === this.a1 && address[0] === this.a0;
  }

  private isB(address: Int32Array): boolean {
    return address[3] === this.b3 && address[2] === this.b2 && address[1] === this.b1 && address[0] === this.b0;
  }

  /** A SYN that belongs to a later connection on the same four-tuple. */
  isReopenedBy(segment: Segment, direction: 0 | 1): boolean {
    const half = this.halves[direction];
    if (half.initialSequence === segment.sequence) return false;
    if (half.initialSequence >= 0) return true;
    if (this.isOwnSyn(half, segment)) return false;
    // Mid-connection capture: a SYN can only follow if the old connection is over.
    return half.started || this.packets > 0;
  }

  /**
   * A SYN-ACK of a later connection, the SYN of which was captured behind it, or not at all (one direction only): it answers another SYN, and begins
   * elsewhere.
   */
  isReopenedBySynAck(segment: Segment, direction: 0 | 1): boolean {
    const [half, other] = [this.halves[direction], this.halves[direction ^ 1]];
    if (half.initialSequence === segment.sequence) return false;
    if (half.initialSequence >= 0) {
      // Of a SYN that was not captured the first SYN-ACK tells the number.
      const begins = other.initialSequence >= 0 ? (other.initialSequence + 1) >>> 0 : other.baseSequence;
      return other.started && begins !== segment.acknowledgment;
    }
    return other.packets === 0 && half.highest > 0 && !this.isOwnSyn(half, segment);
  }

  /** Captured after the SYN-ACK that answers it, or after the octets that follow it, a SYN is this connection's own. */
  private isOwnSyn(half: HalfStream, { sequence }: Segment): boolean {
    if (!half.started) return false;
    if (half.baseSequence === (sequence + 1) >>> 0 && half.next === 0) return true;
    const ahead = distance(half.baseSequence, sequence + 1);
    return ahead >= 0 && ahead < REORDERED_OCTETS && this.clock.timeNs - this.firstNs < REORDERED_NS;
  }

  /**
   * A later connection on the same four-tuple, the opening of which the capture missed: it stands elsewhere in both directions, or behind
   * the FIN of its own. A server that keeps the old one in TIME-WAIT begins little further on (RFC 6191; Linux: 64 KiB), the client far away.
   */
  isReplacedBy(segment: Segment, direction: 0 | 1): boolean {
    if ((segment.flags & (Flag.ack | Flag.rst | Flag.syn)) !== Flag.ack) return false;
    const half = this.halves[direction];
    const sequence = segment.sequence | 0;
    if (half.finOffset >= 0) return half.offsetOf(sequence) > half.finOffset + 1;
    const ahead = half.aheadBy(sequence);
    const otherAhead = this.halves[direction ^ 1].aheadBy(segment.acknowledgment | 0);
    // After its RST neither side says more; packets of the next one may be captured before that one's SYN.
    if (ahead > REORDERED_OCTETS && otherAhead > REORDERED_OCTETS && this.closedBy === 'rst') return true;
    if (isFar(ahead)) return isFar(otherAhead) || otherAhead > TIME_WAIT_OCTETS;
    if (ahead > TIME_WAIT_OCTETS && isFar(otherAhead)) return true;
    return isBeyondTimeWait(ahead) ? otherAhead > JUMP_OCTETS : isBeyondTimeWait(otherAhead) && ahead > JUMP_OCTETS;
  }

  segment(segment: Segment, direction: 0 | 1): void {
    const half = this.halves[direction];
    const other = this.halves[direction ^ 1];
    const { flags, payloadLength } = segment;
    // As signed words they are small integers, and passing them on allocates nothing.
    const sequence = segment.sequence | 0;
    const { timeNs, ref } = this.clock;
    this.packets++;
    this.lastNs = timeNs;
    if (half.packets++ === 0) {
      half.firstSeenNs = timeNs;
      half.hopLimit = segment.hopLimit;
    }
    half.lastSeenNs = timeNs;
    if (segment.timestampValue !== 0) half.ticked(segment.timestampValue | 0);
    if (segment.direction === 2) half.outbound++;
    else if (segment.direction === 1) half.outbound--;

    if ((flags & Flag.syn) !== 0) this.syn(segment, half, direction);
    else if (!half.started) {
      if (isBeyondSyn(other, segment.acknowledgment | 0)) return;
      half.start(sequence);
    }
    if ((flags & Flag.rst) !== 0) {
      if (!other.started && (flags & Flag.ack) === 0 && isBeyondSyn(half, sequence)) return;
      // It stands before this connection's SYN: the one before was reset by it.
      if (half.initialSequence >= 0 && half.offsetOf(sequence) < -REORDERED_OCTETS) return;
      half.resets++;
      if ((flags & Flag.ack) !== 0 && other.started) other.resetAt(segment.acknowledgment | 0);
      this.reset(half, sequence, flags, direction);
      return;
    }
    if ((flags & Flag.ack) !== 0) {
      // RFC 7323 section 2.2: the scale holds only if both SYNs carried it; the window of a SYN is never scaled.
      // Where no SYN was captured the shift is unknown, and only "zero" can be told from "not zero": enough here.
      other.ack(segment.acknowledgment | 0, segment.window, (flags & (Flag.syn | Flag.fin)) !== 0);
      for (let i = 0; i < segment.sackBlocks; i++) other.sack(segment.sack[2 * i] | 0, segment.sack[2 * i + 1] | 0);
    }
    const start = (flags & Flag.syn) !== 0 ? (sequence + 1) | 0 : sequence;
    if (payloadLength > 0) {
      half.acknowledges = segment.acknowledgment | 0;
      half.data(segment.bytes, segment.payloadStart, segment.payloadEnd, payloadLength, start, copyMark(segment));
    } else {
      if ((flags & (Flag.syn | Flag.fin)) === 0) this.bareAcks++;
      half.bare(start);
    }
    if ((flags & Flag.fin) !== 0) {
      half.fin((start + payloadLength) | 0);
      if (this.closedBy === null) this.close('fin', timeNs, ref, direction);
    }
    if (half.hasHole) half.reviewHole();
    if (other.hasHole) other.reviewHole();
  }

  /** Closed, and quiet for so long that nothing can come but what is sent again; or never answered. */
  isOver(nowNs: number): boolean {
    const [a, b] = this.halves;
    const quietNs = nowNs - this.lastNs;
    if (quietNs < OVER_AFTER_NS) return false;
    if (this.closedBy === null)
      return (a.packets === 0 || b.packets === 0) && this.isEmpty && quietNs > NEVER_ANSWERED_NS;
    if (this.closedBy === 'rst') return this.isEmpty || quietNs > OVER_AFTER_RESET_NS;
    return a.isSettled && b.isSettled;
  }

  /** Nobody sent an octet. */
  private get isEmpty(): boolean {
    return this.halves[0].highest === 0 && this.halves[1].highest === 0;
  }

  /** Direction of the client as far as SYNs and ports tell. */
  get likelyClient(): 0 | 1 {
    return this.clientDirection ?? (this.portA >= this.portB ? 0 : 1);
  }

  finish(): void {
    this.halves[0].finish();
    this.halves[1].finish();
  }

  private syn(segment: Segment, half: HalfStream, direction: 0 | 1): void {
    const { timeNs, ref } = this.clock;
    half.syn(segment.sequence | 0);
    if (segment.windowScale >= 0) half.windowScale = segment.windowScale;
    if ((segment.flags & Flag.ack) === 0) {
      this.clientDirection ??= direction;
      if (Number.isNaN(this.openedNs)) {
        this.openedNs = timeNs;
        this.synRef = ref;
      }
    } else {
      this.clientDirection ??= (direction ^ 1) as 0 | 1;
      if (Number.isNaN(this.establishedNs)) this.establishedNs = timeNs;
      if (this.synRef === 0) this.synRef = ref;
    }
  }

  private reset(half: HalfStream, sequence: number, flags: number, direction: 0 | 1): void {
    if ((flags & Flag.ack) === 0 || half.packets > 1) half.bare(sequence);
    this.resetNs = this.clock.timeNs;
    if (this.closedBy !== 'rst') this.close('rst', this.clock.timeNs, this.clock.ref, direction);
  }

  /** A FIN is outdone by a RST: the connection ended abruptly after all. */
  private close(by: 'fin' | 'rst', timeNs: number, ref: number, direction: 0 | 1): void {
    if (this.closedBy === null) {
      this.closedNs = timeNs;
      this.closedRef = ref;
      this.closedFrom = direction;
      this.closedBy = by;
    }
  }
}

/**
 * Nothing of a stream but its SYN was seen, and this number lies elsewhere: a server that still has the four-tuple's last connection
 * answers the SYN with a TCP ACK of that one, and is answered by a RST at its number (RFC 9293, section 3.5.2); then the SYN is sent again.
 */
function isBeyondSyn(half: HalfStream, sequence: number): boolean {
  if (half.initialSequence < 0 || half.highest > 0) return false;
  const offset = half.offsetOf(sequence);
  return offset < -1 || offset > REORDERED_OCTETS;
}

/**
 * Alike in all copies of one packet, wherever they were captured, and hardly ever in a retransmission. Odd where a timestamp or an
 * IPv4 ID tells; even where only ACK and window do, which counts for copies that come at once.
 */
function copyMark(segment: Segment): number {
  const { timestampValue, identification } = segment;
  if (timestampValue === 0 && identification === 0)
    return ((Math.imul(segment.acknowledgment, 0xc2b2ae35) ^ segment.window) & ~1) | 2;
  const mark = Math.imul(timestampValue, 0x9e3779b1) ^ Math.imul(identification, 0x85ebca6b);
  return (mark ^ Math.imul(segment.acknowledgment, 0xc2b2ae35)) | 1;
}
