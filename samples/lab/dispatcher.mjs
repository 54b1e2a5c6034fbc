// An operator's HTTP client on the origin host: asks the server for commands, with or without keep-alive.

import { Agent, request } from 'node:http';
import { serveLab } from './events.mjs';

const { host = '127.0.0.1' } = JSON.parse(process.argv[2]);
const keepAlive = new Agent({ keepAlive: true, maxSockets: 1 });

function post({ path, body, reuse, timeoutMs = 4000 }) {
  return new Promise((resolve) => {
    const text = JSON.stringify(body);
    const req = request(
      {
        host,
        port: 3001,
        path,
        method: 'POST',
        agent: reuse ? keepAlive : false,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          'user-agent': 'rmm-console/5.1',
        },
      },
      (res) => {
        const chunks = [];
        res.on('data', (chunk) => chunks.push(chunk));
        res.on('end', () => resolve({ status: res.statusCode, body: JSON.parse(Buffer.concat(chunks)) }));
      },
    );
    req.setTimeout(timeoutMs, () => req.destroy());
    req.on('error', () => resolve({ status: 0, body: null }));
    req.end(text);
  });
}

serveLab({ post });
process.send({ ready: true });
