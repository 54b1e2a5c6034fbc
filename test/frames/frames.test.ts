/**
 * `lasthop frames` on every sample: frame by frame as the second reader of test/scenarios/ finds them, and as tshark does.
 *
 * Where tshark is no witness, and why (4.0.17; samples/README.md says how that was found):
 * - `mid-connection`, and all but the first of the rotated files of `ipv6`: it needs the handshake, and knows no way in where a
 *   capture starts later. The second reader alone judges.
 * - `mirror-port` (npm), `one-direction` (nginx, npm), `vxlan` (npm, and all but the first of nginx's files), `rotated`: a direction alone, or a
 *   few lone frames. There what the readers find must be in lasthop's list, which holds more.
 * - A last frame of which a part only was seen is no frame to it; lasthop lists it. The second reader holds it in `rest`.
 * - By default it reads nothing of what was captured out of order: it gets tcp.reassemble_out_of_order. It then gives a frame the number of
 *   the packet that filled the hole before it, lasthop that of the packet with the frame's own last octet.
 * - Texts are not compared: it shows fragmented and compressed ones raw, and on 127.0.0.1 merges fragments of both directions.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lasthop, samples } from '../scenarios/sample.js';
import { tcpPackets } from '../scenarios/witness-packets.js';
import { type Direction, streamsOf } from '../scenarios/witness-streams.js';

const installed = spawnSync('tshark', ['--version']).status === 0;
const NO_HANDSHAKE = /mid-connection|npm\.pcap[023]$/;
/** One direction of each connection in the file, or a later one of rotated files with lone frames: both readers need more. They find no others. */
const FINDS_MORE = /^mirror-port\/npm|^vxlan\/(npm|nginx\.pcap[1-9])|^one-direction\/n|^rotated\//;
/** `lossy`: copies that TEE made in the firewall, past SNAT. No stream: npm's kernel answers each of them with RST. */
const STRAY = /^192\.168\./;
const HAS_STRAYS = /^lossy\//;
const OPCODES = ['continuation', 'text', 'binary', '3', '4', '5', '6', '7', 'close', 'ping', 'pong'];

interface FrameJson {
  file: string;
  packet: number;
  firstPacket: number;
  source: string;
  destination: string;
  from: string;
  opcode: string;
  fin: boolean;
  rsv1: boolean;
  masked: boolean;
  partial: boolean;
  length: number;
  startOffset: number;
  endOffset: number;
}

const files = samples.flatMap(({ name, dir, scenario }) =>
  scenario.hops.map(({ file }) => ({ name: `${name}/${file}`, file: join(dir, file) })),
);

async function framesOf(name: string, file: string): Promise<FrameJson[]> {
  const { status, out, err } = await lasthop(['frames', file, '--json']);
  expect(status, err).toBe(0);
  const frames: FrameJson[] = JSON.parse(out).frames;
  return frames.filter(({ source }) => !HAS_STRAYS.test(name) || !STRAY.test(source));
}

const sameList = (name: string, had: string[], right: string[]) => {
  const only = (a: string[], b: string[]) => {
    const counts = new Map<string, number>();
    for (const one of b) counts.set(one, (counts.get(one) ?? 0) + 1);
    return a.filter((one) => {
      const left = counts.get(one) ?? 0;
      counts.set(one, left - 1);
      return left <= 0;
    });
  };
  const added = FINDS_MORE.test(name) ? [] : only(had, right);
  expect({ missing: only(right, had), added }).toEqual({ missing: [], added: [] });
};

interface Completed {
  /** The packet that brought the last octet of the frame, and the one that made the stream whole up to there. */
  own: number;
  inOrder: number;
}

/** By the offset at which each frame starts. After a loss the two differ: tshark gives the packet that filled the hole. */
function completed(side: Direction): Map<number, Completed> {
  const found = new Map<number, Completed>();
  const arrived: [number, number][] = [];
  const missing = new Set(side.frames);
  const has = (from: number, to: number) => {
    for (let moved = true; moved && from < to; ) {
      moved = false;
      for (const [start, end] of arrived) {
        if (start > from || end <= from) continue;
        from = end;
        moved = true;
      }
    }
    return from >= to;
  };
  for (const { seq, payload, number } of side.packets) {
    if (payload.length === 0) continue;
    const at = (seq - side.origin) | 0;
    arrived.push([at, at + payload.length]);
    for (const frame of missing) {
      if (!found.has(frame.start) && has(frame.start, frame.end)) found.set(frame.start, { own: number, inOrder: 0 });
    }
    for (const frame of missing) {
      if (!has(0, frame.end)) break;
      found.get(frame.start)!.inOrder = number;
      missing.delete(frame);
    }
  }
  return found;
}

