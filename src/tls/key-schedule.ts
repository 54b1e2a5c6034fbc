/**
 * From secrets of a key log to the keys of a direction. In: secrets and randoms. Out: key and IV for record-cipher.ts.
 * RFC 8446 section 7.1 to 7.3 (HKDF, RFC 5869), RFC 5246 section 5 and 6.3.
 */

import { createHmac } from 'node:crypto';
import type { CipherSuite } from './cipher-suite.js';

export interface TrafficKeys {
  key: Uint8Array;
  /** TLS 1.3 and ChaCha20: 12 octets to be combined with the record number. TLS 1.2 GCM: the 4 that the record does not carry. */
  iv: Uint8Array;
  macKey: Uint8Array;
}

const NOTHING = new Uint8Array(0);

function hmac(hash: string, key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  const mac = createHmac(hash, key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** HKDF-Expand-Label with an empty context. */
export function expandLabel(hash: string, secret: Uint8Array, label: string, length: number): Uint8Array {
  const name = new TextEncoder().encode(`tls13 ${label}`);
  const info = Uint8Array.of(length >> 8, length & 0xff, name.length, ...name, 0);
  const out = new Uint8Array(length);
  let block: Uint8Array = NOTHING;
  for (let at = 0, i = 1; at < length; i++) {
    block = hmac(hash, secret, block, info, Uint8Array.of(i));
    out.set(block.subarray(0, Math.min(block.length, length - at)), at);
    at += block.length;
  }
  return out;
}

/** RFC 8446 section 7.3. */
export function trafficKeys(suite: CipherSuite, secret: Uint8Array): TrafficKeys {
  return {
    key: expandLabel(suite.hash, secret, 'key', suite.keyLength),
    iv: expandLabel(suite.hash, secret, 'iv', 12),
    macKey: NOTHING,
  };
}

/** The secret after a KeyUpdate, RFC 8446 section 7.2. */
export function nextTrafficSecret(suite: CipherSuite, secret: Uint8Array): Uint8Array {
  return expandLabel(suite.hash, secret, 'traffic upd', secret.length);
}

/** PRF of RFC 5246 section 5. */
export function prf(hash: string, secret: Uint8Array, label: string, seed: Uint8Array, length: number): Uint8Array {
  const whole = Buffer.concat([Buffer.from(label, 'latin1'), seed]);
  const out = new Uint8Array(length);
  let a: Uint8Array = whole;
  for (let at = 0; at < length; ) {
    a = hmac(hash, secret, a);
    const block = hmac(hash, secret, a, whole);
    out.set(block.subarray(0, Math.min(block.length, length - at)), at);
    at += block.length;
  }
  return out;
}

/** Key expansion of TLS 1.2, RFC 5246 section 6.3: what the client writes with, and the server. */
export function expandedKeys(
  suite: CipherSuite,
  masterSecret: Uint8Array,
  clientRandom: Uint8Array,
  serverRandom: Uint8Array,
): { client: TrafficKeys; server: TrafficKeys } {
  const ivLength = suite.protection === 'gcm' || suite.protection === 'ccm' ? 4 : suite.protection === 'cbc' ? 0 : 12;
  const { macLength, keyLength } = suite;
  const seed = Buffer.concat([serverRandom, clientRandom]);
  const block = prf(suite.hash, masterSecret, 'key expansion', seed, 2 * (macLength + keyLength + ivLength));
  let at = 0;
  const take = (length: number) => {
    const taken = block.slice(at, at + length);
    at += length;
    return taken;
  };
  const [clientMac, serverMac, clientKey, serverKey] = [macLength, macLength, keyLength, keyLength].map(take);
  const [clientIv, serverIv] = [ivLength, ivLength].map(take);
  return {
    client: { key: clientKey, iv: clientIv, macKey: clientMac },
    server: { key: serverKey, iv: serverIv, macKey: serverMac },
  };
}
