/**
 * Finds the number of a TLS 1.3 record by trying: for captures that start in mid-connection, and behind holes. In: a record, a traffic
 * secret and a range of numbers. Out: the number whose tag fits, or -1. RFC 8446 section 5.3.
 * AES-GCM numbers are sieved first: one AES block each, encrypted all at once, gives the octet in which the content's type must stand.
 */

import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { CipherSuite } from './cipher-suite.js';
import { type TrafficKeys, trafficKeys } from './key-schedule.js';
import { ContentType, type TlsRecord } from './record.js';
import { numberedNonce, Tls13Cipher } from './record-cipher.js';

const BLOCK = 16;
const BATCH = 2048;
/** Without the sieve a number costs some microseconds. */
const MAX_ONE_BY_ONE = 1 << 12;
const blocks = new Uint8Array(BATCH * BLOCK);
const view = new DataView(blocks.buffer);
const nonce = new Uint8Array(12);

export interface NumberRange {
  from: number;
  /** One after the last. */
  to: number;
}

export function findSequence(record: TlsRecord, suite: CipherSuite, secret: Uint8Array, range: NumberRange): number {
  const keys = trafficKeys(suite, secret);
  const cipher = new Tls13Cipher(suite, keys);
  if (suite.protection === 'gcm') return sieved(record, suite, keys, cipher, range);
  const to = Math.min(range.to, range.from + MAX_ONE_BY_ONE);
  for (let number = range.from; number < to; number++)
    if (mayBe(record, suite, keys, number) && cipher.open(record, number) !== null) return number;
  return -1;
}

/** ChaCha20: the content's type alone, from the one block of 64 octets in which it stands (RFC 8439 section 2.4). */
function mayBe(record: TlsRecord, suite: CipherSuite, keys: TrafficKeys, number: number): boolean {
  const last = record.end - record.start - suite.tagLength - 1;
  if (suite.protection !== 'chacha20-poly1305' || last < 0) return last >= 0;
  const from = last - (last % 64);
  const counter = 1 + from / 64;
  numberedNonce(keys.iv, number, nonce);
  const iv = Uint8Array.of(counter, counter >>> 8, counter >>> 16, counter >>> 24, ...nonce);
  const { bytes, start } = record;
  const plain = createDecipheriv('chacha20', keys.key, iv).update(bytes.subarray(start + from, start + last + 1));
  return isContentType(plain[plain.length - 1]);
}

/** Padding would make it zero; records are hardly ever padded, and the next one will do. */
function isContentType(octet: number): boolean {
  return octet === ContentType.applicationData || octet === ContentType.handshake;
}

function sieved(
  record: TlsRecord,
  suite: CipherSuite,
  keys: TrafficKeys,
  cipher: Tls13Cipher,
  { from, to }: NumberRange,
): number {
  const last = record.end - record.start - suite.tagLength - 1;
  if (last < 0) return -1;
  // NIST SP 800-38D section 7.1: the counter of the first block of content is 2.
  const counter = 2 + Math.floor(last / BLOCK);
  const within = last % BLOCK;
  const octet = record.bytes[record.start + last];
  const aes = createCipheriv(suite.keyLength === 16 ? 'aes-128-ecb' : 'aes-256-ecb', keys.key, null);
  aes.setAutoPadding(false);
  numberedNonce(keys.iv, from, nonce);
  for (let i = 0; i < BATCH; i++) {
    blocks.set(nonce, i * BLOCK);
    view.setUint32(i * BLOCK + 12, counter);
  }
  // Numbers looked for are below 2^32: only the last word of the nonce differs.
  const low = ((keys.iv[8] << 24) | (keys.iv[9] << 16) | (keys.iv[10] << 8) | keys.iv[11]) >>> 0;
  for (let base = from; base < to; base += BATCH) {
    const count = Math.min(BATCH, to - base);
    for (let i = 0; i < count; i++) view.setUint32(i * BLOCK + 8, low ^ (base + i));
    const stream = aes.update(blocks.subarray(0, count * BLOCK));
    for (let i = 0; i < count; i++) {
      if (isContentType(octet ^ stream[i * BLOCK + within]) && cipher.open(record, base + i) !== null) return base + i;
    }
  }
  return -1;
}
