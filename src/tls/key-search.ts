/**
 * Where the key log has nothing under a connection's client random, or a hello was not captured: what is tried, on how many records, and
 * the reason where nothing fits. In: session.ts with protected records. Out: keys, a reason to give up, or null for "not this record".
 */

import type { CipherSuite } from './cipher-suite.js';
import type { Direction } from './direction.js';
import { type FoundMaster, type FoundSecrets, findMaster, findSecrets, type MasterSearch } from './find-keys.js';
import type { NumberRange } from './find-sequence.js';
import { type ClientHello, HandshakeType, type ServerHello } from './handshake.js';
import type { ClientSecrets, KeyLog } from './key-log.js';
import type { TlsRecord } from './record.js';

const NOT_GIVEN = 'no keys were given (--keylog)';
export const NO_KEYS = 'the key log holds no keys for it';
export const ONLY_A_PART = 'the key log holds only a part of its secrets';
const NOT_CAPTURED = 'was not captured';
const CUT = 'was cut by the snapshot length';
const IN_PART = 'was captured only in part';

/** Records of each direction that are tried. */
const MAX_TRIED = 3;
/** Mid-connection: record numbers, quickly first, further where nothing was found. */
export const ROUNDS = [1 << 13, 1 << 18];
const NEAR = 64;
/** KeyUpdates that may have gone before. */
const MAX_UPDATES = 2;
/** Where a hello is missing: records of the handshake that may have gone before the one that is tried. */
const HANDSHAKE_NUMBERS = 64;
/** TLS 1.2: Finished is number 0, and what follows is tried in case that was not captured. */
const MASTER_NUMBERS = 4;

/** What is known of a connection of which a hello is missing. */
export interface Known {
  clientHello: ClientHello | null;
  serverHello: ServerHello | null;
  clientDirection: Direction;
}

export class KeySearch {
  private readonly tried = [0, 0];
  private reason: (() => string) | null = null;
  /** What became of each hello, where it is not whole. */
  private clientHello = NOT_CAPTURED;
  private serverHello = NOT_CAPTURED;

  constructor(private readonly keyLog: KeyLog | null) {}

  get hasKeys(): boolean {
    return this.keyLog !== null && this.keyLog.size > 0;
  }

  /** For a connection to which nothing in the key log belongs. */
  get why(): string {
    return this.hasKeys ? NO_KEYS : NOT_GIVEN;
  }

  /** A handshake record has a hole: `type` is that of the message that it begins with. */
  helloDamaged(type: number, cut: boolean): void {
    const fate = cut ? CUT : IN_PART;
    if (type === HandshakeType.clientHello) this.clientHello = fate;
    else if (type === HandshakeType.serverHello) this.serverHello = fate;
  }

  of(hello: ClientHello): ClientSecrets | null {
    return this.keyLog?.of(hello.random) ?? null;
  }

  /** No hello was captured: is there a secret of TLS 1.3 that opens this record, under any number? */
  join(direction: Direction, record: TlsRecord, likelyClient: Direction): FoundSecrets | string | null {
    const { keyLog } = this;
    if (keyLog === null || !this.hasKeys) return this.why;
    const first = this.tried[0] + this.tried[1] === 0;
    const clientDirections = [likelyClient, (likelyClient ^ 1) as Direction];
    const search = { keyLog, clients: [...keyLog.unclaimed()], direction, clientDirections, suites: null };
    // ChaCha20 far on the first record only; nearly at the beginning, an earlier record may have been one of the handshake.
    const slowIn = (range: NumberRange, updates: number) => {
      if (range.from > 0 || updates > 0) return 0;
      return first ? range.to : NEAR;
    };
    const find = (range: NumberRange, updates: number) =>
      findSecrets(record, { ...search, epoch: 'application', updates, range, slow: slowIn(range, updates) });
    let found = find({ from: 0, to: ROUNDS[0] }, 0);
    // The long rounds once: what they do not find, they would not find for the next record either.
    if (first) found ??= find({ from: ROUNDS[0], to: ROUNDS[1] }, 0);
    for (let updates = 1; first && updates <= MAX_UPDATES; updates++)
      found ??= find({ from: 0, to: ROUNDS[0] }, updates);
    if (found !== null) keyLog.claim(found.client);
    return found ?? this.nextRecord(direction, () => `${this.withoutHellos}, and ${nothingFits(keyLog)}`);
  }

