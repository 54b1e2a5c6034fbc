/**
 * One direction of a TCP connection: octets put in order by sequence number, holes named, and the ledger of what left
 * and what was TCP-ACKed. In: connection.ts. Out: the consumer (hop/) gets octets and gaps in order; delivery/ gets the
 * ledger's answers by way of hop/. RFC 9293 section 3.4 and 3.8; RFC 2018.
 *
 *   offsets   0 ........ next ........ highest
 *             | in order |  held, out of order |
 *   offset 0 is the first octet after the SYN, or the first octet known where the capture starts later.
 */

import { AckHistory } from './ack-history.js';
import { type BlockedInterval, BlockedTimer, NEVER_BLOCKED } from './blocked.js';
import { TICKS_APART_NS } from './clock-steps.js';
import { fateOf } from './fate.js';
import { Losses } from './losses.js';
import type { PacketClock } from './packet-clock.js';
import { SegmentLedger } from './segment-ledger.js';
import { distance } from './sequence.js';

/** `missed`: TCP-ACKed by the receiver, so the capture lost it. `cut`: the packet is there, its end is not. `never-acked`: neither seen nor ACKed. */
export type GapKind = 'missed' | 'cut' | 'never-acked';

export interface Gap {
  kind: GapKind;
  from: number;
  to: number;
  /** The hole's place in time: the last octet in order before it, and the packet that made it known. */
  fromNs: number;
  toNs: number;
  /** Of `missed`: how far the TCP ACKs moved within it and to its end, as offset, time and packet by turns; the later ones where there were many. */
  acks: Float64Array;
}

export interface StreamConsumer {
  /** Octets in order: `bytes[start..end)` stands at `offset`. A view for the call only. */
  data(half: HalfStream, bytes: Uint8Array, start: number, end: number, offset: number): void;
  /** Octets that will not come; data goes on at `to`. */
  gap(half: HalfStream, from: number, to: number, kind: GapKind): void;
  /** The TCP ACK of this direction moved on, or a SACK told something new. */
  acked(half: HalfStream): void;
  /** The packet at hand brings octets once more that were TCP-ACKed before. */
  sentAgain(half: HalfStream, from: number, to: number): void;
}

interface HeldSegment {
  start: number;
  /** End as captured, and on the wire. */
  end: number;
  wireEnd: number;
  bytes: Uint8Array;
  timeNs: number;
  ref: number;
  /** Octets of the other direction that its sender had TCP-ACKed when it sent this: they come first. -Infinity where they did. */
  needs: number;
  /** The sender's timestamp and the IPv4 ID, 0 for none. */
  tick: number;
  identification: number;
}

/** What most streams never have takes no memory: replaced by the first one. */
const NO_GAPS: Gap[] = [];
const NO_ACKS = new Float64Array(0);
const NOT_HELD: HeldSegment[] = [];

const NOBODY: StreamConsumer = { data() {}, gap() {}, acked() {}, sentAgain() {} };

const MAX_HELD_OCTETS = 4 << 20;
const MAX_HELD_SEGMENTS = 4096;
const MAX_GAPS = 4096;
export const FAR_OCTETS = 1 << 25;
const REORDERED_OCTETS = 1 << 16;
/** A hole that the receiver has TCP-ACKed is waited for this long: captures of several queues come out of order. */
const REORDER_WAIT_NS = 250e6;
/** What answers octets that are yet to be captured waits for them this long: a mirror port may deliver one direction late. */
const CAUSE_WAIT_NS = 1e9;
/** As often in vain: the capture does not hold the other direction, and nobody waits for it any more. */
const MOST_WAITS_IN_VAIN = 8;
const COPY_WITHIN_NS = 50e6;
const COPY_AT_ONCE_NS = 1e6;
/** Packets of several queues come out of order by less. */
const SET_BACK_NS = 100e6;
/** So long a stream that was not seen from its SYN on may still turn out to begin earlier. */
const BEGINS_WITHIN_NS = 20e6;
/** The first retransmission comes after 0.2 to 1 s, and a second one by now. */
const SENT_AGAIN_WITHIN_NS = 3e9;

export class HalfStream {
  readonly ledger: SegmentLedger;
  readonly acks: AckHistory;
  gaps: Gap[] = NO_GAPS;
  gapsDropped = 0;
  blocked: BlockedInterval[] = NEVER_BLOCKED;
  private readonly unacked = new BlockedTimer('unacked', this);
  private readonly windowClosed = new BlockedTimer('window-closed', this);

