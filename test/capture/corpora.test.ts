/** Every public capture of ../shared/corpora, against the packet counts that capinfos gives (INDEX.md), and capinfos itself. */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CaptureError } from '../../src/capture/capture-error.js';
import { Direction, type PacketRecord } from '../../src/capture/packet-record.js';
import { readCapture } from '../../src/capture/read-capture.js';
import { PacketDecoder } from '../../src/packet/decode.js';
import { Segment } from '../../src/packet/segment.js';

const root = path.resolve(import.meta.dirname, '../../../shared/corpora');
const present = fs.existsSync(path.join(root, 'INDEX.md'));

interface Listed {
  file: string;
  /** Null where capinfos 4.0 does not read the file. */
  frames: number | null;
}

function listed(): Listed[] {
  const list: Listed[] = [];
  for (const line of fs.readFileSync(path.join(root, 'INDEX.md'), 'utf8').split('\n')) {
    const match = /^- `([^`]+)` .*\[([^\]]*)\]$/.exec(line);
    if (match === null || !/\.(pcap|pcapng|ntar|gz)$/.test(match[1])) continue;
    const frames = /(\d+) frames/.exec(match[2]);
    list.push({ file: match[1], frames: frames === null ? null : Number(frames[1]) });
  }
  return list;
}

/** What our reader makes of files that capinfos refuses altogether, and why that is right. */
const REFUSED_BY_CAPINFOS: Record<string, string> = {
  'libpcap/filter_brcm-tag-stp.pcap': 'link type unknown to it',
  'libpcap/filter_brcm-tag.pcap': 'link type unknown to it',
  'libpcap/filter_dsa.pcap': 'link type unknown to it',
  'libpcap/linktype-reserved-field-not-zero.pcap': 'reserved bits: read on, with an issue',
  'libpcap/pcap-invalid-version-1.pcap': 'version: read on, with an issue',
  'libpcap/pcapng-invalid-vers-1.pcapng': 'version: read on, with an issue',
  'libpcap/pcapng-invalid-vers-2.pcapng': 'version: read on, with an issue',
  'libpcap/shb-option-too-long.pcapng': 'damaged in its first block: a CaptureError here too',
  'ntar/test007.ntar': 'a Simple Packet Block that it takes for damaged',
  'ntar/test010.ntar': 'a Simple Packet Block that it takes for damaged',
  'tcpdump/brcm-tag-prepend.pcap': 'link type unknown to it',
  'tcpdump/brcm-tag.pcap': 'link type unknown to it',
  'tcpdump/dsa-high-vid.pcap': 'link type unknown to it',
  'tcpdump/dsa.pcap': 'link type unknown to it',
  'tcpdump/edsa-high-vid.pcap': 'link type unknown to it',
  'tcpdump/edsa.pcap': 'link type unknown to it',
  'tcpdump/frf16_magic_ie-oobr.pcap': 'link type unknown to it',
  'tcpdump/hoobr_juniper3.pcap': 'link type unknown to it',
  'tcpdump/juniper_es_oobr.pcap': 'link type unknown to it',
  'tcpdump/juniper_monitor_invalid_cookie_length.pcap': 'link type unknown to it',
  'tcpdump/kday6.pcap': 'link type unknown to it',
  'tcpdump/vtp_asan-2.pcap': 'link type unknown to it',
  'tcpdump/vtp_asan-3.pcap': 'link type unknown to it',
  'tcpdump/vtp_asan.pcap': 'link type unknown to it',
};

describe.skipIf(!present)('public captures', () => {
  const files = present ? listed() : [];

  it('finds them all', () => {
    expect(files.length).toBeGreaterThan(900);
    const refused = files.filter((each) => each.frames === null).map((each) => each.file);
    expect(refused.sort()).toEqual(Object.keys(REFUSED_BY_CAPINFOS).sort());
  });

  it('reads and decodes every one, and counts as capinfos does', async () => {
    const segment = new Segment();
    for (const { file, frames } of files) {
      const decoder = new PacketDecoder();
      let number = 0;
      const packet = (record: PacketRecord) => {
        if (record.number !== ++number) throw new Error(`${file}: packet ${record.number} comes as number ${number}`);
        if (record.end > record.bytes.length || record.wireLength < record.end - record.start)
          throw new Error(`${file}: lengths`);
        if (record.direction < Direction.unknown || record.direction > Direction.outbound)
          throw new Error(`${file}: direction`);
        decoder.decode(record, segment);
      };
      const summary = await readCapture(path.join(root, file), { packet }).catch((error: unknown) => {
        if (error instanceof CaptureError && frames === null) return null;
        throw error;
      });
      const decoded = decoder.counters.results.reduce((sum, count) => sum + count, 0);
      expect.soft(decoded, file).toBe(number);
      if (frames !== null) expect.soft(summary?.packets, file).toBe(frames);
    }
  }, 20_000);

  const capinfos = spawnSync('capinfos', ['--version']).status === 0;
  it.skipIf(!capinfos)(
    'gives the times that capinfos gives',
    async () => {
      const sample = files.filter(
        (each, index) => (each.frames ?? 0) > 0 && (/ng(\.gz)?$|ntar$/.test(each.file) || index % 10 === 0),
      );
      const args = ['-T', '-r', '-m', '-S', '-c', '-a', '-e', ...sample.map((each) => path.join(root, each.file))];
      const lines = spawnSync('capinfos', args, { encoding: 'utf8', maxBuffer: 1e8 }).stdout.trim().split('\n');
      expect(lines).toHaveLength(sample.length);
      for (const line of lines) {
        const [file, packets, earliest, latest] = line.split(',');
        const summary = await readCapture(file, { packet: () => {} });
        expect.soft(String(summary.packets), file).toBe(packets);
        // Packets without a time make capinfos take 1970 for the earliest.
        if (earliest === 'n/a' || summary.untimedPackets > 0) continue;
        const { epochSeconds, minTimeNs, maxTimeNs } = summary;
        // It multiplies microseconds by 1000 in 32 bits, which this file's fraction of 2147 s overflows.
        if (file.endsWith('timestamp_invalid_micro.pcap')) continue;
        for (const [timeNs, text] of [
          [minTimeNs, earliest],
          [maxTimeNs, latest],
        ] as const) {
          const difference = nanoseconds(epochSeconds, timeNs) - parse(text);
          // Times of damaged files lie decades from the epoch, where a number does not hold every nanosecond.
          const tolerated = Math.abs(timeNs ?? 0) > Number.MAX_SAFE_INTEGER ? 500n : 0n;
          expect
            .soft(difference >= -tolerated && difference <= tolerated, `${file}: ${difference} ns apart`)
            .toBe(true);
        }
      }
    },
    20_000,
  );
});

function nanoseconds(epochSeconds: number | null, timeNs: number | null): bigint {
  return BigInt(epochSeconds ?? 0) * 1_000_000_000n + BigInt(timeNs ?? 0);
}

/** Seconds with a decimal fraction as whole nanoseconds. */
function parse(seconds: string): bigint {
  const [whole, fraction = ''] = seconds.split('.');
  return BigInt(whole + fraction.padEnd(9, '0').slice(0, 9));
}
