/**
 * What OpenSSL's own programs said to each other, with the key logs that they wrote: what Node's TLS cannot be made to do. The lines
 * that were typed into s_client are the witness; tshark 4.0 reads the same, but for the early data that was refused.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cut, hear, whole } from '../support/tls-hear.js';
import type { WireChunk } from '../support/tls-wire.js';

function recorded(name: string): { chunks: WireChunk[]; keyLog: string }[] {
  const connections: WireChunk[][] = [];
  let keyLog = '';
  for (const line of readFileSync(join(import.meta.dirname, 'recorded', `${name}.txt`), 'utf8').split('\n')) {
    const [word, ...rest] = line.split(' ');
    if (word === 'connection') connections.push([]);
    else if (word === 'key') keyLog += `${rest.join(' ')}\n`;
    else if (word === 'client' || word === 'server')
      connections.at(-1)?.push({ from: word, bytes: Uint8Array.from(Buffer.from(rest[0], 'hex')) });
  }
  return connections.map((chunks) => ({ chunks, keyLog }));
}

const reversed = (lines: string) => lines.replace(/.+/g, (line) => [...line].reverse().join(''));

describe.each([whole, cut(1), cut(7)])('recorded connections', (feed) => {
  it('with KeyUpdates of both sides', () => {
    const [wire] = recorded('key-update');
    const { client, server, why, lost, session } = hear(wire, feed);
    // The last reply was under way when s_client went.
    expect({ client, server, why, lost }).toEqual({
      client: 'one\ntwo\nthree\nfour\n',
      server: reversed('one\ntwo\nthree\n'),
      why: null,
      lost: [],
    });
    expect(session.facts).toMatchObject({ established: true, resumed: false });
  });

  it('with early data that was taken', () => {
    const [, wire] = recorded('early-data');
    const { client, why, lost, session } = hear(wire, feed);
    expect({ client, why, lost }).toEqual({
      client: 'GET /agents/early HTTP/1.1\r\nHost: rmm.test\r\n\r\nafter\n',
      why: null,
      lost: [],
    });
    expect(session.facts).toMatchObject({ resumed: true, established: true });
  });

  it('with early data that was refused, and is no part of the stream', () => {
    const [, , wire] = recorded('early-data');
    const { client, why, lost, session } = hear(wire, feed);
    expect({ client, why, lost }).toEqual({ client: 'again\n', why: null, lost: [] });
    expect(session.facts.resumed).toBe(false);
  });

  it('with nothing but a handshake and tickets', () => {
    const [wire] = recorded('early-data');
    const { client, server, why, session } = hear(wire, feed);
    expect({ client, server, why }).toEqual({ client: '', server: '', why: null });
    expect(session.facts).toMatchObject({ decrypted: false, established: true, unreadable: null });
  });

  it.each(['mac-then-encrypt', 'encrypt-then-mac'])('with CBC, %s', (name) => {
    const [wire] = recorded(name);
    const { client, server, why, session } = hear(wire, feed);
    expect({ client, server, why }).toEqual({ client: 'one\ntwo\n', server: reversed('one\ntwo\n'), why: null });
    expect(session.facts.cipherSuite).toBe('TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256');
  });
});

describe('KeyUpdate', () => {
  const [wire] = recorded('key-update');
  const records = (from: 'client' | 'server') => wire.chunks.flatMap((chunk, i) => (chunk.from === from ? [i] : []));

  it('in a hole is made up for', () => {
    // One by one: whichever of the client's segments behind the handshake is missing, nothing else is.
    const own = records('client').slice(2);
    const lines = ['one\n', 'two\n', 'three\n', 'four\n'];
    const texts = own.map((missing) => hear(wire, whole, { without: (_chunk, i) => i === missing }).client);
    for (const text of texts) {
      const left = lines.filter((line) => text.includes(line));
      expect(left.join('')).toBe(text);
      expect(left.length).toBeGreaterThanOrEqual(3);
    }
    for (const line of lines) expect(texts.some((text) => !text.includes(line))).toBe(true);
  });

  it('before the capture began is made up for', () => {
    const two = wire.chunks.findIndex(
      (_chunk, i) => i > 4 && !hear(wire, whole, { without: (_each, n) => n === i }).client.includes('two'),
    );
    const heard = hear(wire, whole, { skip: two });
    expect(heard.client).toBe('two\nthree\nfour\n');
    expect(heard.why).toBeNull();
  });
});

describe('early data of a connection whose ServerHello was not captured', () => {
  const isServerHello = ({ from, bytes }: WireChunk) => from === 'server' && bytes[0] === 22 && bytes[5] === 2;

  it('is read with the rest', () => {
    const [, wire] = recorded('early-data');
    // The segment holds the EncryptedExtensions too, which say whether early data was taken.
    const { client, why, lost } = hear(wire, whole, { without: isServerHello });
    expect({ client, why }).toEqual({ client: 'after\n', why: null });
    expect(lost.filter(({ direction }) => direction === 0)).toMatchObject([
      { exact: false, why: 'the answer to its early data was not captured' },
    ]);
  });

  it('is not missed where it had been refused', () => {
    const [, , wire] = recorded('early-data');
    const { client, why, lost } = hear(wire, whole, { without: isServerHello });
    expect({ client, why }).toEqual({ client: 'again\n', why: null });
    expect(lost.filter(({ direction }) => direction === 0)).toEqual([]);
  });
});

describe('early data whose secret the key log does not hold', () => {
  const without = (keyLog: string) => keyLog.replace(/^CLIENT_EARLY.*\n/gm, '');

  it('is said to be missing where it was taken', () => {
    const [, wire] = recorded('early-data');
    const heard = hear(wire, whole, { keys: without(wire.keyLog) });
    expect(heard.client).toBe('after\n');
    expect(heard.lost).not.toEqual([]);
    for (const lost of heard.lost)
      expect(lost).toMatchObject({ direction: 0, exact: false, why: expect.stringMatching('early data') });
  });

  it('is not missed where it was refused', () => {
    const [, , wire] = recorded('early-data');
    const heard = hear(wire, whole, { keys: without(wire.keyLog) });
    expect(heard).toMatchObject({ client: 'again\n', lost: [], why: null });
  });
});
