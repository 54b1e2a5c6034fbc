/**
 * One run in the forms in which captures come: other link types and tunnels, compressed, several interfaces in one pcapng,
 * merged. The packets are those that tcpdump wrote, so the verdict must be the same to the packet number.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ethernet, ipv4, ipv6, u16, u32 } from '../packet/build-packet.js';
import { optionsOf, pcapSample } from './altered.js';
import { pcapOf, whole } from './records.js';
import { lasthop, samples } from './sample.js';
import type { VerdictJson } from './verdict-json.js';

type Octets = readonly number[];

const folder = mkdtempSync(join(tmpdir(), 'lasthop-forms-'));
afterAll(() => rmSync(folder, { recursive: true }));
const has = (program: string) => spawnSync(program, ['--version']).status === 0;

const sample = pcapSample(samples, 'black-hole');
const files = sample.scenario.hops.map(({ name, file }) => ({ name, path: join(sample.dir, file) }));

async function commandsOf(inputs: string[]): Promise<VerdictJson['commands']> {
  const { status, out, err } = await lasthop(['verdict', ...inputs, ...optionsOf(sample), '--json']);
  expect({ status, err }).toEqual({ status: 0, err: '' });
  return JSON.parse(out).commands;
}

/** All that is said of the commands, but for the names of files. */
const named = (commands: VerdictJson['commands'], change: (path: string) => string) =>
  JSON.parse(JSON.stringify(commands), (key, value) => (key === 'file' ? change(value) : value));

const right = commandsOf(files.map(({ name, path }) => `${name}=${path}`)).then((commands) =>
  named(commands, (path) => files.find((file) => file.path === path)!.name),
);

const zeros = (count: number): Octets => new Array<number>(count).fill(0);
const little = (value: number): Octets => [...u32(value)].reverse();
const udp = (port: number, payload: Octets): Octets => [
  ...u16(54321),
  ...u16(port),
  ...u16(8 + payload.length),
  0,
  0,
  ...payload,
];
const over = (protocol: number, payload: Octets) => ethernet(ipv4(payload, { protocol }));
/** FreeBSD and pfSense: action, reason, interface, rule set, rules, users, direction. */
const pflog: Octets = [69, 2, 0, 0, 0x70, 0x70, 0x70, 0x30, ...zeros(64)];

/** What captures on other systems, and on the way between two hops, make of an Ethernet frame that carries this IP packet. */
const FORMS: [name: string, linkType: number, wrap: (frame: Octets, ip: Octets) => Octets][] = [
  ['macOS loopback (NULL)', 0, (_, ip) => [...little(2), ...ip]],
  ['OpenBSD loopback (LOOP)', 108, (_, ip) => [...u32(2), ...ip]],
  ['pflog of pfSense', 117, (_, ip) => [...pflog, ...ip]],
  ['enc of FreeBSD', 109, (_, ip) => [...little(2), ...little(1), ...little(0), ...ip]],
  ['raw IP', 101, (_, ip) => ip],
  ['802.1ad with 802.1Q', 1, (_, ip) => ethernet(ip, 0x88a8, 0x8100, 0x0800)],
  ['PPPoE', 1, (_, ip) => ethernet([0x11, 0, 0, 1, ...u16(2 + ip.length), 0, 0x21, ...ip], 0x8864)],
  ['GRE', 1, (_, ip) => over(47, [0, 0, 8, 0, ...ip])],
  ['Geneve', 1, (frame) => over(17, udp(6081, [0, 0, 0x65, 0x58, ...u32(42 << 8), ...frame]))],
  ['VXLAN', 1, (frame) => over(17, udp(4789, [8, 0, 0, 0, ...u32(42 << 8), ...frame]))],
  ['IP in IP', 1, (_, ip) => over(4, ip)],
  ['IPv4 in IPv6', 1, (_, ip) => ethernet(ipv6(ip, { protocol: 4 }), 0x86dd)],
];

it.each(FORMS)('%s', async (name, linkType, wrap) => {
  const directory = join(folder, name.replace(/\W+/g, '-'));
  mkdirSync(directory);
  const inputs = files.map(({ name: hop, path }) => {
    const { header, records } = pcapOf(path);
    const fresh = Buffer.from(header);
    fresh.writeUInt32LE(linkType, 20);
    const wrapped = records.map((record) => {
      const octets = [...record.subarray(16)];
      const packet = Buffer.from(wrap(octets, octets.slice(14)));
      const head = Buffer.from(record.subarray(0, 16));
      head.writeUInt32LE(packet.length, 8);
      head.writeUInt32LE(packet.length, 12);
      return Buffer.concat([head, packet]);
    });
    writeFileSync(join(directory, hop), whole({ header: fresh, records: wrapped }));
    return `${hop}=${join(directory, hop)}`;
  });
  expect(named(await commandsOf(inputs), (path) => path.slice(directory.length + 1))).toEqual(await right);
});

describe.each(['zstd', 'gzip'])('%s', (program) => {
  it.skipIf(!has(program))('compressed', async () => {
    const inputs = files.map(({ name, path }) => {
      const packed = join(folder, `${name}.${program}`);
      writeFileSync(packed, spawnSync(program, ['-qc'], { input: readFileSync(path), maxBuffer: 1e9 }).stdout);
      return `${name}=${packed}`;
    });
    const commands = await commandsOf(inputs);
    expect(named(commands, (path) => path.slice(folder.length + 1, -program.length - 1))).toEqual(await right);
  });
});

describe.skipIf(!has('mergecap'))('merged by mergecap', () => {
  const states = (commands: VerdictJson['commands']) =>
    commands.map(({ id, outcome, lostAt, attempts }) => ({
      ...{ id, outcome, lostAt },
      hops: attempts.map(({ hops }) => hops.map(({ hop, state, sentAt }) => ({ hop, state, sentAt }))),
    }));

  // origin and nginx are captured on one host: dumpcap writes what it hears on two interfaces into one file.
  it.each(['pcapng', 'pcap'])('two interfaces of one host in one %s', async (format) => {
    const merged = join(folder, `both.${format}`);
    const [origin, nginx, npm] = files.map(({ path }) => path);
    expect(spawnSync('mergecap', ['-F', format, '-w', merged, origin, nginx]).status).toBe(0);
    const commands = await commandsOf([`origin=${merged}`, `nginx=${merged}`, `npm=${npm}`]);
    expect(states(commands)).toEqual(states(await right));
  });
});
