import { describe, expect, it } from 'vitest';
import { recognise } from '../../src/capture/recognise.js';

const of = (content: string | number[]) => {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : Uint8Array.from(content);
  return recognise(bytes, bytes.length);
};

describe('recognise', () => {
  it.each([
    ['pcap', [0xd4, 0xc3, 0xb2, 0xa1]],
    ['pcap', [0xa1, 0xb2, 0xc3, 0xd4]],
    ['pcap', [0x4d, 0x3c, 0xb2, 0xa1]],
    ['pcap', [0xa1, 0xb2, 0xcd, 0x34]],
    ['pcapng', [0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a]],
    ['pcapng', [0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d]],
    ['gzip', [0x1f, 0x8b, 8, 0]],
    ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ])('%s', (kind, octets) => {
    expect(of(octets as number[]).kind).toBe(kind);
  });

  it.each([
    [/xz/, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
    [/bzip2/, 'BZh91AY&SY'],
    [/lz4/, [0x04, 0x22, 0x4d, 0x18]],
    [/zip archive/, 'PK\x03\x04'],
    [/snoop/, 'snoop\0\0\0\0\0\0\x02'],
    [/Network Monitor/, 'GMBU\x03\x02'],
    [/iptrace/, 'iptrace 2.0'],
    [/event log/, 'ElfFile\0'],
    [/starts with 0102030405060708/, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ])('names what it does not read, %s', (detail, content) => {
    expect(of(content)).toEqual({ kind: 'other', detail: expect.stringMatching(detail) });
  });

  it.each([
    ['json', '{"schema": 1}', /JSON/],
    ['json', '\n  [1]', /JSON/],
    ['text', '12:00:01.000001 IP 10.0.0.1.443 > 10.0.0.2.5000: Flags [S], seq 1', /tcpdump -w/],
    ['text', 'tcpdump: listening on eth0, link-type EN10MB (Ethernet)', /tcpdump -w/],
    ['text', '<html><body>404', /HTML/],
    ['text', '2026-01-01 ERROR grüße', /text/],
    ['tls-key-log', `SERVER_TRAFFIC_SECRET_0 ${'ab'.repeat(32)} ${'cd'.repeat(32)}`, /--keylog/],
  ])('%s: %s', (kind, content, detail) => {
    expect(of(content)).toEqual({ kind, detail: expect.stringMatching(detail) });
  });
});
