/** Public captures without a WebSocket in them: none may be found. Runs of NUL octets, or of text, pass for frames only too easily. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { lasthop, PROJECT } from '../scenarios/sample.js';

const corpora = join(PROJECT, '../shared/corpora');
const folders = ['tcpdump', 'libpcap', 'scapy', 'ntar'].map((name) => join(corpora, name)).filter(existsSync);
/** A capture that says so itself is not judged here. */
const speaksWebSocket = (octets: Buffer) => /sec-websocket-key/i.test(octets.toString('latin1'));

describe.skipIf(folders.length === 0)('public captures without WebSockets', () => {
  it.each(folders)(
    '%s',
    async (folder) => {
      const files = readdirSync(folder).filter((name) => /\.(pcap|pcapng|cap|dmp)(\.gz)?$/.test(name));
      const invented: Record<string, number> = {};
      for (const name of files) {
        const file = join(folder, name);
        const octets = readFileSync(file);
        if (speaksWebSocket(name.endsWith('.gz') ? gunzipSync(octets) : octets)) continue;
        const { status, out } = await lasthop(['frames', file, '--json']);
        if (status !== 0) continue; // no capture: the readers' own tests judge that
        const { frames } = JSON.parse(out) as { frames: unknown[] };
        if (frames.length > 0) invented[name] = frames.length;
      }
      expect(invented).toEqual({});
    },
    60_000,
  );
});
