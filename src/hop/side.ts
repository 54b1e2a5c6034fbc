/**
 * One direction of a connection: what reads its octets at present, what could not be read, and what waits until it is known how to read it.
 * In: connection-stack.ts. Out: frames to its MessageReader, blind spans to the observation.
 */

import type { HalfStream } from '../tcp/half-stream.js';
import type { LostPlaintext } from '../tls/session.js';
import type { Frame } from '../websocket/frame.js';
import { FrameStream } from '../websocket/frame-stream.js';
import type { ConnectionStack } from './connection-stack.js';
import type { HopContext } from './hop-context.js';
import { MessageReader } from './message-reader.js';
import type { BlindSpan } from './observation.js';

/** What listings get of each frame: after its message was read. */
export type FrameListener = (stack: ConnectionStack, side: Side, frame: Frame) => void;

export interface HeldOctets {
  /** None where octets before `offset` are missing. */
  bytes: Uint8Array;
  offset: number;
  /** The stream goes on at `offset` for certain. */
  exact: boolean;
}

const MAX_BLIND = 4096;
/** What most connections never have takes no memory: replaced by the first one. */
const NO_SPANS: BlindSpan[] = [];
export const NOT_HELD: HeldOctets[] = [];

export class Side {
  mode: 'undecided' | 'http' | 'websocket' | 'ignored' = 'undecided';
  readonly messages: MessageReader;
  frames: FrameStream;
  /** Where WebSocket began, by the handshake. */
  webSocketFrom = Number.NaN;
  blind: BlindSpan[] = NO_SPANS;
  /** Octets that came before it was known how to read them. */
  held: HeldOctets[] = NOT_HELD;
  heldOctets = 0;
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

  /** What was seen so far was not read as what it is. */
  restart(): void {
    this.mode = 'undecided';
    this.frames = new FrameStream(this, { masked: null });
    this.held = NOT_HELD;
    this.heldOctets = 0;
    this.searched = 0;
  }
}
