import { describe, expect, it } from 'vitest';
import { hasToken, parseHead } from '../../src/http/message-head.js';

describe('parseHead', () => {
  it('reads a request', () => {
    const head = parseHead('GET /ws?a=b HTTP/1.1\r\nHost: example.com\r\nX-Forwarded-For:  1.2.3.4 \r\n\r\n');
    expect(head).toMatchObject({ kind: 'request', method: 'GET', target: '/ws?a=b', version: 'HTTP/1.1' });
    expect([...(head?.fields ?? [])]).toEqual([
      ['host', 'example.com'],
      ['x-forwarded-for', '1.2.3.4'],
    ]);
  });

  it.each([
    ['HTTP/1.1 101 Switching Protocols\r\n\r\n', 101],
    ['HTTP/1.0 200 \r\n\r\n', 200],
    ['HTTP/1.1 404\r\n\r\n', 404],
  ])('reads the status of %j', (text, status) => {
    expect(parseHead(text)).toMatchObject({ kind: 'response', status });
  });

  it('joins a field that comes more than once (RFC 9110 section 5.3)', () => {
    expect(parseHead('GET / HTTP/1.1\r\nVia: a\r\nvia: b\r\n\r\n')?.fields.get('via')).toBe('a, b');
  });

  it('keeps colons in values', () => {
    expect(parseHead('GET / HTTP/1.1\r\nHost: [::1]:3001\r\n\r\n')?.fields.get('host')).toBe('[::1]:3001');
  });

  it.each(['', 'GET /', 'GET / HTTP/2', 'HTTP/1.1 20 OK', 'HTTP/1.1 2000 OK', 'SSH-2.0-x', 'G{T / HTTP/1.1'])(
    'refuses %j',
    (line) => expect(parseHead(`${line}\r\n\r\n`)).toBeNull(),
  );
});

describe('hasToken', () => {
  it.each([
    ['Upgrade', true],
    ['keep-alive, Upgrade', true],
    ['keep-alive ,  UPGRADE', true],
    ['upgraded', false],
    ['', false],
    [undefined, false],
  ])('%j', (value, expected) => expect(hasToken(value, 'upgrade')).toBe(expected));
});
