/**
 * The second witness, one layer up: puts TCP octets in order, and finds WebSocket messages in them with the packets and
 * sequence numbers that carried each. Independent of lasthop, and simple: it reads a whole capture at once, and assumes
 * that the capture holds every octet (up to the first hole, where it stops).
 */
import { constants, inflateRawSync } from 'node:zlib';
import type { TcpPacket } from './witness-packets.js';

export interface Frame {
  /** Offsets in the stream's octets. */
  start: number;
  end: number;
  opcode: number;
  fin: boolean;
  rsv1: boolean;
  masked: boolean;
  length: number;
  payload: Buffer;
}

export interface Message {
  start: number;
  end: number;
  /** Its own frames: a Ping may lie between two fragments. */
  frames: Frame[];
  text: string;
}

export interface Direction {
  source: string;
  destination: string;
  /** Sequence number of the octet at offset 0. */
  origin: number;
  octets: Buffer;
  packets: TcpPacket[];
  frames: Frame[];
  messages: Message[];
  /** What is there of a last frame that is not whole. */
  rest: { start: number; text: string } | null;
}

export interface Stream {
  client: string;
  server: string;
  /** Of the SYN, or null. */
  openedAt: string | null;
  key: string | null;
  upgraded: boolean;
  fromServer: Direction;
  fromClient: Direction;
}

/** The WebSocket connections in a hop's packets, in order of their first one. */
export function streamsOf(packets: Iterable<TcpPacket>): Stream[] {
  const open = new Map<string, { client: string; server: string; packets: TcpPacket[]; isn: number | null }>();
  const all: { client: string; server: string; packets: TcpPacket[]; isn: number | null }[] = [];
  for (const packet of packets) {
    const forward = `${packet.source}>${packet.destination}`;
    const backward = `${packet.destination}>${packet.source}`;
    const fromClient = open.get(forward);
    if (packet.syn && packet.ack === null && fromClient?.isn !== packet.seq) {
      const fresh = { client: packet.source, server: packet.destination, packets: [packet], isn: packet.seq };
      open.set(forward, fresh);
      all.push(fresh);
      continue;
    }
    let known = fromClient ?? open.get(backward);
    if (known === undefined) {
      // No SYN was captured: the lower port is the server's.
      const down = Number(packet.source.split(':').at(-1)) < Number(packet.destination.split(':').at(-1));
      const [client, server] = down ? [packet.destination, packet.source] : [packet.source, packet.destination];
      known = { client, server, packets: [], isn: null };
      open.set(`${client}>${server}`, known);
      all.push(known);
    }
    known.packets.push(packet);
  }
  return all.map((one) => read(one.client, one.server, one.packets)).filter((stream) => stream.upgraded);
}

function read(client: string, server: string, packets: TcpPacket[]): Stream {
  const fromServer = direction(server, client, packets);
  const fromClient = direction(client, server, packets);
  const request = fromClient.octets.toString('latin1', 0, 8192);
  const response = fromServer.octets.toString('latin1', 0, 8192);
  const key = /\r\nsec-websocket-key: *(\S+)/i.exec(request)?.[1] ?? null;
  const syn = packets.find((packet) => packet.syn && packet.ack === null);
  const upgraded = key !== null && response.startsWith('HTTP/1.1 101');
  const stream = { client, server, openedAt: syn?.at ?? null, key, upgraded, fromServer, fromClient };
  if (upgraded) {
    const extensions = /\r\nsec-websocket-extensions: *([^\r]*)/i.exec(response)?.[1] ?? '';
    frames(fromServer, response.indexOf('\r\n\r\n') + 4);
    frames(fromClient, request.indexOf('\r\n\r\n') + 4);
    messages(fromServer, extensions.includes('server_no_context_takeover'));
    messages(fromClient, extensions.includes('client_no_context_takeover'));
  } else if (!/^(GET|POST|HTTP)/.test(request) && !response.startsWith('HTTP/') && syn === undefined) {
    for (const [side, masked] of [
      [fromServer, false],
      [fromClient, true],
    ] as const) {
      const start = firstFrame(side.octets, masked);
      if (start === null) continue;
      frames(side, start);
      messages(side, false);
      stream.upgraded = true;
    }
  }
  return stream;
}

