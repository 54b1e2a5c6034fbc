/**
 * The handshake of one TLS connection: its messages, and which keys protect which records from then on. In: session.ts with handshake
 * messages, read in the clear or decrypted, in whichever order they were captured. Out: the ciphers of both directions, facts, or a
 * reason to give up. RFC 8446 section 4, RFC 5246 section 7.4.
 */

import { type CipherSuite, cipherSuite, cipherSuiteName } from './cipher-suite.js';
import type { ConnectionState } from './connection-state.js';
import type { Direction } from './direction.js';
import {
  type ClientHello,
  HandshakeType,
  parseClientHello,
  parseEncryptedExtensions,
  parseServerHello,
  type ServerHello,
} from './handshake.js';
import type { ClientSecrets, TrafficLabel } from './key-log.js';
import { expandedKeys } from './key-schedule.js';
import { type KeySearch, ONLY_A_PART } from './key-search.js';
import type { PlaintextAccount } from './plaintext-account.js';
import type { TlsRecord } from './record.js';
import { recordCipher } from './record-cipher.js';

export const RENEGOTIATED = 'it was renegotiated, and the key log has no keys for what follows';
const UNCERTAIN_EARLY = 'the answer to its early data was not captured';

export interface NegotiationHost {
  giveUp(why: string): void;
  /** Records that were held back may be readable now. */
  release(): void;
}

export class Negotiation {
  /** TCP octets of early data that was taken for refused. */
  private earlyDropped: { from: number; to: number } | null = null;

  constructor(
    private readonly known: ConnectionState,
    private readonly keys: KeySearch,
    private readonly account: PlaintextAccount,
    private readonly host: NegotiationHost,
  ) {}

  message(direction: Direction, type: number, body: Uint8Array): void {
    const { known } = this;
    const state = known.directions[direction];
    if (type === HandshakeType.clientHello) this.client(direction, body);
    else if (type === HandshakeType.serverHello) this.server(direction, body);
    else if (!known.is13) return;
    else if (type === HandshakeType.encryptedExtensions) {
      const extensions = parseEncryptedExtensions(body);
      known.facts.alpn = extensions.alpn;
      known.earlyDataAccepted = extensions.earlyData;
      this.host.release();
    } else if (type === HandshakeType.endOfEarlyData) {
      // Only said where it was taken (RFC 8446 section 4.5), which the server's answer would have told before.
      if (this.earlyDropped !== null)
        this.account.unread(direction, 0, false, this.earlyDropped.from, this.earlyDropped.to, UNCERTAIN_EARLY);
      this.earlyDropped = null;
      state.leave('early');
    } else if (type === HandshakeType.finished) {
      if (direction === known.clientDirection) known.facts.established = true;
      else known.earlyDataAccepted ??= false;
      state.leave('handshake');
      this.host.release();
    } else if (type === HandshakeType.keyUpdate) state.advance();
  }

  /** RFC 8446 section 4.2.10: refused early data is sent again, and is no part of the stream. */
  dropEarly(record: TlsRecord): void {
    this.earlyDropped ??= { from: record.startOffset, to: record.endOffset };
  }

  /** In TLS 1.3 it says nothing (RFC 8446 appendix D.4); before, the next record is protected by the new keys. */
  changeCipherSpec(direction: Direction): void {
    const { facts, is13, serverHello } = this.known;
    if (is13 || (serverHello === null && facts.renegotiations === 0) || serverHello?.helloRetryRequest) return;
    this.known.directions[direction].changeCipherSpec();
  }

  /** Secrets of TLS 1.3, those of some epochs perhaps. */
  start13(suite: CipherSuite, secrets: ClientSecrets): void {
    const { known } = this;
    const of = (epoch: 'early' | 'handshake' | 'application', label: TrafficLabel) => {
      const secret = secrets.get(label);
      return secret === undefined ? [] : [{ epoch, secret }];
    };
    const client = [
      ...(known.clientHello?.earlyData ? of('early', 'CLIENT_EARLY_TRAFFIC_SECRET') : []),
      ...of('handshake', 'CLIENT_HANDSHAKE_TRAFFIC_SECRET'),
      ...of('application', 'CLIENT_TRAFFIC_SECRET_0'),
    ];
    const server = [
      ...of('handshake', 'SERVER_HANDSHAKE_TRAFFIC_SECRET'),
      ...of('application', 'SERVER_TRAFFIC_SECRET_0'),
    ];
    const whole = client.at(-1)?.epoch === 'application' && server.at(-1)?.epoch === 'application';
    // A handshake that was broken off has no further secrets; what it said of that can be read.
    if (!whole && client.length === 0 && server.length === 0) {
      this.host.giveUp(ONLY_A_PART);
      return;
    }
    // Without the secret that reads EncryptedExtensions: a PSK that was taken is the best sign there is.
    if (server[0]?.epoch === 'application') known.earlyDataAccepted = known.facts.resumed;
    const clientDirection = known.clientDirection ?? 0;
    known.directions[clientDirection].setSecrets(suite, client);
    known.directions[clientDirection ^ 1].setSecrets(suite, server);
  }

