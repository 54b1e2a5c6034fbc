#!/usr/bin/env node
// Holds every sample against its expected.json with tshark as the reader of packets: `node samples/lab/check.mjs [scenario…]`.
// tshark splits the packets; the octets are put in order, framed (RFC 6455), unmasked and inflated (RFC 7692) here, because
// tshark itself misreads some of it (see samples/README.md). Independent of lasthop: it shares no code with it.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, gunzipSync, inflateRawSync } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));
const SERVERS = {
  origin: ['127.0.0.1', '::1'],
  nginx: ['10.20.0.10', '2001:db8:20::10'],
  npm: ['10.30.0.20', '203.0.113.10', '172.17.0.2', '2001:db8:30::20'],
  edge: ['10.41.0.30', '203.0.113.10', '2001:db8:41::30'],
  cdn: ['10.42.0.30', '203.0.113.10', '2001:db8:42::30'],
};
const FIELDS =
  'frame.number tcp.stream ip.src ipv6.src ip.dst ipv6.dst tcp.srcport tcp.dstport tcp.seq_raw tcp.ack_raw tcp.flags tcp.payload';

function packets(file) {
  // Of a packet in a tunnel, the inner addresses count: the last ones.
  const args = ['-n', '-r', file, '-Y', 'tcp && !icmp && !icmpv6', '-T', 'fields', '-E', 'occurrence=l'];
  for (const field of FIELDS.split(' ')) args.push('-e', field);
  const text = execFileSync('tshark', args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [, stream, s4, s6, d4, d6, sport, dport, seq, ack, flags, payload = ''] = line.split('\t');
      return {
        stream,
        src: s4 || s6,
        dst: d4 || d6,
        sport: Number(sport),
        dport: Number(dport),
        seq: Number(seq),
        ack: Number(ack),
        flags: Number(flags),
        payload: Buffer.from(payload, 'hex'),
      };
    });
}

/** The octets of one direction from its first one on, up to the first hole; and how far the other side TCP-ACKed. */
function direction(sent, received) {
  if (sent.length === 0) return { octets: Buffer.alloc(0), acked: 0 };
  const syn = sent.find((p) => p.flags & 2);
  const data = sent.filter((p) => p.payload.length > 0);
  const first = syn ? syn.seq + 1 : data.reduce((a, p) => (a === null || ((p.seq - a) | 0) < 0 ? p.seq : a), null);
  const relative = data.map((p) => ({ at: (p.seq - first) | 0, payload: p.payload })).sort((a, b) => a.at - b.at);
  const parts = [];
  let end = 0;
  for (const { at, payload } of relative) {
    if (at > end) break;
    if (at + payload.length <= end || at < 0) continue;
    parts.push(payload.subarray(end - at));
    end = at + payload.length;
  }
  let acked = 0;
  for (const p of received) if (p.flags & 16) acked = Math.max(acked, (p.ack - first) | 0);
  return { octets: Buffer.concat(parts), acked };
}

/** Text messages of a direction that starts with an HTTP head: { text, end }, and a last one cut short: { partial }. */
function messages(octets, extensions, fromServer) {
  const head = octets.indexOf('\r\n\r\n');
  const found = [];
  let at = head + 4;
  let parts = [];
  let compressed = false;
  let window = Buffer.alloc(0);
  const fresh = extensions.includes(fromServer ? 'server_no_context_takeover' : 'client_no_context_takeover');
  while (at + 2 <= octets.length) {
    const opcode = octets[at] & 15;
    // No frame can start so (RFC 6455, 5.2): what follows cannot be read.
    if ((octets[at] & 0x30) !== 0 || ![0, 1, 2, 8, 9, 10].includes(opcode)) break;
    let length = octets[at + 1] & 127;
    let body = at + 2;
    if (length === 126) {
      length = octets.readUInt16BE(at + 2);
      body += 2;
    } else if (length === 127) {
      length = Number(octets.readBigUInt64BE(at + 2));
      body += 8;
    }
    const masked = octets[at + 1] & 128;
    const mask = body;
    if (masked) body += 4;
    const cut = body + length > octets.length;
    const payload = Buffer.from(octets.subarray(body, body + length));
    if (masked) for (let i = 0; i < payload.length; i++) payload[i] ^= octets[mask + (i & 3)];
    if (cut) {
      found.push({ partial: payload.toString() });
      break;
    }
    if (opcode < 8) {
      if (opcode !== 0) {
        compressed = (octets[at] & 0x40) !== 0;
        parts = [];
      }
      parts.push(payload);
      if (octets[at] & 128) {
        let whole = Buffer.concat(parts);
        if (compressed) {
          const dictionary = window.length > 0 ? { dictionary: window } : {};
          const tail = Buffer.from([0, 0, 255, 255]);
          whole = inflateRawSync(Buffer.concat([whole, tail]), { finishFlush: constants.Z_SYNC_FLUSH, ...dictionary });
          window = fresh ? Buffer.alloc(0) : Buffer.concat([window, whole]).subarray(-32768);
        }
        for (const text of partsOf(whole.toString())) found.push({ text, end: body + length });
      }
    }
    at = body + length;
  }
  return found;
}

