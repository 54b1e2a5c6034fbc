// A peer that never answers. As a server: takes TCP connections, reads what comes and says nothing. As a client (`connectTo`): sends its
// protocol's greeting and waits. Both as a handshake that never completes. Configuration: JSON in argv[2].

import { connect, createServer } from 'node:net';
import { note } from './events.mjs';

const { host, port, connectTo, greeting } = JSON.parse(process.argv[2]);
const ready = () => process.send({ ready: true });

if (connectTo) {
  const socket = connect({ host: connectTo, port }, () => {
    socket.write(greeting);
    note({ event: 'greeting-sent', to: `${connectTo}:${port}`, from: `${socket.localAddress}:${socket.localPort}` });
    ready();
  });
  socket.on('data', (octets) => note({ event: 'greeting-answered', octets: octets.length }));
  socket.on('error', (error) => note({ event: 'greeting-error', code: error.code }));
} else {
  createServer((socket) => {
    const from = `${socket.remoteAddress?.replace('::ffff:', '')}:${socket.remotePort}`;
    note({ event: 'mute-accepted', port, from });
    socket.on('data', (octets) => note({ event: 'mute-read', port, from, octets: octets.length }));
    socket.on('error', () => {});
  }).listen(port, host, ready);
}

process.on('disconnect', () => process.exit(0));
