/**
 * The encrypted leg of the samples: with keys every verdict as the logs say (verdicts.test.ts), here packet by packet against tshark,
 * which decrypts with the same key log; without keys, and with the keys of others, no claim about that leg.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lasthop, type Sample, samples } from './sample.js';
import type { HopState, VerdictJson } from './verdict-json.js';

const encrypted = samples.filter((sample) => sample.scenario.keyLog !== undefined);
const tshark = spawnSync('tshark', ['--version']).status === 0;

async function verdictOf(args: string[]): Promise<VerdictJson> {
  const { status, out, err } = await lasthop(['verdict', ...args, '--json']);
  expect(status, err).toBe(0);
  return JSON.parse(out);
}

const withoutKeys = ({ args }: Sample) => args.filter((_, i) => args[i] !== '--keylog' && args[i - 1] !== '--keylog');

const statesAtNpm = (verdict: VerdictJson): [string, HopState][] =>
  verdict.commands.flatMap(({ id, attempts }) =>
    attempts.flatMap((attempt) =>
      [attempt, attempt.commandAck, attempt.result].flatMap((message) =>
        (message?.hops ?? []).filter(({ hop }) => hop === 'npm').map((state): [string, HopState] => [id, state]),
      ),
    ),
  );

/** The capture (classic pcap, little-endian) as if it had missed these packets. */
function withoutPackets(file: string, numbers: ReadonlySet<number>): Buffer {
  const bytes = readFileSync(file);
  const kept = [bytes.subarray(0, 24)];
  for (let at = 24, number = 1; at < bytes.length; number++) {
    const end = at + 16 + bytes.readUInt32LE(at + 8);
    if (!numbers.has(number)) kept.push(bytes.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}

describe.each(encrypted)('$name', (sample) => {
  it('without keys says the same of every command, and that it is inferred', async () => {
    const verdict = await verdictOf(withoutKeys(sample));
    const keyed = await verdictOf(sample.args);
    const outcomes = ({ commands }: VerdictJson) =>
      commands.map(({ id, outcome, lastHop, lostAt }) => [id, outcome, lastHop, lostAt]);
    expect(outcomes(verdict)).toEqual(outcomes(keyed));
    for (const { legs } of verdict.connections) {
      const npm = legs.find(({ hop }) => hop === 'npm');
      expect(npm).toMatchObject({ encrypted: true, decrypted: false, linkedBy: 'tls-record-sizes' });
    }
    for (const { id, outcome, grade } of verdict.commands)
      expect(grade, id).toBe(outcome === 'delivered' ? 'measured' : 'inferred');
    // Every state that is told at all is the one that was read with the keys, with the same packets.
    const told = statesAtNpm(verdict);
    const read = statesAtNpm(keyed);
    expect(told.length).toBe(read.length);
    let unobserved = 0;
    for (const [i, [id, state]] of told.entries()) {
      expect(state.grade, id).toBe(state.state === 'unobserved' ? 'none' : 'inferred');
      expect(state.reason, id).toMatch(/TLS record/);
      if (state.state === 'unobserved') unobserved++;
      else expect({ ...state, grade: 'measured', reason: null }, id).toEqual(read[i][1]);
    }
    expect(unobserved).toBeLessThanOrEqual(told.length / 20);
  });

  it('without keys does not say that an answer never came where the plain capture lost it', async () => {
    const keyed = await verdictOf(sample.args);
    const dir = mkdtempSync(join(tmpdir(), 'lasthop-'));
    try {
      const answered = keyed.commands.filter(({ outcome }) => outcome === 'delivered').slice(0, 6);
      expect(answered.length).toBeGreaterThan(2);
      for (const { id, attempts } of answered) {
        const lost = attempts
          .flatMap(({ commandAck, result }) => [commandAck, result])
          .flatMap((answer) => answer?.hops.filter(({ hop }) => hop === 'origin') ?? [])
          .flatMap(({ packets }) => packets.flatMap(({ data }) => data));
        expect(lost.length).toBeGreaterThan(0);
        writeFileSync(join(dir, 'origin.pcap'), withoutPackets(join(sample.dir, 'origin.pcap'), new Set(lost)));
        const args = withoutKeys(sample).map((word) =>
          word.startsWith('origin=') ? `origin=${join(dir, 'origin.pcap')}` : word,
        );
        const { commands } = await verdictOf(args);
        expect(['delivered', 'inconclusive'], id).toContain(commands.find((command) => command.id === id)?.outcome);
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('with the keys of others says that they do not fit', async () => {
    const other = encrypted.find((each) => each !== sample) as Sample;
    const keys = join(other.dir, other.scenario.keyLog as string);
    const verdict = await verdictOf([...withoutKeys(sample), '--keylog', keys]);
    const [capture] = verdict.hops[2].captures;
    expect(capture.trust).toBe('limited');
    expect(capture.reasons.join()).toMatch(/the key log holds no keys for \d+ of \d+|none of the \d+ keys/);
    for (const [, { state, grade }] of statesAtNpm(verdict))
      expect(grade).toBe(state === 'unobserved' ? 'none' : 'inferred');
  });

  // With a key log for each leg: tls-keys.test.ts.
  it.skipIf(sample.scenario.proxyKeyLogs?.['nginx'])(
    'takes keys for one hop only where they are given so',
    async () => {
      const keys = join(sample.dir, sample.scenario.keyLog as string);
      const right = await verdictOf([...withoutKeys(sample), '--keylog', `npm=${keys}`]);
      expect(right.summary.byOutcome).toEqual(sample.expected.summary.byOutcome);
      const wrong = await verdictOf([...withoutKeys(sample), '--keylog', `nginx=${keys}`]);
      expect(wrong.connections.every(({ legs }) => legs.every((leg) => !leg.decrypted))).toBe(true);
    },
  );

  // Without the handshake tshark cannot read it at all.
  it.skipIf(!tshark || !sample.scenario.hops.length || sample.name.includes('mid'))(
    'lists the frames that tshark decrypts, in the same packets',
    async () => {
      const file = join(sample.dir, 'npm.pcap');
      const keys = join(sample.dir, sample.scenario.keyLog as string);
      const fields = ['frame.number', 'tcp.srcport', 'websocket.opcode', 'websocket.mask'];
      const args = ['-r', file, '-o', `tls.keylog_file:${keys}`, '-Y', 'websocket && tls', '-T', 'fields'];
      const text = execFileSync('tshark', [...args, ...fields.flatMap((field) => ['-e', field])], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const theirs = text
        .trim()
        .split('\n')
        .flatMap((line) => {
          const [packet, port, opcodes] = line.split('\t');
          return opcodes.split(',').map((opcode) => `${packet} ${port} ${Number(opcode)}`);
        });
      const { out } = await lasthop(['frames', file, '--keylog', keys, '--format', 'ndjson']);
      const names = ['continuation', 'text', 'binary', '', '', '', '', '', 'close', 'ping', 'pong'];
      const ours = out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter(({ source, destination }) => [source, destination].some((end) => end?.endsWith(':443')))
        .map(({ packet, source, opcode }) => `${packet} ${source.split(':').at(-1)} ${names.indexOf(opcode)}`);
      expect(ours.length).toBeGreaterThan(50);
      expect(ours.sort()).toEqual(theirs.sort());
    },
  );
});

it('reads keys from a Decryption Secrets Block', async () => {
  const sample = encrypted.find(({ name }) => name === 'tls') as Sample;
  const dir = mkdtempSync(join(tmpdir(), 'lasthop-tls-'));
  try {
    const secrets = readFileSync(join(sample.dir, sample.scenario.keyLog as string));
    const file = join(dir, 'npm.pcapng');
    writeFileSync(file, withSecrets(readFileSync(join(sample.dir, 'npm.pcap')), secrets));
    const args = withoutKeys(sample).map((word) => (word.startsWith('npm=') ? `npm=${file}` : word));
    const verdict = await verdictOf(args);
    expect(verdict.summary.byOutcome).toEqual(sample.expected.summary.byOutcome);
    expect(verdict.hops[2].captures[0]).toMatchObject({ format: 'pcapng', trust: 'full', reasons: [] });
  } finally {
    rmSync(dir, { recursive: true });
  }
});

/** A little-endian pcap of microseconds as pcapng, the secrets before the packets (draft-ietf-opsawg-pcapng, section 4). */
function withSecrets(pcap: Buffer, secrets: Buffer): Buffer {
  const word = (...values: number[]) => Buffer.from(Uint32Array.from(values).buffer);
  const block = (type: number, ...parts: Buffer[]) => {
    const body = Buffer.concat(parts);
    const padded = Buffer.concat([body, Buffer.alloc(-body.length & 3)]);
    return Buffer.concat([word(type, padded.length + 12), padded, word(padded.length + 12)]);
  };
  const blocks = [
    block(0x0a0d0d0a, word(0x1a2b3c4d, 1, 0xffffffff, 0xffffffff)),
    block(1, word(pcap.readUInt32LE(20) & 0xffff, 0)),
    block(10, word(0x544c534b, secrets.length), secrets),
  ];
  for (let at = 24; at < pcap.length; ) {
    const [seconds, micros, captured, length] = [0, 4, 8, 12].map((offset) => pcap.readUInt32LE(at + offset));
    const time = BigInt(seconds) * 1_000_000n + BigInt(micros);
    const head = word(0, Number(time >> 32n), Number(time & 0xffffffffn), captured, length);
    blocks.push(block(6, head, pcap.subarray(at + 16, at + 16 + captured)));
    at += 16 + captured;
  }
  return Buffer.concat(blocks);
}