/** A gateway makes one message of several: a JSON array, or JSON lines. */
function partsOf(text) {
  if (text.startsWith('[')) return JSON.parse(text).map((each) => JSON.stringify(each));
  return text.trimEnd().split('\n');
}

const attemptOf = (text) => Number(/"delivery_?[aA]ttempt":(\d+)/.exec(text)?.[1]);
const isAnswer = (text) => /"?(Command|command)_?(Ack|ack|Result|result)"/.test(text.slice(0, 60));

/** Everything that one hop's files show on its own legs. */
function readHop(files, hop) {
  const streams = new Map();
  const all = [];
  for (const file of files) {
    for (const p of packets(file)) {
      const toServer = SERVERS[hop].includes(p.dst) && (p.dport === 80 || p.dport === 3001);
      const fromServer = SERVERS[hop].includes(p.src) && (p.sport === 80 || p.sport === 3001);
      if (!toServer && !fromServer) continue;
      const peer = toServer ? `${p.src}:${p.sport}>${p.dst}` : `${p.dst}:${p.dport}>${p.src}`;
      const opens = toServer && (p.flags & 18) === 2;
      let stream = streams.get(peer);
      // A SYN with another sequence number opens the next connection on the same four-tuple.
      if (!stream || (opens && stream.syn !== null && stream.syn !== p.seq)) {
        stream = { syn: null, up: [], down: [] };
        streams.set(peer, stream);
        all.push(stream);
      }
      if (opens) stream.syn = p.seq;
      // On loopback source and destination address are the same: the port tells the direction.
      // A server may answer a SYN with the last TCP ACK of the connection before.
      const ofLast = stream.down.length === 0 && !toServer && stream.syn !== null && !(p.flags & 2);
      if (!ofLast) stream[toServer ? 'up' : 'down'].push(p);
    }
  }
  const commands = new Map(); // `id n` -> { acked, key }
  const partials = [];
  const answers = [];
  const raw = [];
  for (const { up, down } of all) {
    const server = direction(down, up);
    const agent = direction(up, down);
    const key = /sec-websocket-key: *(\S+)/i.exec(agent.octets.subarray(0, 4096).toString('latin1'))?.[1];
    if (!key) {
      raw.push({ ...server, text: server.octets.toString('latin1') });
      continue;
    }
    const answer = server.octets.toString('latin1', 0, 2048);
    if (!answer.startsWith('HTTP/1.1 101')) continue;
    const extensions = /sec-websocket-extensions: *(.*)\r/i.exec(answer)?.[1] ?? '';
    for (const { text, end, partial } of messages(server.octets, extensions, true)) {
      if (partial !== undefined) partials.push(partial);
      else commands.set(`${idOf(text)} ${attemptOf(text)}`, { acked: end <= server.acked, key });
    }
    for (const { text } of messages(agent.octets, extensions, false)) if (text && isAnswer(text)) answers.push(text);
  }
  return { commands, partials, answers, raw };
}

let ids = [];
const idOf = (text) => ids.find((id) => text.includes(`"${id}"`) || new RegExp(`[iI]d":${id}\\b`).test(text));

function stateAt(seen, id, n) {
  const whole = seen.commands.get(`${id} ${n}`);
  if (whole) return whole.acked ? 'tcp-acked' : 'sent-unacked';
  if (seen.partials.some((text) => text.includes(id))) return 'partial';
  // No handshake in the capture: look for the ID in the clear octets from the server.
  for (const { text, acked } of seen.raw) {
    for (let at = text.indexOf(id); at >= 0; at = text.indexOf(id, at + 1)) {
      if (attemptOf(text.slice(at)) === n) return at + id.length <= acked ? 'tcp-acked' : 'sent-unacked';
    }
  }
  return 'absent';
}

