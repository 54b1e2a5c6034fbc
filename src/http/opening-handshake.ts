/**
 * The WebSocket opening handshake: is this request one, does the response accept it, what was negotiated.
 * In: hop/ with both heads. Out: facts of the handshake. RFC 6455 section 4, RFC 7692 section 7.
 */

import { createHash } from 'node:crypto';
import { hasToken, type MessageHead } from './message-head.js';

export interface DeflateParameters {
  serverNoContextTakeover: boolean;
  clientNoContextTakeover: boolean;
  serverMaxWindowBits: number;
  clientMaxWindowBits: number;
}

export interface OpeningHandshake {
  path: string;
  host: string | null;
  key: string | null;
  protocol: string | null;
  /** Sec-WebSocket-Extensions of the response, as on the wire. */
  extensions: string | null;
  deflate: DeflateParameters | null;
  /** Status of the response; 0 while none was seen. */
  status: number;
  accepted: boolean;
  /** Sec-WebSocket-Accept fits the key; null where one of them is missing. */
  acceptMatches: boolean | null;
  /** Addresses in X-Forwarded-For, Forwarded (RFC 7239) and X-Real-IP, as written, outermost first. */
  forwardedFor: string[];
  /** The last of them stands in X-Real-IP, which proxies pass on as it is or write anew: it is not behind the others. */
  namedReal: boolean;
  userAgent: string | null;
}

const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export function isUpgradeRequest(head: MessageHead): boolean {
  return head.kind === 'request' && hasToken(head.fields.get('upgrade'), 'websocket');
}

export function openingHandshake(request: MessageHead): OpeningHandshake {
  return {
    path: own(request.target),
    host: ownField(request, 'host'),
    key: ownField(request, 'sec-websocket-key'),
    protocol: null,
    extensions: null,
    deflate: null,
    status: 0,
    accepted: false,
    acceptMatches: null,
    forwardedFor: forwardedAddresses(request.fields),
    namedReal: isAddress(bareAddress(request.fields.get('x-real-ip')?.trim() ?? '')),
    userAgent: ownField(request, 'user-agent'),
  };
}

/** A part of a text keeps all of the text in memory: what is kept of a head is copied out of it. */
function own(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function ownField({ fields }: MessageHead, name: string): string | null {
  const value = fields.get(name);
  return value === undefined ? null : own(value);
}

/** Completes the handshake with the response that answers its request. */
export function answerHandshake(handshake: OpeningHandshake, response: MessageHead): void {
  handshake.status = response.status;
  handshake.accepted = response.status === 101;
  handshake.protocol = ownField(response, 'sec-websocket-protocol');
  handshake.extensions = ownField(response, 'sec-websocket-extensions');
  const accept = response.fields.get('sec-websocket-accept');
  if (handshake.key !== null && accept !== undefined) handshake.acceptMatches = accept === acceptOf(handshake.key);
  handshake.deflate = handshake.extensions === null ? null : deflateParameters(handshake.extensions);
}

export function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + ACCEPT_GUID)
    .digest('base64');
}

/** The first permessage-deflate in a Sec-WebSocket-Extensions value of a response; null if there is none. */
export function deflateParameters(extensions: string): DeflateParameters | null {
  for (const extension of extensions.split(',')) {
    const [name, ...parameters] = extension.split(';').map((part) => part.trim());
    if (name.toLowerCase() !== 'permessage-deflate') continue;
    const values = new Map<string, string>();
    for (const parameter of parameters) {
      const [key, value = ''] = parameter.split('=');
      values.set(key.trim().toLowerCase(), value.trim().replace(/^"|"$/g, ''));
    }
    return {
      serverNoContextTakeover: values.has('server_no_context_takeover'),
      clientNoContextTakeover: values.has('client_no_context_takeover'),
      serverMaxWindowBits: windowBits(values.get('server_max_window_bits')),
      clientMaxWindowBits: windowBits(values.get('client_max_window_bits')),
    };
  }
  return null;
}

function windowBits(value: string | undefined): number {
  const bits = Number(value);
  return bits >= 8 && bits <= 15 ? bits : 15;
}

function forwardedAddresses(fields: Map<string, string>): string[] {
  const addresses: string[] = [];
  for (const part of (fields.get('x-forwarded-for') ?? '').split(','))
    if (part.trim() !== '') addresses.push(part.trim());
  for (const match of (fields.get('forwarded') ?? '').matchAll(/for=("?)([^;,"]+)\1/gi))
    addresses.push(match[2].trim());
  const real = fields.get('x-real-ip');
  if (real !== undefined && real.trim() !== '') addresses.push(real.trim());
  // `unknown` and obfuscated identifiers name nobody (RFC 7239 sections 6.2 and 6.3).
  return addresses.map(bareAddress).filter(isAddress);
}

function isAddress(text: string): boolean {
  return /^(?=.*[.:])[\da-f.:]+(?:%.*)?$/.test(text);
}

/** Without port and brackets: `[2001:db8::1]:4711` and `192.0.2.1:80` (RFC 7239 section 6). */
function bareAddress(text: string): string {
  const bracketed = /^\[([^\]]+)\]/.exec(text);
  if (bracketed !== null) return bracketed[1].toLowerCase();
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text);
  return (withPort?.[1] ?? text).toLowerCase();
}
