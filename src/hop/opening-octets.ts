/**
 * What the first octets of a stream (or of a segment of one) say that it is. In: connection-stack.ts. Out: a guess that the reader
 * behind it confirms. RFC 9112 section 3, RFC 8446 section 5.1, the PROXY protocol (haproxy), RFC 4253, RFC 9113 section 3.4.
 */

export type Opening = 'request' | 'response' | 'tls' | 'proxy-header' | 'http2' | 'known-other' | 'unknown';

const METHODS = ['GET ', 'POST ', 'PUT ', 'HEAD ', 'DELETE ', 'OPTIONS ', 'PATCH ', 'CONNECT ', 'TRACE '].map(octets);
const RESPONSE = octets('HTTP/1.');
const HTTP2 = octets('PRI * HTTP/2.0');
const OTHERS = ['SSH-', 'EHLO ', 'HELO ', '220 '].map(octets);
const PROXY_V1 = octets('PROXY ');
const PROXY_V2 = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);

export function opening(bytes: Uint8Array, start: number, end: number): Opening {
  if (end - start < 4) return 'unknown';
  const first = bytes[start];
  if (first >= 0x14 && first <= 0x18 && bytes[start + 1] === 0x03 && bytes[start + 2] <= 0x04) return 'tls';
  if (startsWith(bytes, start, end, RESPONSE)) return 'response';
  if (METHODS.some((method) => startsWith(bytes, start, end, method))) return 'request';
  if (startsWith(bytes, start, end, PROXY_V1) || startsWith(bytes, start, end, PROXY_V2)) return 'proxy-header';
  if (startsWith(bytes, start, end, HTTP2)) return 'http2';
  if (OTHERS.some((other) => startsWith(bytes, start, end, other))) return 'known-other';
  return 'unknown';
}

/** RFC 4253 section 4.2. */
export function isSshGreeting(bytes: Uint8Array, start: number, end: number): boolean {
  return startsWith(bytes, start, end, OTHERS[0]);
}

/** Octets of a PROXY protocol header, 0 where it is not whole. */
export function proxyHeaderLength(bytes: Uint8Array, start: number, end: number): number {
  if (startsWith(bytes, start, end, PROXY_V2))
    return end - start < 16 ? 0 : 16 + ((bytes[start + 14] << 8) | bytes[start + 15]);
  const limit = Math.min(end, start + 107);
  for (let p = start; p < limit; p++) if (bytes[p] === 0x0a) return p + 1 - start;
  return 0;
}

function startsWith(bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[start + i] !== prefix[i]) return false;
  return true;
}

function octets(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
