/** What depends on an order of hops that nothing proves is not claimed; what is so in every order is. */

import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked, ping, pong } from '../support/frames.js';
import { Talk, Tape } from '../support/tape.js';
import { hear } from '../support/verdict.js';

/**
 * Legs of one WebSocket, captured in its middle and in the same moments, their addresses strangers to each other: nothing tells which leg
 * is further in.
 */
class Silent {
  readonly tapes: Tape[];
  readonly legs: Talk[];

  constructor(hops = 2) {
    this.tapes = Array.from({ length: hops }, () => new Tape());
    this.legs = this.tapes.map(
      (tape, i) =>
        new Talk(tape, {
          client: `10.0.${i}.9`,
          server: `10.0.${i}.1`,
          clientIsn: i * 0x2000_0000,
          serverIsn: 0x1000_0000 + i * 0x3000_0000,
        }),
    );
  }

  /** On these legs at the same moment; TCP-ACKed unless it is said not to be. */
  says(from: 'server' | 'client', atMs: number, bytes: Uint8Array, legs = this.legs): this {
    for (const leg of legs) leg.send(atMs, from, bytes);
    return this;
  }

  goesOn(fromMs: number, toMs: number): this {
    for (let ms = fromMs; ms <= toMs; ms += 2000) {
      this.says('client', ms, masked(`{"type":"Heartbeat","at":${ms}}`));
      this.says('server', ms + 1, ping(`${ms}`)).says('client', ms + 2, pong(`${ms}`));
    }
    return this;
  }

  /** Missed by one capture, its TCP ACKs captured. */
  lose(leg: number, fromMs: number, toMs: number): this {
    const { packets } = this.tapes[leg];
    const at = packets.findIndex(({ atMs }) => atMs >= fromMs && atMs < toMs);
    packets.splice(at, 1);
    return this;
  }

  hear(order = this.tapes.map((_, i) => i)) {
    return hear(Object.fromEntries(order.map((i) => [`hop${i}`, this.tapes[i]])));
  }
}

describe('where nothing proves the order of the hops', () => {
  it('a leg that is dead is not named: its other end would be another one', async () => {
    const scene = new Silent(3).goesOn(0, 6000);
    // Sent again and again by the first, never TCP-ACKed.
    const at = scene.legs[0].sent('server');
    for (const ms of [7000, 7300, 8000, 9200, 11_000, 15_000, 23_000])
      scene.legs[0].segment(ms, 'server', { data: frame(command('c-1')), at });
    for (const ms of [10_000, 14_000, 18_000, 22_000])
      for (const leg of scene.legs.slice(1)) leg.send(ms, 'client', masked(`{"type":"Heartbeat","at":${ms}}`));
    const { of, warnings } = await scene.hear();
    expect(warnings).toHaveLength(2);
    expect(of('c-1')).toMatchObject({ outcome: 'inconclusive', lostAt: null });
    expect(of('c-1').reason).toMatch(
      /^the order of hop0 and hop1, and of hop1 and hop2 could not be checked, and what can be said depends on it/,
    );
  });

  it('a CommandAck is not delivered that may have been lost further in', async () => {
    const scene = new Silent().goesOn(0, 6000);
    scene.says('server', 7000, frame(command('c-1')));
    // hop0 holds it; hop1's capture lacks octets that may have been it.
    scene.legs[0].send(7040, 'client', masked(commandAck('c-1')));
    scene.legs[1].send(7041, 'client', masked('{"type":"Metrics","load":[0.1,0.2,0.3]}'));
    scene.goesOn(8000, 24_000).lose(1, 7041, 7042);
    expect((await scene.hear()).of('c-1')).toMatchObject({ outcome: 'inconclusive', lostAt: null });
  });

  it('a CommandAck that came to all of them is delivered, whichever is the innermost', async () => {
    const scene = new Silent().goesOn(0, 6000);
    scene.says('server', 7000, frame(command('c-1'))).says('client', 7040, masked(commandAck('c-1')));
    scene.goesOn(8000, 24_000);
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const lost = (await scene.hear(order)).of('c-1');
      expect(lost.outcome).toBe('delivered');
      expect(lost.reason).toContain('could not be checked');
    }
  });

  it('a command that came to all of them and was not answered reached the agent, whichever is the outermost', async () => {
    const scene = new Silent().goesOn(0, 6000);
    scene.says('server', 7000, frame(command('c-1'))).goesOn(8000, 24_000);
    expect((await scene.hear()).of('c-1')).toMatchObject({ outcome: 'reached-agent', lostAt: 'agent' });
  });

  it('a message that one hop is proven not to have had came from the other one: no hop sends what never came to it', async () => {
    const scene = new Silent().goesOn(0, 6000);
    scene.legs[1].send(7000, 'server', frame(command('c-1')));
    scene.goesOn(8000, 24_000);
    const { of } = await scene.hear([1, 0]);
    expect(of('c-1')).toMatchObject({ outcome: 'not-forwarded', lostAt: 'hop0' });
    // Given the other way round it has come from nowhere.
    expect((await scene.hear([0, 1])).of('c-1').outcome).toBe('inconclusive');
  });
});

