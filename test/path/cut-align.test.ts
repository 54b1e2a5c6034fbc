import { describe, expect, it } from 'vitest';
import { Scene } from '../delivery/scene.js';
import { Chain } from '../support/chain.js';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { hear, ruling } from '../support/verdict.js';

/** Of Ethernet, IPv4 and TCP nothing but the headers. */
const HEADERS = 54;
const text = (id: string, more = '') => frame(command(id, more));

/** Commands of several lengths that work, one that is not answered, and Heartbeats. */
function scene(): Scene {
  const scene = new Scene();
  for (let i = 0; i < 6; i++) {
    scene.chain.outward(2000 + 700 * i, text(`c-${i}`, `,"x":"${'y'.repeat(31 * i)}"`));
    scene.chain.inward(2041 + 700 * i, masked(commandAck(`c-${i}`)));
  }
  return scene;
}

describe('a leg of which nothing but headers was captured', () => {
  it('is linked by lengths and times, and says what was TCP-ACKed', async () => {
    const shown = scene();
    const sent = shown.chain.outward(7000, text('c-late'));
    const { origin, nginx, npm } = shown.goOn(8000).captures;
    const verdict = await hear({ origin, nginx, npm: npm.cut(HEADERS) });
    for (const id of ['c-ok', 'c-0', 'c-5']) expect(ruling(verdict.of(id))).toBe('delivered npm -');
    expect(ruling(verdict.of('c-late'))).toBe('reached-agent npm agent');
    const last = verdict.of('c-late').attempts[0].hops[2];
    expect(last).toMatchObject({ state: 'tcp-acked', grade: 'inferred' });
    expect(last.packets[0]).toMatchObject({ data: [sent[2]], tcpAck: [sent[2] + 1] });
    expect(last.reason).toMatch(/its packets were cut; told by the sizes, order and times of segments/);
  });

  it('shows that a hop kept a command', async () => {
    const shown = scene();
    shown.chain.outward(7000, text('c-kept', ',"z":"swallowed"'), 2);
    const { origin, nginx, npm } = shown.goOn(8000).captures;
    const verdict = (await hear({ origin, nginx, npm: npm.cut(HEADERS) })).of('c-kept');
    expect(ruling(verdict)).toBe('not-forwarded nginx npm');
    expect(verdict).toMatchObject({ grade: 'inferred' });
  });

  it('is never TCP-ACKed where it was not', async () => {
    const shown = scene();
    shown.chain.outward(7000, text('c-lost'), 2);
    const bytes = text('c-lost');
    const npm = shown.chain.legs[2];
    const at = npm.sent('server');
    for (const ms of [7001, 7201, 7601, 8401, 10_001, 13_201, 19_601]) npm.segment(ms, 'server', { data: bytes, at });
    for (let ms = 20_000; ms < 40_000; ms += 5000) shown.chain.legs[0].send(ms, 'client', new Uint8Array(0));
    const { origin, nginx } = shown.captures;
    const verdict = (await hear({ origin, nginx, npm: shown.captures.npm.cut(HEADERS) })).of('c-lost');
    expect(verdict.attempts[0].hops[2].state).toBe('sent-unacked');
    expect(['stalled', 'inconclusive']).toContain(verdict.outcome);
  });

  it('belongs to the agent whose messages it carried, where there are two', async () => {
    const shown = new Scene();
    const second = new Chain(shown.tapes, { agent: 2, address: '203.0.113.8', key: 'c2Vjb25kIG9mIHRoZSB0d28=' }).open(
      300,
    );
    for (let i = 0; i < 6; i++) {
      shown.works(2000 + 700 * i, `a-${i}`);
      second.outward(2300 + 900 * i, text(`b-${i}`, `,"x":"${'y'.repeat(40 - 3 * i)}"`));
      second.inward(2350 + 900 * i, masked(commandAck(`b-${i}`)));
    }
    const { origin, nginx, npm } = shown.goOn(9000).captures;
    const verdict = await hear({ origin, nginx, npm: npm.cut(HEADERS) });
    const ports = (id: string) => {
      const { connection } = verdict.of(id).attempts[0];
      return verdict.verdict.connections.find((each) => each.id === connection)?.legs.map(({ client }) => client);
    };
    expect(ports('a-5')).toEqual(['10.0.1.1:40010', '10.0.2.1:40011', '203.0.113.7:40012']);
    expect(ports('b-5')).toEqual(['10.0.1.1:40020', '10.0.2.1:40021', '203.0.113.8:40022']);
  });

  it('is not linked with a connection that carried other lengths', async () => {
    const shown = scene();
    const { origin, nginx } = shown.goOn(8000).captures;
    const stranger = new Scene();
    for (let i = 0; i < 12; i++) stranger.chain.outward(2111 + 997 * i, text('s', `,"w":"${'z'.repeat(13 * i + 3)}"`));
    const verdict = await hear({ origin, nginx, npm: stranger.captures.npm.cut(HEADERS).between(2050, 1e9) });
    expect(verdict.of('c-5').attempts[0].hops[2].state).toBe('unobserved');
  });
});