function direction(source: string, destination: string, packets: TcpPacket[]): Direction {
  const mine = packets.filter((packet) => packet.source === source && packet.destination === destination);
  const syn = mine.find((packet) => packet.syn);
  const data = mine.filter((packet) => packet.payload.length > 0);
  let origin = syn !== undefined ? (syn.seq + 1) >>> 0 : (data[0]?.seq ?? 0);
  if (syn === undefined) for (const { seq } of data) if (((seq - origin) | 0) < 0) origin = seq;
  const parts: Buffer[] = [];
  let end = 0;
  const ordered = data.map((packet) => ({ at: (packet.seq - origin) | 0, payload: packet.payload }));
  for (const { at, payload } of ordered.sort((a, b) => a.at - b.at)) {
    if (at > end) break;
    if (at < 0 || at + payload.length <= end) continue;
    parts.push(payload.subarray(end - at));
    end = at + payload.length;
  }
  return {
    source,
    destination,
    origin,
    octets: Buffer.concat(parts),
    packets: mine,
    frames: [],
    messages: [],
    rest: null,
  };
}

function frameAt(octets: Buffer, at: number): Frame | null {
  if (at + 2 > octets.length) return null;
  // RSV2 or RSV3, or an opcode that does not exist: no frame, and nobody can read on (RFC 6455 section 5.2).
  if ((octets[at] & 0x30) !== 0 || ![0, 1, 2, 8, 9, 10].includes(octets[at] & 15)) return null;
  const masked = (octets[at + 1] & 128) !== 0;
  let length = octets[at + 1] & 127;
  let body = at + 2;
  if (length === 126) {
    if (body + 2 > octets.length) return null;
    length = octets.readUInt16BE(body);
    body += 2;
  } else if (length === 127) {
    if (body + 8 > octets.length) return null;
    length = Number(octets.readBigUInt64BE(body));
    body += 8;
  }
  const mask = body;
  if (masked) body += 4;
  const payload = Buffer.from(octets.subarray(body, body + length));
  if (masked) for (let i = 0; i < payload.length; i++) payload[i] ^= octets[mask + (i & 3)];
  const fin = (octets[at] & 128) !== 0;
  const rsv1 = (octets[at] & 64) !== 0;
  return { start: at, end: body + length, opcode: octets[at] & 15, fin, rsv1, masked, length, payload };
}

function frames(side: Direction, at: number): void {
  for (let frame = frameAt(side.octets, at); frame !== null; frame = frameAt(side.octets, at)) {
    if (frame.end > side.octets.length) {
      side.rest = { start: at, text: frame.payload.toString() };
      return;
    }
    side.frames.push(frame);
    at = frame.end;
  }
}

function messages(side: Direction, fresh: boolean): void {
  let parts: Frame[] = [];
  let window = Buffer.alloc(0);
  for (const frame of side.frames) {
    if (frame.opcode >= 8) continue;
    parts.push(frame);
    if (!frame.fin) continue;
    let whole = Buffer.concat(parts.map((part) => part.payload));
    if (parts[0].rsv1) {
      const dictionary = window.length > 0 ? { dictionary: window } : {};
      const tail = Buffer.from([0, 0, 255, 255]);
      whole = inflateRawSync(Buffer.concat([whole, tail]), { finishFlush: constants.Z_SYNC_FLUSH, ...dictionary });
      window = fresh ? Buffer.alloc(0) : Buffer.concat([window, whole]).subarray(-32768);
    }
    for (const text of partsOf(whole.toString()))
      side.messages.push({ start: parts[0].start, end: frame.end, frames: parts, text });
    parts = [];
  }
}

/** A gateway makes one message of several: a JSON array, or JSON lines. */
function partsOf(text: string): string[] {
  if (text.startsWith('[')) return JSON.parse(text).map((each: unknown) => JSON.stringify(each));
  return text.trimEnd().split('\n');
}

/** In the middle of a connection: the first place from which frames follow each other to the very end, each Text JSON. */
function firstFrame(octets: Buffer, masked: boolean): number | null {
  for (let start = 0; start < octets.length; start++) {
    let at = start;
    let texts = 0;
    for (;;) {
      const frame = frameAt(octets, at);
      if (frame === null || frame.masked !== masked || (octets[at] & 0x70) !== 0) break;
      if (![1, 8, 9, 10].includes(frame.opcode) || !frame.fin || frame.end > octets.length) break;
      if (frame.opcode > 1 && frame.length > 125) break;
      if (frame.opcode === 1) {
        if (!isJson(frame.payload.toString())) break;
        texts++;
      }
      at = frame.end;
    }
    if (at === octets.length && texts > 0) return start;
  }
  return null;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
