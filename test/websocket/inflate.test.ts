import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MessageInflater } from '../../src/websocket/inflate.js';
import { hex, noise, octets } from '../support/octets.js';

const text = (plain: Uint8Array | null) => (plain === null ? null : new TextDecoder().decode(plain));

/** RFC 7692 section 7.2.1: flushed, without the four octets at the end. */
function deflated(plain: Uint8Array, before = new Uint8Array(0)): Uint8Array {
  const dictionary = before.length > 0 ? { dictionary: before } : {};
  const flushed = deflateRawSync(plain, { finishFlush: constants.Z_SYNC_FLUSH, ...dictionary });
  expect([...flushed.subarray(-4)]).toEqual([0, 0, 0xff, 0xff]);
  return flushed.subarray(0, -4);
}

describe('the examples of RFC 7692 section 7.2.3', () => {
  it.each([
    ['7.2.3.1, one block', 'f2 48 cd c9 c9 07 00'],
    ['7.2.3.3, no compression', '00 05 00 fa ff 48 65 6c 6c 6f 00'],
    ['7.2.3.4, BFINAL set', 'f3 48 cd c9 c9 07 00 00'],
    ['7.2.3.5, two blocks', 'f2 48 05 00 00 00 ff ff ca c9 c9 07 00'],
  ])('%s', (_, compressed) => {
    expect(text(new MessageInflater(false).inflate(hex(compressed)))).toBe('Hello');
  });

  it('7.2.3.2, Hello twice with context takeover', () => {
    const inflater = new MessageInflater(false);
    expect(text(inflater.inflate(hex('f2 48 cd c9 c9 07 00')))).toBe('Hello');
    expect(text(inflater.inflate(hex('f2 00 11 00 00')))).toBe('Hello');
  });

  it('7.2.3.2, Hello twice without', () => {
    const inflater = new MessageInflater(true);
    for (let i = 0; i < 2; i++) expect(text(inflater.inflate(hex('f2 48 cd c9 c9 07 00')))).toBe('Hello');
  });

  it('7.2.3.6, an empty message', () => expect(text(new MessageInflater(false).inflate(hex('00')))).toBe(''));
});

describe('context', () => {
  it('that is not known makes a message unreadable, and comes back with one that stands by itself', () => {
    const inflater = new MessageInflater(false);
    expect(inflater.inflate(hex('f2 00 11 00 00'))).toBeNull();
    expect(inflater.failures).toBe(1);
    expect(text(inflater.inflate(hex('f2 48 cd c9 c9 07 00')))).toBe('Hello');
    expect(text(inflater.inflate(hex('f2 00 11 00 00')))).toBe('Hello');
  });

  it('that was forgotten is not used', () => {
    const inflater = new MessageInflater(false);
    inflater.inflate(hex('f2 48 cd c9 c9 07 00'));
    inflater.forget();
    expect(inflater.inflate(hex('f2 00 11 00 00'))).toBeNull();
  });

  it('is not there without takeover', () => {
    const inflater = new MessageInflater(true);
    inflater.inflate(hex('f2 48 cd c9 c9 07 00'));
    expect(inflater.inflate(hex('f2 00 11 00 00'))).toBeNull();
  });

  it('reaches over several messages and ends after 32 KiB', () => {
    const inflater = new MessageInflater(false);
    let sent = new Uint8Array(0);
    for (let i = 0; i < 40; i++) {
      const message = octets(`{"n":${i},"noise":"${Buffer.from(noise(2000, i + 1)).toString('base64')}"}`);
      expect(text(inflater.inflate(deflated(message, sent.slice(-32768))))).toBe(text(message));
      sent = Uint8Array.from(Buffer.concat([sent, message]));
    }
  });

  it('is that of the last 32 KiB of one long message too', () => {
    const inflater = new MessageInflater(false);
    const long = noise(100_000);
    expect(Uint8Array.from(inflater.inflate(deflated(long)) ?? [])).toEqual(long);
    const tail = long.slice(-32768);
    const again = inflater.inflate(deflated(tail.slice(0, 500), tail));
    expect(Uint8Array.from(again ?? [])).toEqual(tail.slice(0, 500));
  });
});

describe('what is not believed', () => {
  it('octets that are no DEFLATE', () => {
    const inflater = new MessageInflater(false);
    expect(inflater.inflate(hex('07 ff ff ff'))).toBeNull();
    expect(inflater.lastFailure).not.toBe('');
  });

  it('a message that inflates to more than 16 MiB', () => {
    const inflater = new MessageInflater(false);
    const bomb = deflated(new Uint8Array((16 << 20) + 1));
    expect(bomb.length).toBeLessThan(20_000);
    expect(inflater.inflate(bomb)).toBeNull();
    expect(text(inflater.inflate(hex('f2 48 cd c9 c9 07 00')))).toBe('Hello');
  });
});
