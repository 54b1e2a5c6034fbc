/**
 * Cipher suites whose records can be read: how long keys are, and what protects a record. In: the number that a ServerHello chose.
 * Out: parameters for key-schedule.ts and record-cipher.ts. RFC 8446 appendix B.4; RFC 5246 appendix A.5, RFC 5288, 5289, 6655, 7251, 7905.
 */

export type Protection = 'gcm' | 'ccm' | 'chacha20-poly1305' | 'cbc';

export interface CipherSuite {
  name: string;
  protection: Protection;
  /** As OpenSSL calls it. */
  cipher: string;
  keyLength: number;
  tagLength: number;
  /** Of the handshake: HKDF or PRF. */
  hash: 'sha256' | 'sha384';
  /** Of CBC suites. */
  mac: 'sha1' | 'sha256' | 'sha384' | null;
  macLength: number;
  blockLength: number;
}

const SUITES = new Map<number, CipherSuite>();

function aead(id: number, name: string, cipher: string, hash: 'sha256' | 'sha384', tagLength = 16): void {
  const protection: Protection = cipher.endsWith('gcm') ? 'gcm' : cipher.endsWith('ccm') ? 'ccm' : 'chacha20-poly1305';
  const keyLength = cipher.includes('128') ? 16 : 32;
  const suite = { name, protection, cipher, keyLength, tagLength, hash, mac: null, macLength: 0, blockLength: 0 };
  SUITES.set(id, suite);
}

const MAC_LENGTHS = { sha1: 20, sha256: 32, sha384: 48 };

function cbc(id: number, name: string, keyLength: 16 | 32, mac: 'sha1' | 'sha256' | 'sha384'): void {
  SUITES.set(id, {
    name,
    protection: 'cbc',
    cipher: keyLength === 16 ? 'aes-128-cbc' : 'aes-256-cbc',
    keyLength,
    tagLength: 0,
    // RFC 5246 section 5: SHA-256 unless the suite names a stronger one.
    hash: mac === 'sha384' ? 'sha384' : 'sha256',
    mac,
    macLength: MAC_LENGTHS[mac],
    blockLength: 16,
  });
}

aead(0x1301, 'TLS_AES_128_GCM_SHA256', 'aes-128-gcm', 'sha256');
aead(0x1302, 'TLS_AES_256_GCM_SHA384', 'aes-256-gcm', 'sha384');
aead(0x1303, 'TLS_CHACHA20_POLY1305_SHA256', 'chacha20-poly1305', 'sha256');
aead(0x1304, 'TLS_AES_128_CCM_SHA256', 'aes-128-ccm', 'sha256');
aead(0x1305, 'TLS_AES_128_CCM_8_SHA256', 'aes-128-ccm', 'sha256', 8);

for (const [id, exchange] of [
  [0x009c, 'RSA'],
  [0x009e, 'DHE_RSA'],
  [0xc02b, 'ECDHE_ECDSA'],
  [0xc02f, 'ECDHE_RSA'],
] as const) {
  aead(id, `TLS_${exchange}_WITH_AES_128_GCM_SHA256`, 'aes-128-gcm', 'sha256');
  aead(id + 1, `TLS_${exchange}_WITH_AES_256_GCM_SHA384`, 'aes-256-gcm', 'sha384');
}
aead(0xcca8, 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'chacha20-poly1305', 'sha256');
aead(0xcca9, 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'chacha20-poly1305', 'sha256');
aead(0xccaa, 'TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'chacha20-poly1305', 'sha256');

// RFC 6655, RFC 7251.
for (const [id, exchange] of [
  [0xc09c, 'RSA'],
  [0xc09e, 'DHE_RSA'],
  [0xc0ac, 'ECDHE_ECDSA'],
] as const) {
  const short = exchange === 'ECDHE_ECDSA' ? id + 2 : id + 4;
  aead(id, `TLS_${exchange}_WITH_AES_128_CCM`, 'aes-128-ccm', 'sha256');
  aead(id + 1, `TLS_${exchange}_WITH_AES_256_CCM`, 'aes-256-ccm', 'sha256');
  aead(short, `TLS_${exchange}_WITH_AES_128_CCM_8`, 'aes-128-ccm', 'sha256', 8);
  aead(short + 1, `TLS_${exchange}_WITH_AES_256_CCM_8`, 'aes-256-ccm', 'sha256', 8);
}

for (const [id, exchange, keyLength, mac] of [
  [0x002f, 'RSA', 16, 'sha1'],
  [0x0033, 'DHE_RSA', 16, 'sha1'],
  [0x0035, 'RSA', 32, 'sha1'],
  [0x0039, 'DHE_RSA', 32, 'sha1'],
  [0x003c, 'RSA', 16, 'sha256'],
  [0x003d, 'RSA', 32, 'sha256'],
  [0x0067, 'DHE_RSA', 16, 'sha256'],
  [0x006b, 'DHE_RSA', 32, 'sha256'],
  [0xc009, 'ECDHE_ECDSA', 16, 'sha1'],
  [0xc00a, 'ECDHE_ECDSA', 32, 'sha1'],
  [0xc013, 'ECDHE_RSA', 16, 'sha1'],
  [0xc014, 'ECDHE_RSA', 32, 'sha1'],
  [0xc023, 'ECDHE_ECDSA', 16, 'sha256'],
  [0xc024, 'ECDHE_ECDSA', 32, 'sha384'],
  [0xc027, 'ECDHE_RSA', 16, 'sha256'],
  [0xc028, 'ECDHE_RSA', 32, 'sha384'],
] as const)
  cbc(
    id,
    `TLS_${exchange}_WITH_AES_${keyLength * 8}_CBC_${mac === 'sha1' ? 'SHA' : mac.toUpperCase()}`,
    keyLength,
    mac,
  );

/** Null where records of this suite cannot be read. */
export function cipherSuite(id: number): CipherSuite | null {
  return SUITES.get(id) ?? null;
}

export function cipherSuiteName(id: number): string {
  return SUITES.get(id)?.name ?? `0x${id.toString(16).padStart(4, '0')}`;
}