  /** TLS 1.3, as far as is known, and one of the hellos was not captured: which secrets, or which cipher suite? */
  seek(direction: Direction, record: TlsRecord, known: Known): FoundSecrets | string | null {
    const { keyLog } = this;
    const { clientHello, serverHello, clientDirection } = known;
    if (keyLog === null || !this.hasKeys) return this.why;
    const own = clientHello === null ? null : keyLog.of(clientHello.random);
    if (clientHello !== null && own === null) return this.why;
    if (own?.has('CLIENT_RANDOM') === true && !own.has('CLIENT_TRAFFIC_SECRET_0'))
      return `its ServerHello ${this.serverHello}, and keys of TLS 1.2 cannot be made without its random`;
    const search = {
      keyLog,
      clients: own === null ? [...keyLog.unclaimed()] : [['', own] as const],
      direction,
      clientDirections: [clientDirection],
      suites: clientHello?.cipherSuites ?? (serverHello === null ? null : [serverHello.cipherSuite]),
      updates: 0,
      slow: ROUNDS[0],
    };
    const found =
      findSecrets(record, { ...search, epoch: 'handshake', range: { from: 0, to: HANDSHAKE_NUMBERS } }) ??
      findSecrets(record, { ...search, epoch: 'application', range: { from: 0, to: ROUNDS[0] } });
    if (found !== null && own === null) keyLog.claim(found.client);
    return (
      found ??
      this.nextRecord(direction, () =>
        clientHello === null
          ? `its ClientHello ${this.clientHello}, and ${nothingFits(keyLog)}`
          : `its ServerHello ${this.serverHello}, and the keys in the key log do not open its records`,
      )
    );
  }

  /** TLS 1.2: a resumed session has the master secret of an earlier connection; or the ClientHello was not captured. */
  masterSearch(suite: CipherSuite, client: ClientHello | null, server: ServerHello): MasterSearch | null {
    const { keyLog } = this;
    if (keyLog === null || !this.hasKeys) return null;
    const { random: serverRandom, encryptThenMac } = server;
    return { keyLog, suite, clientRandom: client?.random ?? null, serverRandom, encryptThenMac };
  }

  master(search: MasterSearch, direction: Direction, fromClient: boolean, record: TlsRecord) {
    const found: FoundMaster | null = findMaster(record, search, fromClient, MASTER_NUMBERS);
    return (
      found ??
      this.nextRecord(direction, () =>
        search.clientRandom === null
          ? `its ClientHello ${this.clientHello}, and none of the keys in the key log fits`
          : NO_KEYS,
      )
    );
  }

  /** Why nothing was found in the records so far; null where none was tried. */
  get undecided(): string | null {
    return this.reason?.() ?? null;
  }

  private get withoutHellos(): string {
    const { clientHello, serverHello } = this;
    if (clientHello === NOT_CAPTURED && serverHello === NOT_CAPTURED) return 'the capture starts in mid-connection';
    if (clientHello === serverHello)
      return `its ClientHello and its ServerHello were ${clientHello.slice('was '.length)}`;
    return `its ClientHello ${clientHello}, its ServerHello ${serverHello}`;
  }

  private nextRecord(direction: Direction, why: () => string): string | null {
    this.reason = why;
    return ++this.tried[direction] < MAX_TRIED ? null : why();
  }
}

/** RFC 5246 section 6.3: the key block is made from the master secret and both randoms. */
function nothingFits(keyLog: KeyLog): string {
  const { tls13, tls12 } = keyLog.sizes;
  const of12 = `keys of TLS 1.2 (${tls12} in the key log) are of use only where both hellos were captured`;
  if (tls13 === 0) return of12;
  const tried = keyLog.spent
    ? 'there are too many keys in the key log to try them all'
    : `none of the ${tls13} keys in the key log fits`;
  return tls12 > 0 ? `${tried}; ${of12}` : tried;
}
