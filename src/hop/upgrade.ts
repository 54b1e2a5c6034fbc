/**
 * From HTTP to WebSocket: what the answer to an Upgrade makes of a connection's two sides. In: http-exchange.ts, when request and
 * response were read, in whichever order they were captured. Out: the stack and its sides. RFC 6455 section 4, RFC 7692 section 7.1.
 */

import type { MessageHead } from '../http/message-head.js';
import { deflateParameters, type OpeningHandshake } from '../http/opening-handshake.js';
import { MessageInflater } from '../websocket/inflate.js';
import type { ConnectionStack } from './connection-stack.js';
import type { ExchangeOwner } from './http-exchange.js';

/** SHA-1 in base64 (RFC 6455 section 4.2.2). */
const ACCEPT_LENGTH = 28;

/** Lives as long as the HttpExchange that it is made for. */
export class Upgrade implements ExchangeOwner {
  upgradeHead: MessageHead | null = null;

  constructor(private readonly stack: ConnectionStack) {}

  get connection(): number {
    return this.stack.connection;
  }

  upgraded(requestEnd: number, responseEnd: number, handshake: OpeningHandshake): void {
    const { stack } = this;
    const { client, server } = stack;
    stack.protocol = 'websocket';
    this.agreedOn(handshake);
    for (const side of stack.sides) side.mode = 'websocket';
    server.webSocketFrom = responseEnd;
    server.frames.startAt(responseEnd);
    client.webSocketFrom = requestEnd;
    stack.opened();
    client.release(requestEnd);
  }

  upgradedUnasked(responseEnd: number, response: MessageHead): void {
    const { stack } = this;
    const { client, server } = stack;
    stack.protocol = 'websocket';
    const extensions = response.fields.get('sec-websocket-extensions') ?? '';
    const deflate = deflateParameters(extensions);
    // No longer than it is, whatever else the head holds.
    stack.accept = response.fields.get('sec-websocket-accept')?.slice(0, ACCEPT_LENGTH) ?? null;
    server.mode = 'websocket';
    server.webSocketFrom = responseEnd;
    server.frames.startAt(responseEnd);
    server.frames.reader.rsv1Allowed = extensions !== '';
    if (deflate !== null) server.messages.inflater = new MessageInflater(deflate.serverNoContextTakeover);
    // Out of order, the request may still come.
    if (client.mode === 'websocket' || this.requestsWhole()) return;
    client.mode = 'websocket';
    client.frames.search(client.messages.sent.next, 'the request of the Upgrade was not captured');
  }

  upgradedBefore(requestEnd: number, handshake: OpeningHandshake): void {
    const { client } = this.stack;
    client.mode = 'websocket';
    client.webSocketFrom = requestEnd;
    client.frames.startAt(requestEnd);
    this.agreedOn(handshake);
  }

  requestsWhole(): boolean {
    const { half } = this.stack.client;
    return half.initialSequence >= 0 && half.gaps.length === 0;
  }

  refused(handshake: OpeningHandshake): void {
    const { stack } = this;
    stack.protocol = 'upgrade-refused';
    stack.handshake = handshake;
    stack.readHeld(stack.client);
  }

  tunnelled(requestEnd: number, responseEnd: number): void {
    this.stack.tunnelled(requestEnd, responseEnd);
  }

  notTunnelled(): void {
    this.stack.readHeld(this.stack.client);
  }

  private agreedOn(handshake: OpeningHandshake): void {
    const { stack } = this;
    const { client, server } = stack;
    stack.handshake = handshake;
    stack.agent.handshake(handshake, this.upgradeHead);
    const { deflate, extensions } = handshake;
    for (const side of stack.sides) side.frames.reader.rsv1Allowed = deflate !== null || (extensions ?? '') !== '';
    if (deflate === null) return;
    client.messages.inflater = new MessageInflater(deflate.clientNoContextTakeover);
    // Where the answer was captured before the request, the server's frames are being read already.
    server.messages.inflater ??= new MessageInflater(deflate.serverNoContextTakeover);
  }
}
