/**
 * One direction of a connection: what reads its octets at present, what could not be read, and what waits until it is known how to read it.
 * In: connection-stack.ts. Out: frames to its MessageReader, blind spans to the observation.
 */

import type { HalfStream } from '../tcp/half-stream.js';
import type { LostPlaintext } from '../tls/facts.js';
import type { Frame } from '../websocket/frame.js';
import { FrameStream } from '../websocket/frame-stream.js';
import type { ConnectionStack } from './connection-stack.js';
import { HeldOctets } from './held-octets.js';
import type { HopContext } from './hop-context.js';
import { MessageReader } from './message-reader.js';
import type { BlindSpan } from './observation.js';

/** What listings get of each frame: after its message was read. */
export type FrameListener = (stack: ConnectionStack, side: Side, frame: Frame) => void;

const MAX_BLIND = 4096;
/** What most connections never have takes no memory: replaced by the first one. */
const NO_SPANS: BlindSpan[] = [];

export class Side {
  mode: 'undecided' | 'http' | 'websocket' | 'ignored' = 'undecided';
  readonly messages: MessageReader;
  frames: FrameStream;
  /** Where what it carries begins: behind a PROXY header, or what is said to a proxy before it carries another connection. */
  opensAt = 0;
  /** Where WebSocket began, by the handshake. */
  webSocketFrom = Number.NaN;
  blind: BlindSpan[] = NO_SPANS;
  /** Octets that came before it was known how to read them. */
  held: HeldOctets | null = null;
  maskedFrames = 0;
  unmaskedFrames = 0;
  searched = 0;
  /** When the last frame was read; NaN before the first. */
  private lastFrameNs = Number.NaN;
  /** When a TLS record came that was not opened so far. */
  closedSince: { timeNs: number; ref: number } | null = null;

  constructor(
    readonly half: HalfStream,
    readonly stack: ConnectionStack,
    private readonly context: HopContext,
  ) {
    this.messages = new MessageReader(half, context, stack);
    this.frames = new FrameStream(this, { masked: null });
  }

  frame(frame: Frame): void {
    this.lastFrameNs = this.context.clock.timeNs;
    if (frame.masked) this.maskedFrames++;
    else this.unmaskedFrames++;
    this.messages.frame(frame);
    this.context.frameListener?.(this.stack, this, frame);
  }

  undecoded(from: number, to: number, why: string): void {
    this.messages.abandon();
    this.messages.sent.keepUnread(from, to);
    const { clock } = this.context;
    const { ledger } = this.half;
    const wireFrom = this.messages.sent.wireStart(from);
    const fromNs = ledger.firstSentNs(wireFrom);
    if (this.blind.length < MAX_BLIND)
      this.notRead({
        from,
        to,
        fromNs: Number.isNaN(fromNs) ? this.readUntilNs : fromNs,
        toNs: clock.timeNs,
        why,
        ref: ledger.firstSentRef(wireFrom),
      });
  }

  notRead(span: BlindSpan): void {
    if (this.blind === NO_SPANS) this.blind = [];
    this.blind.push(span);
  }

  /** What the ledger does not know any more began after the last frame that was read. */
  private get readUntilNs(): number {
    return Number.isNaN(this.lastFrameNs) ? this.half.firstSeenNs : this.lastFrameNs;
  }

  /** Records were not read; from `closedSince` on, where it is not known how much they hold. */
  closed({ from, to, why }: LostPlaintext): void {
    const { clock } = this.context;
    const { timeNs, ref } = (to === from ? this.closedSince : null) ?? clock;
    const last = this.blind.at(-1);
    if (last !== undefined && last.to === from && last.why === why && to > from) {
      last.to = to;
      last.toNs = clock.timeNs;
    } else if (this.blind.length < MAX_BLIND) this.notRead({ from, to, fromNs: timeNs, toNs: clock.timeNs, why, ref });
    if (to === from) this.closedSince = null;
  }

  /** Octets of the stream are needed from here on; in TCP that is where the record began that carried them. */
  needs(from: number): void {
    const { tls } = this.stack;
    this.half.keepFrom = tls === null ? from : tls.needFrom(this.half, from);
  }

  /** As far back as what reads the octets at present still wants them. */
  needsAsRead(): void {
    const { messages } = this;
    this.needs(
      messages.needFrom(this.mode === 'websocket' ? this.frames.needFrom : (this.held?.from ?? messages.sent.next)),
    );
  }

  /** Octets of WebSocket are missing; `exact`: frames go on at `to` for certain. */
  framesLost(from: number, to: number, exact: boolean): void {
    this.frames.gap(from, to);
    if (!exact && !this.frames.searching)
      this.frames.search(to, 'how many octets before it are missing is not certain');
  }

  /** Frames that the client sent before the 101 was seen, or too few octets to tell what they are. */
  hold(bytes: Uint8Array, start: number, end: number, offset: number): void {
    this.held ??= new HeldOctets(offset);
    this.held.add(bytes, start, end, offset);
    this.half.keepFrom = Math.min(this.half.keepFrom, this.messages.sent.wireStart(this.held.from));
  }

  /** It is WebSocket, from `startsAt` on; NaN where the answer to the Upgrade was not captured. What was held is read. */
  release(startsAt: number): void {
    const { held } = this;
    this.held = null;
    this.mode = 'websocket';
    if (startsAt >= 0) this.frames.startAt(startsAt);
    else this.frames.search(held?.from ?? this.messages.sent.next, 'the response to the Upgrade was not captured');
    held?.replay({
      octets: (octets, offset) => this.frames.read(octets, 0, octets.length, offset),
      lost: (from, to, exact) => {
        this.framesLost(from, to, exact);
        this.needsAsRead();
      },
    });
    if (!(startsAt >= 0)) this.frames.finish();
  }

  /** What was seen so far was not read as what it is. */
  restart(): void {
    this.mode = 'undecided';
    this.frames = new FrameStream(this, { masked: null });
    this.held = null;
    this.searched = 0;
  }
}