describe.each(files)('$name', ({ name, file }) => {
  const streams = streamsOf(tcpPackets(file).values()).filter(
    ({ client }) => !HAS_STRAYS.test(name) || !STRAY.test(client),
  );
  const sides = streams.flatMap(({ fromServer, fromClient }) => [fromServer, fromClient]);
  /** Of these a part only was seen. */
  const rests = new Set(
    sides.filter(({ rest }) => rest).map((side) => `${side.source} > ${side.destination} ${side.rest!.start}`),
  );
  const isRest = (f: FrameJson) => rests.has(`${f.source} > ${f.destination} ${f.startOffset}`);

  it('as the second reader finds them', async () => {
    const right = sides.flatMap((side) => {
      const by = completed(side);
      return side.frames.map(({ start, end, opcode, fin, rsv1, masked, length }) => {
        const first = side.packets.find((p) => {
          const at = (p.seq - side.origin) | 0;
          return at < end && at + p.payload.length > start;
        });
        const what = `${OPCODES[opcode]} ${length} ${fin} ${rsv1} ${masked}`;
        return `${side.source} > ${side.destination} ${start}..${end} ${what} ${first?.number}..${by.get(start)?.own}`;
      });
    });
    const all = await framesOf(name, file);
    const had = all
      .filter((f) => !isRest(f))
      .map((f) => {
        const what = `${f.opcode} ${f.length} ${f.fin} ${f.rsv1} ${f.masked}`;
        const packets = `${f.firstPacket}..${f.packet}`;
        return `${f.source} > ${f.destination} ${f.startOffset}..${f.endOffset} ${what} ${packets}`;
      });
    sameList(name, had, right);
    expect(all.filter(({ partial }) => partial).map(({ startOffset }) => startOffset)).toEqual(
      all.filter(isRest).map(({ startOffset }) => startOffset),
    );
    expect(all.filter(isRest).length).toBe(rests.size);
  });

  it.skipIf(!installed || NO_HANDSHAKE.test(name))('as tshark finds them', async () => {
    const late = new Map<string, number>();
    for (const side of sides) {
      for (const [start, { own, inOrder }] of completed(side)) {
        if (own !== inOrder) late.set(`${side.source} > ${side.destination} ${start}`, inOrder);
      }
    }
    const numberOf = (f: FrameJson) => late.get(`${f.source} > ${f.destination} ${f.startOffset}`) ?? f.packet;
    const had = (await framesOf(name, file))
      .filter((f) => !isRest(f))
      .map((f) => `${numberOf(f)} ${OPCODES.indexOf(f.opcode)} ${f.length} ${f.masked} ${f.fin}`);
    sameList(name, had, tsharkFrames(file));
  });
});

function tsharkFrames(file: string): string[] {
  const fields = ['opcode', 'payload_length', 'payload_length_ext_16', 'payload_length_ext_64', 'mask', 'fin'];
  // In what an ICMP error quotes, too, tshark sees frames; and it lists reserved opcodes, which no receiver may take (RFC 6455, 5.2).
  const wanted = 'websocket && !icmp';
  const args = ['-n', '-o', 'tcp.reassemble_out_of_order:TRUE', '-r', file, '-Y', wanted, '-T', 'fields'];
  args.push('-e', 'frame.number', ...fields.flatMap((field) => ['-e', `websocket.${field}`]));
  return execFileSync('tshark', args, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] })
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const [number, opcodes, lengths, ext16, ext64, masks, fins] = line.split('\t').map((list) => list.split(','));
      return opcodes.flatMap((opcode, i) => {
        const length = lengths[i] === '126' ? ext16.shift() : lengths[i] === '127' ? ext64.shift() : lengths[i];
        if (!/[a-z]/.test(OPCODES[Number(opcode)] ?? '')) return [];
        return [`${number[0]} ${opcode} ${length} ${masks[i] === '1'} ${fins[i] === '1'}`];
      });
    });
}
