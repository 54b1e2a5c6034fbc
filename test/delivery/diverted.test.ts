/** A connection whose sequence goes on from another address: nothing of it is absent. */
import { describe, expect, it } from 'vitest';
import { judged } from '../findings/diagnosis.js';
import { command, frame, masked } from '../support/frames.js';
import { RST, Talk } from '../support/tape.js';
import { Scene } from './scene.js';

const AGENT = { client: '203.0.113.7', clientPort: 40_012, clientIsn: 102_007, serverPort: 3003, serverIsn: 202_009 };

/** From 5 s on what npm sends leaves from `server`, and the agent's kernel resets it. */
function divertedTo(server: string, offset = 0) {
  const scene = new Scene();
  const bytes = frame(command('c-moved'));
  scene.chain.outward(5000, bytes, 2);
  const at = scene.chain.legs[2].sent('server') + offset;
  const other = new Talk(scene.tapes[2], { ...AGENT, server });
  for (const ms of [5001, 5250, 5700, 6500, 8000, 11_000]) {
    other.segment(ms, 'server', { data: bytes, at });
    other.segment(ms + 0.1, 'client', { flags: RST, at: 0 });
  }
  for (let ms = 7000; ms < 30_000; ms += 5000)
    for (const i of [0, 1]) scene.chain.legs[i].send(ms + 100, 'client', masked(`{"type":"Heartbeat","at":${ms}}`));
  for (let ms = 7100; ms < 30_000; ms += 5000)
    scene.chain.legs[2].send(ms, 'client', masked(`{"type":"Heartbeat","at":${ms}}`));
  for (const tape of scene.tapes) tape.packets.sort((a, b) => a.atMs - b.atMs);
  return scene.captures;
}

describe('octets that leave from another address', () => {
  it('are not absent, and are told as what they are', async () => {
    const verdict = await judged(divertedTo('10.0.99.1'));
    const [command] = [...verdict.commands].filter(({ id }) => id === 'c-moved');
    expect(command.outcome).toBe('inconclusive');
    expect(command.attempts[0].hops[2]).toMatchObject({ state: 'unobserved' });
    expect(command.attempts[0].hops[2].reason).toContain('leave from 10.0.99.1 instead of 10.0.2.1');
    expect(verdict.findings.map(({ id, agents }) => [id, agents])).toEqual([
      ['reply-address-mismatch', ['PST-SERVER']],
    ]);
    const nat = verdict.hypotheses.find(({ id }) => id === 'return-path-nat');
    expect(nat).toMatchObject({ status: 'supported' });
  });

  it('are strangers where their sequence is another one', async () => {
    const verdict = await judged(divertedTo('10.0.99.1', 5_000_000));
    expect(verdict.findings.map(({ id }) => id)).not.toContain('reply-address-mismatch');
    expect([...verdict.commands].find(({ id }) => id === 'c-moved')?.outcome).toBe('not-forwarded');
  });
});
