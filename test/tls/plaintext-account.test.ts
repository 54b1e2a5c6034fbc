import { beforeEach, describe, expect, it } from 'vitest';
import { cipherSuite } from '../../src/tls/cipher-suite.js';
import { ConnectionState } from '../../src/tls/connection-state.js';
import { DirectionState } from '../../src/tls/direction.js';
import { PlaintextAccount } from '../../src/tls/plaintext-account.js';
import { ContentType, TlsRecord } from '../../src/tls/record.js';

const CLIENT = 0;
const SERVER = 1;
/** TLS_AES_128_GCM_SHA256: 5 octets of header, 16 of tag, 1 of type (RFC 8446 section 5.2). */
const OVERHEAD = 22;

let told: string[] = [];
let known: ConnectionState;
let account: PlaintextAccount;

function aDirection(): DirectionState {
  return new DirectionState({ record() {}, damaged() {}, lost() {} }, () => {});
}

/** An application data record of `octets` of plaintext at `offset` of TCP. */
function record(offset: number, octets: number): TlsRecord {
  const made = new TlsRecord();
  made.type = ContentType.applicationData;
  made.length = octets + OVERHEAD - 5;
  made.startOffset = offset;
  made.endOffset = offset + octets + OVERHEAD;
  return made;
}

beforeEach(() => {
  told = [];
  known = new ConnectionState([aDirection(), aDirection()]);
  known.facts.version = '1.3';
  known.clientDirection = CLIENT;
  for (const direction of known.directions) {
    const suite = cipherSuite(0x1301);
    if (suite === null) throw new Error('no such suite');
    direction.setSecrets(suite, [{ epoch: 'application', secret: new Uint8Array(32) }]);
  }
  account = new PlaintextAccount(known, {
    plaintext: (direction, bytes, offset, from, to) =>
      told.push(`${direction} ${offset}+${bytes.length} ${from}..${to}`),
    unopened: (direction) => told.push(`${direction} unopened`),
    unread: (direction, lost) =>
      told.push(`${direction} unread ${lost.from}..${lost.to} ${lost.exact ? 'exact' : 'uncertain'}`),
    unreadable: () => told.push('unreadable'),
  });
});

/** Records numbers `number`… were lost with `octets` of TCP, and the one behind them is opened. */
function hole(direction: 0 | 1, number: number, records: number, octets: number): void {
  const state = known.directions[direction];
  state.sequence = number;
  account.lost(direction, 1000, 1000 + octets);
  state.skipped = records;
  state.sequence = number + records + 1;
  account.found(direction, 1000 + octets);
}

describe('the account of the plaintext', () => {
  it('goes on behind a record of known length that was not read', () => {
    account.give(CLIENT, new Uint8Array(10), record(0, 10));
    known.directions[CLIENT].sequence = 7;
    account.damaged(CLIENT, record(100, 30));
    account.give(CLIENT, new Uint8Array(4), record(200, 4));
    expect(told).toEqual(['0 0+10 0..32', '0 unread 10..40 exact', '0 40+4 200..226']);
    expect(known.directions[CLIENT].sequence).toBe(8);
  });

  it('knows how much a hole held by the number of the records in it', () => {
    hole(CLIENT, 5, 3, 3 * OVERHEAD + 120);
    expect(told).toEqual(['0 unread 0..120 exact']);
  });

  it('is not certain of a hole where a server may have sent session tickets', () => {
    hole(SERVER, 1, 2, 300);
    hole(SERVER, 9, 1, OVERHEAD + 50);
    expect(told).toEqual(['1 unread 0..300 uncertain', '1 unread 300..350 exact']);
  });

  it('does not count what is lost before it is known that the direction is protected', () => {
    known = new ConnectionState([aDirection(), aDirection()]);
    account = new PlaintextAccount(known, { plaintext() {}, unopened() {}, unread() {}, unreadable() {} });
    account.lost(CLIENT, 0, 100);
    expect(known.directions[CLIENT].lostOctets).toBe(-1);
  });

  it('takes what stayed closed before the first record that opens for the handshake', () => {
    const state = known.directions[CLIENT];
    account.unopened(CLIENT, record(0, 40));
    account.unopened(CLIENT, record(62, 40));
    state.sequence = 1;
    account.openedAtLast(CLIENT);
    expect(told).toEqual(['0 unopened']);
    expect(state.unopenedFrom).toBe(-1);
  });

  it('counts what stayed closed before a later record as missing', () => {
    known.directions[CLIENT].sequence = 4;
    account.unopened(CLIENT, record(0, 40));
    account.openedAtLast(CLIENT);
    expect(told).toEqual(['0 unopened', '0 unread 0..0 uncertain']);
  });

  it('says at the end what is still closed, and nothing of a connection of which nothing was read', () => {
    account.unopened(CLIENT, record(0, 40));
    account.admitUnopened('why');
    expect(told).toEqual(['0 unopened']);
    known.facts.decrypted = true;
    account.admitUnopened('why');
    expect(told).toEqual(['0 unopened', '0 unread 0..0 uncertain']);
  });
});
