/** What is found by trying where a hello is missing or the key log has no line for a connection, and what is said where nothing can be. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ContentType } from '../../src/tls/record.js';
import { hear, whole } from '../support/tls-hear.js';
import { type Script, type TlsShape, type TlsWire, tlsWire, type WireChunk } from '../support/tls-wire.js';

const SCRIPT: Script = [
  ['client', 'GET /agents HTTP/1.1\r\n\r\n'],
  ['server', 'HTTP/1.1 101 Switching\r\n\r\n'],
  ['server', '{"type":"Command"}'],
  ['client', '{"type":"CommandAck"}'],
];
const said = { client: `${SCRIPT[0][1]}${SCRIPT[3][1]}`, server: `${SCRIPT[1][1]}${SCRIPT[2][1]}` };

const SHAPES: Record<string, TlsShape> = {
  gcm13: { version: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' },
  sha384: { version: 'TLSv1.3', ciphers: 'TLS_AES_256_GCM_SHA384' },
  chacha13: { version: 'TLSv1.3', ciphers: 'TLS_CHACHA20_POLY1305_SHA256' },
  gcm12: { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
  cbc12: { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0' },
  chacha12: { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' },
};
const wires = new Map<string, TlsWire>();
let others = '';

beforeAll(async () => {
  for (const [name, shape] of Object.entries(SHAPES)) wires.set(name, await tlsWire(shape, SCRIPT));
  others = [...(await Promise.all(Object.values(SHAPES).map((shape) => tlsWire(shape, SCRIPT))))]
    .map(({ keyLog }) => keyLog)
    .join('');
});

const wireOf = (name: string) => wires.get(name) as TlsWire;

/** Cut at records: a hole then takes whole ones. */
function byRecord(wire: TlsWire): TlsWire {
  const chunks = wire.chunks.flatMap(({ from, bytes }) => {
    const records: WireChunk[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + 5 + ((bytes[at + 3] << 8) | bytes[at + 4]);
      records.push({ from, bytes: bytes.subarray(at, end) });
      at = end;
    }
    return records;
  });
  return { ...wire, chunks };
}

const isHello =
  (from: 'client' | 'server') =>
  ({ from: sender, bytes }: WireChunk) =>
    sender === from && bytes[0] === ContentType.handshake && bytes[5] === (from === 'client' ? 1 : 2);
const isChange =
  (from: 'client' | 'server') =>
  ({ from: sender, bytes }: WireChunk) =>
    sender === from && bytes[0] === ContentType.changeCipherSpec;

describe('without the ClientHello', () => {
  it.each(Object.keys(SHAPES))('the secrets are found among others: %s', (name) => {
    const wire = byRecord(wireOf(name));
    const heard = hear(wire, whole, { without: isHello('client'), keys: others + wire.keyLog });
    expect(heard).toMatchObject({ ...said, why: null });
    expect(heard.session.facts).toMatchObject({
      handshake: 'missing',
      clientRandom: null,
      cipherSuite: wire.cipher,
      decrypted: true,
    });
  });

  it.each(Object.keys(SHAPES))('and without its secrets it says so: %s', (name) => {
    const { client, server, why } = hear(byRecord(wireOf(name)), whole, { without: isHello('client'), keys: others });
    expect([client, server]).toEqual(['', '']);
    expect(why).toMatch(/its ClientHello was not captured, and none of the/);
  });
});

describe('packets cut by the snapshot length', () => {
  const cut = (...from: ('client' | 'server')[]) => ({
    cutTo: (chunk: WireChunk) => (from.some((each) => isHello(each)(chunk)) ? 40 : chunk.bytes.length),
    keys: others,
  });

  it.each(Object.keys(SHAPES))('are told from a ClientHello that was not captured: %s', (name) => {
    const { why } = hear(byRecord(wireOf(name)), whole, cut('client'));
    expect(why).toMatch(/its ClientHello was cut by the snapshot length, and none of the/);
  });

  it('may take both hellos', () => {
    const { why, session } = hear(byRecord(wireOf('gcm12')), whole, cut('client', 'server'));
    expect(why ?? session.facts.unreadable).toMatch(
      /^its ClientHello and its ServerHello were cut by the snapshot length, and /,
    );
  });
});

describe('without the ServerHello', () => {
  it.each(['gcm13', 'sha384', 'chacha13'])('TLS 1.3 is opened by the secrets of its client: %s', (name) => {
    const wire = byRecord(wireOf(name));
    const heard = hear(wire, whole, { without: isHello('server'), keys: others + wire.keyLog });
    expect(heard).toMatchObject({ ...said, why: null, lost: [] });
    expect(heard.session.facts).toMatchObject({ version: '1.3', cipherSuite: wire.cipher });
  });

  it.each(['gcm12', 'cbc12', 'chacha12'])('TLS 1.2 cannot be, and says why: %s', (name) => {
    const wire = byRecord(wireOf(name));
    const heard = hear(wire, whole, { without: isHello('server') });
    expect(heard).toMatchObject({ client: '', server: '' });
    expect(heard.why).toBe('its ServerHello was not captured, and keys of TLS 1.2 cannot be made without its random');
  });

  it('says that there are no keys where there are none', () => {
    const wire = byRecord(wireOf('gcm13'));
    expect(hear(wire, whole, { without: isHello('server'), keys: others }).why).toBe(
      'the key log holds no keys for it',
    );
  });
});

