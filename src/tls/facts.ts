/**
 * What a TLS connection tells of itself, and to whom. In: session.ts. Out: hop/ listens and keeps the facts.
 */

import type { Direction } from './direction.js';

export interface TlsSink {
  /** Application data `bytes[start..end)` at `offset` of the plaintext; it stood in TCP octets [wireFrom, wireTo). */
  plaintext(direction: Direction, bytes: Uint8Array, offset: number, wireFrom: number, wireTo: number): void;
  /** A record was not opened that may be application data; `unread` follows, unless it turns out that it is none. */
  unopened(direction: Direction): void;
  /** So much application data could not be read; `exact` where its length is certain. */
  unread(direction: Direction, lost: LostPlaintext): void;
  /** Nothing of this connection can be read (any more): why, for a reason. */
  unreadable(why: string): void;
}

export interface LostPlaintext {
  from: number;
  to: number;
  exact: boolean;
  wireFrom: number;
  wireTo: number;
  why: string;
}

/** What a connection says of itself in the clear (in TLS 1.3 a part of it only with keys). */
export interface TlsFacts {
  /** `1.3`, `1.2`, …; null where no ServerHello was captured. */
  version: string | null;
  cipherSuite: string | null;
  serverName: string | null;
  /** The protocol that was agreed on, by ALPN. */
  alpn: string | null;
  handshake: 'seen' | 'missing';
  /** Random of the (last) ClientHello, in hexadecimal: by it a key log names its secrets. */
  clientRandom: string | null;
  /** The handshake came to its end. Where `unreadable` says why it was not followed, false means nothing. */
  established: boolean;
  resumed: boolean;
  renegotiations: number;
  decrypted: boolean;
  /** Why not; null where it is, and where there was nothing to decrypt. */
  unreadable: string | null;
  /** Description of a fatal alert that came in the clear or could be read; -1 for none. */
  alert: number;
}
