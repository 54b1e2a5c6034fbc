/**
 * The HTTP/1.1 part of one connection: pairs requests with responses, finds the opening handshake and the dispatch of commands.
 * In: connection-stack.ts with octets in order of both directions. Out: dispatches; the handshake and the word that WebSocket begins, to upgrade.ts.
 * RFC 9112 section 9.3.2 (responses come in the order of requests), RFC 6455 section 4.
 */

import type { MessageHead } from '../http/message-head.js';
import {
  answerHandshake,
  isUpgradeRequest,
  type OpeningHandshake,
  openingHandshake,
} from '../http/opening-handshake.js';
import { type BodyRule, HttpReader } from '../http/reader.js';
import type { HopContext } from './hop-context.js';
import type { ObservedDispatch } from './observation.js';

const MAX_BODY = 64 << 10;
const MAX_PENDING = 256;
const MAX_EARLY = 4;

interface PendingRequest {
  method: string;
  upgrade: OpeningHandshake | null;
  dispatch: ObservedDispatch | null;
}

/** A response that was captured before its request. */
interface EarlyResponse {
  head: MessageHead;
  ref: number;
  /** Of the whole response; NaN while it is not there. */
  endNs: number;
  endRef: number;
  id: string | null;
}

export interface ExchangeOwner {
  connection: number;
  /** Head of the Upgrade request. */
  upgradeHead: MessageHead | null;
  /** The response accepted the Upgrade: WebSocket begins after these offsets. */
  upgraded(requestEnd: number, responseEnd: number, handshake: OpeningHandshake): void;
  /** The same, where the request was not captured. */
  upgradedUnasked(responseEnd: number, response: MessageHead): void;
  /** The response came first, captured out of order: WebSocket begins after the request, too. */
  upgradedBefore(requestEnd: number, handshake: OpeningHandshake): void;
  /** Whether every octet of the client is known from the connection's first on: then a response has its request. */
  requestsWhole(): boolean;
  /** The response refused it: the request's direction goes on as HTTP. */
  refused(handshake: OpeningHandshake): void;
  /** CONNECT was accepted: from the end of both heads on, the connection carries another one's octets (RFC 9110 section 9.3.6). */
  tunnelled(requestEnd: number, responseEnd: number): void;
  /** CONNECT was refused: the request's direction goes on as HTTP. */
  notTunnelled(): void;
}

export class HttpExchange {
  readonly requests: HttpReader;
  readonly responses: HttpReader;
  handshake: OpeningHandshake | null = null;
  handshakeRefs: number[] = [];
  requestsSeen = 0;
  private readonly pending: PendingRequest[] = [];
  private readonly early: EarlyResponse[] = [];
  private current: PendingRequest | null = null;
  private requestBody = new Body();
  private responseBody = new Body();
  /** Where WebSocket begins in the requests' direction. */
  upgradeFrom = 0;

  constructor(
    private readonly context: HopContext,
    private readonly owner: ExchangeOwner,
  ) {
    this.requests = new HttpReader('request', {
      head: (head, _from, to) => this.request(head, to),
      body: (bytes, start, end) => this.requestBody.add(bytes, start, end),
      end: () => this.requestEnd(),
    });
    this.responses = new HttpReader('response', {
      head: (head, _from, to) => this.response(head, to),
      body: (bytes, start, end) => this.responseBody.add(bytes, start, end),
      end: () => this.responseEnd(),
    });
  }

  /** An Upgrade, or a tunnel, was asked for and is not answered yet. */
  get awaitsUpgrade(): boolean {
    return this.requests.state === 'stopped';
  }

  private request(head: MessageHead, to: number): BodyRule {
    this.requestsSeen++;
    const upgrade = isUpgradeRequest(head) ? openingHandshake(head) : null;
    const request: PendingRequest = { method: head.method, upgrade, dispatch: this.dispatchOf(head) };
    this.requestBody = new Body(request.dispatch !== null);
    const early = this.early.shift();
    const isAnswered = early !== undefined && (early.head.status === 101 || !Number.isNaN(early.endNs));
    if (!isAnswered && this.pending.length < MAX_PENDING) this.pending.push(request);
    this.current = request;
    if (early !== undefined && request.dispatch !== null) answerDispatch(request.dispatch, early);
    if (head.method === 'CONNECT' && early === undefined) {
      this.upgradeFrom = to;
      return 'hold';
    }
    if (upgrade === null) return 'by-fields';
    this.handshake = upgrade;
    this.owner.upgradeHead = head;
    this.handshakeRefs = [this.context.clock.ref];
    this.upgradeFrom = to;
    if (early === undefined || !isAnswered) return 'hold';
    this.handshakeRefs.push(early.ref);
    answerHandshake(upgrade, early.head);
    if (early.head.status !== 101) {
      this.owner.refused(upgrade);
      return 'by-fields';
    }
    this.owner.upgradedBefore(to, upgrade);
    return 'upgraded';
  }