describe('with one direction only', () => {
  it.each(['gcm13', 'chacha13'])("TLS 1.3 is read, the client's: %s", (name) => {
    const wire = wireOf(name);
    const heard = hear(wire, whole, { without: ({ from }) => from === 'server' });
    expect(heard).toMatchObject({ client: said.client, server: '', why: null });
  });

  it.each(Object.keys(SHAPES))("the server's is read: %s", (name) => {
    const wire = wireOf(name);
    const heard = hear(wire, whole, { without: ({ from }) => from === 'client' });
    expect(heard).toMatchObject({ client: '', server: said.server, why: null });
  });
});

describe('a ChangeCipherSpec in a hole', () => {
  it.each(['gcm12', 'cbc12', 'chacha12'])('does not shut the direction: %s', (name) => {
    const wire = byRecord(wireOf(name));
    for (const from of ['client', 'server'] as const) {
      const heard = hear(wire, whole, { without: isChange(from) });
      expect(heard, from).toMatchObject({ ...said, why: null, lost: [] });
    }
  });

  it('with Finished behind it, neither', () => {
    const wire = byRecord(wireOf('gcm12'));
    const change = wire.chunks.findIndex(isChange('client'));
    const finished = wire.chunks.findIndex(({ from }, i) => i > change && from === 'client');
    const heard = hear(wire, whole, { without: (_chunk, i) => i === change || i === finished });
    expect(heard).toMatchObject({ ...said, why: null, lost: [] });
  });

  it('with application data behind it, what is missing is said', () => {
    const wire = byRecord(wireOf('gcm12'));
    const change = wire.chunks.findIndex(isChange('client'));
    const own = wire.chunks.flatMap(({ from }, i) => (from === 'client' && i > change ? [i] : []));
    const heard = hear(wire, whole, {
      without: (_chunk, i) => i === change || own.indexOf(i) === 0 || own.indexOf(i) === 1,
    });
    expect(heard).toMatchObject({ client: SCRIPT[3][1], server: said.server, why: null });
    expect(heard.lost).toMatchObject([{ direction: 0, exact: false }]);
  });
});

describe('a resumed session of TLS 1.2 whose client wrote no second line', () => {
  it.each(['gcm12', 'cbc12', 'chacha12'])('is opened by the secret of the first: %s', async (name) => {
    const first = await tlsWire(SHAPES[name], SCRIPT);
    const wire = await tlsWire({ ...SHAPES[name], session: first.session }, SCRIPT);
    const heard = hear(wire, whole, { keys: others + first.keyLog });
    expect(heard).toMatchObject({ ...said, why: null, lost: [] });
    expect(heard.session.facts).toMatchObject({ resumed: true, decrypted: true });
    expect(hear(wire, whole, { keys: others }).why).toBe('the key log holds no keys for it');
  });
});

describe('in mid-connection', () => {
  const begun = (wire: TlsWire) => wire.chunks.findIndex(({ from }, i) => i > 3 && from === 'server') + 1;

  it.each(['gcm12', 'cbc12', 'chacha12'])('TLS 1.2 says that both hellos are needed: %s', (name) => {
    const wire = byRecord(wireOf(name));
    const skip = wire.chunks.findIndex(({ bytes }) => bytes[0] === ContentType.applicationData);
    expect(hear(wire, whole, { skip }).session.facts.unreadable).toBe(
      'the capture starts in mid-connection, and keys of TLS 1.2 (1 in the key log) are of use only where both hellos were captured',
    );
    const mixed = hear(wire, whole, { skip, keys: others }).session.facts.unreadable;
    expect(mixed).toMatch(/none of the 3 keys in the key log fits; keys of TLS 1\.2 \(3 in the key log\)/);
  });

  it('takes no keys of another connection', () => {
    const wire = wireOf('gcm13');
    expect(hear(wire, whole, { skip: begun(wire), keys: others })).toMatchObject({ client: '', server: '' });
  });
});

describe('a handshake that was broken off', () => {
  it('is read as far as it went, and is not said to lack keys', async () => {
    const wire = await tlsWire(SHAPES['gcm13'], SCRIPT);
    const keys = wire.keyLog
      .split('\n')
      .filter((line) => line.includes('HANDSHAKE'))
      .join('\n');
    // ClientHello, and the server's flight: the client went without an answer.
    const end = wire.chunks.findIndex(({ from }, i) => i > 1 && from === 'client');
    const heard = hear({ ...wire, chunks: wire.chunks.slice(0, end) }, whole, { keys });
    expect(heard.why).toBeNull();
    expect(heard.session.facts).toMatchObject({ established: false, unreadable: null });
    // OpenSSL's client writes the server's alone where the certificate does not please it.
    const [servers] = keys.split('\n').filter((line) => line.startsWith('SERVER'));
    expect(hear({ ...wire, chunks: wire.chunks.slice(0, end) }, whole, { keys: servers }).why).toBeNull();
    // What followed, had it followed, would lack them.
    expect(hear(wire, whole, { keys }).why).toBe('the key log holds only a part of its secrets');
  });
});

describe('what goes wrong is never a failure', () => {
  it('whichever record is missing', () => {
    for (const name of Object.keys(SHAPES)) {
      const wire = byRecord(wireOf(name));
      for (const i of wire.chunks.keys()) {
        const heard = hear(wire, whole, { without: (_chunk, n) => n === i });
        for (const side of ['client', 'server'] as const) {
          // Nothing but what was said, less one write at most.
          const writes = SCRIPT.filter(([from]) => from === side).map(([, text]) => String(text));
          const left = writes.filter((text) => heard[side].includes(text));
          expect(left.join(''), `${name} ${i}`).toBe(heard[side]);
        }
      }
    }
  });
});