  started = false;
  /** From the SYN; -1 where it was not captured. */
  initialSequence = -1;
  /** Sequence number of offset 0, unsigned; -1 before the first packet. */
  baseSequence = -1;
  private nextSequence = 0;
  /** The next octet in order. */
  next = 0;
  /** Nothing is given on yet, since what comes first may be captured later; NaN once it is known. */
  private beginsSinceNs = Number.NaN;
  /** The octet after the highest one seen leaving. */
  highest = 0;
  /** Sequence numbers that packets without payload stood at: beyond `next` they tell of octets that were not captured. */
  private ahead = 0;
  private held: HeldSegment[] = NOT_HELD;
  private heldOctets = 0;
  private holeAckedSinceNs = Number.NaN;
  finOffset = -1;
  /** Octets that the other side's RST says it had got, by its ACK number. It is no TCP ACK: the RST may be a middlebox's. */
  resetOffset = 0;
  /** The latest time at which a packet of this direction stood exactly at the end of what is known: nothing else was sent until then. */
  wholeUntilNs = Number.NaN;
  firstSeenNs = Number.NaN;
  lastSeenNs = Number.NaN;
  /** When octets that had not been seen before were last seen. */
  lastOctetsNs = Number.NaN;
  packets = 0;
  /** IPv4 Time to Live or IPv6 Hop Limit of its first packet. */
  hopLimit = 0;
  /** Packets that the capturing host sent, less those that it received, where the link layer says so. */
  outbound = 0;
  /** How many of them were RSTs. */
  resets = 0;
  retransmissions = 0;
  /** Null while there are none. */
  losses: Losses | null = null;
  duplicates = 0;
  /** Sequence number of the other direction that the segment at hand acknowledges. */
  acknowledges = 0;
  private resends = 0;
  /** How many there were when the oldest octet that waits for its TCP ACK was sent. */
  private resendsBefore = 0;
  /** Octets from here on left once at most. */
  resentTo = Number.NEGATIVE_INFINITY;
  windowScale = -1;
  /** The sender's own clock: its last timestamps option, 0 for none so far; and whether it counts milliseconds, as far as was seen. */
  private tick = 0;
  private tickedNs = Number.NaN;
  private countsMilliseconds = false;
  /** The tick of the segment that brought the highest octets. */
  private highestTick = 0;
  missedOctets = 0;
  cutOctets = 0;
  /** The consumer still wants octets from here on to be answered for by the ledger. */
  keepFrom = 0;
  consumer: StreamConsumer = NOBODY;
  /** Octets from here on were new in the packet being read: they left just now and never before. Infinity where they may have. */
  freshFrom = Number.POSITIVE_INFINITY;
  /** Cleared by the consumer for a stream that it does not follow: no copies are kept, no ledger. */
  followed = true;
  /** The other direction of the connection. */
  peer: HalfStream | null = null;
  /** The other direction's octets up to here are not waited for any more. */
  private notWaitedFor = Number.NEGATIVE_INFINITY;
  private waitsInVain = 0;

  constructor(
    /** 0: sent by the connection's endpoint A. 1: by B. */
    readonly direction: 0 | 1,
    private readonly clock: PacketClock,
  ) {
    this.ledger = new SegmentLedger(clock);
    this.acks = new AckHistory(clock);
  }

  /** The first packet of this direction, or the first ACK for it, fixes offset 0. */
  start(sequence: number): void {
    this.started = true;
    this.beginsSinceNs = this.clock.timeNs;
    this.baseSequence = sequence >>> 0;
    this.nextSequence = sequence | 0;
  }

  syn(sequence: number): void {
    this.initialSequence = sequence >>> 0;
    if (!this.started) this.start((sequence + 1) | 0);
    else if (!Number.isNaN(this.beginsSinceNs)) this.beginAt(this.offsetOf((sequence + 1) | 0));
    this.beginsSinceNs = Number.NaN;
  }

  private stillBegins(): boolean {
    if (Math.abs(this.clock.timeNs - this.beginsSinceNs) <= BEGINS_WITHIN_NS) return true;
    this.beginsSinceNs = Number.NaN;
    return false;
  }

