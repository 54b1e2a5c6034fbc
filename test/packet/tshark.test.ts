/** TCP headers of the public captures (../shared/corpora), field by field against tshark, an independent decoder. */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readCapture } from '../../src/capture/read-capture.js';
import { PacketDecoder } from '../../src/packet/decode.js';
import { Decoded } from '../../src/packet/decode-result.js';
import { Segment } from '../../src/packet/segment.js';

const root = path.resolve(import.meta.dirname, '../../../shared/corpora/tcpdump');
const installed = ['tshark', 'mergecap'].every((program) => spawnSync(program, ['--version']).status === 0);

const FIELDS = [
  'frame.number',
  'tcp.srcport',
  'tcp.dstport',
  'tcp.seq_raw',
  'tcp.ack_raw',
  'tcp.len',
  'tcp.window_size_value',
];
const OPTION_FIELDS = ['tcp.options.timestamp.tsval', 'tcp.options.mss_val', 'tcp.options.wscale.shift'];

/** What tshark looks into and lasthop does not (yet): tunnels, and link types that no server or proxy has. */
const NOT_LOOKED_INTO = /geneve|vxlan|gre:|ipcomp|sflow|^arcnet|^ppi|^juniper|^ipoib/;
const MERGEABLE = /^(?!.*(brcm|dsa|juniper|frf16|kday6|vtp_asan|invalid)).*\.pcap$/;

it.skipIf(!installed || !fs.existsSync(root))(
  'decodes the TCP headers that tshark decodes',
  async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lasthop-tshark-'));
    try {
      const merged = path.join(folder, 'all.pcapng');
      const files = fs.readdirSync(root).filter((name) => MERGEABLE.test(name));
      spawnSync('mergecap', ['-a', '-F', 'pcapng', '-w', merged, ...files.map((name) => path.join(root, name))]);
      const fields = [...FIELDS, ...OPTION_FIELDS, 'frame.protocols', '_ws.expert.message'].flatMap((field) => [
        '-e',
        field,
      ]);
      const options = ['tcp.desegment_tcp_streams:FALSE', 'tcp.analyze_sequence_numbers:FALSE'].flatMap((text) => [
        '-o',
        text,
      ]);
      const args = [
        '-r',
        merged,
        '-n',
        ...options,
        '-Y',
        'tcp',
        '-T',
        'fields',
        '-E',
        'occurrence=l',
        '-E',
        'separator=|',
        ...fields,
      ];
      const { stdout } = spawnSync('tshark', args, { encoding: 'utf8', maxBuffer: 1e8 });
      const expected = new Map(
        stdout
          .trim()
          .split('\n')
          .map((line) => [Number(line.split('|', 1)[0]), line.split('|')]),
      );
      expect(expected.size).toBeGreaterThan(1000);

      const decoder = new PacketDecoder();
      const segment = new Segment();
      let agreeing = 0;
      const differing: string[] = [];
      await readCapture(merged, {
        packet: (record) => {
          const cutBefore = decoder.issues.counts.get('ip-fragment-cut') ?? 0;
          const result = decoder.decode(record, segment);
          const isCutFragment = (decoder.issues.counts.get('ip-fragment-cut') ?? 0) > cutBefore;
          const theirs = expected.get(record.number);
          if (theirs === undefined) return;
          const protocols = theirs[FIELDS.length + OPTION_FIELDS.length];
          if (result !== Decoded.tcp) {
            // A first fragment is shown by tshark where the others are missing or cut.
            const isFragment = result === Decoded.fragmentPending || isCutFragment;
            // It shows the ports of a header that the capture cut before its window.
            const isCutHeader = result === Decoded.cut && theirs[FIELDS.indexOf('tcp.window_size_value')] === '';
            if (!isFragment && !isCutHeader && !NOT_LOOKED_INTO.test(protocols))
              differing.push(`${record.number}: ${result} ${protocols}`);
            return;
          }
          const { sourcePort, destinationPort, sequence, acknowledgment, payloadLength, window } = segment;
          const ours = [
            record.number,
            sourcePort,
            destinationPort,
            sequence,
            acknowledgment,
            payloadLength,
            window,
          ].map(String);
          const { timestampValue, maximumSegmentSize, windowScale } = segment;
          const options = [timestampValue, maximumSegmentSize || '', windowScale < 0 ? '' : windowScale].map(String);
          const theirOptions = theirs.slice(FIELDS.length, FIELDS.length + OPTION_FIELDS.length);
          theirOptions[0] ||= '0';
          const same = ours.join() === theirs.slice(0, FIELDS.length).join() && options.join() === theirOptions.join();
          // An IP length beyond the frame: tshark believes the frame, lasthop takes the octets for not captured.
          if (same || theirs.at(-1)?.includes('exceeds packet length')) agreeing++;
          else differing.push(`${ours.join()} ${options.join()} but ${theirs.join()}`);
        },
      });
      expect(differing).toEqual([]);
      expect(agreeing).toBeGreaterThan(1000);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  },
  20_000,
);
