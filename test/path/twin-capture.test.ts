import { describe, expect, it } from 'vitest';
import { Scene } from '../delivery/scene.js';
import { command, frame, masked } from '../support/frames.js';
import { Tape } from '../support/tape.js';
import { hear, ruling } from '../support/verdict.js';

/** Of Ethernet, IPv4 and TCP nothing but the headers; and no more of TCP's than its flags. */
const HEADERS = 54;
const UP_TO_FLAGS = 48;

const text = (id = 'c-1') => frame(command(id));
const statesOf = (verdict: { attempts: { hops: { state: string }[] }[] }) =>
  verdict.attempts[0].hops.map(({ state }) => state);

/** What nginx's host sees on all interfaces: its own leg, and its connection to origin. */
function both(nginx: Tape, origin: Tape): Tape {
  const tape = new Tape();
  const all = [...nginx.packets, ...origin.packets].sort((a, b) => a.atMs - b.atMs);
  tape.packets.push(...all);
  return tape;
}

describe('headers of a connection that another capture holds with its payload', () => {
  it.each([HEADERS, UP_TO_FLAGS])('are read with what the other one has (%i octets)', async (octets) => {
    const scene = new Scene();
    const sent = scene.chain.outward(2000, text());
    const { origin, nginx, npm } = scene.goOn(3000).captures;
    const verdict = await hear({ origin: origin.cut(octets), nginx: both(nginx, origin), npm });
    expect(ruling(verdict.of('c-ok'))).toBe('delivered npm -');
    expect(ruling(verdict.of('c-1'))).toBe('reached-agent npm agent');
    const [first] = verdict.of('c-1').attempts[0].hops;
    expect(first).toMatchObject({ state: 'tcp-acked', grade: 'inferred', bytes: text().length });
    expect(first.packets[0]).toMatchObject({ data: [sent[0]], tcpAck: [sent[0] + 1] });
    expect(first.reason).toMatch(/could not be read there/);
  });

  it('say what left from where the other capture begins', async () => {
    const scene = new Scene();
    scene.works(2000, 'c-early');
    scene.works(6000, 'c-later');
    const { origin, nginx, npm } = scene.goOn(8000).captures;
    const verdict = await hear({ origin: origin.cut(HEADERS), nginx: both(nginx, origin).between(5000, 1e9), npm });
    expect(ruling(verdict.of('c-later'))).toBe('delivered npm -');
    expect(statesOf(verdict.of('c-later'))).toEqual(['tcp-acked', 'tcp-acked', 'tcp-acked']);
    expect(verdict.of('c-early').attempts[0].hops[0].state).toBe('unobserved');
  });

  it('are not proof of what the other capture saw after they end', async () => {
    const scene = new Scene();
    scene.works(2000, 'c-early');
    scene.works(6000, 'c-later');
    const { origin, nginx, npm } = scene.goOn(8000).captures;
    const verdict = await hear({ origin: origin.cut(HEADERS).between(0, 5000), nginx: both(nginx, origin), npm });
    expect(ruling(verdict.of('c-early'))).toBe('delivered npm -');
    expect(verdict.of('c-later').attempts[0].hops[0].state).toBe('unobserved');
  });

  it('do not hide that a message was swallowed before them', async () => {
    const scene = new Scene();
    const back = masked('{"type":"CommandAck","id":"c-1"}');
    scene.chain.outward(2000, text());
    scene.chain.inward(2040, back, 1);
    scene.chain.inward(2500, masked('{"type":"Heartbeat","at":7}'));
    const { origin, nginx, npm } = scene.goOn(3000).captures;
    const verdict = (await hear({ origin: origin.cut(HEADERS), nginx: both(nginx, origin), npm })).of('c-1');
    expect(ruling(verdict)).toBe('ack-lost npm nginx');
  });

  it('have only the part of a message that was sent', async () => {
    const scene = new Scene();
    const long = frame(command('c-1', 'x'.repeat(3000)));
    scene.chain.legs[0].send(2000, 'server', long.subarray(0, 1200), 0.2);
    const { origin, nginx, npm } = scene.goOn(3000, 33_000, 0).captures;
    for (let ms = 3000; ms < 33_000; ms += 5000) scene.chain.inward(ms, masked(`{"type":"Heartbeat","at":${ms}}`));
    const verdict = (await hear({ origin: origin.cut(HEADERS), nginx: both(nginx, origin), npm })).of('c-1');
    expect(['stalled', 'inconclusive']).toContain(verdict.outcome);
    expect(['partial', 'unobserved']).toContain(verdict.attempts[0].hops[0].state);
  });
});