  /** Nothing was given on: offset 0 can still be another octet's. */
  private beginAt(offset: number): void {
    const by = -offset;
    if (this.next > 0 || by <= 0 || by > REORDERED_OCTETS) return;
    this.baseSequence = (this.baseSequence - by) >>> 0;
    this.nextSequence = (this.nextSequence - by) | 0;
    if (this.highest > 0) this.highest += by;
    if (this.ahead > 0) this.ahead += by;
    if (this.finOffset >= 0) this.finOffset += by;
    this.resentTo += by;
    this.acks.moveBy(by);
    this.ledger.moveBy(by);
    this.losses?.moveBy(by);
    for (const segment of this.held) {
      segment.start += by;
      segment.end += by;
      segment.wireEnd += by;
    }
    if (this.peer === null) return;
    this.peer.notWaitedFor += by;
    for (const segment of this.peer.held) segment.needs += by;
  }

  offsetOf(sequence: number): number {
    return this.next + distance(sequence, this.nextSequence);
  }

  /** The sequence number after the last octet seen, of the FIN if there was one. */
  get endSequence(): number {
    return (this.nextSequence + (this.highest - this.next) + (this.finOffset >= this.highest ? 1 : 0)) | 0;
  }

  /** Whether it was closed, and its FIN and all that stood before it TCP-ACKed. */
  get isSettled(): boolean {
    return this.finOffset >= this.highest && this.acks.offset > this.finOffset && this.held.length === 0;
  }

  /** Timestamps option of the packet at hand, before what else it brings. */
  ticked(value: number): void {
    const { timeNs, steps } = this.clock;
    if (timeNs - this.tickedNs > TICKS_APART_NS)
      this.countsMilliseconds = steps.ticked(this.tickedNs, timeNs, (value - this.tick) | 0, this.countsMilliseconds);
    this.tickedNs = timeNs;
    this.tick = value;
  }

  /** Whether a packet, stamped earlier, follows what was captured: it brings octets or a TCP ACK that are new, or its sender's clock went on. */
  isContinuedBy(sequence: number, payloadLength: number, acknowledgment: number, timestamp: number): boolean {
    if (!this.started || this.peer === null || this.held.length > 0 || this.offsetOf(sequence) !== this.next)
      return false;
    if (timestamp !== 0 && this.tick !== 0) return ((timestamp - this.tick) | 0) > 0;
    return payloadLength > 0 || (this.peer.started && this.peer.offsetOf(acknowledgment) > this.peer.acks.offset);
  }

  /** How long ago, by the sender's own clock, its last packet was; NaN where that does not say. */
  elapsedNs(timestamp: number): number {
    return timestamp === 0 || !this.countsMilliseconds ? Number.NaN : ((timestamp - this.tick) | 0) * 1e6;
  }

  get lastTickedNs(): number {
    return this.tickedNs;
  }

  /** How far a sequence number is ahead of what comes next; 0 while nothing is known. */
  aheadBy(sequence: number): number {
    return this.started ? distance(sequence, this.nextSequence) : 0;
  }

  /** A packet of this direction without payload (or a keep-alive): where does it stand? */
  bare(sequence: number): void {
    const offset = this.offsetOf(sequence);
    const afterFin = this.finOffset >= 0 && offset === this.finOffset + 1 && this.next === this.finOffset;
    if (offset === this.next || offset === this.next - 1 || afterFin) this.markWhole();
    else if (offset > this.ahead && offset - this.next < 1 << 30) this.ahead = offset;
  }

