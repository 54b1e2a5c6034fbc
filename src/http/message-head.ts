/**
 * Parses the head of one HTTP/1.1 message. In: reader.ts, with the octets up to the empty line. Out: method or status, and fields.
 * RFC 9112 sections 2 to 5. Lenient where real senders are (bare LF), and null where it is no HTTP head.
 */

export interface MessageHead {
  kind: 'request' | 'response';
  method: string;
  target: string;
  status: number;
  version: string;
  /** Field names in lower case; repeated fields joined by ", " (RFC 9110 section 5.3). */
  fields: Map<string, string>;
}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) (HTTP\/1\.[01])$/;
const STATUS_LINE = /^(HTTP\/1\.[01]) (\d{3})(?: .*)?$/;

export function parseHead(text: string): MessageHead | null {
  const lines = text.split(/\r?\n/);
  const first = lines[0];
  const request = REQUEST_LINE.exec(first);
  const status = request === null ? STATUS_LINE.exec(first) : null;
  if (request === null && status === null) return null;
  const fields = new Map<string, string>();
  for (let i = 1; i < lines.length; i++) {
    const colon = lines[i].indexOf(':');
    if (colon <= 0) continue;
    const name = lines[i].slice(0, colon).trim().toLowerCase();
    const value = lines[i].slice(colon + 1).trim();
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return request !== null
    ? { kind: 'request', method: request[1], target: request[2], status: 0, version: request[3], fields }
    : { kind: 'response', method: '', target: '', status: Number(status?.[2]), version: status?.[1] ?? '', fields };
}

/** Whether a comma-separated field holds the token, whatever its case (RFC 9110 section 5.6.1). */
export function hasToken(value: string | undefined, token: string): boolean {
  return value?.split(',').some((part) => part.trim().toLowerCase() === token) ?? false;
}
