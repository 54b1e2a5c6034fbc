// A server and an agent on this network namespace's loopback, tcpdump on it, and lasthop at the other end of tcpdump's pipe. To be run in a
// namespace of its own. Arguments: the path of lasthop's program. Out: JSON with what the programs logged, and what lasthop said.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket, { WebSocketServer } from 'ws';

const PORT = 3001;
const acknowledged = [];
const ignored = [];

const tcpdump = spawn('tcpdump', ['-i', 'lo', '-n', '-U', '-s', '0', '-w', '-', `tcp port ${PORT}`], {
  stdio: ['ignore', 'pipe', 'pipe'],
});
let said = '';
tcpdump.stderr.on('data', (chunk) => {
  said += chunk;
});
while (!said.includes('listening on')) await sleep(20);

const lasthop = spawn(process.execPath, [process.argv[2], 'verdict', 'origin=-', '--ack-timeout', '1s', '--json'], {
  stdio: ['pipe', 'pipe', 'pipe'],
});
tcpdump.stdout.pipe(lasthop.stdin);
const gathered = [lasthop.stdout, lasthop.stderr].map(async (stream) => {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return text;
});

const server = new WebSocketServer({ port: PORT, host: '127.0.0.1' });
const connected = once(server, 'connection');
const agent = new WebSocket(`ws://127.0.0.1:${PORT}/agents/PIPE-1`);
agent.on('message', (data) => {
  const { type, id } = JSON.parse(data.toString());
  if (type !== 'Command') return;
  const answers = Number(id.slice(-1)) % 2 === 0;
  (answers ? acknowledged : ignored).push(id);
  if (answers) agent.send(JSON.stringify({ type: 'CommandAck', command_id: id }));
});
await once(agent, 'open');
const [socket] = await connected;
agent.send(JSON.stringify({ type: 'Auth', agent_id: 'PIPE-1' }));
for (let i = 0; i < 6; i++) {
  socket.send(JSON.stringify({ type: 'Command', id: `through-a-pipe-${i}`, command: 'hostname' }));
  socket.ping();
  await sleep(100);
}
// The last deadline passes, and what tcpdump's last ring block holds is of no account.
for (let i = 0; i < 25; i++) {
  socket.ping();
  await sleep(100);
}
tcpdump.kill('SIGINT');
const [status] = await once(lasthop, 'exit');
const [out, err] = await Promise.all(gathered);
process.stdout.write(JSON.stringify({ acknowledged, ignored, status, out, err, said }));
process.exit();
