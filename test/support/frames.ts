/** Builds WebSocket frames from RFC 6455 section 5.2; nothing of src/ is used. */

import { join, octets } from './octets.js';

export interface FrameShape {
  opcode?: number;
  fin?: boolean;
  rsv1?: boolean;
  /** Four octets: the frame is masked with them. */
  mask?: readonly number[];
  /** Octets for the length: 0, 2 or 8; by default the fewest. */
  lengthOctets?: 0 | 2 | 8;
}

export function frame(payload: Uint8Array | string, shape: FrameShape = {}): Uint8Array {
  const body = typeof payload === 'string' ? octets(payload) : payload;
  const { opcode = 1, fin = true, rsv1 = false, mask } = shape;
  const length = shape.lengthOctets ?? (body.length < 126 ? 0 : body.length < 65536 ? 2 : 8);
  const header = Buffer.alloc(2 + length);
  header[0] = (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode;
  header[1] = (mask ? 0x80 : 0) | (length === 0 ? body.length : length === 2 ? 126 : 127);
  if (length === 2) header.writeUInt16BE(body.length, 2);
  if (length === 8) header.writeBigUInt64BE(BigInt(body.length), 2);
  if (mask === undefined) return join(header, body);
  return join(
    header,
    Uint8Array.from(mask),
    body.map((octet, i) => octet ^ mask[i % 4]),
  );
}

let turn = 0;
/** A client's frame: another key each time, as RFC 6455 section 5.3 wants it, and the same ones in every run of a test file. */
export function masked(payload: Uint8Array | string, shape: FrameShape = {}): Uint8Array {
  turn++;
  return frame(payload, { mask: [turn & 0xff, 0x5a, (turn >>> 8) ^ 0xa5, 0x3c], ...shape });
}

export const ping = (payload: Uint8Array | string = ''): Uint8Array => frame(payload, { opcode: 9 });
export const pong = (payload: Uint8Array | string = ''): Uint8Array => masked(payload, { opcode: 10 });
export const command = (id: string, more = ''): string => `{"type":"Command","id":"${id}","cmd":"hostname"${more}}`;
export const commandAck = (id: string): string => `{"type":"CommandAck","id":"${id}"}`;
