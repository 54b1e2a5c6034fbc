// tcpdump at a hop, and the file formats that the scenarios ask for.

import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { withoutHostDetails } from './pcapng.mjs';
import { sh, sleep } from './processes.mjs';

/**
 * Starts what captures at a hop and resolves once it listens: one tcpdump, one for each of the `directions`, or two at once that are
 * rotated (`twice`), the second one a second and a half later.
 */
export async function startCaptures(processes, netns, hop, dir) {
  if (hop.directions) {
    const parts = ['in', 'out'].map((way) => ({ ...hop, part: `-${way}`, way }));
    return Promise.all(parts.map((part) => startCapture(processes, netns, part, dir)));
  }
  const first = await startCapture(processes, netns, hop, dir);
  if (!hop.twice) return [first];
  await sleep(1500);
  return [first, await startCapture(processes, netns, { ...hop, part: '-b' }, dir)];
}

/** `rotate` is in seconds. */
function startCapture(processes, netns, options, dir) {
  const {
    hop,
    iface,
    filter,
    nano = false,
    rotate = 0,
    snap = 0,
    part = '',
    way,
    bufferKib = 16384,
    mayDrop,
  } = options;
  const args = ['-i', iface, '-n', '-U', '-B', String(bufferKib), '-s', String(snap), '-Z', 'root'];
  if (way) args.push('-Q', way);
  if (nano) args.push('--time-stamp-precision=nano');
  if (rotate) args.push('-G', String(rotate));
  args.push('-w', join(dir, rotate ? `${hop}${part}-%s.pcap` : `${hop}${part}.pcap`), filter);
  const child = processes.spawnIn(netns, 'tcpdump', args);
  let said = '';
  const exited = new Promise((resolve) => child.once('exit', resolve));
  return new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      said += chunk;
      if (said.includes('listening on')) resolve({ hop, stop, signal: (name) => child.kill(name) });
    });
    child.once('exit', () => reject(new Error(`tcpdump at ${hop}: ${said}`)));
  });

  async function stop() {
    child.kill('SIGINT');
    await exited;
    const dropped = /(\d+) packets? dropped by kernel/.exec(said)?.[1];
    const isWitness = mayDrop ? Number(dropped) > 0 : dropped === '0';
    if (!isWitness) throw new Error(`tcpdump at ${hop} is no good witness: ${said}`);
    return { packets: Number(/(\d+) packets? captured/.exec(said)?.[1]), dropped: Number(dropped) };
  }
}

/** In an order that has nothing to do with time, the same in every run: as a file manager or `ls -S` gives them. */
function shuffled(names) {
  const rank = (name) => Array.from(name).reduce((sum, letter) => (sum * 33 + letter.charCodeAt(0)) % 101, 7);
  return names.sort((a, b) => rank(a) - rank(b));
}

/** Gives the captured files of a hop their final names and formats; returns the names. */
export function finishFiles(
  dir,
  { hop, format = 'pcap', rotate = 0, clockOffsetMs = 0, clockSteps, lateMs, nano = false, directions, anyOrder },
) {
  if (clockSteps) stepClock(join(dir, `${hop}.pcap`), clockSteps);
  if (lateMs) delay(join(dir, `${hop}.pcap`), lateMs);
  if (clockOffsetMs) {
    const parts = readdirSync(dir).filter((name) => name.startsWith(hop) && name.includes('.pcap'));
    for (const part of parts) shiftClock(join(dir, part), clockOffsetMs * (nano ? 1e6 : 1e3), nano ? 1e9 : 1e6);
  }
  if (rotate) {
    const parts = readdirSync(dir).filter((name) => name.startsWith(`${hop}-`) && name.endsWith('.pcap'));
    // Rotation may leave a file of a header only; it stays, as it would in the field.
    const named = parts.sort().map((name, i) => {
      renameSync(join(dir, name), join(dir, `${hop}.pcap${i}`));
      return `${hop}.pcap${i}`;
    });
    return anyOrder ? shuffled(named) : named;
  }
  if (directions) return [`${hop}-in.pcap`, `${hop}-out.pcap`];
  const plain = join(dir, `${hop}.pcap`);
  if (format === 'pcap') return [`${hop}.pcap`];
  if (format === 'gz') writeFileSync(`${plain}.gz`, gzipSync(readFileSync(plain)));
  if (format === 'pcapng') {
    if (!hasEditcap()) return [`${hop}.pcap`]; // the lab does not need it; the sample then is a pcap
    sh(['editcap', '-F', 'pcapng', plain, `${plain}ng`]);
    writeFileSync(`${plain}ng`, withoutHostDetails(readFileSync(`${plain}ng`)));
  }
  rmSync(plain);
  return [format === 'gz' ? `${hop}.pcap.gz` : `${hop}.pcapng`];
}

const hasEditcap = () => sh(['editcap', '--version'], { tolerate: true }) !== '';

/** The packets of a pcap file with microseconds: their time, and where they stand. */
function packetsOf(file) {
  const packets = [];
  for (let at = 24; at + 16 <= file.length; at += 16 + file.readUInt32LE(at + 8))
    packets.push({
      us: file.readUInt32LE(at) * 1e6 + file.readUInt32LE(at + 4),
      at,
      end: at + 16 + file.readUInt32LE(at + 8),
    });
  return packets;
}

function stamp(file, at, us) {
  file.writeUInt32LE(Math.floor(us / 1e6), at);
  file.writeUInt32LE(us % 1e6, at + 4);
}

/** As a host's clock that is set in mid-capture would have stamped: `[afterMs, byMs]`, counted from the first packet. The order stays. */
function stepClock(path, steps) {
  const file = readFileSync(path);
  const packets = packetsOf(file);
  for (const { at, us } of packets) {
    const passed = steps.filter(([afterMs]) => us - packets[0].us >= afterMs * 1e3);
    stamp(file, at, us + passed.reduce((sum, [, byMs]) => sum + byMs * 1e3, 0));
  }
  writeFileSync(path, file);
}

/** As a mirror port would deliver that sends what comes from port 80 (Ethernet, IPv4) this much later. */
function delay(path, lateMs) {
  const file = readFileSync(path);
  const packets = packetsOf(file).map(({ us, at, end }) => {
    const ip = at + 16 + 14;
    const fromServer = file.readUInt16BE(ip + (file[ip] & 15) * 4) === 80;
    const atUs = us + (fromServer ? lateMs * 1e3 : 0);
    stamp(file, at, atUs);
    return { atUs, bytes: file.subarray(at, end) };
  });
  packets.sort((a, b) => a.atUs - b.atUs);
  writeFileSync(path, Buffer.concat([file.subarray(0, 24), ...packets.map(({ bytes }) => bytes)]));
}

/** Moves every timestamp of a pcap file, as a host's clock that goes wrong by that much would have. */
function shiftClock(path, ticks, perSecond) {
  const file = readFileSync(path);
  for (let at = 24; at + 16 <= file.length; at += 16 + file.readUInt32LE(at + 8)) {
    const time = file.readUInt32LE(at) * perSecond + file.readUInt32LE(at + 4) + ticks;
    file.writeUInt32LE(Math.floor(time / perSecond), at);
    file.writeUInt32LE(time % perSecond, at + 4);
  }
  writeFileSync(path, file);
}
