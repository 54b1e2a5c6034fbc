// One agent: connects outward, authenticates, sends Heartbeats and metrics, acknowledges and runs commands.
// Its faults are switches, so that what went wrong is known. Configuration: JSON in argv[2].

import { isIPv6 } from 'node:net';
import tls from 'node:tls';
import WebSocket from 'ws';
import { note, serveLab } from './events.mjs';
import { codec, partsOf } from './messages.mjs';

const config = {
  version: 'v1',
  heartbeatMs: 3000,
  metricsMs: 7000,
  resultMs: 120,
  reconnectMs: 700,
  agentVersion: '1.8.2',
  deflate: false,
  ignoreFromConnection: 0, // 1: all commands, 2: those on the second connection and later; 0: none
  ignoreOnConnection: 0,
  ackDelayMs: 0,
  noPong: false,
  sendAck: true,
  sendResult: true,
  localPort: undefined, // the same for each of its connections: a four-tuple that is used again
  tls: null, // { version, ciphers }: wss, the keys noted
  ...JSON.parse(process.argv[2]),
};

const wire = codec(config.version);
/** The proxy's certificate is its own; each line of the NSS key log goes to the lab. */
function connectTls(options) {
  const { version, ciphers } = config.tls;
  const socket = tls.connect({
    ...options,
    path: undefined,
    servername: 'rmm.example.net',
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
    ciphers,
    ALPNProtocols: ['http/1.1'],
  });
  socket.on('keylog', (line) => note({ event: 'keylog', line: line.toString() }));
  return socket;
}

let n = 0;
let current = null; // { socket, timers }

function connect() {
  const number = ++n;
  const ws = new WebSocket(
    `${config.tls ? 'wss' : 'ws'}://rmm.example.net${config.port ? `:${config.port}` : ''}/api/${config.version}/agents/connect`,
    {
      localAddress: config.localAddress,
      localPort: config.localPort,
      lookup: (_host, options, done) => {
        const family = isIPv6(config.target) ? 6 : 4;
        if (options.all) done(null, [{ address: config.target, family }]);
        else done(null, config.target, family);
      },
      headers: { 'user-agent': `rmm-agent/${config.agentVersion}` },
      perMessageDeflate: config.deflate,
      autoPong: !config.noPong,
      ...(config.tls ? { createConnection: connectTls } : {}),
    },
  );
  const timers = [];
  current = { socket: ws, timers };
  const key = ws._req.getHeader('sec-websocket-key');
  const log = (event) => note({ agent: config.id, conn: number, ...event });
  const send = (type, fields) => {
    if (ws.readyState === WebSocket.OPEN) ws.send(wire.encode(type, fields));
  };

  ws.on('open', () => {
    log({ event: 'open', key, extensions: ws.extensions || undefined });
    send('Auth', {
      agent_id: config.id,
      hostname: config.id,
      agent_version: config.agentVersion,
      os: config.os ?? 'Windows Server 2022',
      token: '0000-lab-token',
    });
    let sequence = 0;
    timers.push(
      setInterval(
        () => send('Heartbeat', { agent_id: config.id, sequence: ++sequence, uptime_secs: 86400 + sequence * 30 }),
        config.heartbeatMs,
      ),
      setInterval(() => {
        const cpu = [sequence % 100, 12, 7, 3];
        send('Metrics', { agent_id: config.id, cpu_percent: cpu, memory_mb: 4096 + sequence, disk_free_gb: 212 });
      }, config.metricsMs),
    );
  });

  ws.on('message', (data) => partsOf(data.toString()).forEach(take));

  function take(text) {
    const { type, id, body } = wire.decode(text);
    if (type !== 'Command') {
      log({ event: 'recv', type });
      return;
    }
    const attempt = body[wire.attemptKey];
    const ignored =
      (config.ignoreFromConnection > 0 && number >= config.ignoreFromConnection) ||
      number === config.ignoreOnConnection;
    log({ event: 'recv', type, id, attempt, ignored: ignored || undefined });
    if (!ignored) run(id, attempt, body);
  }

  function run(id, attempt, body) {
    setTimeout(() => {
      if (ws.readyState !== WebSocket.OPEN) return;
      if (config.sendAck) {
        log({ event: 'ack-sent', id, attempt });
        send('CommandAck', { command_id: id, agent_id: config.id });
      }
      setTimeout(() => {
        if (!config.sendResult || ws.readyState !== WebSocket.OPEN) return;
        log({ event: 'result-sent', id, attempt });
        const lines = 1 + (body.command.length % 9) * 4;
        const stdout = Array.from({ length: lines }, (_, i) => `${body.command} line ${i} ok`).join('\r\n');
        send('CommandResult', { command_id: id, exit_code: 0, stdout, stderr: '', duration_ms: config.resultMs });
      }, config.resultMs);
    }, config.ackDelayMs);
  }

  ws.on('ping', (data) => log({ event: 'ping', payload: data.toString(), pong: !config.noPong }));
  ws.on('error', (error) => log({ event: 'error', code: error.code ?? error.message }));
  ws.on('close', (code) => {
    for (const timer of timers) clearInterval(timer);
    log({ event: 'close', code });
    if (config.reconnectMs) setTimeout(connect, config.reconnectMs);
  });
}

serveLab({
  start: () => connect(),
  reconnect: () => current.socket.close(1000),
  set: ({ values }) => void Object.assign(config, values),
  port: () => current.socket._socket.localPort,
  // Its receive loop hangs: nothing is read from the socket any more, while Heartbeats and metrics go on.
  deafen: () => {
    current.socket.pause();
    note({ agent: config.id, conn: n, event: 'deaf' });
  },
  terminate: () => current.socket.terminate(),
  reset: () => current.socket._socket.resetAndDestroy(),
  // Opens a second connection and leaves the first one open, without Heartbeats: the agent has forgotten it.
  abandon: () => {
    for (const timer of current.timers) clearInterval(timer);
    connect();
  },
});
process.send({ ready: true });
