/**
 * Tells by its first octets what a file is: never by its name. Captures, what may wrap them, and the wrong files that people
 * really pass, each with what to do about it.
 * In: the first octets of an input. Out: read-capture.ts, which goes on or throws a CaptureError.
 */

import { uint16LittleEndian, uint32, uint32LittleEndian } from '../bytes/integers.js';
import { isPcapMagic } from './pcap-format.js';

export type InputKind = 'pcap' | 'pcapng' | 'gzip' | 'zstd' | 'tls-key-log' | 'json' | 'text' | 'other';

export interface Recognised {
  readonly kind: InputKind;
  /** For what is no capture: what it is and what to do, as the rest of a sentence after the file's name. */
  readonly detail: string;
}

/** This many octets are enough for every answer below; fewer are taken where the input has no more. */
export const RECOGNISABLE_OCTETS = 1024;

const CAPTURE: Recognised = { kind: 'pcap', detail: '' };

const IXIA = 'an Ixia variant of pcap: convert it first (editcap -F pcap IN OUT)';
/** Navtel's and another one of libpcap's early days, which neither it nor Wireshark reads. */
const PCAP_OF_SOMEONE =
  'a variant of pcap that no current program reads: capture again, or convert it with the program that wrote it';

/** Formats known by fixed octets at the start. */
const SIGNATURES: readonly (readonly [hex: string, detail: string])[] = [
  ['fd377a585a00', 'xz-compressed: decompress it first (xz -d)'],
  ['425a68', 'bzip2-compressed: decompress it first (bunzip2)'],
  ['04224d18', 'lz4-compressed: decompress it first (lz4 -d)'],
  ['504b0304', 'a zip archive: unpack it first and pass the capture files in it'],
  ['504b0506', 'an empty zip archive'],
  ['377abcaf271c', 'a 7z archive: unpack it first and pass the capture files in it'],
  ['736e6f6f70000000', 'a Solaris snoop capture: convert it first (editcap -F pcapng IN OUT)'],
  ['6274736e6f6f7000', 'a Bluetooth btsnoop capture, which holds no TCP'],
  ['52545353', 'a Microsoft Network Monitor 1 capture: convert it first (editcap -F pcapng IN OUT)'],
  ['474d4255', 'a Microsoft Network Monitor 2 capture: convert it first (editcap -F pcapng IN OUT)'],
  [
    '54525349464620646174612020202020',
    'a Network General Sniffer capture: convert it first (editcap -F pcapng IN OUT)',
  ],
  [
    '5452534e494646206461746120202020',
    'a Network General Sniffer capture: convert it first (editcap -F pcapng IN OUT)',
  ],
  ['58435000', 'a NetXRay or Windows Sniffer capture: convert it first (editcap -F pcapng IN OUT)'],
  ['697074726163652031', 'an AIX iptrace capture: convert it first (editcap -F pcapng IN OUT)'],
  ['697074726163652032', 'an AIX iptrace capture: convert it first (editcap -F pcapng IN OUT)'],
  ['aaaaaaaa', 'an InfoVista 5View capture: convert it first (editcap -F pcapng IN OUT)'],
  ['01104c00', 'a Novell LANalyzer capture: convert it first (editcap -F pcapng IN OUT)'],
  ['01104d00', 'a Novell LANalyzer capture: convert it first (editcap -F pcapng IN OUT)'],
  ['5452006400000000', 'an HP-UX nettl trace: convert it first (editcap -F pcapng IN OUT)'],
  ['54520000', 'an HP-UX nettl trace: convert it first (editcap -F pcapng IN OUT)'],
  ['4f62736572766572506b74427566', 'a Viavi Observer capture: convert it first (editcap -F pcapng IN OUT)'],
  ['05564e46', 'a Visual Networks capture: convert it first (editcap -F pcapng IN OUT)'],
  ['1c0001ac', IXIA],
  ['ac01001c', IXIA],
  ['1c0001ab', IXIA],
  ['ab01001c', IXIA],
  ['a1b234cd', PCAP_OF_SOMEONE],
  ['cd34b2a1', PCAP_OF_SOMEONE],
  ['a12b3c4d', PCAP_OF_SOMEONE],
  ['4d3c2ba1', PCAP_OF_SOMEONE],
  ['7f454c46', 'a program (ELF), not a capture'],
  ['4d5a', 'a Windows program, not a capture'],
  ['25504446', 'a PDF document, not a capture'],
  ['89504e47', 'a PNG picture, not a capture'],
  ['456c6646696c6500', 'a Windows event log (.evtx), not a capture'],
];