  data(bytes: Uint8Array, start: number, end: number, wireLength: number, sequence: number, mark: number): void {
    let offset = this.offsetOf(sequence);
    const begins = !Number.isNaN(this.beginsSinceNs) && this.stillBegins();
    if (begins && offset < 0) {
      this.beginAt(offset);
      offset = this.offsetOf(sequence);
    }
    const wireEnd = offset + wireLength;
    const { timeNs, ref } = this.clock;
    if (wireLength === 1 && wireEnd === this.next && this.highest >= wireEnd) {
      this.markWhole(); // a keep-alive repeats one old octet: it is no data
      return;
    }
    if (offset < this.highest) {
      if (this.ledger.hasCopy(offset, wireEnd, mark, (mark & 1) !== 0 ? COPY_WITHIN_NS : COPY_AT_ONCE_NS)) {
        this.duplicates++;
        return;
      }
      if (offset < 0) this.beforeBase(offset);
      else if (wireEnd <= this.next && distance(this.tick, this.highestTick) < 0) {
        // What is sent again is stamped anew (RFC 7323): an older stamp is an old packet, of a file that overlaps another.
        this.duplicates++;
        return;
      }
      if (this.followed) this.tellFate(offset, wireEnd);
      else if (wireEnd <= this.next) this.retransmissions++;
      this.resends++;
      this.resentTo = Math.max(this.resentTo, wireEnd);
      // Of what nobody reads only what is sent again is noted: it tells of a dead peer.
      if (!this.followed) this.note(offset, wireEnd, mark, this.acks.offset);
    }
    this.freshFrom = offset >= this.highest && offset === this.next ? offset : Number.POSITIVE_INFINITY;
    if (wireEnd > this.highest) {
      // Captured after its own TCP ACK it waits for nothing.
      const waits = wireEnd > this.acks.offset;
      if (waits && (this.highest <= this.acks.offset || this.highest === 0)) {
        this.unacked.begin(timeNs, ref);
        this.resendsBefore = this.resends;
      }
      // New octets from the past: files that were put one behind the other bring old ones.
      if (timeNs < this.lastOctetsNs - SET_BACK_NS && offset === this.next) this.clock.setBack(this.lastOctetsNs);
      this.highest = wireEnd;
      this.highestTick = this.tick;
      this.lastOctetsNs = timeNs;
    }
    if (!this.followed) {
      if (wireEnd > this.next) this.moveTo(wireEnd);
      return;
    }
    this.note(offset, wireEnd, mark, Math.min(this.acks.offset, this.keepFrom));
    const { peer } = this;
    if (
      begins ||
      offset > this.next ||
      (peer !== null && peer.acks.offset > peer.next && this.comesBefore(peer, wireEnd))
    )
      this.hold(bytes, start, end, offset, wireEnd);
    else if (wireEnd > this.next) {
      this.deliver(bytes, start, end, offset, wireEnd);
      this.freshFrom = Number.POSITIVE_INFINITY;
      if (this.held.length > 0) this.drain();
    }
    if (this.held.length === 0 && this.next >= this.ahead) this.markWhole();
  }

  /** Octets below the highest ones came. */
  private tellFate(offset: number, wireEnd: number): void {
    const from = Math.max(0, offset);
    const to = Math.min(wireEnd, this.highest);
    if (to <= from) return;
    const { clock, next, held, gaps, tick } = this;
    const { timeNs, ref } = clock;
    const bringsNew = wireEnd > this.highest;
    const isAcked = this.acks.cover(from, to) !== null;
    const own = { tick, identification: clock.identification(), timeNs };
    const { isAgain, fate, octets, sinceNs } = fateOf({ from, to, bringsNew, isAcked, own, next, held, gaps });
    if (isAgain) this.retransmissions++;
    if (fate === null) return;
    this.losses ??= new Losses();
    this.losses.add({ fate, from, to, octets, sinceNs, timeNs, ref });
    if (fate === 'retransmitted-after-ack') this.consumer.sentAgain(this, from, to);
  }

  private note(offset: number, wireEnd: number, mark: number, prunableBelow: number): void {
    if (this.ledger.full) this.ledger.prune(prunableBelow);
    this.ledger.add(offset, wireEnd, mark);
  }

  fin(sequence: number): void {
    this.finOffset = this.offsetOf(sequence);
    // Captured after packets that count it as an octet.
    if (this.ahead > this.finOffset) this.ahead = this.finOffset;
  }

  resetAt(sequence: number): void {
    const offset = this.offsetOf(sequence);
    if (offset <= this.highest) this.resetOffset = Math.max(this.resetOffset, offset);
  }

