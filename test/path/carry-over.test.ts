import { describe, expect, it } from 'vitest';
import { Scene } from '../delivery/scene.js';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { join } from '../support/octets.js';
import { hear, ruling } from '../support/verdict.js';

const text = (id = 'c-1') => frame(command(id));
const heartbeat = () => masked('{"type":"Heartbeat","at":1}');
const statesOf = (verdict: { attempts: { hops: { state: string }[] }[] }) =>
  verdict.attempts[0].hops.map(({ state }) => state);

describe('a message that one capture could not read, and another one did', () => {
  it('is told by its place where its header was cut off', async () => {
    const scene = new Scene();
    // Two messages in one segment: of a packet of 96 octets the second one's header is gone.
    const both = join(frame(`{"type":"HeartbeatAck","pad":"${'x'.repeat(40)}"}`), text());
    const sent = scene.chain.outward(2000, both);
    const { origin, nginx, npm } = scene.goOn(3000).captures;
    const verdict = (await hear({ origin, nginx: nginx.cut(96), npm })).of('c-1');
    expect(ruling(verdict)).toBe('reached-agent npm agent');
    expect(statesOf(verdict)).toEqual(['tcp-acked', 'tcp-acked', 'tcp-acked']);
    const [, cut] = verdict.attempts[0].hops;
    expect(cut).toMatchObject({ grade: 'inferred', bytes: text().length });
    expect(cut.packets[0]).toMatchObject({ data: [sent[1]], tcpAck: [sent[1] + 1] });
    expect(cut.reason).toMatch(/another hop's capture tells by their place/);
  });

  it('is sent-unacked where it was seen leaving and never TCP-ACKed', async () => {
    const scene = new Scene();
    const both = join(frame(`{"type":"HeartbeatAck","pad":"${'x'.repeat(40)}"}`), text());
    scene.chain.outward(2000, both, 2);
    const npm = scene.chain.legs[2];
    for (const ms of [2001, 2201, 2601, 3401, 5001, 8201, 14_601])
      npm.segment(ms, 'server', { data: both, captured: 42, at: npm.sent('server') - (ms > 2001 ? both.length : 0) });
    scene.chain.legs[0].send(15_000, 'server', frame('{"type":"ServerNote"}'));
    scene.chain.legs[1].send(15_001, 'server', frame('{"type":"ServerNote"}'));
    npm.segment(15_002, 'server', { data: frame('{"type":"ServerNote"}') });
    const verdict = (await hear(scene.captures)).of('c-1');
    expect(verdict.attempts[0].hops[2]).toMatchObject({ state: 'sent-unacked', grade: 'inferred' });
    expect(ruling(verdict)).toBe('stalled npm npm->agent');
  });

  it('has its CommandAck found in the hole of the hop that it had to pass', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text());
    const back = scene.chain.inward(2040, masked(commandAck('c-1')));
    const { origin, nginx, npm } = scene.goOn(3000).captures;
    const verdict = (await hear({ origin: origin.without(back[0]), nginx, npm })).of('c-1');
    expect(ruling(verdict)).toBe('delivered npm -');
    expect(verdict.attempts[0].commandAck?.hops[0]).toMatchObject({ state: 'tcp-acked', grade: 'inferred' });
  });
});

describe('a hole of which another capture tells what stood in it', () => {
  it('does not hide a CommandAck', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text());
    const beat = scene.chain.inward(2500, heartbeat());
    const { origin, nginx, npm } = scene.goOn(3000).captures;
    const verdict = (await hear({ origin, nginx, npm: npm.without(beat[2]) })).of('c-1');
    expect(ruling(verdict)).toBe('reached-agent npm agent');
    const blind = (await hear({ npm: npm.without(beat[2]) })).of('c-1');
    expect(blind.outcome).toBe('inconclusive');
  });

  it('may hide one where no other capture was whole there', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text());
    const beat = scene.chain.inward(2500, heartbeat());
    const { origin, nginx, npm } = scene.goOn(3000).captures;
    const holes = { origin: origin.without(beat[0]), nginx: nginx.without(beat[1]), npm: npm.without(beat[2]) };
    expect((await hear(holes)).of('c-1').outcome).toBe('inconclusive');
  });

  it('may hide one where nothing behind the hole proves that the hops agree', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text());
    const beat = scene.chain.inward(2500, heartbeat());
    const { origin, nginx, npm } = scene.captures;
    const verdict = (await hear({ origin, nginx, npm: npm.without(beat[2]) })).of('c-1');
    expect(verdict.outcome).toBe('inconclusive');
  });

  it('may hide one behind a hop that leaves messages out: the distance is another one there', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text());
    const hidden = scene.chain.inward(2500, masked(commandAck('c-1')), 2);
    const { origin, nginx, npm } = scene.goOn(3000).captures;
    const verdict = (await hear({ origin, nginx, npm: npm.without(hidden[2]) })).of('c-1');
    expect(verdict.outcome).toBe('inconclusive');
    expect(verdict.reason).toMatch(/a CommandAck may have come unseen/);
  });
});
