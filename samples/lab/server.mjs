// The remote-management server: agents' WebSockets and the operators' HTTP API on one loopback port.
// Configuration comes as JSON in argv[2]; what it does and sees goes to the lab as notes.

import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Sender, WebSocketServer } from 'ws';
import { isoMicros, note, serveLab } from './events.mjs';
import { codec, partsOf } from './messages.mjs';

const config = {
  host: '127.0.0.1',
  port: 3001,
  pingMs: 2000,
  maxAttempts: 10,
  reofferOnHeartbeat: true,
  reaperMs: 0,
  configOctets: 1800,
  idStyle: 'uuid',
  deflate: false,
  fragment: [],
  silent: [], // agents to which no command is ever offered
  halfWritten: [], // agents on whose connection the write of a Command stops half way, and everything after it
  neverUpgrade: [], // API versions whose Upgrade requests are taken and never answered
  keepFirst: false, // a new connection does not take the place of an older one: commands go out on the stale one
  channelOctets: Number.POSITIVE_INFINITY,
  ...JSON.parse(process.argv[2]),
};

const agents = new Map(); // agent ID -> { id, connection | null, pending: Map }
let connections = config.connectionsBefore ?? 0;
let frozen = false;
let shortId = 48210;
let lock = Promise.resolve(); // the one lock of incident 2: a dispatch that waits for room holds it

const hasRoom = async (agent) => {
  while (agent.connection && agent.connection.socket.bufferedAmount > config.channelOctets) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

function newId() {
  if (config.idStyle === 'number') return ++shortId;
  return config.idStyle === 'short' ? randomBytes(4).toString('hex') : randomUUID();
}

function agentOf(id) {
  if (!agents.has(id)) agents.set(id, { id, connection: null, pending: new Map() });
  return agents.get(id);
}

function send(connection, type, fields) {
  const text = connection.codec.encode(type, fields);
  const { socket } = connection;
  if (connection.stuck) return 0;
  if (type === 'Command' && config.halfWritten.includes(connection.agent.id)) {
    const [head, body] = Sender.frame(Buffer.from(text), { fin: true, opcode: 1, mask: false, readOnly: false });
    socket._socket.write(Buffer.concat([head, body]).subarray(0, Math.ceil(text.length / 2)));
    connection.stuck = true;
    return Buffer.byteLength(text);
  }
  if (type !== 'Command' || !config.fragment.includes(connection.agent.id)) {
    socket.send(text);
    return Buffer.byteLength(text);
  }
  // Three fragments, with a Ping between the first two (RFC 6455, 5.4).
  const third = Math.ceil(text.length / 3);
  socket.send(text.slice(0, third), { fin: false });
  ping(connection);
  socket.send(text.slice(third, 2 * third), { fin: false });
  socket.send(text.slice(2 * third), { fin: true });
  return Buffer.byteLength(text);
}

function ping(connection) {
  if (connection.stuck) return;
  const payload = (connection.pings++).toString(16).padStart(4, '0');
  connection.socket.ping(payload);
  note({ event: 'ping', conn: connection.n, agent: connection.agent?.id ?? null, payload });
}

function offer(agent, command) {
  const { connection } = agent;
  if (!connection || config.silent.includes(agent.id) || frozen || command.attempts >= config.maxAttempts) return;
  command.attempts++;
  command.offeredAt = Date.now();
  // From before the write: the next process may have read it, and noted that, before this one goes on.
  const at = isoMicros();
  const octets = send(connection, 'Command', {
    command_id: command.id,
    delivery_attempt: command.attempts,
    ...command.body,
  });
  note({ at, event: 'offer', conn: connection.n, agent: agent.id, id: command.id, attempt: command.attempts, octets });
}

function offerAgain(agent) {
  for (const command of agent.pending.values()) {
    if (Date.now() - (command.offeredAt ?? 0) > 1000) offer(agent, command);
  }
}

function onMessage(connection, text) {
  const { type, body, id, agentId } = connection.codec.decode(text);
  if (type === 'Auth') {
    const agent = agentOf(agentId);
    connection.agent = agent;
    const stale = config.keepFirst && agent.connection?.socket.readyState === 1;
    if (!stale) agent.connection = connection;
    note({ event: 'auth', conn: connection.n, agent: agentId });
    send(connection, 'AuthAck', { success: true, session: randomUUID(), server_version: '2.14.0' });
    send(connection, 'ConfigUpdate', configUpdate(config.configOctets));
    // Not in the same write as the configuration: a real server's queue wakes up a little later.
    setTimeout(() => offerAgain(agent), 150);
  } else if (type === 'Heartbeat') {
    note({ event: 'heartbeat', conn: connection.n, agent: connection.agent.id });
    if (config.reofferOnHeartbeat) offerAgain(connection.agent);
  } else if (type === 'CommandAck' || type === 'CommandResult') {
    const what = type === 'CommandAck' ? 'ack' : 'result';
    note({ event: what, conn: connection.n, agent: connection.agent.id, id, exit: body.exit_code ?? body.exitCode });
    connection.agent.pending.delete(id);
  }
}

export function configUpdate(octets) {
  const checks = [];
  for (let i = 0; i * 110 < octets; i++) {
    checks.push({
      name: `check-${i}`,
      interval_secs: 60 + 30 * (i % 5),
      threshold: 90 - (i % 7),
      kind: ['disk', 'cpu', 'memory', 'service', 'eventlog'][i % 5],
      target: `C:\\ProgramData\\Agent\\checks\\${i}.toml`,
    });
  }
  return { revision: 117, heartbeat_secs: 30, metrics_secs: 60, update_channel: 'stable', checks };
}

const http = createServer((request, response) => {
  const found = /^\/api\/agents\/([^/]+)\/command$/.exec(request.url);
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const answer = (status, body) => {
      if (response.destroyed) return;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (request.method === 'GET') {
      answer(
        200,
        [...agents.values()].map((a) => ({ agent_id: a.id, online: a.connection !== null })),
      );
    } else if (found && request.method === 'POST') {
      dispatch(agentOf(decodeURIComponent(found[1])), JSON.parse(Buffer.concat(chunks)), answer);
    } else {
      answer(404, { error: 'not found' });
    }
  });
});

