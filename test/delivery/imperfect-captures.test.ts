/** Captures that lost, doubled or reordered packets, or whose clocks jump: what was claimed falsely from them once, and is not any more. */

import { describe, expect, it } from 'vitest';
import { Chain } from '../support/chain.js';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { FIN, SYN, Talk, Tape } from '../support/tape.js';
import { hear, ruling } from '../support/verdict.js';
import { Scene } from './scene.js';

const text = (id = 'c-1') => frame(command(id));

describe('a filter that leaves out packets without octets', () => {
  /** The agent never answers; what left is sent again so many times, and TCP-ACKed by nothing but a bare TCP ACK, or not at all. */
  async function heard(times: number, acked: boolean) {
    const scene = new Scene(['origin']);
    const [leg] = scene.chain.legs;
    const at = leg.sent('server');
    leg.segment(2000, 'server', { data: text() });
    for (let n = 0; n < times; n++) leg.segment(2300 + 600 * n, 'server', { data: text(), at });
    if (acked) leg.segment(2400, 'client');
    const other = new Talk(scene.captures.origin, { client: '203.0.113.99', serverPort: 443 });
    for (let n = 0; n < 60; n++) other.send(10 + n * 1000, 'client', masked(commandAck(`x-${n}`)));
    const { origin } = scene.captures;
    origin.packets.sort((a, b) => a.atMs - b.atMs);
    const bare = origin.packets.flatMap(({ bytes }, i) =>
      bytes.length <= 54 && (bytes[47] & (SYN | FIN)) === 0 ? [i + 1] : [],
    );
    const whole = await hear({ origin });
    return { whole: whole.of('c-1'), filtered: await hear({ origin: origin.without(...bare) }) };
  }

  it('says nothing of TCP ACKs, and is said to', async () => {
    const { whole, filtered } = await heard(1, true);
    expect(ruling(whole)).toBe('reached-agent origin agent');
    expect(filtered.of('c-1')).toMatchObject({ outcome: 'inconclusive', lastHop: 'origin' });
    expect(filtered.of('c-1').reason).toContain(
      'filter left out bare TCP ACKs, so whether it was TCP-ACKed cannot be seen',
    );
    expect(filtered.verdict.hops[0].captures[0]).toMatchObject({ trust: 'limited' });
    expect(filtered.verdict.hops[0].captures[0].reasons.join()).toContain('it holds no packet that only TCP-ACKs');
  });

  it('does not hide what was sent again and again', async () => {
    const { whole, filtered } = await heard(6, false);
    expect(ruling(whole)).toBe('stalled origin origin->agent');
    expect(ruling(filtered.of('c-1'))).toBe('stalled origin origin->agent');
  });
});

describe('a hole', () => {
  it('that swallowed the opening and the first command of a leg is not absence', async () => {
    const scene = new Scene(['origin', 'npm']);
    scene.chain.outward(2000, text());
    const { origin, npm } = scene.goOn(3000).captures;
    const bystander = new Talk(npm, { client: '203.0.113.99', server: '10.0.1.1', serverPort: 443 });
    const [, lost] = [1, 2, 3].map((at) => bystander.send(at, 'client', masked(commandAck(`x-${at}`))));
    // The capture has a bystander's packets from before, and the leg's own only from the Heartbeats on.
    const opened = npm.packets.flatMap(({ atMs }, i) => (atMs > 4 && atMs < 2900 ? [i + 1] : []));
    const heard = await hear({ origin, npm: npm.without(...opened, lost) });
    const [attempt] = heard.of('c-1').attempts;
    expect(attempt.hops.map(({ state }) => state)).toEqual(['tcp-acked', 'unobserved']);
    expect(attempt.outcome).toBe('inconclusive');
  });

  it('that swallowed the first sending of what then waits for its TCP ACK: what waits behind it is not called dropped', async () => {
    const scene = new Scene(['origin', 'npm']);
    const [, leg] = scene.chain.legs;
    const at = leg.sent('server');
    for (const [i, id] of ['c-1', 'c-2'].entries()) scene.chain.outward(2000 + i * 100, text(id), 1);
    // c-1 left npm at 2000 as well, in the hole; seen are what was sent again, and Heartbeats that do not TCP-ACK it.
    for (const ms of [5300, 8800, 15_800]) leg.segment(ms, 'server', { data: text('c-1'), at });
    const acked = at;
    for (const ms of [16_000, 21_000]) {
      const beat = masked(`{"type":"Heartbeat","at":${ms}}`);
      leg.segment(ms, 'client', { data: beat, acked });
      leg.segment(ms + 0.1, 'server');
      scene.chain.legs[0].send(ms + 1, 'client', beat);
    }
    const { origin, npm } = scene.captures;
    const whole = (await hear({ origin, npm })).of('c-2');
    expect(ruling(whole)).toBe('not-forwarded origin npm');
    const bystander = new Talk(npm, { client: '203.0.113.99', server: '10.0.1.1', serverPort: 443 });
    const [, lost] = [21_001, 21_002, 21_003].map((ms) => bystander.send(ms, 'client', masked(commandAck(`x-${ms}`))));
    const verdict = (await hear({ origin, npm: npm.without(lost) })).of('c-2');
    expect(verdict.outcome).toBe('inconclusive');
    expect(verdict.reason).toContain('TCP held back what npm sends on at least for a part of the time');
  });

  it('in the TCP ACKs alone is no stall: nothing was sent again', async () => {
    const scene = new Scene(['origin']);
    const [sent] = scene.chain.outward(2000, text());
    const { origin } = scene.captures;
    new Talk(origin, { client: '203.0.113.99', serverPort: 443 }).send(60_000, 'client', masked(commandAck('x')));
    const verdict = (await hear({ origin: origin.without(sent + 1) })).of('c-1');
    expect(verdict.outcome).toBe('inconclusive');
    expect(verdict.attempts[0].hops[0]).toMatchObject({
      state: 'unobserved',
      reason: expect.stringContaining('missed'),
    });
  });
});

