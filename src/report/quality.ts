/**
 * What captures are good for, as text. In: CaptureQuality. Out: pieces of text: a table for people, or schema lasthop/quality@1.
 */
import type { CaptureQuality, ConnectionQuality, Hole, ToldLoss } from '../hop/capture-quality.js';
import { clockTime, count, counted, timeRange } from './figures.js';
import { jsonArray, jsonText } from './json-text.js';
import { printable } from './printable.js';
import type { QualityFormat } from './quality-format.js';
import { type ReportOptions, type Style, style } from './style.js';
import { joined, wrapped } from './width.js';

/** Longer lists are for the JSON, unless all is asked for. */
const CONNECTIONS_SHOWN = 20;
const HOLES_SHOWN = 4;
const TIMES_SHOWN = 3;
const EXAMPLES_SHOWN = 3;
/** Of an Ethernet without jumbo frames. */
const USUAL_SEGMENT_OCTETS = 1460;

export function* qualityReport(
  format: QualityFormat,
  captures: CaptureQuality[],
  options: ReportOptions,
  version: string,
): Generator<string> {
  if (format === 'ndjson') for (const capture of captures) yield `${jsonText(capture)}\n`;
  else if (format === 'json') {
    yield `{\n  "schema": "lasthop/quality@1",\n  "generator": ${jsonText({ name: 'lasthop', version })},\n`;
    yield* jsonArray('captures', captures, true);
    yield '}\n';
  } else
    for (const [at, capture] of captures.entries()) {
      if (at > 0) yield '\n';
      yield* table(capture, options);
    }
}

function* table(capture: CaptureQuality, options: ReportOptions): Generator<string> {
  const look = style(options);
  const { dot, dash } = look.glyph;
  const tone = capture.trust === 'full' ? 'good' : capture.trust === 'none' ? 'bad' : 'unknown';
  const says = {
    full: 'supports conclusions about everything in it',
    limited: 'supports conclusions, but not about everything',
    none: 'supports no conclusions',
  };
  const { width } = options;
  const name = printable(capture.file, look.unicode);
  const trust = `trust ${capture.trust}`;
  const [first, ...rest] = wrapped(`${name}: ${trust}, it ${says[capture.trust]}`, width);
  yield `${first.replace(name, look.bold(name)).replace(trust, look.tone(tone, trust))}\n`;
  for (const line of rest) yield `  ${line}\n`;
  const kinds = [capture.format, capture.compression, ...capture.linkTypes].filter((each) => each !== null);
  const packets = `${counted(capture.packets, 'packet')}, ${count(capture.tcpPackets)} of them TCP`;
  const about = [kinds.join(', '), packets, timeRange(capture.firstAt, capture.lastAt, dash)];
  for (const line of joined(about, ` ${dot} `, width - 2)) yield `  ${line}\n`;
  for (const reason of capture.reasons) yield* item(look.glyph.unknown, printable(reason, look.unicode), width);
  for (const line of item(dot, silence(capture, dash), width)) yield line;
  for (const note of notes(capture)) for (const line of item(dot, note, width)) yield look.quiet(line);
  yield* losses(capture, width, look);
  yield* connections(capture, options, look);
}

function* item(glyph: string, text: string, width: number): Generator<string> {
  for (const [at, line] of wrapped(text, width - 4).entries()) yield `  ${at === 0 ? glyph : ' '} ${line}\n`;
}