/** Whether `hop` lies inward of the place of loss: of the hop that swallowed it, or of the outer end of a leg `a->b`. */
function inwardOf(names, hop, lostAt) {
  const [inner, outer] = lostAt.split('->');
  return outer ? names.indexOf(hop) <= names.indexOf(inner) : names.indexOf(hop) < names.indexOf(lostAt);
}

function checkScenario(name) {
  const dir = join(root, name);
  const { hops, keyLog, proxyKeyLogs = {} } = JSON.parse(readFileSync(join(dir, 'scenario.json'), 'utf8'));
  const expected = JSON.parse(readFileSync(join(dir, 'expected.json'), 'utf8'));
  ids = expected.commands.map(({ id }) => id);
  const keys = new Map(
    expected.connections.map(({ conn, key, ownKeys }) => [conn, [key, ...Object.values(ownKeys ?? {})]]),
  );
  const scratch = mkdtempSync(join(tmpdir(), 'lasthop-check-'));
  // Where the agents' TLS ends no octets can be read here: test/scenarios/tls.test.ts holds that hop against tshark.
  // Nor where one direction was captured: what was TCP-ACKed, or what was sent, is not there.
  const oneWay = hops.filter((hop) => hop.oneWay).map((hop) => hop.name);
  const names = [...new Set(hops.map((hop) => hop.name))].filter(
    (hop) => (!keyLog || hop !== 'npm') && !(hop in proxyKeyLogs) && !oneWay.includes(hop),
  );
  const faults = [];
  let checks = 0;
  try {
    const seen = new Map();
    for (const hop of names) {
      const files = hops
        .filter((h) => h.name === hop)
        .map(({ file }) => {
          if (!file.endsWith('.gz')) return join(dir, file);
          writeFileSync(join(scratch, hop), gunzipSync(readFileSync(join(dir, file))));
          return join(scratch, hop);
        });
      seen.set(hop, readHop(files, hop));
    }
    const same = (what, wanted, had) => {
      checks++;
      if (wanted !== had) faults.push(`${what}: expected ${wanted}, the capture has ${had}`);
    };
    for (const command of expected.commands) {
      const { id, agent, outcome, attempts } = command;
      for (const attempt of attempts) {
        for (const hop of names) {
          const state = stateAt(seen.get(hop), id, attempt.n);
          const where = `${agent} ${id} attempt ${attempt.n} at ${hop}`;
          if (attempt.states?.[hop]) same(where, attempt.states[hop], state);
          else if (process.argv.includes('--verbose')) process.stdout.write(`  ${where}: ${state}\n`);
          const key = seen.get(hop).commands.get(`${id} ${attempt.n}`)?.key;
          if (key) same(`${where}, connection`, true, keys.get(attempt.conn).includes(key));
        }
        // Nothing of an attempt may be seen further out than its lastHop claims.
        const furthest = names.filter((hop) => /acked/.test(stateAt(seen.get(hop), id, attempt.n))).at(-1) ?? null;
        const outermost = (hop) => (names.includes(hop) ? hop : names.at(-1));
        const allowed = (attempt.lastHopAnyOf ?? [attempt.lastHop]).map(outermost);
        if (
          attempt.outcome !== 'inconclusive' &&
          !(attempt.states && Object.values(attempt.states).includes('partial'))
        ) {
          same(`${agent} ${id} attempt ${attempt.n} lastHop`, true, allowed.includes(furthest));
        }
      }
      if (attempts.length === 0)
        for (const hop of names) same(`${id} at ${hop}`, 'absent', stateAt(seen.get(hop), id, 1));
      for (const hop of names) {
        if (seen.get(hop).raw.length > 0) continue; // masked, and no place to start: only the server's side is read
        const answered = seen.get(hop).answers.some((text) => idOf(text) === id);
        const inwardOfLoss = outcome === 'ack-lost' && inwardOf(names, hop, command.lostAt);
        if (outcome === 'delivered') same(`CommandAck of ${id} at ${hop}`, true, answered);
        else if (outcome === 'ack-lost') same(`CommandAck of ${id} at ${hop}`, !inwardOfLoss, answered);
        else if (outcome !== 'inconclusive') same(`CommandAck of ${id} at ${hop}`, false, answered);
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  process.stdout.write(`${faults.length === 0 ? 'ok  ' : 'FAIL'} ${name}: ${checks} checks\n`);
  for (const fault of faults.slice(0, 12)) process.stdout.write(`     ${fault}\n`);
  return faults.length;
}

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const all = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'lab')
  .map((entry) => entry.name);
let failures = 0;
for (const name of wanted.length > 0 ? wanted : all) failures += checkScenario(name);
process.exitCode = failures > 0 ? 1 : 0;
