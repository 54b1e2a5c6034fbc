/**
 * Below the list of connections: what the encrypted ones said of themselves, and why those stay closed that could not be read. In:
 * ConnectionSummary. Out: lines of text. Connections that say the same share a line.
 */
import type { ConnectionSummary } from '../hop/frame-event.js';
import { packetNumbers } from './figures.js';
import { printable } from './printable.js';
import type { Style } from './style.js';
import { wrapped } from './width.js';

const MOST_NUMBERS = 12;
/** As many octets of a client random tell one line of a key log from the others. */
const RANDOM_DIGITS = 16;
const MOST_RANDOMS = 3;

export function* tlsLines(connections: readonly ConnectionSummary[], width: number, look: Style): Generator<string> {
  const groups = new Map<string, ConnectionSummary[]>();
  for (const one of connections) {
    if (one.decrypted === null) continue;
    const text = `${whatItIs(one)}; ${whatWasRead(one)}`;
    const group = groups.get(text);
    if (group === undefined) groups.set(text, [one]);
    else group.push(one);
  }
  if (groups.size === 0) return;
  yield `\n${look.bold('TLS')}\n`;
  for (const [text, group] of groups) {
    const numbers = packetNumbers(
      group.map(({ connection }) => connection),
      MOST_NUMBERS,
    );
    const lines = wrapped(printable(`${numbers}: ${text}${randoms(group)}`, look.unicode), width - 2);
    for (const [i, line] of lines.entries()) yield `${i === 0 ? '' : '  '}${line}\n`;
  }
}

function whatItIs({ tlsVersion, cipherSuite, serverName, alpn, resumed }: ConnectionSummary): string {
  const parts = [tlsVersion === null ? 'TLS' : `TLS ${tlsVersion}`];
  if (cipherSuite !== null) parts.push(cipherSuite);
  parts.push(serverName === null ? 'no server name' : `for ${serverName}`);
  if (alpn !== null) parts.push(`ALPN ${alpn}`);
  if (resumed) parts.push('resumed');
  return parts.join(', ');
}

function whatWasRead({ decrypted, unreadable, renegotiations }: ConnectionSummary): string {
  const again = renegotiations ? `, renegotiated ${renegotiations === 1 ? 'once' : `${renegotiations} times`}` : '';
  if (decrypted) return `decrypted${again}${unreadable === null ? '' : `, up to where ${unreadable}`}`;
  return unreadable === null ? `nothing in it to decrypt${again}` : `not decrypted${again}, ${unreadable}`;
}

/** What to look for in the key log. */
function randoms(group: readonly ConnectionSummary[]): string {
  const named = group.filter(({ unreadable, clientRandom }) => unreadable !== null && clientRandom != null);
  if (named.length === 0) return '';
  const shown = named.slice(0, MOST_RANDOMS).map(({ clientRandom }) => `${clientRandom?.slice(0, RANDOM_DIGITS)}…`);
  const more = named.length > shown.length ? ` and ${named.length - shown.length} more` : '';
  return ` (client random ${shown.join(', ')}${more})`;
}
