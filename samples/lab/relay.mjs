// A faulty proxy in the place of nginx at one hop: passes the opening handshake, then reads WebSocket frames
// (RFC 6455, 5.2) and leaves out those that its rules name. Bytes that pass are passed as they came.
// Rules: [{ from: 'server' | 'agent', opcodes: [1], types: ['Command'] | null, agents: [...] | null, half, spoil }];
// with `half`, half of the frame is written and nothing from the server after it; with `spoil: 'lose'` its first three octets are
// left out, with `spoil: 'garble'` its first octet is changed, and everything after it passes: as a tunnel that loses or corrupts does.
// `reframe`: the same messages leave in other frames: what the server sends in two fragments, what agents send with other masking keys.
// `transparent`: adds no header, as a box does that ends TCP in the middle. `delayMs`: passes everything later.

import { randomBytes } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { note } from './events.mjs';
import { sniff } from './messages.mjs';

const config = JSON.parse(process.argv[2]);

/** Splits a byte stream into whole frames; `each` gets the frame's raw bytes, opcode and unmasked payload. */
function frameReader(each) {
  let held = Buffer.alloc(0);
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      if (held.length < 2) return;
      let length = held[1] & 0x7f;
      let at = 2;
      if (length === 126) at = 4;
      if (length === 127) at = 10;
      const masked = (held[1] & 0x80) !== 0;
      if (held.length < at + (masked ? 4 : 0)) return;
      if (length === 126) length = held.readUInt16BE(2);
      if (length === 127) length = Number(held.readBigUInt64BE(2));
      const maskAt = at;
      if (masked) at += 4;
      if (held.length < at + length) return;
      const payload = Buffer.from(held.subarray(at, at + length));
      if (masked) for (let i = 0; i < length; i++) payload[i] ^= held[maskAt + (i & 3)];
      each(held.subarray(0, at + length), held[0] & 0x0f, payload);
      held = held.subarray(at + length);
    }
  };
}

function framed(payload, first, key) {
  const long = payload.length > 125;
  const head = Buffer.alloc(2 + (long ? 2 : 0));
  head[0] = first;
  head[1] = (key ? 0x80 : 0) | (long ? 126 : payload.length);
  if (long) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, key ?? Buffer.alloc(0), key ? payload.map((octet, i) => octet ^ key[i & 3]) : payload]);
}

/** The same message in other frames. */
function reframed(raw, opcode, payload, from) {
  const fin = raw[0] & 0x80;
  if (payload.length > 0xffff || (raw[0] & 0x70) !== 0) return raw;
  if (from === 'agent') return framed(payload, fin | opcode, randomBytes(4));
  if (opcode !== 1 || !fin || payload.length < 20) return raw;
  const at = payload.length >> 1;
  return Buffer.concat([framed(payload.subarray(0, at), opcode), framed(payload.subarray(at), 0x80)]);
}

/** Calls `onHead` once with the HTTP head, then hands everything else to `rest`. */
function headReader(onHead, rest) {
  let held = Buffer.alloc(0);
  let done = false;
  return (chunk) => {
    if (done) return rest(chunk);
    held = Buffer.concat([held, chunk]);
    const end = held.indexOf('\r\n\r\n');
    if (end < 0) return;
    done = true;
    onHead(held.subarray(0, end + 4).toString('latin1'));
    if (held.length > end + 4) rest(held.subarray(end + 4));
  };
}

function spoiled(raw, how) {
  if (how === 'lose') return raw.subarray(3);
  const octets = Buffer.from(raw);
  octets[0] ^= 0x75; // reserved bits, and an opcode that does not exist
  return octets;
}

createServer({ noDelay: true }, (client) => {
  const upstream = connect({ host: config.upstreamHost, port: config.upstreamPort, noDelay: true });
  let agent = null;

  let stuck = false;
  const later = (socket, octets) => {
    if (config.delayMs) setTimeout(() => socket.writable && socket.write(octets), config.delayMs);
    else socket.write(octets);
  };

  const relay = (from, to) => (raw, opcode, payload) => {
    if (from === 'server' && stuck) return;
    const { type, id, agentId } = opcode === 1 ? sniff(payload.toString()) : {};
    if (type === 'Auth') agent = agentId;
    const rule = config.rules.find(
      (r) =>
        r.from === from &&
        (!r.agents || r.agents.includes(agent)) &&
        (!r.opcodes || r.opcodes.includes(opcode)) &&
        (!r.types || r.types.includes(type)),
    );
    if (!rule) return later(to, config.reframe ? reframed(raw, opcode, payload, from) : raw);
    const event = rule.spoil ? 'relay-spoil' : 'relay-drop';
    note({ event, hop: config.hop, from, agent, opcode, type, id, half: rule.half, spoil: rule.spoil });
    if (rule.spoil) return later(to, spoiled(raw, rule.spoil));
    if (!rule.half) return;
    stuck = true;
    later(to, raw.subarray(0, raw.length >> 1));
  };

  const toAgent = frameReader(relay('server', client));
  const toServer = frameReader(relay('agent', upstream));
  const peer = client.remoteAddress.replace('::ffff:', '');

  upstream.on(
    'data',
    headReader((head) => later(client, Buffer.from(head, 'latin1')), toAgent),
  );
  client.on(
    'data',
    headReader((head) => {
      if (config.transparent) return later(upstream, Buffer.from(head, 'latin1'));
      const before = /^x-forwarded-for: *(.*)\r\n/im.exec(head)?.[1];
      const plain = head.replace(/^x-(forwarded-for|real-ip): .*\r\n/gim, '').slice(0, -2);
      const list = before ? `${before}, ${peer}` : peer;
      upstream.write(`${plain}X-Real-IP: ${peer}\r\nX-Forwarded-For: ${list}\r\n\r\n`, 'latin1');
    }, toServer),
  );
  for (const [a, b] of [
    [client, upstream],
    [upstream, client],
  ]) {
    a.on('end', () => b.end());
    a.on('error', () => b.destroy());
  }
}).listen(config.port, config.host, () => process.send({ ready: true }));

process.on('disconnect', () => process.exit(0));