/** Where it proves that something did not pass: the claims that need a whole capture. */
function silence({ trust, blindTimes, connections: all }: CaptureQuality, dash: string): string {
  const connections = all.filter((each) => each.sameAs === null || !each.whole);
  if (trust === 'none') return 'nothing can be said with it';
  if (blindTimes.some(({ fromAt, toAt }) => fromAt === null && toAt === null))
    return 'nothing is called absent with it: it lost packets all the time, or does not say when';
  const holed = connections.filter((each) => !each.whole).length;
  const on =
    holed === 0 ? '' : ` in the holes of ${count(holed)} of ${counted(connections.length, 'connection')} (below)`;
  if (blindTimes.length === 0)
    return holed === 0
      ? `whole on every connection${lateOf(connections) > 0 ? ' from its first packet captured on' : ''}: what is not in it did not pass here${lateOf(connections) > 0 ? ' since' : ''}`
      : `nothing is called absent${on}`;
  const at = (iso: string | null, otherwise: string) => (iso === null ? otherwise : clockTime(iso, 0));
  const times = blindTimes
    .slice(0, TIMES_SHOWN)
    .map(({ fromAt, toAt }) => `${at(fromAt, 'its beginning')} ${dash} ${at(toAt, 'its end')}`);
  const more = blindTimes.length - times.length;
  const when = `${times.join(', ')}${more > 0 ? ` and ${counted(more, 'more time')}` : ''}`;
  return `nothing is called absent${on}${on === '' ? '' : ', nor'} on quiet connections at ${when}, when it lost packets`;
}

/** What each fate means to the one who looks for the place. */
const MEANING: Record<ToldLoss['fate'], string> = {
  'missed-by-capture': "TCP-ACKed and not in the file: the capture's own fault",
  'lost-before-capture': 'a hole that was sent again: lost between the sender and here',
  'retransmitted-after-capture': 'seen here and sent again: it, or its TCP ACK, was lost past here',
  'retransmitted-after-ack': 'sent again though TCP-ACKed here: needless, or the TCP ACK was lost on its way on',
  'out-of-order': 'overtaken on the way, or by the capture: nothing was lost',
  undecided: 'came late: overtaken, or lost and sent again; nothing tells which',
};

/** Where octets were lost, seen from the place of capture. */
function* losses(capture: CaptureQuality, width: number, look: Style): Generator<string> {
  if (capture.losses.length === 0) return;
  yield '  Lost, sent again or late, seen from here\n';
  const rows = capture.losses.map(({ fate, count: number, octets, connections: of }) => [
    fate,
    fate === 'missed-by-capture' ? counted(number, 'hole') : counted(number, 'packet'),
    counted(octets, 'octet'),
    counted(of, 'connection'),
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column].length)));
  for (const [i, row] of rows.entries()) {
    const cells = row
      .slice(0, 4)
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])));
    const line = `    ${cells.join('  ')}`;
    // A number that is cut is another one.
    const examples = capture.losses[i].packets.slice(0, EXAMPLES_SHOWN);
    while (examples.length > 0 && line.length + 3 + examples.join(',').length > width) examples.pop();
    yield `${line}${examples.length > 0 ? `  #${examples.join(',')}` : ''}\n`;
    for (const words of wrapped(MEANING[capture.losses[i].fate], width - 6)) yield look.quiet(`      ${words}\n`);
  }
}

/** What is no fault, and good to know. */
function notes(capture: CaptureQuality): string[] {
  const all: string[] = [...capture.notes];
  if (capture.droppedPackets === null) all.push('the file does not say how many packets were dropped');
  else if (capture.droppedPackets === 0) all.push('no packets dropped, by its own statistics');
  if (capture.duplicates > 0)
    all.push(`${counted(capture.duplicates, 'packet')} with data captured more than once, counted once`);
  // Where they stand far apart it is among the reasons.
  if (capture.backwardsTimestamps > 0 && !capture.reasons.some((reason) => reason.includes('stamped earlier')))
    all.push(`${counted(capture.backwardsTimestamps, 'packet')} stamped earlier than the one before: put in order`);
  if (capture.largestSegmentOctets > USUAL_SEGMENT_OCTETS || capture.zeroLengthPackets > 0)
    all.push('segments larger than the network carries: captured before offloading, harmless');
  const second = capture.secondReader;
  if (second?.agrees) all.push(`a second reader (pcap-parser) reads all ${counted(second.compared, 'packet')} alike`);
  else if (second?.skippedBecause) all.push(`not read with the second reader: ${second.skippedBecause}`);
  return all;
}

