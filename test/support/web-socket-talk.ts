/** A WebSocket on a tape: TCP opening, opening handshake (RFC 6455 section 1.2), then frames. Nothing of src/ is used. */

import { createHash } from 'node:crypto';
import { octets } from './octets.js';
import { Talk, type TalkShape, type Tape } from './tape.js';

export const SAMPLE_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

export interface HandshakeShape {
  key?: string;
  path?: string;
  /** Further lines of the request, without line ends. */
  request?: string[];
  response?: string[];
}

export function upgradeRequest(shape: HandshakeShape = {}): Uint8Array {
  return octets(
    [
      `GET ${shape.path ?? '/ws'} HTTP/1.1`,
      'Host: server.example.com',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${shape.key ?? SAMPLE_KEY}`,
      'Sec-WebSocket-Version: 13',
      ...(shape.request ?? []),
      '',
      '',
    ].join('\r\n'),
  );
}

export function upgradeResponse(shape: HandshakeShape = {}): Uint8Array {
  const accept = createHash('sha1')
    .update(`${shape.key ?? SAMPLE_KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  return octets(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${accept}`,
      ...(shape.response ?? []),
      '',
      '',
    ].join('\r\n'),
  );
}

/** TCP open and handshake done within about 4 ms. */
export function webSocket(tape: Tape, atMs: number, talk: TalkShape = {}, shape: HandshakeShape = {}): Talk {
  const connection = new Talk(tape, talk).open(atMs);
  connection.send(atMs + 1, 'client', upgradeRequest(shape));
  connection.send(atMs + 2, 'server', upgradeResponse(shape));
  return connection;
}
