/**
 * Real TLS without a network: node:tls talks to itself over two streams in memory, and what each side wrote is kept in order, with the
 * key log that it wrote. OpenSSL is the witness here; nothing of src/ takes part.
 */

import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { certificate } from './certificate.js';

export interface WireChunk {
  from: 'client' | 'server';
  bytes: Uint8Array;
}

export interface TlsWire {
  chunks: WireChunk[];
  keyLog: string;
  protocol: string | null;
  cipher: string;
}

export interface TlsShape {
  version: 'TLSv1.2' | 'TLSv1.3';
  ciphers?: string;
  certificate?: 'ec' | 'rsa';
  alpn?: string[];
  /** The server takes only a group that the client sent no share for: HelloRetryRequest. */
  retry?: boolean;
  session?: Buffer | undefined;
  renegotiate?: boolean;
}

/** What the sides say, turn by turn; each waits until the other has it all. */
export type Script = ['client' | 'server', string | Uint8Array][];

class End extends Duplex {
  peer: End | null = null;

  constructor(private readonly sent: (bytes: Uint8Array) => void) {
    super();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.sent(Uint8Array.from(chunk));
    this.peer?.push(chunk);
    done();
  }

  override _final(done: () => void): void {
    this.peer?.push(null);
    done();
  }
}

const certificates = new Map<string, { key: string; cert: string }>();

export async function tlsWire(shape: TlsShape, script: Script): Promise<TlsWire & { session: Buffer | undefined }> {
  const kind = shape.certificate ?? 'ec';
  const own = certificates.get(kind) ?? certificate(kind, 'rmm.example.net');
  certificates.set(kind, own);
  const chunks: WireChunk[] = [];
  const clientEnd = new End((bytes) => chunks.push({ from: 'client', bytes }));
  const serverEnd = new End((bytes) => chunks.push({ from: 'server', bytes }));
  clientEnd.peer = serverEnd;
  serverEnd.peer = clientEnd;
  const common = {
    minVersion: shape.version,
    maxVersion: shape.version,
    ...(shape.ciphers === undefined ? {} : { ciphers: shape.ciphers }),
    ...(shape.alpn === undefined ? {} : { ALPNProtocols: shape.alpn }),
  };
  const server = new tls.TLSSocket(serverEnd, {
    ...common,
    ...own,
    isServer: true,
    ...(shape.retry ? { ecdhCurve: 'P-384' } : {}),
    ticketKeys: Buffer.alloc(48, 7),
  } as tls.TLSSocketOptions);
  const client = tls.connect({
    ...common,
    socket: clientEnd,
    servername: 'rmm.example.net',
    rejectUnauthorized: false,
    ...(shape.retry ? { ecdhCurve: 'X25519:P-384' } : {}),
    ...(shape.session === undefined ? {} : { session: shape.session }),
  });
  let keyLog = '';
  let session: Buffer | undefined;
  client.on('keylog', (line: Buffer) => {
    keyLog += line.toString();
  });
  client.on('session', (ticket: Buffer) => {
    session = ticket;
  });
  const heard = { client: 0, server: 0 };
  client.on('data', (data: Buffer) => {
    heard.client += data.length;
  });
  server.on('data', (data: Buffer) => {
    heard.server += data.length;
  });
  for (const socket of [client, server]) socket.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    client.once('secureConnect', resolve);
    client.once('error', reject);
    server.once('error', reject);
  });
  const said = { client: 0, server: 0 };
  let renegotiated = !shape.renegotiate;
  for (const [from, text] of script) {
    const to = from === 'client' ? 'server' : 'client';
    (from === 'client' ? client : server).write(text);
    said[from] += text.length;
    for (let i = 0; i < 500 && heard[to] < said[from]; i++) await new Promise(setImmediate);
    if (renegotiated) continue;
    renegotiated = true;
    await new Promise<void>((resolve, reject) =>
      client.renegotiate({ rejectUnauthorized: false }, (error) => (error ? reject(error) : resolve())),
    );
  }
  const cipher = client.getCipher().standardName;
  const protocol = client.alpnProtocol || null;
  client.end();
  server.end();
  await new Promise(setImmediate);
  client.destroy();
  server.destroy();
  return { chunks, keyLog, protocol, cipher, session };
}
