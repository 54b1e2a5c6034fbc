/**
 * Which keys open which leg: the proxy's own key log in the place of the agents', two encrypted legs with keys for one of both only, a
 * capture that begins between the hellos. Expectations from the programs' logs.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allDifferences, witness } from './differences.js';
import { lasthop, type Sample, samples } from './sample.js';
import type { VerdictJson } from './verdict-json.js';

const sampleOf = (name: string) => samples.find((sample) => sample.name === name) as Sample;

async function verdictWith(sample: Sample, keyLogs: string[], files: Record<string, string> = {}) {
  const args = sample.args
    .filter((word, i) => word !== '--keylog' && sample.args[i - 1] !== '--keylog')
    .map((word) => {
      const [hop] = word.split('=');
      return hop in files ? `${hop}=${files[hop]}` : word;
    });
  const { status, out, err } = await lasthop([
    'verdict',
    ...args,
    ...keyLogs.flatMap((value) => {
      const [hop, file] = value.includes('=') ? value.split('=') : [null, value];
      return ['--keylog', `${hop === null ? '' : `${hop}=`}${join(sample.dir, file)}`];
    }),
    '--json',
  ]);
  expect(status, err).toBe(0);
  return JSON.parse(out) as VerdictJson;
}

const outcomes = ({ commands }: VerdictJson) => new Map(commands.map(({ id, outcome }) => [id, outcome]));

/** By the logs of the run. */
const expected = ({ expected: { commands } }: Sample) => new Map(commands.map(({ id, outcome }) => [id, outcome]));

const decrypted = (verdict: VerdictJson, hop: string) =>
  verdict.connections.flatMap(({ legs }) => legs.filter((leg) => leg.hop === hop).map((leg) => leg.decrypted));

describe('the key log of haproxy in the place of the agents’', () => {
  const sample = sampleOf('tls-haproxy');

  it.each([['keys.log'], ['keys-npm.log'], ['npm=keys-npm.log']])('%s gives what the logs say', async (keys) => {
    const verdict = await verdictWith(sample, [keys]);
    expect(allDifferences(sample, verdict, witness(sample))).toEqual([]);
    expect(decrypted(verdict, 'npm')).toEqual(sample.expected.connections.map(() => true));
    for (const { captures } of verdict.hops) expect(captures[0]).toMatchObject({ trust: 'full', reasons: [] });
  });
});

describe('two encrypted legs', () => {
  const sample = sampleOf('tls-inner-leg');
  const legs = sample.expected.connections.length;

  it('with the keys of both, hop by hop', async () => {
    const verdict = await verdictWith(sample, ['npm=keys.log', 'npm=keys-nginx.log', 'nginx=keys-nginx.log']);
    expect(allDifferences(sample, verdict, witness(sample))).toEqual([]);
    expect([...decrypted(verdict, 'nginx'), ...decrypted(verdict, 'npm')]).toEqual(Array(2 * legs).fill(true));
  });

  it("with the agents' keys only, the outer leg is measured and decides", async () => {
    const verdict = await verdictWith(sample, ['npm=keys.log']);
    expect(outcomes(verdict)).toEqual(expected(sample));
    expect(decrypted(verdict, 'npm')).toEqual(Array(legs).fill(true));
    expect(decrypted(verdict, 'nginx')).not.toContain(true);
    for (const { attempts } of verdict.commands)
      for (const { hops } of attempts) {
        const [, nginx, npm] = hops;
        expect(nginx.grade).not.toBe('measured');
        expect(npm.grade).toBe('measured');
      }
    const [{ reasons }] = verdict.hops[2].captures;
    expect(reasons.join()).toMatch(/holds no keys for 4 of 8 TLS connections \(from 10\.30\.0\.20:\d+, /);
  });

  it("with haproxy's keys only, nothing is measured on the outer leg, and nothing claimed of it that is not so", async () => {
    const verdict = await verdictWith(sample, ['keys-nginx.log']);
    expect(decrypted(verdict, 'nginx')).toEqual(Array(legs).fill(true));
    for (const { id, outcome, attempts } of verdict.commands) {
      expect(['inconclusive', expected(sample).get(id)], id).toContain(outcome);
      for (const { hops } of attempts) {
        expect(hops[1].grade, id).toBe('measured');
        expect(hops[2].grade, id).not.toBe('measured');
      }
    }
  });
});

describe('a capture that lacks one packet of each handshake', () => {
  const sample = sampleOf('tls-haproxy');

  /** npm's capture without the packets whose TLS record holds this handshake message: 1 ClientHello, 2 ServerHello. */
  function without(type: number): Buffer {
    const pcap = readFileSync(join(sample.dir, 'npm.pcap'));
    const parts = [pcap.subarray(0, 24)];
    for (let at = 24; at < pcap.length; ) {
      const end = at + 16 + pcap.readUInt32LE(at + 8);
      const ip = at + 16 + 14;
      const tcp = ip + 4 * (pcap[ip] & 15);
      const data = tcp + 4 * (pcap[tcp + 12] >> 4);
      if (!(pcap[data] === 22 && pcap[data + 1] === 3 && pcap[data + 5] === type && data + 5 < end))
        parts.push(pcap.subarray(at, end));
      at = end;
    }
    return Buffer.concat(parts);
  }

  async function lacking(type: number): Promise<VerdictJson> {
    const dir = mkdtempSync(join(tmpdir(), 'lasthop-tls-'));
    try {
      writeFileSync(join(dir, 'npm.pcap'), without(type));
      return await verdictWith(sample, ['keys.log'], { npm: join(dir, 'npm.pcap') });
    } finally {
      rmSync(dir, { recursive: true });
    }
  }

  it('the ClientHello: all of it is read', async () => {
    const verdict = await lacking(1);
    expect(decrypted(verdict, 'npm')).toEqual(sample.expected.connections.map(() => true));
    // The hole is in time where a first CommandAck might have been.
    for (const { id, outcome } of verdict.commands)
      expect(['inconclusive', expected(sample).get(id)], id).toContain(outcome);
    const undecided = verdict.commands.filter(({ outcome }) => outcome === 'inconclusive');
    expect(undecided.length).toBeLessThan(3);
    for (const { reason } of undecided) expect(reason).toMatch(/octets are missing from the capture/);
  });

  it('the ServerHello: TLS 1.3 is read, and of TLS 1.2 it is said why not', async () => {
    const verdict = await lacking(2);
    const versions = new Map(
      verdict.connections.flatMap(({ agent, legs }) =>
        legs.filter(({ hop }) => hop === 'npm').map((leg) => [agent, leg.decrypted] as const),
      ),
    );
    for (const agent of ['WORKS-13', 'IGNORES-13', 'CUT-13']) expect(versions.get(agent), agent).toBe(true);
    for (const { id, agent, outcome } of verdict.commands) {
      if (agent?.endsWith('13')) expect(outcome, id).toBe(expected(sample).get(id));
      else expect(['inconclusive', expected(sample).get(id)], id).toContain(outcome);
    }
    expect(verdict.hops[2].captures[0].reasons.join()).toMatch(
      /4 of 7 TLS connections \(.*\) cannot be decrypted: its ServerHello was not captured, and keys of TLS 1\.2/,
    );
  });
});
