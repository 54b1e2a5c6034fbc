/**
 * IP addresses as people write them. In: four 32-bit words of a Segment, IPv4 as ::ffff:a.b.c.d. Out: text for reports.
 * IPv6 by RFC 5952, section 4.
 */

type Words = ArrayLike<number>;

export function isIpv4(words: Words): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}

export function formatAddress(words: Words): string {
  return isIpv4(words) ? formatIpv4(words[3]) : formatIpv6(words);
}

/** `10.0.0.1:443`, `[2001:db8::1]:443`. */
export function formatEndpoint(words: Words, port: number): string {
  return isIpv4(words) ? `${formatIpv4(words[3])}:${port}` : `[${formatIpv6(words)}]:${port}`;
}

function formatIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`;
}

function formatIpv6(words: Words): string {
  const groups: number[] = [];
  for (let word = 0; word < 4; word++) groups.push((words[word] >>> 16) & 0xffff, words[word] & 0xffff);
  // The longest run of zeros becomes `::`, the first of equals, and never a single one.
  let best = -1;
  let bestLength = 1;
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === 0) length++;
    if (length > bestLength) {
      best = at;
      bestLength = length;
    }
    if (length > 0) at += length;
  }
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  if (best < 0) return text(groups);
  return `${text(groups.slice(0, best))}::${text(groups.slice(best + bestLength))}`;
}

/** The words of an address in text, or null if it is none: what `--agent` and X-Forwarded-For hold. */
export function parseAddress(text: string): Int32Array | null {
  const words = new Int32Array(4);
  const ipv4 = parseIpv4(text);
  if (ipv4 !== null) {
    words[2] = 0xffff;
    words[3] = ipv4;
    return words;
  }
  return parseIpv6(text, words) ? words : null;
}

function parseIpv4(text: string): number | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return null;
  let word = 0;
  for (let part = 1; part <= 4; part++) {
    const octet = Number(match[part]);
    if (octet > 255) return null;
    word = (word << 8) | octet;
  }
  return word;
}

function parseIpv6(text: string, words: Int32Array): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const head = parseGroups(halves[0], halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1], true) : [];
  if (head === null || tail === null) return false;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return false;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  for (let word = 0; word < 4; word++) words[word] = (groups[word * 2] << 16) | groups[word * 2 + 1];
  return true;
}

function parseGroups(text: string, isEnd: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    // The last 32 bits may be written as IPv4 (RFC 4291, section 2.2).
    const ipv4 = isEnd && index === parts.length - 1 ? parseIpv4(part) : null;
    if (ipv4 !== null) groups.push(ipv4 >>> 16, ipv4 & 0xffff);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}
