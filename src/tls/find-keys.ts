/**
 * Which keys of a key log are those of a connection whose handshake was not captured, or only a part of it: found by trying. In:
 * session.ts with a protected record and what is known of it. Out: keys that the record's tag or MAC proves, or null.
 * RFC 8446 section 7.1 to 7.3; RFC 5246 section 6.3 and 8.1, of which the key block needs both randoms.
 */

import { type CipherSuite, cipherSuite } from './cipher-suite.js';
import type { Direction, Epoch } from './direction.js';
import { findSequence, type NumberRange } from './find-sequence.js';
import type { ClientSecrets, KeyLog, TrafficLabel } from './key-log.js';
import { expandedKeys, nextTrafficSecret } from './key-schedule.js';
import type { TlsRecord } from './record.js';
import { type RecordCipher, recordCipher } from './record-cipher.js';

/** ChaCha20 has no quick sieve: so many numbers for all keys together, and what one costs beside one of AES. */
const MAX_TRIALS_SLOW = 1 << 15;
const SLOW = 100;
/** What the key block of TLS 1.2 costs, in record numbers of AES. */
const KEY_BLOCK = 512;

export interface FoundSecrets {
  client: string;
  secrets: ClientSecrets;
  clientDirection: Direction;
  suite: CipherSuite;
  /** What opened the record: later than the key log's own where keys were updated. */
  secret: Uint8Array;
  sequence: number;
}

export interface SecretSearch {
  keyLog: KeyLog;
  clients: readonly (readonly [string, ClientSecrets])[];
  direction: Direction;
  /** Which direction may be the client's, the likelier one first. */
  clientDirections: readonly Direction[];
  /** Null where nothing is known but the secrets' length. */
  suites: readonly number[] | null;
  epoch: Exclude<Epoch, 'early'>;
  /** How many KeyUpdates went before. */
  updates: number;
  range: NumberRange;
  /** ChaCha20: so many numbers at most, where a key log of few keys allows it. */
  slow: number;
}

/** TLS 1.3: secrets of one of the clients under which the record opens. */
export function findSecrets(record: TlsRecord, search: SecretSearch): FoundSecrets | null {
  const { keyLog, clients, range, updates } = search;
  const share = Math.max(1 << 9, Math.floor(MAX_TRIALS_SLOW / Math.max(1, clients.length)));
  const slowTo = Math.min(range.to, range.from + Math.min(share, search.slow));
  for (const clientDirection of search.clientDirections) {
    const label = labelOf(search.epoch, search.direction === clientDirection);
    for (const [client, secrets] of clients) {
      const first = secrets.get(label);
      if (first === undefined || !secrets.has('CLIENT_TRAFFIC_SECRET_0')) continue;
      for (const suite of suitesFor(first, search.suites)) {
        const quick = suite.protection === 'gcm';
        const to = quick ? range.to : slowTo;
        if (to <= range.from || !keyLog.spend((to - range.from) * (quick ? 1 : SLOW))) continue;
        let secret = first;
        for (let i = 0; i < updates; i++) secret = nextTrafficSecret(suite, secret);
        const sequence = findSequence(record, suite, secret, { from: range.from, to });
        if (sequence >= 0) return { client, secrets, clientDirection, suite, secret, sequence };
      }
    }
  }
  return null;
}

function labelOf(epoch: SecretSearch['epoch'], client: boolean): TrafficLabel {
  if (epoch === 'handshake') return client ? 'CLIENT_HANDSHAKE_TRAFFIC_SECRET' : 'SERVER_HANDSHAKE_TRAFFIC_SECRET';
  return client ? 'CLIENT_TRAFFIC_SECRET_0' : 'SERVER_TRAFFIC_SECRET_0';
}

function suitesFor(secret: Uint8Array, known: readonly number[] | null): CipherSuite[] {
  const ids = known ?? (secret.length === 48 ? [0x1302] : [0x1301, 0x1303]);
  // RFC 8446 appendix B.4: clients offer those of TLS 1.2 beside them.
  return ids
    .filter((id) => id >> 8 === 0x13)
    .map(cipherSuite)
    .filter((suite): suite is CipherSuite => suite !== null && secret.length === (suite.hash === 'sha384' ? 48 : 32));
}

export interface MasterSearch {
  keyLog: KeyLog;
  suite: CipherSuite;
  /** Null where the ClientHello was not captured: the key log's randoms are tried with their secrets. */
  clientRandom: Uint8Array | null;
  serverRandom: Uint8Array;
  encryptThenMac: boolean;
}

export interface FoundMaster {
  client: RecordCipher;
  server: RecordCipher;
  sequence: number;
}

/**
 * TLS 1.2: the master secret under which the record opens. A resumed session has the one of an earlier connection, and its client
 * need not write it down again (RFC 5246 section 7.3).
 */
export function findMaster(
  record: TlsRecord,
  search: MasterSearch,
  fromClient: boolean,
  numbers: number,
): FoundMaster | null {
  const { keyLog, suite, encryptThenMac } = search;
  for (const [random, master] of keyLog.masters()) {
    if (!keyLog.spend(KEY_BLOCK + numbers * SLOW)) return null;
    const clientRandom = search.clientRandom ?? Uint8Array.from(Buffer.from(random, 'hex'));
    const keys = expandedKeys(suite, master, clientRandom, search.serverRandom);
    const client = recordCipher(suite, keys.client, 0x0303, encryptThenMac);
    const server = recordCipher(suite, keys.server, 0x0303, encryptThenMac);
    for (let sequence = 0; sequence < numbers; sequence++) {
      if ((fromClient ? client : server).open(record, sequence) === null) continue;
      keyLog.claim(random);
      return { client, server, sequence };
    }
  }
  return null;
}
