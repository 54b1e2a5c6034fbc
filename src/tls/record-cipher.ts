/**
 * Takes the protection off one record. In: session.ts with a record and its number. Out: type and octets of the plaintext, or null
 * where the record is not what these keys made: the tag or MAC is checked, so that a wrong key or number is never taken for a right one.
 * RFC 8446 section 5.2 and 5.3; RFC 5246 section 6.2.3, RFC 5288, RFC 7905, RFC 7366.
 */

import { type CipherGCMTypes, createDecipheriv, createHmac, type DecipherGCM, timingSafeEqual } from 'node:crypto';
import type { CipherSuite } from './cipher-suite.js';
import type { TrafficKeys } from './key-schedule.js';
import { RECORD_HEADER, type TlsRecord } from './record.js';

export interface Plaintext {
  type: number;
  bytes: Uint8Array;
}

export interface RecordCipher {
  /** Null where tag or MAC do not fit. */
  open(record: TlsRecord, sequence: number): Plaintext | null;
  /** The plaintext's beginning of a record that is not whole: it cannot be checked. */
  openPart(record: TlsRecord, sequence: number): Uint8Array;
  /** Plaintext octets of a record of this length without padding; -1 where the length does not tell. */
  plainLength(length: number): number;
}

/** TLS 1.3: the content's type stands behind it, zeros may follow (RFC 8446 section 5.4). */
export class Tls13Cipher implements RecordCipher {
  private readonly nonce = new Uint8Array(12);

  constructor(
    private readonly suite: CipherSuite,
    private readonly keys: TrafficKeys,
  ) {}

  open(record: TlsRecord, sequence: number): Plaintext | null {
    const { bytes, headerAt, start, end } = record;
    if (end - start <= this.suite.tagLength) return null;
    numberedNonce(this.keys.iv, sequence, this.nonce);
    const header = bytes.subarray(headerAt, headerAt + RECORD_HEADER);
    const inner = openAead(this.suite, this.keys.key, this.nonce, header, bytes, start, end);
    if (inner === null) return null;
    let last = inner.length - 1;
    while (last >= 0 && inner[last] === 0) last--;
    return last < 0 ? null : { type: inner[last], bytes: inner.subarray(0, last) };
  }

  openPart(record: TlsRecord, sequence: number): Uint8Array {
    numberedNonce(this.keys.iv, sequence, this.nonce);
    const most = Math.max(0, record.length - this.suite.tagLength - 1);
    return beginning(this.suite, this.keys.key, this.nonce, record.bytes, record.start, record.end, most);
  }

  plainLength(length: number): number {
    return Math.max(0, length - this.suite.tagLength - 1);
  }
}

/** TLS 1.2 with an AEAD: part of the nonce stands before the ciphertext (GCM, CCM), or none of it (ChaCha20). */
export class Tls12AeadCipher implements RecordCipher {
  private readonly nonce = new Uint8Array(12);
  private readonly explicit: number;

  constructor(
    private readonly suite: CipherSuite,
    private readonly keys: TrafficKeys,
  ) {
    this.explicit = suite.protection === 'chacha20-poly1305' ? 0 : 8;
  }

  open(record: TlsRecord, sequence: number): Plaintext | null {
    const { bytes, start, end, type } = record;
    const length = end - start - this.explicit - this.suite.tagLength;
    if (length < 0) return null;
    this.setNonce(bytes, start, sequence);
    const associated = numberedHeader(record, sequence, length);
    const from = start + this.explicit;
    const plain = openAead(this.suite, this.keys.key, this.nonce, associated, bytes, from, end);
    return plain === null ? null : { type, bytes: plain };
  }

  openPart(record: TlsRecord, sequence: number): Uint8Array {
    const { bytes, start, end } = record;
    if (end - start <= this.explicit) return new Uint8Array(0);
    this.setNonce(bytes, start, sequence);
    const most = this.plainLength(record.length);
    return beginning(this.suite, this.keys.key, this.nonce, bytes, start + this.explicit, end, most);
  }

  plainLength(length: number): number {
    return Math.max(0, length - this.explicit - this.suite.tagLength);
  }

  private setNonce(bytes: Uint8Array, start: number, sequence: number): void {
    if (this.explicit === 0) numberedNonce(this.keys.iv, sequence, this.nonce);
    else {
      this.nonce.set(this.keys.iv, 0);
      this.nonce.set(bytes.subarray(start, start + this.explicit), 12 - this.explicit);
    }
  }
}

/** TLS 1.2 with CBC: the MAC within the encryption (RFC 5246 section 6.2.3.2), or over the ciphertext (RFC 7366). */
export class Tls12CbcCipher implements RecordCipher {
  constructor(
    private readonly suite: CipherSuite,
    private readonly keys: TrafficKeys,
    private readonly encryptThenMac: boolean,
  ) {}

