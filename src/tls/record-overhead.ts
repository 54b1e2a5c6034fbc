/**
 * How much of a protected record is not plaintext. In: the negotiated suite, or what records look like where no ServerHello was captured.
 * Out: bounds of the plaintext for a record's length. RFC 8446 section 5.2, RFC 5246 section 6.2.3, RFC 5288, RFC 7905.
 *
 *   TLS 1.3          | plaintext | type 1 | tag 16 |             padding is possible and hardly ever there
 *   1.2, GCM, CCM    | nonce 8 | plaintext | tag 16 |
 *   1.2, ChaCha20    | plaintext | tag 16 |
 *   1.2, CBC         | IV 16 | plaintext | MAC | padding 1..16 |  the same sum with encrypt-then-MAC (RFC 7366)
 */

import type { CipherSuite } from './cipher-suite.js';

export interface RecordOverhead {
  /** For a sentence. */
  name: string;
  /** Octets of the fragment that are not plaintext, padding apart. */
  fixed: number;
  /** Padding takes 1 to so many octets; 0 where there is none. */
  padding: number;
}

/** RFC 8446 section 5.1, RFC 5246 section 6.2.1. */
const MAX_PLAINTEXT = 1 << 14;

/** Most plaintext octets that a fragment of this length can hold. */
export function mostPlaintext({ fixed, padding }: RecordOverhead, length: number): number {
  return Math.min(MAX_PLAINTEXT, Math.max(0, length - fixed - (padding > 0 ? 1 : 0)));
}

/** Fewest; the sender takes no more padding than it needs. */
export function leastPlaintext({ fixed, padding }: RecordOverhead, length: number): number {
  return Math.min(MAX_PLAINTEXT, Math.max(0, length - fixed - padding));
}

const NONCE = 8;
const IV = 16;

export function overheadOf(suite: CipherSuite, version: number): RecordOverhead {
  const { name } = suite;
  if (version === 0x0304) return { name, fixed: suite.tagLength + 1, padding: 0 };
  if (suite.protection === 'cbc') return { name, fixed: IV + suite.macLength, padding: suite.blockLength };
  const explicit = suite.protection === 'chacha20-poly1305' ? 0 : NONCE;
  return { name, fixed: suite.tagLength + explicit, padding: 0 };
}

const aead = (name: string, fixed: number): RecordOverhead => ({ name, fixed, padding: 0 });
const cbc = (name: string, fixed: number): RecordOverhead => ({ name, fixed, padding: 16 });

/** What the lengths and first octets of many records show where the ServerHello is not there. */
export interface RecordLooks {
  records: number;
  /** The first octets of each fragment count up, or hardly change: a nonce that is sent along. */
  explicitNonce: boolean;
  /** All lengths leave the same rest modulo 16; -1 where they do not. */
  restModulo16: number;
}

/** What may be the overhead, likeliest first. */
export function possibleOverheads({ explicitNonce, restModulo16 }: RecordLooks): RecordOverhead[] {
  if (explicitNonce) return [aead('TLS 1.2 with GCM', 24), aead('TLS 1.2 with CCM_8', 16)];
  const blocks = [
    cbc('TLS 1.2 with CBC and SHA-1', 36),
    cbc('TLS 1.2 with CBC and SHA-256', 48),
    cbc('TLS 1.2 with CBC and SHA-384', 64),
  ];
  const streams = [aead('TLS 1.3', 17), aead('TLS 1.2 with ChaCha20-Poly1305', 16), aead('TLS 1.3 with CCM_8', 9)];
  if (restModulo16 === 0) return [...blocks, ...streams];
  // With encrypt-then-MAC the MAC stands behind the blocks.
  return restModulo16 === 4 ? [blocks[0], ...streams] : streams;
}
