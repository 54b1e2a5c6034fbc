/** The example of RFC 8448 section 3, octet by octet: an authority that shares nothing with OpenSSL. */
import { describe, expect, it } from 'vitest';
import { type CipherSuite, cipherSuite } from '../../src/tls/cipher-suite.js';
import { trafficKeys } from '../../src/tls/key-schedule.js';
import { rfc8448, SECRETS } from '../support/rfc8448.js';
import { cut, hear, whole } from '../support/tls-hear.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('RFC 8448, simple 1-RTT handshake', () => {
  it.each([
    ['SERVER_HANDSHAKE_TRAFFIC_SECRET', '3fce516009c21727d0f2e4e86ee403bc', '5d313eb2671276ee13000b30'],
    ['SERVER_TRAFFIC_SECRET_0', '9f02283b6c9c07efc26bb9f2ac92e356', 'cf782b88dd83549aadf1e984'],
    ['CLIENT_TRAFFIC_SECRET_0', '17422dda596ed5d9acd890e3c63f5051', '5b78923dee08579033e523d9'],
  ] as const)('derives key and IV from %s', (label, key, iv) => {
    const keys = trafficKeys(cipherSuite(0x1301) as CipherSuite, Uint8Array.from(Buffer.from(SECRETS[label], 'hex')));
    expect([hex(keys.key), hex(keys.iv)]).toEqual([key, iv]);
  });

  it.each([whole, cut(1), cut(100)])('is read', (feed) => {
    const { client, server, why, lost, session } = hear(rfc8448, feed);
    const data = String.fromCharCode(...Array.from({ length: 50 }, (_, i) => i));
    expect({ client, server, why, lost }).toEqual({ client: data, server: data, why: null, lost: [] });
    expect(session.facts).toMatchObject({
      version: '1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      serverName: 'server',
      alpn: null,
      clientRandom: 'cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7',
      established: true,
      resumed: false,
    });
  });

  it('is read by its last secrets alone, as some programs write them', () => {
    const keys = rfc8448.keyLog.replace(/^.*HANDSHAKE.*\n/gm, '');
    const { client, server, why } = hear(rfc8448, whole, { keys });
    expect([client.length, server.length, why]).toEqual([50, 50, null]);
  });
});