describe('a hop of which no connection could be linked with any other', () => {
  /** The third capture's connection is a stranger to the two others. */
  const scene = (): Silent => {
    const hops = new Silent(3);
    const alone = hops.legs.splice(2);
    for (let ms = 0; ms <= 24_000; ms += 1700) hops.says('server', ms, frame(`{"unit":"x","n":${ms * 7919}}`), alone);
    return hops.goesOn(0, 6000);
  };
  const GIVEN = [0, 1, 2];

  it('costs its own column, not the CommandAck that came to the first hop given', async () => {
    const hops = scene();
    hops.says('server', 7000, frame(command('c-1'))).says('client', 7040, masked(commandAck('c-1')));
    hops.goesOn(8000, 24_000);
    for (const order of [GIVEN, [0, 2, 1]]) {
      const lost = (await hops.hear(order)).of('c-1');
      expect(lost).toMatchObject({ outcome: 'delivered', lostAt: null, late: false });
      expect(lost.reason).toMatch(/^CommandAck back at hop0 after 40 ms.*could not be checked/);
      expect(lost.attempts[0].hops.find(({ hop }) => hop === 'hop2')?.state).toBe('unobserved');
    }
  });

  it('is not passed over where it is given as the first', async () => {
    const hops = scene();
    hops.says('server', 7000, frame(command('c-1'))).says('client', 7040, masked(commandAck('c-1')));
    expect((await hops.goesOn(8000, 24_000).hear([2, 0, 1])).of('c-1').outcome).toBe('inconclusive');
  });

  it('accuses nobody: it may be the one that did not forward, or lost the CommandAck', async () => {
    const hops = scene();
    const [inner, outer] = hops.legs;
    inner.send(7000, 'server', frame(command('kept')));
    hops.says('server', 7010, frame(command('unheard')));
    outer.send(7050, 'client', masked(commandAck('unheard')));
    hops.says('server', 7100, frame(command('ignored')));
    const { of } = await hops.goesOn(8000, 24_000).hear(GIVEN);
    for (const id of ['kept', 'unheard', 'ignored'])
      expect(of(id)).toMatchObject({ outcome: 'inconclusive', lostAt: null });
  });

  it('does not speak for a hop that is linked: a CommandAck may have been lost there', async () => {
    const hops = scene();
    const [inner, outer] = hops.legs;
    hops.says('server', 7000, frame(command('c-1')));
    inner.send(7040, 'client', masked(commandAck('c-1')));
    outer.send(7041, 'client', masked('{"type":"Metrics","load":[0.1,0.2,0.3]}'));
    hops.goesOn(8000, 24_000).lose(1, 7041, 7042);
    expect((await hops.hear(GIVEN)).of('c-1').outcome).toBe('inconclusive');
  });
});
