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
  const { hop, iface, filter, nano = false, rotate = 0, snap = 0, part = '', way } = options;
  const args = ['-i', iface, '-n', '-U', '-B', '16384', '-s', String(snap), '-Z', 'root'];
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
      if (said.includes('listening on')) resolve({ hop, stop });
    });
    child.once('exit', () => reject(new Error(`tcpdump at ${hop}: ${said}`)));
  });

  async function stop() {
    child.kill('SIGINT');
    await exited;
    const dropped = /(\d+) packets? dropped by kernel/.exec(said)?.[1];
    if (dropped !== '0') throw new Error(`tcpdump at ${hop} is no good witness: ${said}`);
    return { packets: Number(/(\d+) packets? captured/.exec(said)?.[1]) };
  }
}

/** Gives the captured files of a hop their final names and formats; returns the names. */
export function finishFiles(dir, { hop, format = 'pcap', rotate = 0, clockOffsetMs = 0, nano = false, directions }) {
  if (clockOffsetMs) {
    const parts = readdirSync(dir).filter((name) => name.startsWith(hop) && name.includes('.pcap'));
    for (const part of parts) shiftClock(join(dir, part), clockOffsetMs * (nano ? 1e6 : 1e3), nano ? 1e9 : 1e6);
  }
  if (rotate) {
    const parts = readdirSync(dir).filter((name) => name.startsWith(`${hop}-`) && name.endsWith('.pcap'));
    // Rotation may leave a file of a header only; it stays, as it would in the field.
    return parts.sort().map((name, i) => {
      renameSync(join(dir, name), join(dir, `${hop}.pcap${i}`));
      return `${hop}.pcap${i}`;
    });
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
