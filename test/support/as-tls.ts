/**
 * A capture with the connections to one server made to look like TLS: each piece of the stream that left in one segment becomes a
 * record of the length that a suite would give it, with random contents; sequence numbers, TCP ACKs and SACKs are moved accordingly.
 * So every fault of a plain capture exists encrypted, too. Little-endian pcap, Ethernet or Linux cooked v2, IPv4, TCP. Nothing of
 * src/ takes part.
 */

export interface Suite {
  id: number;
  version: 0x0303 | 0x0304;
  /** Octets of the fragment for so many of plaintext (RFC 8446 section 5.2, RFC 5246 section 6.2.3). */
  fragment(octets: number): number;
  explicitNonce?: boolean;
}

export const SUITES = {
  tls13: { id: 0x1301, version: 0x0304, fragment: (octets) => octets + 17 },
  gcm12: { id: 0xc02f, version: 0x0303, fragment: (octets) => octets + 24, explicitNonce: true },
  cbc12: { id: 0xc027, version: 0x0303, fragment: (octets) => 16 + 16 * Math.ceil((octets + 32 + 1) / 16) },
} satisfies Record<string, Suite>;

interface Direction {
  base: number;
  highest: number;
  syn: boolean;
  /** Stream offsets [from, to) of each record, and where its last octet stands among the records. */
  pieces: { from: number; to: number; end: number }[];
  wire: Buffer;
}

interface Packet {
  head: Buffer;
  data: Buffer;
  tcp: number;
  payload: number;
  octets: number;
  ip: number;
  ends: [Direction, Direction] | null;
  fromClient: boolean;
}

const MAX_PLAINTEXT = 1 << 14;

/** `server` is `address:port`. With `hello` the opening is put before what the connections say from their SYN on. */
export function asTls(capture: Uint8Array, server: string, suite: Suite, hello = true): Uint8Array {
  const pcap = Buffer.from(capture);
  const random = generator();
  const connections = new Map<string, [Direction, Direction]>();
  const packets = [...packetsOf(pcap)].map((each) => placed(each, server, connections));
  for (const { ends, fromClient, data, tcp, octets } of packets) {
    if (ends === null) continue;
    const [own, other] = fromClient ? ends : [ends[1], ends[0]];
    const syn = (data[tcp + 13] & 2) !== 0 ? 1 : 0;
    const sequence = (data.readUInt32BE(tcp + 4) + syn) >>> 0;
    if (own.base < 0) own.base = sequence;
    if (syn === 1) own.syn = true;
    if ((data[tcp + 13] & 16) !== 0 && other.base < 0) other.base = data.readUInt32BE(tcp + 8);
    const from = (sequence - own.base) | 0;
    const to = from + octets;
    if (octets === 0 || to <= own.highest) continue;
    if (from > own.highest) own.pieces.push({ from: own.highest, to: from, end: 0 });
    for (let at = Math.max(from, own.highest); at < to; at += MAX_PLAINTEXT)
      own.pieces.push({ from: at, to: Math.min(to, at + MAX_PLAINTEXT), end: 0 });
    own.highest = to;
  }
  for (const ends of connections.values())
    for (const [i, end] of ends.entries())
      write(end, suite, random, hello ? opening(suite, i === 0, random) : Buffer.alloc(0));
  return Buffer.concat([pcap.subarray(0, 24), ...packets.flatMap(rewritten)]);
}

function* packetsOf(pcap: Buffer): Generator<{ head: Buffer; data: Buffer }> {
  for (let at = 24; at + 16 <= pcap.length; ) {
    const end = at + 16 + pcap.readUInt32LE(at + 8);
    yield { head: pcap.subarray(at, at + 16), data: pcap.subarray(at + 16, end) };
    at = end;
  }
}

function placed(
  { head, data }: { head: Buffer; data: Buffer },
  server: string,
  connections: Map<string, [Direction, Direction]>,
): Packet {
  // Ethernet has its type at 12, Linux cooked v2 its protocol at the start.
  const ip = data.readUInt16BE(0) === 0x0800 && data[20] >> 4 === 4 ? 20 : 14;
  const packet: Packet = { head, data, tcp: 0, payload: 0, octets: 0, ip, ends: null, fromClient: false };
  if (data.length < ip + 40 || data[ip] >> 4 !== 4 || data[ip + 9] !== 6) return packet;
  const tcp = ip + (data[ip] & 15) * 4;
  const end = (at: number, port: number) => `${[...data.subarray(at, at + 4)].join('.')}:${data.readUInt16BE(port)}`;
  const [source, destination] = [end(ip + 12, tcp), end(ip + 16, tcp + 2)];
  if (source !== server && destination !== server) return packet;
  packet.tcp = tcp;
  packet.payload = tcp + (data[tcp + 12] >> 4) * 4;
  packet.octets = Math.max(0, ip + data.readUInt16BE(ip + 2) - packet.payload);
  packet.fromClient = destination === server;
  const client = packet.fromClient ? source : destination;
  const fresh = (): Direction => ({ base: -1, highest: 0, syn: false, pieces: [], wire: Buffer.alloc(0) });
  packet.ends = connections.get(client) ?? [fresh(), fresh()];
  connections.set(client, packet.ends);
  return packet;
}