  /** The other side's TCP ACK and window for this direction. `window` is scaled already. */
  ack(sequence: number, window: number, closing: boolean): void {
    if (!this.started) this.start(sequence);
    const offset = this.offsetOf(sequence);
    const { timeNs, ref } = this.clock;
    if (window === 0 && !closing) this.windowClosed.begin(timeNs, ref);
    else if (!Number.isNaN(this.windowClosed.sinceNs)) this.windowClosed.end(timeNs, ref);
    if (offset <= this.acks.offset || offset - this.next > 1 << 30) return;
    this.acks.advance(offset);
    if (!Number.isNaN(this.unacked.sinceNs)) {
      const since = offset < this.highest ? this.ledger.firstSentNs(offset) : Number.NaN;
      if (this.isSentAgain) this.unacked.end(timeNs, ref);
      else this.unacked.drop();
      this.resendsBefore = this.resends;
      if (!Number.isNaN(since)) this.unacked.restart(since, this.ledger.firstSentRef(offset));
      else if (offset < this.highest) this.unacked.restart(timeNs, ref);
    }
    this.consumer.acked(this);
  }

  sack(left: number, right: number): void {
    if (this.acks.sack(this.offsetOf(left), this.offsetOf(right))) this.consumer.acked(this);
  }

  /** Called with every packet of the connection while segments are held: has the hole become the capture's fault? */
  reviewHole(): void {
    if (this.held.length === 0) return;
    if (!Number.isNaN(this.beginsSinceNs) && this.stillBegins()) return;
    if (this.held[0].start <= this.next) {
      this.reviewCause(this.held[0]);
      return;
    }
    if (this.acks.offset < this.held[0].start) {
      this.holeAckedSinceNs = Number.NaN;
      if (this.heldOctets > MAX_HELD_OCTETS || this.held.length > MAX_HELD_SEGMENTS) this.skipHole();
      return;
    }
    if (Number.isNaN(this.holeAckedSinceNs)) this.holeAckedSinceNs = this.clock.timeNs;
    const waited = this.clock.timeNs - this.holeAckedSinceNs;
    if (Math.abs(waited) > REORDER_WAIT_NS || this.heldOctets > MAX_HELD_OCTETS) this.skipHole();
  }

  /** Octets that answer others which are not captured yet: the sender had them, as its TCP ACK says. */
  private comesBefore(peer: HalfStream, wireEnd: number): boolean {
    return wireEnd > this.next && this.waitsForCause(this.needsOf(peer));
  }

  /** How much of the other direction the sender of the segment at hand had. */
  private needsOf(peer: HalfStream): number {
    const had = peer.started ? peer.offsetOf(this.acknowledges) : 0;
    return had > peer.nextWithFin && had <= peer.acks.offset ? had : Number.NEGATIVE_INFINITY;
  }

  private reviewCause(first: HeldSegment): void {
    if (this.waitsForCause(first.needs)) {
      const waitedNs = Math.abs(this.clock.timeNs - first.timeNs);
      if (waitedNs <= CAUSE_WAIT_NS && this.heldOctets <= MAX_HELD_OCTETS && this.held.length <= MAX_HELD_SEGMENTS)
        return;
      this.waitsInVain++;
      this.notWaitedFor = first.needs;
    } else if (first.needs > this.notWaitedFor) this.waitsInVain = 0;
    this.drain();
    if (this.peer?.hasHole) this.peer.reviewHole();
  }

  private waitsForCause(needs: number): boolean {
    if (this.peer === null || this.waitsInVain >= MOST_WAITS_IN_VAIN) return false;
    return needs > this.peer.nextWithFin && needs > this.notWaitedFor;
  }

  /** The next octet in order, as a TCP ACK would have it: it counts the FIN as one. */
  private get nextWithFin(): number {
    return this.finOffset === this.next ? this.next + 1 : this.next;
  }

  get hasHole(): boolean {
    return this.held.length > 0;
  }

  /** No packet will come any more: whatever is held is delivered, behind the gaps that remain. */
  finish(): void {
    this.notWaitedFor = Number.POSITIVE_INFINITY;
    this.beginsSinceNs = Number.NaN;
    while (this.held.length > 0) this.skipHole();
    // Packets behind the FIN, and TCP ACKs, count it as an octet.
    const end = this.finOffset < 0 ? Number.POSITIVE_INFINITY : this.finOffset;
    const known = Math.min(end, Math.max(this.ahead, this.acks.offset));
    // An ACK may count the FIN as one octet where the FIN itself was not captured.
    if (this.followed && known > this.next + (this.finOffset < 0 ? 1 : 0)) this.reportGap(known);
    const waitedNs = this.clock.timeNs - this.unacked.sinceNs;
    if (this.isSentAgain || waitedNs < SENT_AGAIN_WITHIN_NS) this.unacked.finish();
    else this.unacked.drop();
    this.windowClosed.finish();
  }