/** Connections of which the opening was not captured. */
function lateOf(connections: readonly ConnectionQuality[]): number {
  return connections.filter((each) => each.opening === 'missing').length;
}

function* connections(capture: CaptureQuality, options: ReportOptions, look: Style): Generator<string> {
  const told = capture.connections.filter((each) => each.protocol === 'websocket' || !each.whole);
  const flawed = told.filter((each) => !each.whole);
  const twice = capture.connections.filter((each) => each.sameAs !== null);
  const once = capture.connections.length - twice.length;
  const whole = capture.connections.filter((each) => each.whole && each.sameAs === null);
  const late = lateOf(whole);
  const seen =
    twice.length === 0
      ? ''
      : ` (${count(twice.length)} of them captured twice, before and after ${twice.length === 1 ? 'its' : 'their'} addresses were translated)`;
  const since = late === 0 ? '' : `, and ${count(late)} more from their first packet captured on`;
  yield* wrapped(
    `${counted(once, 'TCP connection')}${seen}, ${count(whole.length - late)} of them whole${since}`,
    options.width - 2,
  ).map((line) => `  ${line}\n`);
  const shown = options.all ? told : flawed.slice(0, CONNECTIONS_SHOWN);
  for (const each of shown) yield* connection(each, options, look);
  if (!options.all && flawed.length > shown.length)
    yield `  ${counted(flawed.length - shown.length, 'more such connection')}: --all or --json shows them\n`;
}

function* connection(each: ConnectionQuality, options: ReportOptions, look: Style): Generator<string> {
  const name = each.agent === null ? '' : ` ${printable(each.agent, look.unicode)}`;
  const glyph = each.whole ? look.tone('good', look.glyph.good) : look.tone('unknown', look.glyph.unknown);
  const one = each.directions === 'both' ? '' : `, only what the ${each.directions} sent`;
  const found = each.foundByBits === null ? '' : `, frames found in mid-stream (${each.foundByBits} bits of evidence)`;
  const opening = `${each.opening === 'seen' ? '' : ', opening not captured'}${found}`;
  const text = `#${each.connection} ${each.client} ${look.glyph.arrow} ${each.server} ${each.protocol}${name}${one}${opening}`;
  yield* item(glyph, text, options.width);
  const holes = options.all ? each.holes : each.holes.slice(0, HOLES_SHOWN);
  for (const hole of holes)
    for (const line of wrapped(holeLine(hole, look), options.width - 6)) yield `      ${look.quiet(line)}\n`;
  if (each.holes.length > holes.length) yield `      ${look.quiet(`${each.holes.length - holes.length} more holes`)}\n`;
  for (const { sender, fate, count: number, octets, packets } of each.losses) {
    if (fate === 'missed-by-capture') continue; // the holes tell
    const line = `from the ${sender}: ${fate}, ${counted(number, 'packet')} with ${counted(octets, 'octet')} (#${packets.join(',')})`;
    for (const words of wrapped(line, options.width - 6)) yield `      ${look.quiet(words)}\n`;
  }
}

function holeLine({ sender, kind, octets, fromAt, toAt, why }: Hole, look: Style): string {
  const at = (iso: string | null) => (iso === null ? 'its beginning' : clockTime(iso, 3));
  const words = {
    missed: 'missed-by-capture: TCP-ACKed and not in it',
    cut: 'cut off by the snapshot length',
    'never-acked': 'not in the capture and never TCP-ACKed: lost before it, or missed with the TCP ACK',
    unread: `not read: ${why ?? 'no frames'}`,
  };
  return `${at(fromAt)} ${look.glyph.dash} ${at(toAt)} from the ${sender}: ${counted(octets, 'octet')} ${words[kind]}`;
}
