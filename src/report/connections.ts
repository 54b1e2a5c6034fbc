/**
 * The TCP connections of captures. In: ConnectionSummary. Out: pieces of text.
 */
import type { ConnectionSummary } from '../hop/frame-event.js';
import { tlsLines } from './connections-tls.js';
import { csvLine } from './csv-line.js';
import { clockTime, count, counted, dateOf } from './figures.js';
import { grid } from './grid.js';
import { jsonArray, jsonText, mapped } from './json-text.js';
import type { ListFormat } from './list-format.js';
import { markdown, printable } from './printable.js';
import { type ReportOptions, style } from './style.js';
import { shortened } from './width.js';

const PLAIN = [
  'connection',
  'client',
  'server',
  'protocol',
  'agent',
  'openedAt',
  'closedAt',
  'closedBy',
  'handshake',
  'path',
  'extensions',
  'firstAt',
  'lastAt',
  'packets',
  'tlsVersion',
  'cipherSuite',
  'serverName',
  'alpn',
  'decrypted',
  'unreadable',
  'resumed',
  'renegotiations',
  'clientRandom',
] as const satisfies (keyof ConnectionSummary)[];
const SIDE = ['text', 'binary', 'ping', 'pong', 'close', 'octets', 'missedOctets', 'foundByBits'] as const;
const LAST = ['pingsAnswered', 'retransmissions', 'closeCode'] as const satisfies (keyof ConnectionSummary)[];
const CHUNK = 500;

export function* connectionList(
  format: ListFormat,
  connections: ConnectionSummary[],
  options: ReportOptions,
  version: string,
): Generator<string> {
  if (format === 'table') yield* table(connections, options);
  else if (format === 'markdown') yield* markdownTable(connections);
  else if (format === 'csv') yield* csv(connections);
  else if (format === 'ndjson') for (const one of connections) yield `${jsonText(shape(one))}\n`;
  else {
    yield `{\n  "schema": "lasthop/connections@1",\n  "generator": ${jsonText({ name: 'lasthop', version })},\n`;
    yield* jsonArray('connections', mapped(connections, shape), true);
    yield '}\n';
  }
}

function shape(one: ConnectionSummary) {
  const side = (of: ConnectionSummary['fromServer']) => Object.fromEntries(SIDE.map((field) => [field, of[field]]));
  return {
    ...Object.fromEntries(PLAIN.map((field) => [field, one[field]])),
    fromServer: side(one.fromServer),
    fromClient: side(one.fromClient),
    ...Object.fromEntries(LAST.map((field) => [field, one[field]])),
  };
}

function* csv(connections: ConnectionSummary[]): Generator<string> {
  const sides = (['fromServer', 'fromClient'] as const).flatMap((side) => SIDE.map((field) => `${side}.${field}`));
  yield csvLine([...PLAIN, ...sides, ...LAST]);
  for (const one of connections) {
    const counts = [one.fromServer, one.fromClient].flatMap((side) => SIDE.map((field) => side[field]));
    yield csvLine([...PLAIN.map((field) => one[field]), ...counts, ...LAST.map((field) => one[field])]);
  }
}

function closing(one: ConnectionSummary): string {
  if (one.closedBy === null) return 'open';
  return one.closeCode === null ? one.closedBy : `${one.closedBy} ${one.closeCode}`;
}

/** What it carries, and whether through TLS. */
function protocolOf({ protocol, decrypted, tlsVersion, alpn }: ConnectionSummary): string {
  if (decrypted === null) return protocol;
  if (decrypted) return `${protocol}/TLS`;
  return alpn === 'h2' ? 'http2/TLS' : `TLS ${tlsVersion ?? ''}`.trimEnd();
}

function* table(connections: ConnectionSummary[], options: ReportOptions): Generator<string> {
  const look = style(options);
  const { ellipsis, arrow } = look.glyph;
  if (connections.length === 0) {
    yield 'No TCP connections.\n';
    return;
  }
  const width = Math.max(76, options.width);
  const longest = (texts: string[], least: number, most: number) =>
    Math.min(most, Math.max(least, ...texts.map((text) => text.length)));
  const rest = width - 67;
  const agents = longest(
    connections.map((one) => printable(one.agent ?? '')),
    9,
    Math.max(15, Math.floor(rest / 3)),
  );
  const peers = longest(
    connections.flatMap((one) => [one.client, one.server]),
    12,
    Math.max(15, width - agents - 52),
  );
  const days = new Set(connections.map((one) => dateOf(one.firstAt)));
  const stamp = (iso: string) => (days.size > 1 ? `${dateOf(iso).slice(5)} ${clockTime(iso, 0)}` : clockTime(iso, 0));
  const widths = [4, peers, agents, days.size > 1 ? 14 : 8, 8, 8, 8];
  const titles = ['Conn', 'Client', 'Protocol', 'First', 'Text out', 'Pings', 'Resent'];
  const below = ['', `${arrow} server`, 'agent', 'last', 'in', 'answered', 'closed'];
  const head = titles.map((title, at) => `${look.bold(title)}\n${look.quiet(below[at])}`);
  yield `${counted(connections.length, 'TCP connection')}, times in UTC from ${dateOf(connections[0].firstAt)}\n\n`;
  const cut = (text: string, to: number) => shortened(printable(text, look.unicode), to, ellipsis);
  for (let at = 0; at < connections.length; at += CHUNK) {
    const rows = connections
      .slice(at, at + CHUNK)
      .map((one) => [
        `${one.connection}`,
        `${cut(one.client, peers)}\n${cut(one.server, peers)}`,
        `${cut(protocolOf(one), agents)}\n${look.quiet(cut(one.agent ?? one.serverName ?? '', agents))}`,
        `${stamp(one.firstAt)}\n${stamp(one.lastAt)}`,
        `${count(one.fromServer.text)}\n${count(one.fromClient.text)}`,
        `${count(one.fromServer.ping + one.fromClient.ping)}\n${count(one.pingsAnswered)}`,
        `${count(one.retransmissions)}\n${look.quiet(closing(one))}`,
      ]);
    yield grid(at === 0 ? head : null, rows, widths, look);
  }
  yield* tlsLines(connections, width, look);
}

function* markdownTable(connections: ConnectionSummary[]): Generator<string> {
  const heads = [
    '#',
    'Client',
    'Server',
    'Protocol',
    'Agent',
    'Opened',
    'Closed',
    'Text from server',
    'Text from client',
  ];
  heads.push('Pings', 'Answered', 'Retransmissions');
  yield `| ${heads.join(' | ')} |\n|${' --- |'.repeat(heads.length)}\n`;
  for (const one of connections) {
    const cells = [
      `${one.connection}`,
      one.client,
      one.server,
      protocolOf(one),
      one.agent ?? '–',
      one.openedAt ?? 'before',
    ];
    cells.push(one.closedAt === null ? 'open' : `${one.closedAt} (${closing(one)})`, `${one.fromServer.text}`);
    cells.push(`${one.fromClient.text}`, `${one.fromServer.ping + one.fromClient.ping}`, `${one.pingsAnswered}`);
    yield `| ${[...cells, `${one.retransmissions}`].map((cell) => markdown(cell)).join(' | ')} |\n`;
  }
}
