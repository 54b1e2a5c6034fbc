/**
 * What is known of one TLS connection so far: shared by the parts that follow it. In: session.ts makes it; negotiation.ts and
 * late-keys.ts write into it. Out: which epoch and which side a record belongs to.
 */

import type { Direction, DirectionState } from './direction.js';
import type { TlsFacts } from './facts.js';
import type { MasterSearch } from './find-keys.js';
import type { ClientHello, ServerHello } from './handshake.js';

export class ConnectionState {
  readonly facts: TlsFacts = {
    version: null,
    cipherSuite: null,
    serverName: null,
    alpn: null,
    handshake: 'missing',
    clientRandom: null,
    established: false,
    resumed: false,
    renegotiations: 0,
    decrypted: false,
    unreadable: null,
    alert: -1,
  };
  /** By what it said. */
  clientDirection: Direction | null = null;
  clientHello: ClientHello | null = null;
  serverHello: ServerHello | null = null;
  /** Null while the server has not said. */
  earlyDataAccepted: boolean | null = null;
  /** TLS 1.2 and no secret under the client's random: those of other connections are tried. */
  masterSearch: MasterSearch | null = null;

  constructor(readonly directions: readonly [DirectionState, DirectionState]) {}

  get is13(): boolean {
    return this.facts.version === '1.3';
  }

  /** None was read so far, or only one that asks for another ClientHello. */
  get awaitsServerHello(): boolean {
    return this.clientHello !== null && (this.serverHello === null || this.serverHello.helloRetryRequest);
  }

  /** Its records cannot be told apart before the server has said whether it takes early data. */
  waitsForEarlyData(direction: Direction): boolean {
    return (
      this.is13 &&
      direction === this.clientDirection &&
      this.clientHello?.earlyData === true &&
      this.earlyDataAccepted === null
    );
  }
}
