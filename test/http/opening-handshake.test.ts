import { describe, expect, it } from 'vitest';
import { type MessageHead, parseHead } from '../../src/http/message-head.js';
import {
  acceptOf,
  answerHandshake,
  deflateParameters,
  isUpgradeRequest,
  openingHandshake,
} from '../../src/http/opening-handshake.js';

const headOf = (...lines: string[]) => parseHead(`${lines.join('\r\n')}\r\n\r\n`) as MessageHead;

/** RFC 6455 section 1.2. */
const REQUEST = [
  'GET /chat HTTP/1.1',
  'Host: server.example.com',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Origin: http://example.com',
  'Sec-WebSocket-Protocol: chat, superchat',
  'Sec-WebSocket-Version: 13',
];
const RESPONSE = [
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  'Sec-WebSocket-Protocol: chat',
];

function handshakeOf(request: string[], response: string[]) {
  const handshake = openingHandshake(headOf(...request));
  answerHandshake(handshake, headOf(...response));
  return handshake;
}

describe('the opening handshake of RFC 6455 section 1.2', () => {
  it('is accepted, and its accept value fits the key', () => {
    expect(handshakeOf(REQUEST, RESPONSE)).toMatchObject({
      path: '/chat',
      host: 'server.example.com',
      key: 'dGhlIHNhbXBsZSBub25jZQ==',
      protocol: 'chat',
      extensions: null,
      deflate: null,
      status: 101,
      accepted: true,
      acceptMatches: true,
    });
    expect(acceptOf('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  });

  it('whose accept value is another key’s says so', () => {
    const wrong = RESPONSE.map((line) => line.replace('s3pP', 's3pQ'));
    expect(handshakeOf(REQUEST, wrong)).toMatchObject({ accepted: true, acceptMatches: false });
  });

  it('without a key or without an accept value can not be checked', () => {
    const noKey = REQUEST.filter((line) => !line.startsWith('Sec-WebSocket-Key'));
    const noAccept = RESPONSE.filter((line) => !line.startsWith('Sec-WebSocket-Accept'));
    expect(handshakeOf(noKey, RESPONSE).acceptMatches).toBeNull();
    expect(handshakeOf(REQUEST, noAccept).acceptMatches).toBeNull();
  });

  it('refused is not accepted', () => {
    expect(handshakeOf(REQUEST, ['HTTP/1.1 502 Bad Gateway'])).toMatchObject({ status: 502, accepted: false });
  });

  it('is known by its Upgrade field, whatever its case', () => {
    expect(isUpgradeRequest(headOf(...REQUEST))).toBe(true);
    expect(isUpgradeRequest(headOf('GET / HTTP/1.1', 'upgrade: foo, WebSocket'))).toBe(true);
    expect(isUpgradeRequest(headOf('GET / HTTP/1.1', 'Upgrade: h2c'))).toBe(false);
    expect(isUpgradeRequest(headOf(...RESPONSE))).toBe(false);
  });

  it('survives caddy’s and haproxy’s spelling of field names', () => {
    const caddy = REQUEST.map((line) => line.replace('Sec-WebSocket-', 'Sec-Websocket-'));
    const haproxy = RESPONSE.map((line) => line.replace(/^[\w-]+(?=:)/, (name) => name.toLowerCase()));
    expect(handshakeOf(caddy, haproxy).acceptMatches).toBe(true);
  });
});

describe('deflateParameters (RFC 7692 sections 5.1 and 7.1)', () => {
  const none = { serverNoContextTakeover: false, clientNoContextTakeover: false };
  const widest = { serverMaxWindowBits: 15, clientMaxWindowBits: 15 };

  it.each([
    ['permessage-deflate', { ...none, ...widest }],
    ['permessage-deflate; server_no_context_takeover', { ...none, ...widest, serverNoContextTakeover: true }],
    ['permessage-deflate; client_no_context_takeover', { ...none, ...widest, clientNoContextTakeover: true }],
    ['permessage-deflate; server_max_window_bits=10', { ...none, ...widest, serverMaxWindowBits: 10 }],
    [
      'permessage-deflate; client_max_window_bits; server_max_window_bits="10"',
      { ...none, ...widest, serverMaxWindowBits: 10 },
    ],
    ['permessage-deflate; client_max_window_bits=8', { ...none, ...widest, clientMaxWindowBits: 8 }],
    ['permessage-deflate; server_max_window_bits=99', { ...none, ...widest }],
    [
      'x-webkit-thing, Permessage-Deflate ;SERVER_NO_CONTEXT_TAKEOVER',
      { ...none, ...widest, serverNoContextTakeover: true },
    ],
    ['permessage-foo; server_no_context_takeover', null],
    ['', null],
  ])('%s', (extensions, expected) => expect(deflateParameters(extensions)).toEqual(expected));
});

describe('forwarded addresses', () => {
  const forwarded = (...fields: string[]) => openingHandshake(headOf('GET / HTTP/1.1', ...fields)).forwardedFor;

  it.each([
    ['X-Forwarded-For: 203.0.113.7', ['203.0.113.7']],
    ['X-Forwarded-For: 203.0.113.7, 198.51.100.3', ['203.0.113.7', '198.51.100.3']],
    ['X-Forwarded-For: 203.0.113.7:4711', ['203.0.113.7']],
    ['X-Forwarded-For: 2001:DB8::1', ['2001:db8::1']],
    ['X-Real-IP: 203.0.113.7', ['203.0.113.7']],
  ])('%s', (field, expected) => expect(forwarded(field)).toEqual(expected));

  /** The examples of RFC 7239 section 4 and 7.1. */
  it.each([
    ['Forwarded: For="[2001:db8:cafe::17]:4711"', ['2001:db8:cafe::17']],
    ['Forwarded: for=192.0.2.60;proto=http;by=203.0.113.43', ['192.0.2.60']],
    ['Forwarded: for=192.0.2.43, for=198.51.100.17', ['192.0.2.43', '198.51.100.17']],
    ['Forwarded: for=192.0.2.43, for="[2001:db8:cafe::17]"', ['192.0.2.43', '2001:db8:cafe::17']],
    ['Forwarded: for=192.0.2.43,for="[2001:db8:cafe::17]",for=unknown', ['192.0.2.43', '2001:db8:cafe::17']],
    ['Forwarded: for="192.0.2.43:47011"', ['192.0.2.43']],
    // Section 6.2 and 6.3: these name no address.
    ['Forwarded: for="_gazonk"', []],
    ['Forwarded: for=_hidden, for=_SEVKISEK', []],
    ['Forwarded: for=unknown', []],
  ])('%s', (field, expected) => expect(forwarded(field)).toEqual(expected));

  it('takes no word in X-Forwarded-For for an address', () => {
    expect(forwarded('X-Forwarded-For: unknown, 203.0.113.7')).toEqual(['203.0.113.7']);
  });

  it('are put together from all three', () => {
    expect(forwarded('X-Real-IP: 192.0.2.1', 'X-Forwarded-For: 192.0.2.2', 'Forwarded: for=192.0.2.3')).toEqual([
      '192.0.2.2',
      '192.0.2.3',
      '192.0.2.1',
    ]);
  });
});
