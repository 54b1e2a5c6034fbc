/**
 * What is said between a SOCKS proxy and its client before the connection begins that the proxy carries. In: connection-stack.ts with
 * the first octets of a direction. Out: how many of them are SOCKS's own. RFC 1928 (version 5), RFC 1929 (user name and password).
 */

const VERSION = 5;
const USER_NAME_VERSION = 1;
const NO_AUTHENTICATION = 0;
const USER_NAME = 2;
const CONNECT = 1;
const SUCCEEDED = 0;
const IPV4 = 1;
const DOMAIN = 3;
const IPV6 = 4;

/** Octets before the carried stream; 0 where it is no SOCKS, -1 where more octets are needed to tell. */
export function socksLength(bytes: Uint8Array, start: number, end: number, fromClient: boolean): number {
  const stream = bytes.subarray(start, end);
  return fromClient ? askedLength(stream) : answeredLength(stream);
}

/** Greeting with methods; user name and password, where that was chosen; request. */
function askedLength(stream: Uint8Array): number {
  if (stream[0] !== VERSION || stream[1] === 0) return 0;
  const methods = stream[1];
  if (stream.length < 2 + methods) return -1;
  for (let i = 0; i < methods; i++) if (stream[2 + i] > USER_NAME && stream[2 + i] < 0x80) return 0;
  let at = 2 + methods;
  if (stream[at] === USER_NAME_VERSION) {
    const name = stream[at + 1];
    const password = stream[at + 2 + name];
    if (password === undefined) return -1;
    at += 3 + name + password;
  }
  return connectLength(stream, at, CONNECT);
}

/** The method chosen; that user name and password are good; reply. */
function answeredLength(stream: Uint8Array): number {
  if (stream[0] !== VERSION || (stream[1] !== NO_AUTHENTICATION && stream[1] !== USER_NAME)) return 0;
  const at = stream[1] === USER_NAME ? 4 : 2;
  if (at === 4 && stream.length >= 4 && stream[3] !== SUCCEEDED) return 0;
  return connectLength(stream, at, SUCCEEDED);
}

/** Request and reply have one form: version, command or reply, reserved, address, port. */
function connectLength(stream: Uint8Array, at: number, code: number): number {
  if (stream.length < at + 5) return -1;
  if (stream[at] !== VERSION || stream[at + 1] !== code || stream[at + 2] !== 0) return 0;
  const type = stream[at + 3];
  const address = type === IPV4 ? 4 : type === IPV6 ? 16 : type === DOMAIN ? 1 + stream[at + 4] : 0;
  if (address === 0) return 0;
  const to = at + 4 + address + 2;
  return stream.length < to ? -1 : to;
}