  private client(direction: Direction, body: Uint8Array): void {
    const hello = parseClientHello(body);
    if (hello === null) return;
    const { known } = this;
    const { facts, serverHello } = known;
    // Captured behind the ServerHello that answers it.
    const late = known.clientHello === null && serverHello !== null;
    if (serverHello !== null && !late && !serverHello.helloRetryRequest) {
      facts.renegotiations++;
      known.serverHello = null;
    }
    known.clientHello = hello;
    known.clientDirection = direction;
    facts.serverName = hello.serverName;
    facts.handshake = 'seen';
    facts.clientRandom = Buffer.from(hello.random).toString('hex');
    if (!late || serverHello.helloRetryRequest || known.directions.some(({ cipher }) => cipher !== null)) return;
    known.masterSearch = null;
    this.begin(serverHello);
  }

  private server(direction: Direction, body: Uint8Array): void {
    const hello = parseServerHello(body);
    if (hello === null) return;
    const { known } = this;
    known.clientDirection = (direction ^ 1) as Direction;
    known.serverHello = hello;
    if (hello.helloRetryRequest) {
      known.earlyDataAccepted = false;
      this.host.release();
      return;
    }
    known.facts.version = versionName(hello.version);
    known.facts.cipherSuite = cipherSuiteName(hello.cipherSuite);
    known.facts.alpn = hello.alpn;
    this.begin(hello);
  }

  private begin(hello: ServerHello): void {
    const { facts } = this.known;
    const suite = cipherSuite(hello.cipherSuite);
    if (suite === null) this.host.giveUp(`its cipher suite ${facts.cipherSuite} is not known here`);
    else if (hello.version === 0x0304) this.begin13(suite, hello);
    else if (hello.version === 0x0303) this.begin12(suite, hello);
    else this.host.giveUp(`it is TLS ${facts.version}, which is not read here`);
    this.host.release();
  }

  private begin13(suite: CipherSuite, hello: ServerHello): void {
    const { clientHello, facts } = this.known;
    facts.resumed = hello.preSharedKey;
    if (clientHello === null) {
      // The first protected record shows whose secrets they are.
      if (!this.keys.hasKeys) this.host.giveUp(this.keys.why);
      return;
    }
    const secrets = this.keys.of(clientHello);
    if (secrets === null) this.host.giveUp(this.keys.why);
    else this.start13(suite, secrets);
  }

  private begin12(suite: CipherSuite, hello: ServerHello): void {
    const { known } = this;
    const { clientHello: client, facts } = known;
    // RFC 5246 section 7.4.1.3; with a ticket, RFC 5077 section 3.4.
    const { sessionId } = hello;
    facts.resumed = sessionId.length > 0 && client !== null && Buffer.compare(sessionId, client.sessionId) === 0;
    if (hello.compressed) {
      this.host.giveUp('its records are compressed (RFC 3749), which is not read here');
      return;
    }
    const secrets = client === null ? null : this.keys.of(client);
    if (client !== null && secrets !== null) {
      this.start12(suite, secrets, client, hello);
      return;
    }
    if (client === null || facts.resumed) known.masterSearch = this.keys.masterSearch(suite, client, hello);
    if (known.masterSearch === null) this.host.giveUp(facts.renegotiations > 0 ? RENEGOTIATED : this.keys.why);
  }

  private start12(suite: CipherSuite, secrets: ClientSecrets, client: ClientHello, server: ServerHello): void {
    const master = secrets.get('CLIENT_RANDOM');
    if (master === undefined) {
      this.host.giveUp(ONLY_A_PART);
      return;
    }
    const { directions, clientDirection } = this.known;
    const keys = expandedKeys(suite, master, client.random, server.random);
    const from = clientDirection ?? 0;
    directions[from].pending = recordCipher(suite, keys.client, 0x0303, server.encryptThenMac);
    directions[from ^ 1].pending = recordCipher(suite, keys.server, 0x0303, server.encryptThenMac);
  }
}

function versionName(version: number): string {
  return version >> 8 === 3 && (version & 0xff) >= 1 ? `1.${(version & 0xff) - 1}` : `0x${version.toString(16)}`;
}