  open(record: TlsRecord, sequence: number): Plaintext | null {
    const { bytes, start, type } = record;
    const { macLength, blockLength } = this.suite;
    const end = this.encryptThenMac ? record.end - macLength : record.end;
    const octets = end - start - blockLength;
    if (octets < blockLength || octets % blockLength !== 0) return null;
    if (this.encryptThenMac) {
      const mac = this.mac(numberedHeader(record, sequence, end - start), bytes.subarray(start, end));
      if (!timingSafeEqual(mac, bytes.subarray(end, record.end))) return null;
    }
    const padded = this.decrypt(bytes, start, end);
    const padding = padded[padded.length - 1];
    const length = padded.length - 1 - padding - (this.encryptThenMac ? 0 : macLength);
    if (length < 0) return null;
    for (let i = padded.length - 1 - padding; i < padded.length; i++) if (padded[i] !== padding) return null;
    const plain = padded.subarray(0, length);
    if (!this.encryptThenMac) {
      const mac = this.mac(numberedHeader(record, sequence, length), plain);
      if (!timingSafeEqual(mac, padded.subarray(length, length + macLength))) return null;
    }
    return { type, bytes: plain };
  }

  openPart(record: TlsRecord): Uint8Array {
    const { bytes, start, end } = record;
    const { blockLength, macLength } = this.suite;
    const octets = end - start - blockLength;
    if (octets < blockLength) return new Uint8Array(0);
    const plain = this.decrypt(bytes, start, start + blockLength + octets - (octets % blockLength));
    // Where the content ends and the MAC begins is not known before the padding.
    const most = Math.max(0, record.length - blockLength - macLength - blockLength);
    return plain.subarray(0, Math.min(plain.length, most));
  }

  plainLength(): number {
    return -1;
  }

  private decrypt(bytes: Uint8Array, start: number, end: number): Uint8Array {
    const from = start + this.suite.blockLength;
    const decipher = createDecipheriv(this.suite.cipher, this.keys.key, bytes.subarray(start, from));
    decipher.setAutoPadding(false);
    return decipher.update(bytes.subarray(from, end));
  }

  private mac(header: Uint8Array, content: Uint8Array): Uint8Array {
    return createHmac(this.suite.mac as string, this.keys.macKey)
      .update(header)
      .update(content)
      .digest();
  }
}

/** The IV with the record number on its last octets, RFC 8446 section 5.3. */
export function numberedNonce(iv: Uint8Array, sequence: number, into: Uint8Array): void {
  into.set(iv);
  const high = Math.floor(sequence / 0x1_0000_0000);
  const low = sequence >>> 0;
  for (let i = 0; i < 4; i++) {
    into[4 + i] ^= (high >>> (24 - 8 * i)) & 0xff;
    into[8 + i] ^= (low >>> (24 - 8 * i)) & 0xff;
  }
}

/** Record number, type, version and length: what TLS 1.2 authenticates besides the content. */
function numberedHeader({ type, version }: TlsRecord, sequence: number, length: number): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, Math.floor(sequence / 0x1_0000_0000));
  view.setUint32(4, sequence >>> 0);
  header[8] = type;
  view.setUint16(9, version);
  view.setUint16(11, length);
  return header;
}

function decipherOf({ cipher, tagLength }: CipherSuite, key: Uint8Array, nonce: Uint8Array): DecipherGCM {
  return createDecipheriv(cipher as CipherGCMTypes, key, nonce, { authTagLength: tagLength });
}

function openAead(
  suite: CipherSuite,
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
): Uint8Array | null {
  const tagAt = end - suite.tagLength;
  const decipher = decipherOf(suite, key, nonce);
  decipher.setAuthTag(bytes.subarray(tagAt, end));
  decipher.setAAD(associated, { plaintextLength: tagAt - start });
  try {
    const plain = decipher.update(bytes.subarray(start, tagAt));
    decipher.final();
    return plain;
  } catch {
    // The one way in which node:crypto says that the tag does not fit.
    return null;
  }
}

/** Both stream ciphers give the beginning without the end. CCM does not here. */
function beginning(
  suite: CipherSuite,
  key: Uint8Array,
  nonce: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
  most: number,
): Uint8Array {
  if (suite.protection === 'ccm') return new Uint8Array(0);
  return decipherOf(suite, key, nonce).update(bytes.subarray(start, Math.min(end, start + most)));
}

export function recordCipher(
  suite: CipherSuite,
  keys: TrafficKeys,
  version: 0x0303 | 0x0304,
  encryptThenMac: boolean,
): RecordCipher {
  if (version === 0x0304) return new Tls13Cipher(suite, keys);
  return suite.protection === 'cbc'
    ? new Tls12CbcCipher(suite, keys, encryptThenMac)
    : new Tls12AeadCipher(suite, keys);
}
