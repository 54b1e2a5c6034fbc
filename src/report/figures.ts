/**
 * Numbers, durations, times and packet numbers as people read them. In: values of the verdict. Out: table, Markdown, HTML.
 */
import type { PacketCitation } from '../delivery/verdict.js';

export function count(value: number): string {
  if (value >= 0 && value < 1000) return String(Math.round(value));
  // Not toLocaleString: it takes longer than the rest of a row.
  return Number.isFinite(value) ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',') : String(value);
}

export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Three significant digits: what a TCP ACK delay means shows in its magnitude. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '?';
  const size = Math.abs(ms);
  if (size === 0) return '0 ms';
  if (size < 10) return `${trimmed(ms, size < 1 ? 3 : 2)} ms`;
  if (size < 1000) return `${trimmed(ms, size < 100 ? 1 : 0)} ms`;
  if (size < 120_000) return `${trimmed(ms / 1000, size < 10_000 ? 2 : 1)} s`;
  if (size < 7_200_000) return `${trimmed(ms / 60_000, 1)} min`;
  return `${trimmed(ms / 3_600_000, 1)} h`;
}

function trimmed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

const ISO = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/;

/** Date, time and milliseconds of an ISO string; anything else as it stands. */
export function moment(iso: string): string {
  const match = ISO.exec(iso);
  return match ? `${match[1]} ${match[2]}${match[3] ? `.${match[3].slice(0, 3)}` : ''}` : iso;
}

export function clockTime(iso: string, digits: number): string {
  // All that delivery/ and hop/ write have this length; the rest is looked at more closely.
  if (iso.length >= 27 && iso[10] === 'T' && digits > 0) return iso.slice(11, Math.min(20 + digits, iso.length - 1));
  const match = ISO.exec(iso);
  return match ? `${match[2]}${match[3] && digits > 0 ? `.${match[3].slice(0, digits)}` : ''}` : iso;
}

export function dateOf(iso: string): string {
  return ISO.exec(iso)?.[1] ?? '';
}

/** The day is said once where both ends share it. */
export function timeRange(first: string | null, last: string | null, dash: string): string {
  if (first === null || last === null) return 'no packets';
  const end = dateOf(first) !== '' && dateOf(first) === dateOf(last) ? clockTime(last, 3) : moment(last);
  return `${moment(first)} ${dash} ${end} UTC`;
}

/** `411`, `411-413`, `411-413,420`, and a bound: `411,420,430,+7`. */
export function packetNumbers(numbers: number[], limit = 4): string {
  const runs: string[] = [];
  let shown = 0;
  for (let at = 0; at < numbers.length; ) {
    let end = at;
    while (end + 1 < numbers.length && numbers[end + 1] === numbers[end] + 1) end += 1;
    if (runs.length === limit) return `${runs.join(',')},+${numbers.length - shown}`;
    runs.push(end === at ? `${numbers[at]}` : `${numbers[at]}-${numbers[end]}`);
    shown += end - at + 1;
    at = end + 1;
  }
  return runs.join(',');
}

/** `#411→412`: the packets that carried the message, and those whose TCP ACK covered it. */
export function citation(packets: PacketCitation[], arrow: string, limit = 2): string {
  const first = packets.find((one) => one.data.length > 0) ?? packets[0];
  if (first === undefined) return '';
  const data = first.data.length > 0 ? `#${packetNumbers(first.data, limit)}` : '';
  const acks = first.tcpAck.length > 0 ? `${arrow}${packetNumbers(first.tcpAck, 1)}` : '';
  const more = packets.length > 1 ? ` +${packets.length - 1} file${packets.length > 2 ? 's' : ''}` : '';
  return data + acks + more;
}

/** For lists of evidence: `#411, TCP ACK in #412`. */
export function citedPackets(packets: PacketCitation): string {
  const data = packets.data.length > 0 ? `#${packetNumbers(packets.data)}` : '';
  const acks = packets.tcpAck.length > 0 ? `TCP ACK in #${packetNumbers(packets.tcpAck)}` : '';
  return [data, acks].filter((part) => part !== '').join(', ');
}
