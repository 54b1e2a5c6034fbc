import { describe, expect, it } from 'vitest';
import { opening, proxyHeaderLength } from '../../src/hop/opening-octets.js';
import { frame, masked } from '../support/frames.js';
import { embedded, hex, octets } from '../support/octets.js';

const openingOf = (given: Uint8Array) => {
  const { bytes, start, end } = embedded(given, 3);
  return opening(bytes, start, end);
};

describe('opening', () => {
  it.each([
    ['GET / HTTP/1.1\r\n', 'request'],
    ['POST /api', 'request'],
    ['HTTP/1.1 101', 'response'],
    ['HTTP/1.0 200', 'response'],
    ['PROXY TCP4 1.2.3.4', 'proxy-header'],
    ['SSH-2.0-OpenSSH', 'known-other'],
    ['PRI * HTTP/2.0\r\n\r\nSM', 'http2'],
    ['220 mail', 'known-other'],
    ['GETTING', 'unknown'],
    ['get / HTTP/1.1', 'unknown'],
    ['GE', 'unknown'],
    ['', 'unknown'],
  ])('%j is %s', (text, expected) => expect(openingOf(octets(text))).toBe(expected));

  it.each([
    ['a TLS handshake record', '16 03 01 02 00', 'tls'],
    ['a TLS application data record', '17 03 03 00 13', 'tls'],
    ['a TLS alert', '15 03 03 00 02', 'tls'],
    ['SSL 2', '80 2e 01 00', 'unknown'],
    ['the binary PROXY header', '0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a 21', 'proxy-header'],
  ])('%s', (_, text, expected) => expect(openingOf(hex(text))).toBe(expected));

  it('a WebSocket frame is nothing else', () => {
    expect(openingOf(frame('{"type":"Command"}'))).toBe('unknown');
    expect(openingOf(masked('{"type":"CommandAck"}'))).toBe('unknown');
  });

  it('does not read beyond its end', () => {
    expect(opening(octets('GET / HTTP/1.1'), 0, 3)).toBe('unknown');
  });
});

describe('proxyHeaderLength', () => {
  const lengthOf = (given: Uint8Array) => proxyHeaderLength(given, 0, given.length);

  it('of version 1 goes to the line’s end', () => {
    expect(lengthOf(octets('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /'))).toBe(32);
    expect(lengthOf(octets('PROXY UNKNOWN\r\n'))).toBe(15);
  });

  it('of version 2 is 16 and what its length field says', () => {
    expect(lengthOf(hex('0d0a0d0a000d0a515549540a 21 11 000c'))).toBe(28);
    expect(lengthOf(hex('0d0a0d0a000d0a515549540a 20 00 0000'))).toBe(16);
  });

  it('is 0 where it is not whole', () => {
    expect(lengthOf(octets('PROXY TCP4 1.2.3.4'))).toBe(0);
    expect(lengthOf(hex('0d0a0d0a000d0a515549540a 21'))).toBe(0);
  });
});
