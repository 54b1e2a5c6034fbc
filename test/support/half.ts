/** One half-stream with everything that its consumer was told, for the tests of tcp/. */

import { HalfStream, type StreamConsumer } from '../../src/tcp/half-stream.js';
import { PacketClock } from '../../src/tcp/packet-clock.js';

export class Recorder implements StreamConsumer {
  /** `data 0 hello`, `gap 5-9 missed`, `acked 5`. */
  readonly events: string[] = [];
  text = '';

  data(_half: HalfStream, bytes: Uint8Array, start: number, end: number, offset: number): void {
    const text = new TextDecoder().decode(bytes.subarray(start, end));
    this.text += text;
    this.events.push(`data ${offset} ${text}`);
  }

  gap(_half: HalfStream, from: number, to: number, kind: string): void {
    this.text += '.'.repeat(to - from);
    this.events.push(`gap ${from}-${to} ${kind}`);
  }

  acked(half: HalfStream): void {
    this.events.push(`acked ${half.acks.offset}`);
  }

  sentAgain(_half: HalfStream, from: number, to: number): void {
    this.events.push(`again ${from}-${to}`);
  }

  get streamed(): string[] {
    return this.events.filter((event) => !event.startsWith('acked'));
  }
}

/** Times in milliseconds; each call is a packet of its own. */
export class HalfBench {
  readonly clock = new PacketClock();
  readonly half = new HalfStream(0, this.clock);
  readonly seen = new Recorder();

  constructor(readonly isn = 999) {
    this.half.consumer = this.seen;
    this.half.syn(isn);
  }

  private tick(atMs: number): void {
    this.clock.timeNs = atMs * 1e6;
    this.clock.ref++;
  }

  sequence(offset: number): number {
    return (this.isn + 1 + offset) >>> 0;
  }

  data(
    atMs: number,
    offset: number,
    text: string,
    more: { wireLength?: number; mark?: number; tick?: number; id?: number } = {},
  ): number {
    this.tick(atMs);
    if (more.tick !== undefined) this.half.ticked(more.tick);
    this.clock.identification = () => more.id ?? 0;
    const bytes = new TextEncoder().encode(`<${text}>`);
    const wireLength = more.wireLength ?? text.length;
    this.half.data(bytes, 1, bytes.length - 1, wireLength, this.sequence(offset), more.mark ?? 0);
    this.half.reviewHole();
    return this.clock.ref;
  }

  bare(atMs: number, offset: number): number {
    this.tick(atMs);
    this.half.bare(this.sequence(offset));
    this.half.reviewHole();
    return this.clock.ref;
  }

  ack(atMs: number, offset: number, window = 502): number {
    this.tick(atMs);
    this.half.ack(this.sequence(offset), window, false);
    this.half.reviewHole();
    return this.clock.ref;
  }

  sack(atMs: number, offset: number, left: number, right: number): number {
    this.tick(atMs);
    this.half.ack(this.sequence(offset), 502, false);
    this.half.sack(this.sequence(left), this.sequence(right));
    this.half.reviewHole();
    return this.clock.ref;
  }
}