describe('absence', () => {
  it('is not said of a hop that the command must have passed, since the agent answered it', async () => {
    const scene = new Scene(['origin', 'npm']);
    scene.chain.outward(2000, text(), 1);
    scene.chain.legs[0].send(2040, 'client', masked(commandAck('c-1')));
    const [attempt] = (await hear(scene.goOn(3000).captures)).of('c-1').attempts;
    expect(attempt.outcome).toBe('delivered');
    expect(attempt.hops[1]).toMatchObject({
      state: 'unobserved',
      reason: 'npm: not in the capture, though the agent answered it',
    });
  });

  it('is said of the attempt that a hop dropped, though a later one was answered', async () => {
    const scene = new Scene(['origin', 'npm']);
    scene.chain.outward(2000, text(), 1);
    scene.chain.outward(20_000, text());
    scene.chain.inward(20_040, masked(commandAck('c-1')));
    const { attempts } = (await hear(scene.goOn(21_000).captures)).of('c-1');
    expect(attempts.map(({ hops }) => hops[1].state)).toEqual(['absent', 'tcp-acked']);
  });
});

describe('a leg whose opening was not captured', () => {
  it('ends at a proxy where its client is on the server’s own host', async () => {
    for (const [client, expected] of [
      ['127.0.0.1', 'inconclusive'],
      ['203.0.113.7', 'reached-agent'],
    ]) {
      const tape = new Tape();
      const server = client === '127.0.0.1' ? client : '10.0.0.1';
      const talk = new Talk(tape, { client, server });
      talk.send(0, 'client', masked('{"type":"Heartbeat","at":0,"load":1}'));
      talk.send(2000, 'server', text());
      for (const ms of [5000, 15_000, 20_000]) talk.send(ms, 'client', masked(`{"type":"Heartbeat","at":${ms}}`));
      expect((await hear({ origin: tape })).of('c-1').outcome, client).toBe(expected);
    }
  });
});

describe('files', () => {
  it('of which two hops have the same one, with one leg in it, are the user’s mistake', async () => {
    const { origin, npm } = new Scene(['origin', 'npm']).goOn(3000).captures;
    await expect(hear({ origin, nginx: npm, npm })).rejects.toThrow(/nginx and npm are given the same capture/);
  });

  it('in another order than the hops are the user’s mistake', async () => {
    const { origin, nginx, npm } = new Scene().goOn(3000, 60_000).captures;
    await expect(hear({ origin: npm, nginx, npm: origin })).rejects.toThrow(/nearer to the server/);
  });
});

describe('clocks', () => {
  it('that lie before the first capture’s first second change nothing', async () => {
    const scene = new Scene(undefined, {}, [0, -3_600_000, 7_200_000]);
    scene.chain.outward(2000, text(), 1);
    scene.goOn(3000);
    const heard = await hear(scene.captures);
    expect(ruling(heard.of('c-1'))).toBe('not-forwarded origin nginx');
  });

  it('that were set back between command and CommandAck do not lose the CommandAck', async () => {
    const scene = new Scene(['origin']);
    scene.chain.outward(10_000, text());
    scene.chain.inward(4000, masked(commandAck('c-1')));
    const heard = await hear(scene.goOn(4100, 20_000).captures);
    expect(heard.of('c-1').outcome).toBe('delivered');
  });
});

describe('a window that was closed before the capture began', () => {
  it('holds back what arrives before the capture first shows the leg: the hop does not drop it', async () => {
    const scene = new Scene(['origin', 'npm']);
    const [, leg] = scene.chain.legs;
    scene.chain.outward(2000, text(), 1);
    for (let ms = 2800; ms < 30_000; ms += 3000) {
      leg.segment(ms, 'server', { at: leg.sent('server') - 1, data: new Uint8Array(0) });
      leg.segment(ms + 0.2, 'client', { window: 0 });
      const beat = masked(`{"type":"Heartbeat","at":${ms}}`);
      leg.segment(ms + 100, 'client', { data: beat, window: 0 });
      leg.segment(ms + 100.1, 'server');
      scene.chain.legs[0].send(ms + 101, 'client', beat);
    }
    const { origin, npm } = scene.captures;
    const works = new Chain(scene.tapes, { agent: 2, address: '203.0.113.8' }).open(0);
    for (let ms = 1600; ms < 20_000; ms += 2000) {
      works.outward(ms, frame(command(`o-${ms}`)));
      works.inward(ms + 40, masked(commandAck(`o-${ms}`)));
    }
    origin.packets.sort((a, b) => a.atMs - b.atMs);
    npm.packets.sort((a, b) => a.atMs - b.atMs);
    const { of } = await hear({ origin, npm: npm.between(1500, 60_000) });
    expect(ruling(of('c-1'))).toBe('stalled origin npm->agent');
  });
});