export function recognise(bytes: Uint8Array, lengthOctets: number): Recognised {
  if (lengthOctets >= 4) {
    if (isPcapMagic(uint32(bytes, 0)) || isPcapMagic(uint32LittleEndian(bytes, 0))) return CAPTURE;
    if (uint32(bytes, 0) === 0x0a0d0d0a && isByteOrderMagic(bytes, lengthOctets)) return { kind: 'pcapng', detail: '' };
    if (uint32(bytes, 0) === 0x28b52ffd) return { kind: 'zstd', detail: '' };
  }
  if (lengthOctets >= 3 && bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8)
    return { kind: 'gzip', detail: '' };

  const hex = toHex(bytes, Math.min(lengthOctets, 24));
  for (const [signature, detail] of SIGNATURES) if (hex.startsWith(signature)) return other(detail);
  if (isTar(bytes, lengthOctets)) return other('a tar archive: unpack it first and pass the capture files in it');
  if (isText(bytes, lengthOctets)) return recogniseText(bytes, lengthOctets);
  if (isErf(bytes, lengthOctets)) return other('an Endace ERF capture: convert it first (editcap -F pcapng IN OUT)');
  if (isEtl(bytes, lengthOctets))
    return other('a Windows event trace (.etl): convert it first (pktmon etl2pcap, or etl2pcapng)');
  return other(`not a capture that lasthop knows (it starts with ${hex.slice(0, 16)}): pass a pcap or pcapng file`);
}

function other(detail: string): Recognised {
  return { kind: 'other', detail };
}

/** Where the file ends before the magic it is a cut pcapng, which its reader reports. */
function isByteOrderMagic(bytes: Uint8Array, length: number): boolean {
  return length < 12 || uint32(bytes, 8) === 0x1a2b3c4d || uint32LittleEndian(bytes, 8) === 0x1a2b3c4d;
}

const KEY_LOG_LINE =
  /^(CLIENT_RANDOM|CLIENT_EARLY_TRAFFIC_SECRET|CLIENT_HANDSHAKE_TRAFFIC_SECRET|SERVER_HANDSHAKE_TRAFFIC_SECRET|CLIENT_TRAFFIC_SECRET_\d+|SERVER_TRAFFIC_SECRET_\d+|EARLY_EXPORTER_SECRET|EXPORTER_SECRET|RSA) [0-9a-fA-F]{16}/m;
const TCPDUMP_TEXT_LINE = /\bIP6? \S+ > \S+:|listening on \S+, link-type/;

function recogniseText(bytes: Uint8Array, length: number): Recognised {
  const text = new TextDecoder().decode(bytes.subarray(0, Math.min(length, RECOGNISABLE_OCTETS)));
  if (KEY_LOG_LINE.test(text)) return { kind: 'tls-key-log', detail: 'this is a TLS key log: pass it with --keylog' };
  const start = text.replace(/^\uFEFF/, '').trimStart();
  if (start.startsWith('{') || start.startsWith('[')) return { kind: 'json', detail: 'JSON text, not a capture' };
  if (TCPDUMP_TEXT_LINE.test(text)) {
    return {
      kind: 'text',
      detail: "what tcpdump prints, not a capture: have it write one (tcpdump -w FILE), see 'lasthop capture-plan'",
    };
  }
  if (start.startsWith('<')) return { kind: 'text', detail: 'an HTML or XML text, not a capture' };
  return { kind: 'text', detail: 'a text, not a capture: pass a pcap or pcapng file' };
}

/** Text: no control characters but white space and escape. Octets above 0x7f may be UTF-8. */
function isText(bytes: Uint8Array, length: number): boolean {
  const end = Math.min(length, RECOGNISABLE_OCTETS);
  if (end >= 2 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))) return true;
  let high = 0;
  for (let at = 0; at < end; at++) {
    const octet = bytes[at];
    if (octet === 0x7f || (octet < 0x20 && octet !== 9 && octet !== 10 && octet !== 12 && octet !== 13 && octet !== 27))
      return false;
    if (octet > 0x7f) high++;
  }
  return high * 2 <= end;
}

function isTar(bytes: Uint8Array, length: number): boolean {
  return length >= 262 && uint32(bytes, 257) === 0x75737461 && bytes[261] === 0x72;
}

/** ERF has no magic: two records in a row must make sense (type, lengths, times that do not jump). */
function isErf(bytes: Uint8Array, length: number): boolean {
  if (length < 16) return false;
  const recordLength = (bytes[10] << 8) | bytes[11];
  const type = bytes[8] & 0x7f;
  if (type === 0 || type > 48 || recordLength < 16 || recordLength + 16 > length) return false;
  const nextType = bytes[recordLength + 8] & 0x7f;
  const seconds = uint32LittleEndian(bytes, 4);
  const nextSeconds = uint32LittleEndian(bytes, recordLength + 4);
  return seconds > 0x30000000 && nextType !== 0 && nextType <= 48 && Math.abs(nextSeconds - seconds) < 86400;
}

/** The first buffer of a trace: WMI_BUFFER_HEADER with its size, a power of two, twice the same order, then a trace header event. */
function isEtl(bytes: Uint8Array, length: number): boolean {
  if (length < 80) return false;
  const bufferSize = uint32LittleEndian(bytes, 0);
  const isPowerOfTwo = bufferSize >= 1024 && bufferSize <= 0x1000000 && (bufferSize & (bufferSize - 1)) === 0;
  return isPowerOfTwo && uint32LittleEndian(bytes, 4) <= bufferSize && uint16LittleEndian(bytes, 74) === 0xc001;
}

function toHex(bytes: Uint8Array, length: number): string {
  let hex = '';
  for (let at = 0; at < length; at++) hex += bytes[at].toString(16).padStart(2, '0');
  return hex;
}
