#!/usr/bin/env node
// Writes a capture of one hop as large as asked for: `node samples/bench/generate.mjs FILE [--mb 200] [--agents 50] [--seed 1]`.
// Valid Ethernet, IPv4 and TCP (checksums too), opening handshakes, and the incident's messages as JSON: Auth, ConfigUpdate, Commands,
// CommandAcks, results, Heartbeats, metrics, Pings, Pongs, and the TCP ACKs between them. The same arguments give the same file.
// Memory stays small: packets go to disk as they are made. Prints what it wrote, as JSON: the counts that a verdict must come to.

import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const START_S = 1_760_000_000;
const MSS = 1448;
const SERVER = { ip: [10, 40, 0, 5], mac: [2, 0, 10, 40, 0, 5], port: 3001 };
const SYN = 2;
const PSH = 8;
const ACK = 16;
const FIN_TEXT = 0x81;
const FIN_PING = 0x89;
const FIN_PONG = 0x8a;
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** xorshift32 (Marsaglia 2003). */
function randomFrom(seed) {
  let x = seed >>> 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

/** A pcap file, written in chunks. */
class CaptureFile {
  octets = 0;
  packets = 0;
  #chunk = Buffer.alloc(4 << 20);
  #used = 0;
  #fd;

  constructor(path) {
    this.#fd = openSync(path, 'w');
    const header = Buffer.alloc(24);
    header.writeUInt32LE(0xa1b2c3d4, 0);
    header.writeUInt16LE(2, 4);
    header.writeUInt16LE(4, 6);
    header.writeUInt32LE(262144, 16);
    header.writeUInt32LE(1, 20);
    header.copy(this.#chunk);
    this.#used = 24;
    this.octets = 24;
  }

  /** Room for one packet of `length` octets at `us` microseconds after the start; returns { chunk, at } to write it to. */
  packet(us, length) {
    if (this.#used + 16 + length > this.#chunk.length) this.#flush();
    const chunk = this.#chunk;
    const at = this.#used;
    chunk.writeUInt32LE(START_S + Math.floor(us / 1e6), at);
    chunk.writeUInt32LE(us % 1e6, at + 4);
    chunk.writeUInt32LE(length, at + 8);
    chunk.writeUInt32LE(length, at + 12);
    this.#used += 16 + length;
    this.octets += 16 + length;
    this.packets++;
    return { chunk, at: at + 16 };
  }

  #flush() {
    writeSync(this.#fd, this.#chunk, 0, this.#used);
    this.#used = 0;
  }

  close() {
    this.#flush();
    closeSync(this.#fd);
  }
}

function sum16(octets, start, end, sum) {
  let at = start;
  for (; at + 1 < end; at += 2) sum += (octets[at] << 8) | octets[at + 1];
  if (at < end) sum += octets[at] << 8;
  return sum;
}

function folded(sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** One TCP connection between an agent and the server. */
class Connection {
  /** Next sequence number of each side, and how far each has TCP-ACKed the other. */
  seq;
  acked;
  ipId = 1;

  constructor(file, { ip, port, serverIsn, agentIsn }) {
    this.file = file;
    this.ip = ip;
    this.mac = [2, 0, ...ip];
    this.port = port;
    this.seq = { server: serverIsn, agent: agentIsn };
    this.acked = { server: agentIsn, agent: serverIsn };
  }

  segment(us, from, flags, payload, start = 0, end = 0, seq = this.seq[from]) {
    const up = from === 'agent';
    const options = flags & SYN ? 20 : 12;
    const tcpHeader = 20 + options;
    const length = 14 + 20 + tcpHeader + (end - start);
    const { chunk, at } = this.file.packet(us, length);
    const to = up ? SERVER : this;
    const source = up ? this : SERVER;
    for (let i = 0; i < 6; i++) {
      chunk[at + i] = to.mac[i];
      chunk[at + 6 + i] = source.mac[i];
    }
    chunk.writeUInt16BE(0x0800, at + 12);
    const ip = at + 14;
    chunk[ip] = 0x45;
    chunk[ip + 1] = 0;
    chunk.writeUInt16BE(length - 14, ip + 2);
    chunk.writeUInt16BE(this.ipId++ & 0xffff, ip + 4);
    chunk.writeUInt16BE(0x4000, ip + 6);
    chunk[ip + 8] = up ? 57 : 64;
    chunk[ip + 9] = 6;
    chunk.writeUInt16BE(0, ip + 10);
    for (let i = 0; i < 4; i++) {
      chunk[ip + 12 + i] = source.ip[i];
      chunk[ip + 16 + i] = to.ip[i];
    }
    chunk.writeUInt16BE(folded(sum16(chunk, ip, ip + 20, 0)), ip + 10);
    const tcp = ip + 20;
    chunk.writeUInt16BE(source.port, tcp);
    chunk.writeUInt16BE(to.port, tcp + 2);
    chunk.writeUInt32BE(seq >>> 0, tcp + 4);
    chunk.writeUInt32BE(flags & ACK ? this.acked[from] >>> 0 : 0, tcp + 8);
    chunk[tcp + 12] = (tcpHeader / 4) << 4;
    chunk[tcp + 13] = flags;
    chunk.writeUInt16BE(flags & SYN ? 64240 : 502, tcp + 14);
    chunk.writeUInt32BE(0, tcp + 16);
    const stamp = Math.floor(us / 1000) + 1000;
    if (flags & SYN) {
      // Maximum segment size, SACK permitted, timestamps, no-operation, window scale.
      chunk.set([2, 4, 5, 0xb4, 4, 2, 8, 10], tcp + 20);
      chunk.writeUInt32BE(stamp, tcp + 28);
      chunk.writeUInt32BE(0, tcp + 32);
      chunk.set([1, 3, 3, 7], tcp + 36);
    } else {
      chunk.set([1, 1, 8, 10], tcp + 20);
      chunk.writeUInt32BE(stamp, tcp + 24);
      chunk.writeUInt32BE(stamp - 20, tcp + 28);
    }
    if (payload) payload.copy(chunk, tcp + tcpHeader, start, end);
    const pseudo = sum16(chunk, ip + 12, ip + 20, 6 + length - 34);
    chunk.writeUInt16BE(folded(sum16(chunk, tcp, at + length, pseudo)), tcp + 16);
  }

  open(us, from, flags) {
    this.segment(us, from, flags);
    this.seq[from] = (this.seq[from] + 1) | 0;
  }

  /** All that `from` has of the other side is TCP-ACKed from here on. */
  caughtUp(from) {
    this.acked[from] = this.seq[from === 'agent' ? 'server' : 'agent'];
  }

  ack(us, from) {
    this.caughtUp(from);
    this.segment(us, from, ACK);
  }

  data(us, from, octets) {
    for (let at = 0; at < octets.length; at += MSS) {
      const end = Math.min(octets.length, at + MSS);
      this.segment(us, from, end === octets.length ? ACK | PSH : ACK, octets, at, end);
      this.seq[from] = (this.seq[from] + (end - at)) | 0;
    }
  }
}

function frame(first, payload, maskingKey) {
  const long = payload.length > 125;
  const head = 2 + (long ? 2 : 0) + (maskingKey === null ? 0 : 4);
  const octets = Buffer.allocUnsafe(head + payload.length);
  octets[0] = first;
  octets[1] = (maskingKey === null ? 0 : 0x80) | (long ? 126 : payload.length);
  if (long) octets.writeUInt16BE(payload.length, 2);
  payload.copy(octets, head);
  if (maskingKey !== null) {
    octets.writeUInt32BE(maskingKey, head - 4);
    for (let i = 0; i < payload.length; i++) octets[head + i] ^= octets[head - 4 + (i & 3)];
  }
  return octets;
}

/** One agent from its SYN on: each packet is written when it is due, and what is yielded are the microseconds until the next. */
function* life(agent, connection, run) {
  const { random, counts } = run;
  const upTo = (max) => random() % max;
  const fromServer = (first, text) => connection.data(run.us, 'server', frame(first, Buffer.from(text), null));
  const fromAgent = (first, text) => connection.data(run.us, 'agent', frame(first, Buffer.from(text), random()));
  const rtt = 8_000 + upTo(30_000);

  connection.open(run.us, 'agent', SYN);
  connection.caughtUp('server');
  yield 30;
  connection.open(run.us, 'server', SYN | ACK);
  yield rtt;
  connection.ack(run.us, 'agent');
  yield 60;
  const request =
    `GET /api/v1/agents/connect HTTP/1.1\r\nHost: rmm.example.net\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${agent.key}\r\nUser-Agent: rmm-agent/1.8.2\r\n\r\n`;
  connection.data(run.us, 'agent', Buffer.from(request));
  yield 400;
  connection.caughtUp('server');
  const accept = createHash('sha1').update(`${agent.key}${WEBSOCKET_GUID}`).digest('base64');
  const response =
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`;
  connection.data(run.us, 'server', Buffer.from(response));
  yield rtt;
  connection.caughtUp('agent');
  fromAgent(
    FIN_TEXT,
    `{"type":"Auth","agent_id":"${agent.id}","hostname":"${agent.id}","agent_version":"1.8.2","token":"none"}`,
  );
  yield 500;
  connection.caughtUp('server');
  fromServer(FIN_TEXT, `{"type":"AuthAck","success":true,"session":"${agent.id}-1","server_version":"2.14.0"}`);
  yield 100;
  fromServer(FIN_TEXT, run.configUpdate);
  yield rtt;
  connection.ack(run.us, 'agent');

  let sequence = 0;
  while (!run.full()) {
    yield 400_000 + upTo(800_000);
    const turn = upTo(8);
    if (turn < 5) yield* command();
    else if (turn === 5) yield* ping();
    else yield* heartbeat(turn === 6);
  }
  // No command is left without its deadline: something goes on for half a minute more.
  for (let i = 0; i < 3; i++) {
    yield 10_000_000;
    yield* heartbeat(false);
  }

  function* ping() {
    const payload = (counts.pings++).toString(16).padStart(8, '0');
    fromServer(FIN_PING, payload);
    yield rtt + upTo(2000);
    connection.caughtUp('agent');
    fromAgent(FIN_PONG, payload);
    counts.pongs++;
    yield 20;
    connection.ack(run.us, 'server');
  }

  function* heartbeat(withMetrics) {
    sequence++;
    counts.heartbeats++;
    fromAgent(
      FIN_TEXT,
      `{"type":"Heartbeat","agent_id":"${agent.id}","sequence":${sequence},"uptime_secs":${86400 + sequence * 30}}`,
    );
    yield 25;
    connection.ack(run.us, 'server');
    if (!withMetrics) return;
    yield 40_000;
    const cpu = `[${upTo(100)},${upTo(100)},${upTo(100)},${upTo(100)}]`;
    fromAgent(
      FIN_TEXT,
      `{"type":"Metrics","agent_id":"${agent.id}","cpu_percent":${cpu},"memory_mb":${4096 + sequence},"disk_free_gb":212}`,
    );
    yield 25;
    connection.ack(run.us, 'server');
  }

  function* command() {
    const hex = [random(), random(), random(), random()].map((n) => n.toString(16).padStart(8, '0')).join('');
    const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    const args = 'x'.repeat(upTo(10) === 0 ? upTo(1200) : upTo(60));
    const text = `{"type":"Command","id":"${id}","delivery_attempt":1,"command":"hostname","args":["${args}"]}`;
    counts.commands++;
    const before = connection.seq.server;
    const octets = frame(FIN_TEXT, Buffer.from(text), null);
    connection.data(run.us, 'server', octets);
    if (upTo(1000) === 0) {
      // Lost past the capture, and sent again.
      yield 200_000 + rtt;
      counts.retransmissions++;
      connection.segment(run.us, 'server', ACK | PSH, octets, 0, Math.min(octets.length, MSS), before);
    }
    yield rtt;
    if (agent.ignores) {
      counts.reachedAgent++;
      connection.ack(run.us, 'agent');
      return;
    }
    counts.delivered++;
    connection.caughtUp('agent');
    fromAgent(FIN_TEXT, `{"type":"CommandAck","command_id":"${id}","agent_id":"${agent.id}"}`);
    yield 30;
    connection.ack(run.us, 'server');
    yield 50_000 + upTo(400_000);
    const stdout = `${agent.id} line ok\\r\\n`.repeat(1 + upTo(12));
    fromAgent(
      FIN_TEXT,
      `{"type":"CommandResult","command_id":"${id}","exit_code":0,"stdout":"${stdout}","stderr":"","duration_ms":${upTo(900)}}`,
    );
    yield 25;
    connection.ack(run.us, 'server');
  }
}

/** Times and the agents that are due at them: a binary heap. */
class Due {
  #heap = [];

  push(entry) {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent].us <= entry.us) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = entry;
  }

  pop() {
    const heap = this.#heap;
    if (heap.length === 0) return null;
    const [top] = heap;
    const last = heap.pop();
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1].us < heap[child].us) child++;
      if (heap[child].us >= last.us) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function configUpdate() {
  const checks = Array.from({ length: 20 }, (_, i) => ({
    name: `check-${i}`,
    interval_secs: 60,
    threshold: 90 - (i % 7),
    kind: 'disk',
  }));
  return JSON.stringify({ type: 'ConfigUpdate', revision: 117, heartbeat_secs: 30, checks });
}

/** @returns counts: of packets, octets, and of what a verdict must come to */
export function generate(path, { megabytes = 200, agents = 50, seed = 1 } = {}) {
  const file = new CaptureFile(path);
  const counts = {
    agents,
    commands: 0,
    delivered: 0,
    reachedAgent: 0,
    pings: 0,
    pongs: 0,
    heartbeats: 0,
    retransmissions: 0,
  };
  const random = randomFrom(seed * 2654435761);
  const run = { us: 0, random, counts, configUpdate: configUpdate(), full: () => file.octets >= megabytes * 1e6 };
  const due = new Due();
  for (let i = 0; i < agents; i++) {
    // One in 25 takes commands and never answers.
    const agent = { id: `AGENT-${String(i + 1).padStart(4, '0')}`, ignores: i % 25 === 7, key: keyFrom(random) };
    const connection = new Connection(file, {
      ip: [10, 41, 1 + Math.floor(i / 250), 1 + (i % 250)],
      port: 40000 + (random() % 20000),
      serverIsn: random() | 0,
      agentIsn: random() | 0,
    });
    due.push({ us: i * 20_000, life: life(agent, connection, run) });
  }
  for (let next = due.pop(); next !== null; next = due.pop()) {
    run.us = next.us;
    const { value, done } = next.life.next();
    if (done) continue;
    next.us += value;
    due.push(next);
  }
  file.close();
  return { file: path, octets: file.octets, packets: file.packets, seconds: Math.round(run.us / 1e6), ...counts };
}

function keyFrom(random) {
  const octets = Buffer.alloc(16);
  for (let i = 0; i < 16; i += 4) octets.writeUInt32LE(random(), i);
  return octets.toString('base64');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      mb: { type: 'string', default: '200' },
      agents: { type: 'string', default: '50' },
      seed: { type: 'string', default: '1' },
    },
  });
  const [path] = positionals;
  const [megabytes, agents, seed] = [values.mb, values.agents, values.seed].map(Number);
  if (positionals.length !== 1 || !(megabytes > 0) || !(agents >= 1 && agents <= 50_000) || !Number.isInteger(seed)) {
    process.stderr.write('usage: node samples/bench/generate.mjs FILE [--mb 200] [--agents 50] [--seed 1]\n');
    process.exitCode = 2;
  } else {
    process.stdout.write(`${JSON.stringify(generate(path, { megabytes, agents, seed }))}\n`);
  }
}
