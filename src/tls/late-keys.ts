/**
 * Keys for a connection whose handshake does not say which they are: it was not captured, or only a part of it, or the session was
 * resumed. In: session.ts with a protected record that nothing opens yet. Out: true where keys were found that open it, and both
 * directions are set up with them.
 */

import type { ConnectionState } from './connection-state.js';
import type { Direction } from './direction.js';
import type { MasterSearch } from './find-keys.js';
import { type KeySearch, ROUNDS } from './key-search.js';
import type { Negotiation } from './negotiation.js';
import type { PlaintextAccount } from './plaintext-account.js';
import type { TlsRecord } from './record.js';

export class LateKeys {
  constructor(
    private readonly known: ConnectionState,
    private readonly keys: KeySearch,
    private readonly account: PlaintextAccount,
    private readonly negotiation: Negotiation,
    private readonly giveUp: (why: string) => void,
    /** Which direction is the client's, as far as is known; for the order of trying. */
    private readonly likelyClient: () => Direction,
  ) {}

  /** The capture starts in mid-connection. */
  join(direction: Direction, record: TlsRecord): boolean {
    const { known } = this;
    if (known.directions[direction ^ 1].cipher !== null) return false;
    const found = this.heeded(direction, record, this.keys.join(direction, record, this.likelyClient()));
    if (found === null) return false;
    const { clientDirection, suite, secrets } = found;
    known.clientDirection = clientDirection;
    known.facts.version = '1.3';
    known.facts.cipherSuite = suite.name;
    const other = (direction ^ 1) as Direction;
    const secretOfOther = secrets.get(
      other === clientDirection ? 'CLIENT_TRAFFIC_SECRET_0' : 'SERVER_TRAFFIC_SECRET_0',
    );
    known.directions[direction].joinAt(suite, found.secret, found.sequence);
    known.directions[other].joinAt(suite, secretOfOther as Uint8Array, 0);
    // The other direction's number is as unknown as this one's was.
    this.numberUnknown(other);
    return true;
  }

  /** One of the hellos was not captured. */
  seek(direction: Direction, record: TlsRecord): boolean {
    const { known } = this;
    const { clientHello, serverHello, clientDirection } = known;
    if (clientDirection === null) return false;
    const hellos = { clientHello, serverHello, clientDirection };
    const found = this.heeded(direction, record, this.keys.seek(direction, record, hellos));
    if (found === null) return false;
    known.facts.version = '1.3';
    known.facts.cipherSuite = found.suite.name;
    const unknown = (clientHello === null ? clientDirection : clientDirection ^ 1) as Direction;
    if (known.directions[unknown].lostOctets < 0) this.numberUnknown(unknown);
    // Whether early data was taken stood with the ServerHello.
    known.earlyDataAccepted ??= false;
    this.negotiation.start13(found.suite, found.secrets);
    return true;
  }

  /** TLS 1.2: the master secret of an earlier connection. */
  seekMaster(direction: Direction, record: TlsRecord, search: MasterSearch): boolean {
    const { known } = this;
    const fromClient = direction === known.clientDirection;
    const found = this.heeded(direction, record, this.keys.master(search, direction, fromClient, record));
    if (found === null) return false;
    known.masterSearch = null;
    for (const each of [0, 1] as const) {
      const state = known.directions[each];
      const cipher = each === known.clientDirection ? found.client : found.server;
      if (state.protected) state.cipher = cipher;
      else state.pending = cipher;
    }
    known.directions[direction].sequence = found.sequence;
    return true;
  }

  private heeded<Found>(direction: Direction, record: TlsRecord, found: Found | string | null): Found | null {
    if (found === null) this.account.unopened(direction, record);
    if (typeof found !== 'string') return found;
    this.giveUp(found);
    return null;
  }

  private numberUnknown(direction: Direction): void {
    const state = this.known.directions[direction];
    state.lostOctets = ROUNDS[1] * 22;
    state.lostFrom = state.reader.needFrom;
    state.joining = true;
  }
}
