// Octets that mean nothing, to keep a capture busy: as a server it reads and forgets; as a client (`connectTo`) it sends `octets` zeros and
// closes. Configuration: JSON in argv[2].

import { connect, createServer } from 'node:net';
import { note } from './events.mjs';

const { host, port, connectTo, octets } = JSON.parse(process.argv[2]);

if (connectTo) {
  const socket = connect({ host: connectTo, port }, () => {
    process.send({ ready: true });
    socket.end(Buffer.alloc(octets), () => note({ event: 'bulk-sent', octets }));
  });
  socket.on('error', (error) => note({ event: 'bulk-error', code: error.code }));
} else {
  createServer((socket) => {
    let read = 0;
    socket.on('data', (chunk) => {
      read += chunk.length;
    });
    socket.on('end', () => {
      note({ event: 'bulk-read', octets: read });
      socket.end();
    });
    socket.on('error', () => {});
  }).listen(port, host, () => process.send({ ready: true }));
}

process.on('disconnect', () => process.exit(0));
