/**
 * What TLS lets the layers above see of a connection. In: tls-layer.ts with plaintext and what was lost of it. Out: the stack reads the
 * plaintext; its sides get what could not be read, as blind spans.
 */

import type { LostPlaintext } from '../tls/facts.js';
import type { ConnectionStack } from './connection-stack.js';
import type { BlindSpan } from './observation.js';
import type { Side } from './side.js';
import type { TlsOwner } from './tls-layer.js';

export class Decrypted implements TlsOwner {
  /** Spans that end with the stream: from a place on nothing could be decrypted. */
  private readonly open: { span: BlindSpan; side: Side; wireFrom: number }[] = [];

  constructor(private readonly stack: ConnectionStack) {}

  clientDirection(): 0 | 1 {
    return this.stack.clientDirection();
  }

  plaintext(direction: 0 | 1, bytes: Uint8Array, start: number, end: number, offset: number): void {
    const { stack } = this;
    const client = stack.tls?.clientDirection ?? null;
    if (client !== null && stack.clientByContent === null) {
      stack.clientByContent = client;
      stack.clientFrom = 'tls';
    }
    stack.octets(stack.sides[direction], bytes, start, end, offset);
  }

  unopened(direction: 0 | 1): void {
    const { timeNs, ref } = this.stack.context.clock;
    this.stack.sides[direction].closedSince = { timeNs, ref };
  }

  unread(direction: 0 | 1, lost: LostPlaintext): void {
    const side = this.stack.sides[direction];
    // Where no frames are being read, nobody else would say so.
    if (lost.to === lost.from || side.mode !== 'websocket') side.closed(lost);
    this.stack.octetsLost(side, lost.from, lost.to, lost.exact);
  }

  unreadable(why: string): void {
    const { stack } = this;
    const { tls } = stack;
    if (!tls?.facts.decrypted) {
      // Its records are followed all the same: their sizes may tell which messages they carried.
      if (tls?.keepsSizes) stack.protocol = 'tls';
      else stack.ignore('tls');
      return;
    }
    const { timeNs, ref } = stack.context.clock;
    for (const side of stack.sides) {
      const { next } = side.messages.sent;
      if (side.mode === 'websocket') side.frames.gap(next, next + 1);
      const span = { from: next, to: next, fromNs: timeNs, toNs: Number.POSITIVE_INFINITY, why, ref };
      side.notRead(span);
      this.open.push({ span, side, wireFrom: side.half.next });
    }
  }

  /** No octets will come any more. */
  finish(): void {
    const { stack } = this;
    const { tls } = stack;
    tls?.finish();
    if (stack.protocol === 'none') stack.protocol = 'tls';
    // Nothing was decrypted: the stream's octets are TCP's.
    if (!tls?.facts.decrypted) for (const side of stack.sides) side.messages.sent.records = null;
    for (const { span, side, wireFrom } of this.open) span.to = span.from + (side.half.next - wireFrom);
  }
}
