/**
 * WebSocket frames, one line each, as they are read. In: FrameEvent, one at a time. Out: pieces of text.
 * Nothing is kept from one frame to the next but the file's name: a capture of any size can be listed.
 */
import type { FrameEvent } from '../hop/frame-event.js';
import { csvLine } from './csv-line.js';
import { clockTime, count } from './figures.js';
import { jsonText, quoted } from './json-text.js';
import type { ListFormat } from './list-format.js';
import { markdown, printable } from './printable.js';
import { type ReportOptions, type Style, style } from './style.js';
import { shortened } from './width.js';

export interface FrameWriter {
  head(): string;
  frame(frame: FrameEvent): string;
  foot(): string;
}

const FIELDS = [
  'file',
  'packet',
  'firstPacket',
  'at',
  'connection',
  'source',
  'destination',
  'from',
  'opcode',
  'fin',
  'rsv1',
  'masked',
  'partial',
  'length',
  'startOffset',
  'endOffset',
  'type',
  'id',
  'closeCode',
  'payload',
] as const satisfies (keyof FrameEvent)[];

export function frameWriter(format: ListFormat, options: ReportOptions, version: string): FrameWriter {
  if (format === 'table') return tableWriter(options);
  if (format === 'markdown') return markdownWriter();
  if (format === 'csv') {
    return {
      head: () => csvLine([...FIELDS]),
      frame: (frame) => csvLine(FIELDS.map((field) => frame[field])),
      foot: () => '',
    };
  }
  if (format === 'ndjson') return { head: () => '', frame: (frame) => `${frameJson(frame)}\n`, foot: () => '' };
  let any = false;
  return {
    head: () =>
      `{\n  "schema": "lasthop/frames@1",\n  "generator": ${jsonText({ name: 'lasthop', version })},\n  "frames": [`,
    frame: (frame) => {
      const piece = `${any ? ',' : ''}\n    ${frameJson(frame)}`;
      any = true;
      return piece;
    },
    foot: () => `${any ? '\n  ' : ''}]\n}\n`,
  };
}

/** One frame on one line, in the order of FIELDS. */
function frameJson(frame: FrameEvent): string {
  return (
    `{"file":${quoted(frame.file)},"packet":${frame.packet},"firstPacket":${frame.firstPacket},"at":"${frame.at}",` +
    `"connection":${frame.connection},"source":"${frame.source}","destination":"${frame.destination}",` +
    `"from":"${frame.from}","opcode":"${frame.opcode}","fin":${frame.fin},"rsv1":${frame.rsv1},` +
    `"masked":${frame.masked},"partial":${frame.partial},"length":${frame.length},` +
    `"startOffset":${frame.startOffset},"endOffset":${frame.endOffset},"type":${quoted(frame.type)},` +
    `"id":${quoted(frame.id)},"closeCode":${frame.closeCode},"payload":${quoted(frame.payload)}}`
  );
}

/** P: the rest never came. F: FIN, Z: RSV1, which permessage-deflate uses, M: masked. */
function flags(frame: FrameEvent): string {
  return `${frame.fin ? 'F' : '-'}${frame.rsv1 ? 'Z' : '-'}${frame.masked ? 'M' : '-'}${frame.partial ? 'P' : ''}`;
}

function opcode(frame: FrameEvent): string {
  return frame.opcode === 'continuation' ? 'cont' : frame.opcode;
}

function packets(frame: FrameEvent): string {
  return frame.firstPacket === frame.packet ? `${frame.packet}` : `${frame.firstPacket}-${frame.packet}`;
}

function what(frame: FrameEvent, look: Style): { type: string; id: string } {
  const type = frame.closeCode === null ? (frame.type ?? '') : `code ${frame.closeCode}`;
  return { type: printable(type, look.unicode, 100), id: printable(frame.id ?? '', look.unicode, 200) };
}

function tableWriter(options: ReportOptions): FrameWriter {
  const look = style(options);
  const width = Math.max(60, options.width);
  const wide = width >= 130;
  const { arrow, ellipsis } = look.glyph;
  let file: string | null = null;
  const fromTo = (frame: FrameEvent) => {
    if (wide) {
      return `${shortened(printable(frame.source), 22, ellipsis)} ${arrow} ${shortened(printable(frame.destination), 22, ellipsis)}`;
    }
    if (frame.from === 'unknown') return '?';
    return frame.from === 'server' ? `server ${arrow}` : `${arrow} server`;
  };
  const columns = [11, wide ? 18 : 12, 4, wide ? 47 : 8, 6, 5, 7];
  const rightwards = [true, false, true, false, false, false, true];
  // All but the last cell are made of ASCII digits and words, but for the arrow, which is one column wide.
  const line = (cells: string[]) => {
    let text = '';
    for (let at = 0; at < 7; at++)
      text += `${rightwards[at] ? cells[at].padStart(columns[at]) : cells[at].padEnd(columns[at])} `;
    return `${(text + cells[7]).trimEnd()}\n`;
  };
  const room = width - columns.reduce((sum, one) => sum + one + 1, 0);
  const heading = line([
    'Packet',
    'Time (UTC)',
    'Conn',
    wide ? 'From → to' : 'From/to',
    'Opcode',
    'Flags',
    'Octets',
    'Type, ID',
  ]);
  return {
    head: () => look.bold(look.unicode ? heading : heading.replace('→', arrow)),
    frame: (frame) => {
      const { type, id } = what(frame, look);
      const last =
        type === '' || id === ''
          ? type + id
          : `${type} ${shortened(id, Math.max(12, room - type.length - 1), ellipsis)}`;
      const cells = [packets(frame), clockTime(frame.at, wide ? 9 : 3), `${frame.connection}`, fromTo(frame)];
      let text = line([...cells, opcode(frame), flags(frame), count(frame.length), last]);
      if (frame.payload !== null) text += `            ${printable(frame.payload, look.unicode, 16_384)}\n`;
      if (frame.file === file) return text;
      const first = file === null;
      file = frame.file;
      return `${first ? '' : '\n'}${look.bold(printable(frame.file, look.unicode))}  ${look.quiet(frame.at.slice(0, 10))}\n${text}`;
    },
    foot: () => (file === null ? 'No WebSocket frames.\n' : ''),
  };
}

function markdownWriter(): FrameWriter {
  const heads = ['File', 'Packet', 'Time (UTC)', 'From', 'To', 'Opcode', 'Flags', 'Octets', 'Type', 'ID'];
  return {
    head: () => `| ${heads.join(' | ')} |\n|${' --- |'.repeat(heads.length)}\n`,
    frame: (frame) => {
      const type = frame.closeCode === null ? (frame.type ?? '') : `code ${frame.closeCode}`;
      const cells = [frame.file, packets(frame), frame.at, frame.source, frame.destination];
      return `| ${[...cells, frame.opcode, flags(frame), `${frame.length}`, type, frame.id ?? ''].map((one) => markdown(one)).join(' | ')} |\n`;
    },
    foot: () => '',
  };
}
