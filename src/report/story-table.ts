/**
 * One command's story as a timeline: time on the first hop's clock, hop, what happened, packets. In: Story. Out: pieces of text.
 * What belongs to the command itself is marked; a silence of a second or more is a line of its own.
 */
import type { Story, StoryEvent, StoryKind } from '../delivery/story.js';
import { clockTime, counted, dateOf, duration, packetNumbers } from './figures.js';
import { printable } from './printable.js';
import { lostWords, meaning } from './reading.js';
import { referenceHop } from './reference-hop.js';
import { outcomeGlyph, outcomeTone, type ReportOptions, type Style, style, type Tone } from './style.js';
import { hopLines } from './table-hops.js';
import { columns, joined, padded, shortened, wrapped } from './width.js';

const LONGEST_HOP = 12;
const SILENCE_MS = 1000;
const WIDEST = 120;
/** Digits of seconds: captures seldom have more than microseconds. */
const DIGITS = 6;
const OWN: readonly StoryKind[] = [
  'asked',
  'asked-answered',
  'command',
  'tcp-ack',
  'command-ack',
  'result',
  'deadline',
];
const TONES: Partial<Record<StoryKind, Tone>> = {
  'command-ack': 'good',
  result: 'good',
  deadline: 'bad',
  blocked: 'bad',
  closed: 'unknown',
  gap: 'unknown',
};

export function* storyTable(story: Story, options: ReportOptions): Generator<string> {
  const look = style(options);
  const width = Math.min(WIDEST, Math.max(40, options.width));
  yield* head(story, width, look);
  yield* hopLines(story.hops, width, look);
  const [first] = story.events;
  if (first === undefined) {
    yield '\nNo packet of it was captured.\n';
    return;
  }
  const on = connectionsOf(story);
  const told = [
    `${dateOf(first.at)} UTC, ${story.hops[Math.max(0, referenceHop(story.hops))].name}'s clock`,
    `${look.glyph.arrow} the command's own way`,
    ...(on.length === 1 ? [`all on ${on[0]}`] : []),
    'other messages stand once, at the hop that saw them first',
  ];
  yield '\n';
  for (const line of joined(told, '; ', width)) yield `${look.quiet(line)}\n`;
  const hopWidth = Math.min(
    LONGEST_HOP,
    Math.max(...story.hops.map(({ name }) => columns(printable(name, look.unicode)))),
  );
  let beforeMs = Number.NaN;
  for (const event of story.events) {
    if (event.afterMs - beforeMs >= SILENCE_MS)
      yield `${look.quiet(`  ${look.glyph.ellipsis} ${duration(event.afterMs - beforeMs)}`)}\n`;
    beforeMs = event.afterMs;
    yield* lines(event, on.length > 1, hopWidth, width, look);
  }
  if (story.omitted > 0) yield look.quiet(`+ ${counted(story.omitted, 'later event')}\n`);
}

function connectionsOf({ events }: Story): string[] {
  return [...new Set(events.map(({ connection }) => connection))].filter((id) => id !== null);
}

function* head({ command }: Story, width: number, look: Style): Generator<string> {
  const safe = (text: string) => printable(text, look.unicode, 600);
  const agent = command.agent === null ? '(agent unknown)' : safe(command.agent);
  const lost = command.lostAt === null ? '' : `, lost ${lostWords(safe(command.lostAt))}`;
  const late = command.late ? ', late' : '';
  const title = `${outcomeGlyph(look.glyph, command.outcome)} ${safe(command.id)} for ${agent}: ${command.outcome}${lost}${late} (${command.grade})`;
  for (const line of wrapped(title, width)) yield `${look.tone(outcomeTone(command.outcome), line)}\n`;
  for (const line of wrapped(safe(meaning(command)), width - 2)) yield `  ${line}\n`;
  if (command.reason !== '')
    for (const line of wrapped(`Because: ${safe(command.reason)}`, width - 2)) yield `  ${line}\n`;
  yield '\n';
}

function* lines(event: StoryEvent, several: boolean, hopWidth: number, width: number, look: Style): Generator<string> {
  const { glyph } = look;
  const own = OWN.includes(event.kind);
  const time = clockTime(event.at, DIGITS);
  const hop = shortened(printable(event.hop, look.unicode), hopWidth, glyph.ellipsis);
  const start = `${own ? glyph.arrow : ' '} ${time}  ${padded(hop, hopWidth)}  `;
  const packets = event.evidence.map((each) => `#${packetNumbers(each.packets)}`).join(' ');
  const connection =
    !several || event.connection === null || event.kind === 'tcp-ack'
      ? ''
      : ` on ${printable(event.connection, look.unicode, 20)}`;
  const text = `${printable(event.text, look.unicode, 600)}${connection}${packets === '' ? '' : ` ${packets}`}`;
  const indent = ' '.repeat(columns(start));
  const tone = TONES[event.kind];
  for (const [at, line] of wrapped(text, Math.max(20, width - columns(start))).entries()) {
    const shown = tone !== undefined ? look.tone(tone, line) : own ? line : look.quiet(line);
    yield `${at === 0 ? start : indent}${shown}\n`;
  }
}