  /** What waits for its TCP ACK is sent again before long (RFC 6298): if it was not, the capture missed the TCP ACK. */
  private get isSentAgain(): boolean {
    return this.resends > this.resendsBefore;
  }

  /** Captured after what follows them, at the start of what was captured: they are never delivered. */
  private beforeBase(offset: number): void {
    const { timeNs } = this.clock;
    if (this.gaps.length >= MAX_GAPS || -offset > REORDERED_OCTETS) return;
    this.noteGap({ kind: 'missed', from: offset, to: 0, fromNs: timeNs, toNs: timeNs, acks: NO_ACKS });
  }

  private noteGap(gap: Gap): void {
    if (this.gaps === NO_GAPS) this.gaps = [];
    this.gaps.push(gap);
  }

  private markWhole(): void {
    this.wholeUntilNs = this.clock.timeNs;
  }

  private moveTo(offset: number): void {
    this.nextSequence = (this.nextSequence + (offset - this.next)) | 0;
    this.next = offset;
  }

  /** Octets at `offset` <= next; `end` may fall short of the wire's end where the packet was cut. */
  private deliver(bytes: Uint8Array, start: number, end: number, offset: number, wireEnd: number): void {
    const skip = this.next - offset;
    const from = this.next;
    const captured = offset + (end - start);
    if (captured > from) {
      this.moveTo(captured);
      this.consumer.data(this, bytes, start + skip, end, from);
    }
    if (wireEnd > this.next) this.reportGap(wireEnd, 'cut');
  }

  private hold(bytes: Uint8Array, start: number, end: number, offset: number, wireEnd: number): void {
    let at = this.held.length;
    while (at > 0 && this.held[at - 1].start > offset) at--;
    if (at > 0 && this.held[at - 1].start === offset && this.held[at - 1].wireEnd >= wireEnd) return;
    if (this.held === NOT_HELD) this.held = [];
    const { timeNs, ref } = this.clock;
    const { peer } = this;
    const needs = peer === null ? Number.NEGATIVE_INFINITY : this.needsOf(peer);
    const copy = bytes.slice(start, end);
    const { tick } = this;
    const identification = this.clock.identification();
    const capturedEnd = offset + (end - start);
    const segment = { start: offset, end: capturedEnd, wireEnd, bytes: copy, timeNs, ref, needs, tick, identification };
    this.held.splice(at, 0, segment);
    this.heldOctets += end - start;
    // Whoever reads it later asks the ledger when it left: the packet at hand will be another one.
    this.freshFrom = Number.POSITIVE_INFINITY;
  }

  /** What is held is told as of the moment at which it was captured. */
  private drain(): void {
    const { timeNs, ref } = this.clock;
    while (this.held.length > 0 && this.held[0].start <= this.next && !this.waitsForCause(this.held[0].needs)) {
      const segment = this.held.shift() as HeldSegment;
      this.heldOctets -= segment.bytes.length;
      this.clock.timeNs = segment.timeNs;
      this.clock.ref = segment.ref;
      if (segment.wireEnd > this.next)
        this.deliver(segment.bytes, 0, segment.bytes.length, segment.start, segment.wireEnd);
      if (this.held.length === 0 && this.next >= this.ahead && !(this.wholeUntilNs > segment.timeNs)) this.markWhole();
    }
    this.clock.timeNs = timeNs;
    this.clock.ref = ref;
    this.holeAckedSinceNs = Number.NaN;
  }

  private skipHole(): void {
    if (this.held[0].start > this.next) this.reportGap(this.held[0].start);
    this.drain();
  }

  private reportGap(to: number, known?: GapKind): void {
    const from = this.next;
    const kind = known ?? (this.acks.offset >= to ? 'missed' : 'never-acked');
    if (kind === 'missed') this.missedOctets += to - from;
    if (kind === 'cut') this.cutOctets += to - from;
    const acks = kind === 'missed' ? this.acks.stepsOver(from, to) : NO_ACKS;
    const gap = { kind, from, to, fromNs: this.wholeUntilNs, toNs: this.clock.timeNs, acks };
    if (this.gaps.length < MAX_GAPS) this.noteGap(gap);
    else this.gapsDropped++;
    this.moveTo(to);
    this.consumer.gap(this, from, to, kind);
  }
}
