/** Legs whose octets tell nothing (a hop frames anew), of agents that say the same: told by when they say it, or not at all. */

import { describe, expect, it } from 'vitest';
import { Chain } from '../support/chain.js';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { Talk, Tape } from '../support/tape.js';
import { hear } from '../support/verdict.js';

const BEAT = '{"type":"Heartbeat"}';

/** Two hops; one agent whose connection is linked by its key, and gets commands: how long passing takes is known by it. */
class Site {
  readonly tapes = { origin: new Tape(), npm: new Tape() };
  private agents = 1;

  constructor() {
    const known = new Chain([this.tapes.origin, this.tapes.npm]).open(0);
    for (let i = 0; i < 5; i++) {
      known.outward(1000 + i * 7000, frame(command(`c-${i}`)));
      known.inward(1040 + i * 7000, masked(commandAck(`c-${i}`)));
    }
  }

  /** In mid-connection, each leg with masks of its own. Half a millisecond between the two, as for the known one. */
  agent(beatsAtMs: readonly number[], legs: ('origin' | 'npm')[] = ['origin', 'npm'], offMs = 0): this {
    const port = 41_000 + this.agents++;
    for (const hop of legs) {
      const shape =
        hop === 'origin'
          ? { server: '10.0.0.1', serverPort: 3001, client: '10.0.1.1', clientPort: port, clientIsn: port * 1000 }
          : { server: '10.0.1.1', serverPort: 3002, client: '203.0.113.7', clientPort: port + 500 };
      const leg = new Talk(this.tapes[hop], shape);
      for (const at of beatsAtMs) leg.send(at + (hop === 'origin' ? 0.5 + offMs : 0), 'client', masked(BEAT));
    }
    return this;
  }

  /** By connection: hops at which it has a leg. */
  async legs(): Promise<string[]> {
    for (const tape of Object.values(this.tapes)) tape.packets.sort((a, b) => a.atMs - b.atMs);
    const { verdict } = await hear(this.tapes);
    return verdict.connections.map(({ legs }) => legs.map(({ hop }) => hop).join('+')).sort();
  }
}

const every = (seconds: number, fromMs: number) => Array.from({ length: 8 }, (_, i) => fromMs + i * seconds * 1e3);

describe('legs on which nothing but Heartbeats passes', () => {
  it('are linked where they keep step, and no other connection does', async () => {
    const site = new Site().agent(every(4, 2000)).agent(every(4, 2400)).agent(every(5, 3100));
    expect(await site.legs()).toEqual(['origin+npm', 'origin+npm', 'origin+npm', 'origin+npm']);
  });

  it('are not where two agents say it at the same moments', async () => {
    const site = new Site().agent(every(4, 2000)).agent(every(4, 2000.3));
    expect(await site.legs()).toEqual(['npm', 'npm', 'origin', 'origin', 'origin+npm']);
  });

  it('are not where it comes later than what passes usually does', async () => {
    const site = new Site().agent(every(4, 2000), ['origin', 'npm'], 40);
    expect(await site.legs()).toEqual(['npm', 'origin', 'origin+npm']);
  });

  it('are not where it was said too seldom to tell', async () => {
    const site = new Site().agent(every(4, 2000).slice(0, 3));
    expect(await site.legs()).toEqual(['npm', 'origin', 'origin+npm']);
  });
});

describe('a single command on two legs', () => {
  it('links them where it passes at the usual time, and says that it is inferred', async () => {
    const site = new Site().agent(every(4, 2000).slice(0, 4));
    for (const [hop, tape] of Object.entries(site.tapes)) {
      const inner = hop === 'origin';
      const outer = {
        server: '10.0.1.1',
        client: '203.0.113.8',
        serverPort: 3002,
        clientPort: 50_000,
        clientIsn: 99_000_000,
      };
      const leg = new Talk(tape, inner ? { client: '10.0.1.1' } : outer);
      for (const at of [50, 60, 70]) leg.send(at, 'client', masked(`{"type":"Own","at":"${hop}${at}"}`));
      leg.send(inner ? 20_000 : 20_000.5, 'server', frame(command('alone')));
      leg.send(60_000, 'client', masked(`{"type":"Own","at":"${hop} last"}`));
    }
    for (const tape of Object.values(site.tapes)) tape.packets.sort((a, b) => a.atMs - b.atMs);
    const [attempt, ...more] = (await hear(site.tapes)).of('alone').attempts;
    expect(more).toEqual([]);
    expect(attempt.hops.map(({ state }) => state)).toEqual(['tcp-acked', 'tcp-acked']);
    expect(attempt.hops.map(({ grade }) => grade)).toEqual(['measured', 'inferred']);
  });
});
