/** What stays open says which capture would settle it, and names the hop. */
import { describe, expect, it } from 'vitest';
import type { CommandVerdict } from '../../src/delivery/verdict.js';
import { command, commandAck, frame, masked } from '../support/frames.js';
import type { Tape } from '../support/tape.js';
import { hear } from '../support/verdict.js';
import { Scene } from './scene.js';

async function open(tapes: Record<string, Tape>): Promise<CommandVerdict> {
  const verdict = (await hear(tapes)).of('c-1');
  expect(verdict.outcome, verdict.reason).toBe('inconclusive');
  expect(verdict.reason.split('would settle it')).toHaveLength(2);
  return verdict;
}

function sent(): Scene {
  const scene = new Scene();
  scene.chain.outward(5000, frame(command('c-1')));
  return scene.goOn(6000);
}

const whole = (hop: string) =>
  `a whole capture at ${hop} (both directions, no gaps, -s 0) from before the connection opens`;

describe('an inconclusive command', () => {
  it('is settled at the hop that may not have sent it on', async () => {
    const { origin, nginx, npm } = sent().captures;
    expect((await open({ origin, nginx, npm: npm.between(20_000, 1e6) })).reason).toContain(whole('npm'));
  });

  it('is settled at the last hop where an answer may still have come', async () => {
    const { origin, nginx, npm } = sent().captures;
    expect((await open({ origin, nginx, npm: npm.between(0, 9000) })).reason).toContain(whole('npm'));
  });

  it('is settled at the hop where the CommandAck was lost from sight', async () => {
    const scene = new Scene();
    const [atOrigin] = scene.chain.outward(5000, frame(command('c-1')));
    scene.chain.inward(5040, masked(commandAck('c-1')), 1);
    // What was lost from sight here is something else: its place in the stream does not tell that it was the CommandAck.
    const ackAtOrigin = scene.chain.legs[0].send(5042, 'client', masked('{"type":"Heartbeat"}'), 0.2);
    const { origin, nginx, npm } = scene.goOn(6000).captures;
    expect(ackAtOrigin).toBeGreaterThan(atOrigin);
    expect((await open({ origin: origin.without(ackAtOrigin), nginx, npm })).reason).toContain(whole('origin'));
  });

  it('that nobody was seen sending is settled at the innermost hop', async () => {
    const { origin } = sent().captures;
    const heard = await hear({ origin: origin.between(4000, 1e6) }, { commandIds: ['c-never'] });
    const verdict = heard.of('c-never');
    expect(verdict.outcome).toBe('inconclusive');
    expect(verdict.reason).toContain(whole('origin'));
  });
});
