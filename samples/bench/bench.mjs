#!/usr/bin/env node
// Times `lasthop verdict` and tshark on the same capture, as whole processes, by turns: `npm run bench`. See README.md.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { generate } from './generate.mjs';

const bin = fileURLToPath(new URL('../../bin/lasthop.js', import.meta.url));
const { values: options } = parseArgs({
  options: {
    mb: { type: 'string', default: '200' },
    agents: { type: 'string', default: '50' },
    runs: { type: 'string', default: '3' },
    file: { type: 'string' },
    'no-tshark': { type: 'boolean', default: false },
    'no-growth': { type: 'boolean', default: false },
  },
});

const say = (text) => process.stdout.write(`${text}\n`);
const seconds = (s) => `${s.toFixed(2)} s`.padStart(9);
const mebibytes = (kib) => (kib === null ? 'unknown' : `${Math.round(kib / 1024)} MiB`).padStart(9);
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

/** The kernel's own high-water mark of a process's memory; Linux only. */
function peakKib(pid) {
  try {
    return Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** One whole process, its output thrown away: wall time from spawn to exit, and peak memory. */
function timed(command, args) {
  return new Promise((resolve, reject) => {
    const begin = process.hrtime.bigint();
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let peak = 0;
    let said = '';
    const watch = setInterval(() => {
      peak = Math.max(peak, peakKib(child.pid));
    }, 20);
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      clearInterval(watch);
      const wall = Number(process.hrtime.bigint() - begin) / 1e9;
      if (status === 0) resolve({ wall, peak: peak || null });
      else reject(new Error(`${command} ended with status ${status}: ${said}`));
    });
  });
}

const lasthop = (file) => timed(process.execPath, [bin, 'verdict', `hop=${file}`, '--json']);
const tshark = (file) =>
  timed('tshark', ['-r', file, '-Y', 'websocket', '-T', 'fields', '-e', 'frame.number', '-e', 'websocket.opcode']);

function line(name, runs, packets) {
  const wall = median(runs.map((run) => run.wall));
  const peak = runs.some((run) => run.peak === null) ? null : Math.max(...runs.map((run) => run.peak));
  const all = runs.map((run) => run.wall.toFixed(2)).join(' ');
  const rate = packets ? `${Math.round(packets / wall).toLocaleString('en')} packets/s` : '';
  say(`  ${name.padEnd(8)} ${seconds(wall)}   peak ${mebibytes(peak)}   ${rate.padStart(20)}   (runs: ${all})`);
  return { wall, peak };
}

/** The verdict must be the one that the generator knows: speed is worth nothing otherwise. */
function checkVerdict(file, made) {
  const { stdout, status } = spawnSync(
    process.execPath,
    [bin, 'verdict', `hop=${file}`, '--format', 'table', '--failed'],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    },
  );
  if (status !== 0) throw new Error(`lasthop ended with status ${status}`);
  const plain = stdout.replaceAll(',', '');
  return plain.includes(`${made.commands} commands: ${made.delivered} delivered ${made.reachedAgent} reached-agent`);
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'lasthop-bench-'));
  try {
    const hasTshark = !options['no-tshark'] && spawnSync('tshark', ['--version']).status === 0;
    const runs = Number(options.runs);
    let file = options.file;
    let made = null;
    if (!file) {
      file = join(folder, 'bench.pcap');
      made = generate(file, { megabytes: Number(options.mb), agents: Number(options.agents) });
    }
    say(`${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`);
    say(
      `${file}: ${statSync(file).size} octets${made ? `, ${made.packets} packets, ${made.agents} agents, ${made.commands} commands` : ''}`,
    );
    if (made) say(`the generator's counts in the verdict: ${checkVerdict(file, made) ? 'yes' : 'NO'}`);
    const ours = [];
    const theirs = [];
    for (let i = 0; i < runs; i++) {
      ours.push(await lasthop(file));
      if (hasTshark) theirs.push(await tshark(file));
    }
    const own = line('lasthop', ours, made?.packets);
    if (hasTshark) {
      const other = line('tshark', theirs, made?.packets);
      say(`  lasthop takes 1/${(other.wall / own.wall).toFixed(1)} of tshark's time`);
      if (own.peak && other.peak) say(`  and 1/${(other.peak / own.peak).toFixed(1)} of its memory`);
    } else {
      say('  tshark: not run');
    }
    if (made && !options['no-growth']) {
      rmSync(file);
      const large = generate(file, { megabytes: 4 * Number(options.mb), agents: Number(options.agents) });
      say(`4 times the size: ${large.octets} octets, ${large.packets} packets, ${large.commands} commands`);
      const more = line('lasthop', [await lasthop(file)], large.packets);
      if (own.peak && more.peak) {
        const perCommand = ((more.peak - own.peak) * 1024) / (large.commands - made.commands);
        say(`  peak memory x ${(more.peak / own.peak).toFixed(2)}, time x ${(more.wall / own.wall).toFixed(2)}`);
        say(`  ${Math.round(perCommand)} octets more for each command more`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