async function dispatch(agent, { hang, ...body }, answer) {
  const { command_id: asked, ...rest } = body;
  const command = { id: asked ?? newId(), body: rest, attempts: 0 };
  const entry = { event: 'dispatch', agent: agent.id, id: command.id, idIn: asked ? 'request' : 'response' };
  if (config.hanging?.includes(agent.id)) {
    note({ ...entry, answered: false });
    return;
  }
  const before = lock;
  let release;
  lock = new Promise((resolve) => {
    release = resolve;
  });
  let waiting = true;
  setTimeout(() => waiting && note({ ...entry, answered: false }), 500);
  await before;
  await hasRoom(agent);
  release();
  if (frozen) return;
  waiting = false;
  agent.pending.set(command.id, command);
  note({ ...entry, answered: true });
  answer(202, { status: agent.connection ? 'queued' : 'offline', command_id: command.id });
  offer(agent, command);
}

// Compress whatever the agent negotiated; windowBits and context takeover are the agent's to ask for
const sockets = new WebSocketServer({
  noServer: true,
  perMessageDeflate: config.deflate ? { threshold: 128 } : false,
});

http.on('upgrade', (request, socket, head) => {
  socket.setNoDelay(true);
  const version = /^\/api\/(v\d)\/agents\/connect/.exec(request.url)?.[1];
  if (config.neverUpgrade.includes(version)) {
    socket.on('error', () => {});
    return;
  }
  sockets.handleUpgrade(request, socket, head, (ws) => {
    const connection = { n: ++connections, socket: ws, codec: codec(version), agent: null, pings: 0 };
    note({
      event: 'open',
      conn: connection.n,
      key: request.headers['sec-websocket-key'],
      forwardedFor: request.headers['x-forwarded-for'] ?? null,
    });
    const timer = setInterval(() => ping(connection), config.pingMs);
    ws.on('message', (data) => {
      for (const text of partsOf(data.toString())) onMessage(connection, text);
    });
    ws.on('pong', (data) => note({ event: 'pong', conn: connection.n, payload: data.toString() }));
    ws.on('error', (error) => note({ event: 'socket-error', conn: connection.n, code: error.code }));
    ws.on('close', (code) => {
      clearInterval(timer);
      if (connection.agent?.connection === connection) connection.agent.connection = null;
      note({ event: 'close', conn: connection.n, agent: connection.agent?.id ?? null, code });
    });
  });
});

if (config.reaperMs) setInterval(() => [...agents.values()].forEach(offerAgain), config.reaperMs);

serveLab({
  online: () => [...agents.values()].filter((agent) => agent.connection).map((agent) => agent.id),
  set: ({ values }) => void Object.assign(config, values),
  // No new attempts from here on: the captures, and the Pings, run on until every deadline has passed.
  freeze: () => {
    frozen = true;
  },
  // Large configurations, one after the other: what fills a connection whose reader has stopped.
  flood: ({ agent, octets, times }) => {
    for (let i = 0; i < times; i++) send(agents.get(agent).connection, 'ConfigUpdate', configUpdate(octets));
    note({
      event: 'flood',
      agent,
      octets: octets * times,
      buffered: agents.get(agent).connection.socket.bufferedAmount,
    });
  },
  buffered: ({ agent }) => agents.get(agent).connection?.socket.bufferedAmount ?? null,
  drop: ({ agent }) => agents.get(agent).connection?.socket.terminate(),
});

http.listen(config.port, config.host, () => process.send({ ready: true }));
