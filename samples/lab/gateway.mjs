// A gateway in the place of nginx at one hop, as service meshes and API gateways are: it ends WebSocket on both sides. The same messages
// pass, in frames of its own: another Sec-WebSocket-Key, other masking keys, compression as each side has it, fragments; it answers Pings
// itself and sends its own. Several commands that come at about the same time may go on as one message: as a JSON array in a Binary message towards
// the agents, their answers as JSON lines towards the server.
// Configuration: JSON in argv[2]. `rules` leave messages out, as relay.mjs has them: [{ from, types, agents }].

import { createServer } from 'node:http';
import WebSocket, { WebSocketServer } from 'ws';
import { note } from './events.mjs';
import { partsOf, sniff } from './messages.mjs';

const config = {
  deflateInward: false,
  deflateOutward: false,
  fragmentOctets: 0, // towards the agents
  batchOutwardMs: 0, // what comes in that time goes on in one message; 0: each goes on as it came
  batchInwardMs: 0,
  pingMs: 1500,
  rules: [],
  ...JSON.parse(process.argv[2]),
};

const deflate = (wanted) => (wanted ? { threshold: 64 } : false);

/** The whole message at once, or in fragments of so many octets. */
function pass(socket, data, isBinary, fragmentOctets = 0) {
  if (socket.readyState !== WebSocket.OPEN) return;
  if (fragmentOctets === 0 || data.length <= fragmentOctets) {
    socket.send(data, { binary: isBinary });
    return;
  }
  for (let at = 0; at < data.length; at += fragmentOctets) {
    const end = at + fragmentOctets;
    socket.send(data.subarray(at, end), { binary: isBinary, fin: end >= data.length });
  }
}

const http = createServer();
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: deflate(config.deflateOutward) });

http.on('upgrade', (request, socket, head) => {
  socket.setNoDelay(true);
  socket.on('error', () => {});
  const peer = request.socket.remoteAddress.replace('::ffff:', '');
  const before = request.headers['x-forwarded-for'];
  const server = new WebSocket(`ws://${config.upstreamHost}:${config.upstreamPort}${request.url}`, {
    perMessageDeflate: deflate(config.deflateInward),
    headers: {
      'user-agent': request.headers['user-agent'] ?? '',
      'x-real-ip': request.headers['x-real-ip'] ?? peer,
      'x-forwarded-for': before ? `${before}, ${peer}` : peer,
    },
  });
  note({
    event: 'own-key',
    hop: config.hop,
    outer: request.headers['sec-websocket-key'],
    inner: server._req.getHeader('sec-websocket-key'),
  });
  server.on('error', () => socket.destroy());
  // The agent's side is answered when the server's is open: what it says at once then has where to go.
  server.once('open', () => sockets.handleUpgrade(request, socket, head, (agent) => join(agent, server)));
});

/** Commands, CommandAcks and results that come within so many milliseconds go on as one message, others at once; in the order in which they came. */
function batch(afterMs, one, several) {
  let held = [];
  let timer = null;
  const flush = () => {
    clearTimeout(timer);
    if (held.length > 0) several(held);
    held = [];
  };
  return (text) => {
    if (!/^Command/.test(sniff(text).type)) {
      flush();
      one(text);
    } else if (held.push(text) === 1) timer = setTimeout(flush, afterMs);
  };
}

function join(agent, server) {
  let name = null;
  const isDropped = (from, text, isBinary) => {
    const { type, id, agentId } = sniff(text);
    if (type === 'Auth') name = agentId;
    const rule = config.rules.find(
      (each) => each.from === from && each.agents.includes(name) && each.types.includes(type),
    );
    if (rule) note({ event: 'relay-drop', hop: config.hop, from, agent: name, opcode: isBinary ? 2 : 1, type, id });
    return rule !== undefined;
  };
  const relay = (from, to, fragmentOctets) => (data, isBinary) => {
    if (!isDropped(from, data.toString(), isBinary)) pass(to, data, isBinary, fragmentOctets);
  };
  const gather = (from, held) => (data, isBinary) => {
    for (const text of partsOf(data.toString())) if (!isDropped(from, text, isBinary)) held(text);
  };
  const array = batch(
    config.batchOutwardMs,
    (text) => pass(agent, text, false),
    (held) => pass(agent, Buffer.from(`[${held}]`), true),
  );
  const lines = batch(
    config.batchInwardMs,
    (text) => pass(server, text, false),
    (held) => pass(server, Buffer.from(`${held.join('\n')}\n`), false),
  );
  server.on(
    'message',
    config.batchOutwardMs > 0 ? gather('server', array) : relay('server', agent, config.fragmentOctets),
  );
  agent.on('message', config.batchInwardMs > 0 ? gather('agent', lines) : relay('agent', server));
  const timer = setInterval(() => agent.readyState === WebSocket.OPEN && agent.ping(), config.pingMs);
  for (const [one, other] of [
    [agent, server],
    [server, agent],
  ]) {
    one.on('error', () => {});
    one.on('close', () => {
      clearInterval(timer);
      other.close();
    });
  }
}

http.listen(config.port, config.host, () => process.send({ ready: true }));

process.on('disconnect', () => process.exit(0));