  private dispatchOf(head: MessageHead): ObservedDispatch | null {
    const { profile, dispatchPath } = this.context.roles;
    if (!profile.dispatchMethods.includes(head.method)) return null;
    const match = dispatchPath.exec(head.target);
    if (match === null) return null;
    const { clock } = this.context;
    const dispatch: ObservedDispatch = {
      connection: this.owner.connection,
      askedNs: clock.timeNs,
      askedRef: clock.ref,
      answeredNs: Number.NaN,
      answeredRef: 0,
      status: 0,
      target: head.target,
      agent: match.groups?.['agent'] === undefined ? null : decoded(match.groups['agent']),
      id: null,
    };
    this.context.dispatches.push(dispatch);
    return dispatch;
  }

  private requestEnd(): void {
    const dispatch = this.current?.dispatch;
    if (dispatch) dispatch.id ??= onTopLevel(this.requestBody, this.idIn(this.requestBody));
  }

  private response(head: MessageHead, to: number): BodyRule {
    if (head.status >= 100 && head.status < 200 && head.status !== 101) return 'none';
    const request = this.pending[0];
    const early = request === undefined && this.owner.requestsWhole() && this.early.length < MAX_EARLY;
    if (early) this.early.push({ head, ref: this.context.clock.ref, endNs: Number.NaN, endRef: 0, id: null });
    this.responseBody = new Body(request?.dispatch != null || early);
    if (request?.dispatch) request.dispatch.status = head.status;
    if (request?.upgrade) {
      this.pending.shift();
      answerHandshake(request.upgrade, head);
      this.handshakeRefs.push(this.context.clock.ref);
      if (head.status === 101) {
        this.owner.upgraded(this.upgradeFrom, to, request.upgrade);
        return 'upgraded';
      }
      this.requests.state = 'head';
      this.owner.refused(request.upgrade);
      return 'by-fields';
    }
    if (request?.method === 'CONNECT') {
      this.pending.shift();
      if (head.status >= 200 && head.status < 300) {
        this.owner.tunnelled(this.upgradeFrom, to);
        return 'upgraded';
      }
      this.requests.state = 'head';
      this.owner.notTunnelled();
      return 'by-fields';
    }
    if (head.status === 101) {
      this.owner.upgradedUnasked(to, head);
      return 'upgraded';
    }
    if (request?.method === 'HEAD' || head.status === 204 || head.status === 304) return 'none';
    return 'by-fields';
  }

  private responseEnd(): void {
    const request = this.pending.shift();
    const dispatch = request?.dispatch;
    const early = this.early.at(-1);
    if (request === undefined && early !== undefined && Number.isNaN(early.endNs)) {
      early.endNs = this.context.clock.timeNs;
      early.endRef = this.context.clock.ref;
      early.id = this.idIn(this.responseBody);
    }
    if (!dispatch) return;
    dispatch.answeredNs = this.context.clock.timeNs;
    dispatch.answeredRef = this.context.clock.ref;
    // The server's word outdoes the client's: it is the server that names commands.
    dispatch.id = this.idIn(this.responseBody) ?? dispatch.id;
  }

  private idIn(body: Body): string | null {
    const bytes = body.bytes();
    const found = this.context.scan.scan(bytes, 0, bytes.length);
    if (found.idRank === 0) return null;
    return new TextDecoder().decode(bytes.subarray(found.idStart, found.idEnd));
  }
}

function answerDispatch(dispatch: ObservedDispatch, { head, endNs, endRef, id }: EarlyResponse): void {
  dispatch.status = head.status;
  dispatch.answeredNs = endNs;
  dispatch.answeredRef = endRef;
  dispatch.id = id;
}

/** The first octets of a body, if anyone wants them. */
class Body {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  constructor(private readonly wanted = false) {}

  add(bytes: Uint8Array, start: number, end: number): void {
    if (!this.wanted || this.length >= MAX_BODY) return;
    this.parts.push(bytes.slice(start, end));
    this.length += end - start;
  }

  bytes(): Uint8Array {
    return this.parts.length === 0 ? new Uint8Array(0) : Uint8Array.from(Buffer.concat(this.parts));
  }
}

/** What a request nests deeper is an ID of something else, the command's parameters. */
function onTopLevel(body: Body, id: string | null): string | null {
  if (id === null) return null;
  try {
    return Object.values(JSON.parse(new TextDecoder().decode(body.bytes()))).some((value) => String(value) === id)
      ? id
      : null;
  } catch {
    return null;
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