function write(end: Direction, suite: Suite, random: (octets: number) => Buffer, before: Buffer): void {
  const parts = end.syn && end.pieces.length > 0 ? [before] : [];
  let at = parts.reduce((sum, { length }) => sum + length, 0);
  let nonce = 0n;
  for (const piece of end.pieces) {
    const body = random(suite.fragment(piece.to - piece.from));
    if (suite.explicitNonce) body.writeBigUInt64BE(0x2233445566000000n + nonce++);
    parts.push(record(23, body));
    at += 5 + body.length;
    piece.end = at;
  }
  end.wire = Buffer.concat(parts);
}

/** Where a stream offset stands among the records: within one counted from its end. */
function moved(end: Direction, offset: number): number {
  if (offset <= 0 || end.pieces.length === 0) return offset;
  if (offset > end.highest) return end.wire.length + (offset - end.highest);
  const piece = end.pieces.find(({ to }) => to >= offset);
  return piece === undefined ? offset : piece.end - (piece.to - offset);
}

function rewritten({ head, data, tcp, payload, octets, ip, ends, fromClient }: Packet): Buffer[] {
  if (ends === null) return [head, data];
  const [own, other] = fromClient ? ends : [ends[1], ends[0]];
  const syn = (data[tcp + 13] & 2) !== 0 ? 1 : 0;
  const headers = Buffer.from(data.subarray(0, payload));
  const offset = (data.readUInt32BE(tcp + 4) + syn - own.base) | 0;
  const from = moved(own, offset);
  const to = octets > 0 ? moved(own, offset + octets) : from;
  headers.writeUInt32BE((own.base + from - syn) >>> 0, tcp + 4);
  const acked = (sequence: number) => (other.base + moved(other, (sequence - other.base) | 0)) >>> 0;
  if ((data[tcp + 13] & 16) !== 0) headers.writeUInt32BE(acked(data.readUInt32BE(tcp + 8)), tcp + 8);
  for (let at = tcp + 20; at < payload && headers[at] !== 0; ) {
    if (headers[at] === 5)
      for (let edge = at + 2; edge < at + headers[at + 1]; edge += 4)
        headers.writeUInt32BE(acked(headers.readUInt32BE(edge)), edge);
    at += headers[at] === 1 ? 1 : Math.max(2, headers[at + 1]);
  }
  const length = payload - ip + (to - from);
  headers.writeUInt16BE(length > 0xffff ? 0 : length, ip + 2);
  const body = from < 0 ? Buffer.alloc(to - from) : own.wire.subarray(from, to);
  const record = Buffer.from(head);
  for (const at of [8, 12]) record.writeUInt32LE(payload + body.length, at);
  return [record, headers, body];
}

// --- what stands before -----------------------------------------------------------------------------------------------------

function opening(suite: Suite, client: boolean, random: (octets: number) => Buffer): Buffer {
  const is13 = suite.version === 0x0304;
  const version = Buffer.from([3, 3]);
  const number = (value: number) => Buffer.from([value >> 8, value & 0xff]);
  const sized = (body: Buffer) => Buffer.concat([number(body.length), body]);
  const versions = Buffer.concat([number(43), sized(client ? Buffer.from([4, 3, 4, 3, 3]) : number(suite.version))]);
  const extensions = sized(is13 || client ? versions : Buffer.alloc(0));
  const chosen = client ? sized(number(suite.id)) : number(suite.id);
  const compression = client ? Buffer.from([1, 0]) : Buffer.from([0]);
  const hello = Buffer.concat([version, random(32), Buffer.from([0]), chosen, compression, extensions]);
  const message = Buffer.concat([Buffer.from([client ? 1 : 2, 0]), sized(hello)]);
  const change = record(20, Buffer.from([1]));
  if (!is13) return Buffer.concat([record(22, message), change, record(22, random(40))]);
  // Encrypted: the server's certificate and two tickets, the client's Finished.
  const hidden = client ? [53] : [48, 900, 281, 69, 266, 266];
  return Buffer.concat([record(22, message), change, ...hidden.map((octets) => record(23, random(octets)))]);
}

function record(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, 3, 3, body.length >> 8, body.length & 0xff]), body]);
}

function generator(): (octets: number) => Buffer {
  let state = 20_260_101;
  return (octets) =>
    Buffer.from(
      Uint8Array.from({ length: octets }, () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return state >>> 16;
      }),
    );
}
