/**
 * Packets of both directions are not always captured in order: one side's may stand before those to which they answer. And one direction
 * may stay closed while the other is read: that is never silence.
 */
import { describe, expect, it } from 'vitest';
import { hear, whole } from '../support/tls-hear.js';
import { type Script, type TlsShape, type TlsWire, tlsWire } from '../support/tls-wire.js';

const SCRIPT: Script = [
  ['client', 'GET /agents HTTP/1.1\r\n\r\n'],
  ['server', 'HTTP/1.1 101 Switching\r\n\r\n'],
  ['server', '{"type":"Command"}'],
  ['client', '{"type":"CommandAck"}'],
];
const said = { client: `${SCRIPT[0][1]}${SCRIPT[3][1]}`, server: `${SCRIPT[1][1]}${SCRIPT[2][1]}` };

const SHAPES: [string, TlsShape][] = [
  ['TLS 1.3', { version: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' }],
  ['TLS 1.3 after a HelloRetryRequest', { version: 'TLSv1.3', retry: true }],
  ['TLS 1.2, GCM', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }],
  ['TLS 1.2, CBC', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0' }],
];

/** Each direction keeps its own order. */
function reordered(wire: TlsWire, choose: (ofClient: number, ofServer: number) => boolean): TlsWire {
  const client = wire.chunks.filter(({ from }) => from === 'client');
  const server = wire.chunks.filter(({ from }) => from === 'server');
  const chunks = [];
  while (client.length + server.length > 0) {
    const takeClient = server.length === 0 || (client.length > 0 && choose(client.length, server.length));
    chunks.push((takeClient ? client : server).shift() as (typeof wire.chunks)[number]);
  }
  return { ...wire, chunks };
}

describe.each(SHAPES)('%s', (_name, shape) => {
  it("is read where all of the client's comes first", async () => {
    const wire = reordered(await tlsWire(shape, SCRIPT), () => true);
    expect(hear(wire, whole)).toMatchObject({ ...said, why: null, lost: [] });
  });

  it.skipIf(shape.retry)("is read where all of the server's comes first", async () => {
    const wire = reordered(await tlsWire(shape, SCRIPT), () => false);
    expect(hear(wire, whole)).toMatchObject({ ...said, why: null, lost: [] });
  });

  it('is read where they stand one by one in any order', async () => {
    const wire = await tlsWire(shape, SCRIPT);
    for (let seed = 1; seed < 64; seed++) {
      let bits = seed * 0x9e3779b1;
      const mixed = reordered(wire, () => {
        bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d) + 1;
        return (bits >>> 16) % 2 === 0;
      });
      const { client, server, lost, why } = hear(mixed, whole);
      // What cannot be read then is not passed over.
      if (lost.length === 0 && why === null) expect({ client, server }, `${seed}`).toEqual(said);
      expect(said.client.endsWith(client) && said.server.endsWith(server), `${seed}`).toBe(true);
      if (shape.version === 'TLSv1.2' || !shape.retry) expect(why, `${seed}`).toBeNull();
    }
  });
});

describe('a direction that stays closed', () => {
  it.each([
    ['client', 0],
    ['server', 1],
  ] as const)("is missing, not silent: the %s's", async (side, direction) => {
    const wire = await tlsWire(SHAPES[0][1], SCRIPT);
    const label = `${side.toUpperCase()}_TRAFFIC_SECRET_0`;
    const wrong = wire.keyLog.replace(new RegExp(`^(${label} \\S+ ).{8}`, 'm'), '$1deadbeef');
    const other = side === 'client' ? 'server' : 'client';
    const heard = hear(wire, whole, { keys: wrong });
    expect([heard[side], heard[other]]).toEqual(['', said[other]]);
    expect(heard.lost.length).toBeGreaterThan(0);
    for (const lost of heard.lost) expect(lost).toMatchObject({ direction, exact: false });
  });

  it("is missing where the key log has the traffic secrets alone, and one of them is another's", async () => {
    const wire = await tlsWire(SHAPES[0][1], SCRIPT);
    const keys = wire.keyLog
      .replace(/^.*HANDSHAKE.*\n/gm, '')
      .replace(/^(CLIENT_TRAFFIC_SECRET_0 \S+ ).{8}/m, '$1deadbeef');
    const heard = hear(wire, whole, { keys });
    expect([heard.client, heard.server]).toEqual(['', said.server]);
    expect(heard.lost).toMatchObject([{ direction: 0, exact: false }]);
  });

  it('is not said to be where nothing but the handshake is closed', async () => {
    const wire = await tlsWire(SHAPES[0][1], SCRIPT);
    const keys = wire.keyLog.replace(/^.*HANDSHAKE.*\n/gm, '');
    expect(hear(wire, whole, { keys })).toMatchObject({ ...said, lost: [], why: null });
  });
});
