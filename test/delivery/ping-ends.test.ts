import { describe, expect, it } from 'vitest';
import { masked, ping, pong } from '../support/frames.js';
import { hear } from '../support/verdict.js';
import { Scene } from './scene.js';

/** On the origin's leg and on those further out, Pings of their own. `payload` may be the same on both. */
function apart(payload: (leg: string, ms: number) => string, agentAnswersUntilMs = 30_000): Scene {
  const scene = new Scene();
  const [inner, ...outer] = scene.chain.legs;
  outer.forEach((leg, i) => {
    leg.send(3000 + i, 'server', ping(payload('nginx', 3000)));
    leg.send(3030 - i, 'client', pong(payload('nginx', 3000)));
  });
  for (let ms = 4000; ms < 30_000; ms += 4000) {
    inner.send(ms, 'server', ping(payload('server', ms)));
    inner.send(ms + 1, 'client', pong(payload('server', ms)));
    outer.forEach((leg, i) => {
      leg.send(ms + 300 + i, 'server', ping(payload('nginx', ms)));
      if (ms < agentAnswersUntilMs) leg.send(ms + 330 - i, 'client', pong(payload('nginx', ms)));
    });
    scene.chain.inward(ms + 900, masked(`{"type":"Heartbeat","at":${ms}}`));
  }
  return scene;
}

describe('who answers the Pings', () => {
  it('is the hop that ends WebSocket: those on the outermost leg tell of the agent', async () => {
    for (const payload of [(leg: string, ms: number) => `${leg} ${ms}`, () => '']) {
      const { connections } = (await hear(apart(payload, 10_000).captures)).verdict;
      expect(connections[0].pings).toMatchObject({ sent: 7, answered: 7, answeredBy: 'nginx' });
      expect(connections[0].pings.atLastHop).toMatchObject({ hop: 'npm', sent: 8, answered: 3 });
    }
  });

  it('is no hop where they pass, or where the outer capture has a hole', async () => {
    const passing = new Scene();
    const { connections } = (await hear(passing.goOn(4000).captures)).verdict;
    expect(connections[0].pings).toMatchObject({ answeredBy: null, atLastHop: null });
    const scene = new Scene();
    // What the outer hops sent at that time is missing from their captures, and TCP-ACKed.
    const lost = [4000, 8000].flatMap((ms) => {
      const numbers = scene.chain.outward(ms, ping(`p ${ms}`));
      scene.chain.inward(ms + 30, pong(`p ${ms}`));
      return [numbers];
    });
    const { captures } = scene.goOn(12_000, 13_000);
    const holed = { ...captures };
    ['nginx', 'npm'].forEach((hop, i) => {
      holed[hop] = captures[hop].without(...lost.map((numbers) => numbers[i + 1]));
    });
    const { verdict } = await hear(holed);
    expect(verdict.connections[0].pings).toMatchObject({ sent: 3, answeredBy: null });
  });
});
