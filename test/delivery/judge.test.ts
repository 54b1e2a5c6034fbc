import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { ACK, FIN, RST } from '../support/tape.js';
import { hear, ruling } from '../support/verdict.js';
import { Scene } from './scene.js';

const text = (id = 'c-1', more = '') => frame(command(id, more));
const long = () => text('c-1', `,"pad":"${'x'.repeat(500)}"`);

describe('delivered', () => {
  it('is a command whose CommandAck came back to the innermost hop', async () => {
    const scene = new Scene();
    const sent = scene.chain.outward(2000, text());
    const back = scene.chain.inward(2041, masked(commandAck('c-1')));
    const heard = await hear(scene.goOn(3000).captures);
    const verdict = heard.of('c-1');
    expect(ruling(verdict)).toBe('delivered npm -');
    expect(verdict).toMatchObject({ agent: 'PST-SERVER', grade: 'measured', late: false });
    expect(verdict.attempts).toMatchObject([{ n: 1, connection: 'c1', result: null }]);
    const [{ hops, commandAck: reply }] = verdict.attempts;
    expect(hops.map(({ hop, state, reason }) => [hop, state, reason])).toEqual([
      ['origin', 'tcp-acked', null],
      ['nginx', 'tcp-acked', null],
      ['npm', 'tcp-acked', null],
    ]);
    expect(hops.map(({ packets }) => packets[0])).toMatchObject(sent.map((n) => ({ data: [n], tcpAck: [n + 1] })));
    expect(hops[0]).toMatchObject({
      sentAt: '2023-11-14T22:13:22.000000Z',
      tcpAckedAt: '2023-11-14T22:13:22.000200Z',
      tcpAckDelayMs: 0.2,
      bytes: text().length,
      retransmissions: 0,
    });
    expect(reply?.afterMs).toBe(42); // 41 ms, and two hops inward
    expect(reply?.hops.map(({ packets }) => packets[0])).toMatchObject(
      back.map((n) => ({ data: [n], tcpAck: [n + 1] })),
    );
  });

  it('is late after the deadline', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text());
    scene.goOn(3000, 13_000).chain.inward(14_000, masked(commandAck('c-1')));
    const heard = await hear(scene.goOn(15_000).captures);
    expect(ruling(heard.of('c-1'))).toBe('delivered npm -');
    expect(heard.of('c-1').late).toBe(true);
    const patient = await hear(scene.captures, { ackTimeoutMs: 20_000 });
    expect(patient.of('c-1').late).toBe(false);
  });

  it('is not called late for a late result where its CommandAck may have come before the capture', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, frame(command('c-1')));
    scene.chain.inward(2010, masked(commandAck('c-1')));
    scene.chain.inward(14_000, masked('{"type":"CommandResult","id":"c-1","code":0}'));
    const { origin, nginx, npm } = scene.goOn(15_000).captures;
    expect((await hear({ origin, nginx, npm })).of('c-1')).toMatchObject({ outcome: 'delivered', late: false });
    const withCommand = origin.between(1900, 2005);
    withCommand.packets.push(...origin.between(3000, 1e9).packets);
    const holed = (await hear({ origin: withCommand })).of('c-1');
    expect(holed).toMatchObject({ outcome: 'delivered', late: false });
    expect(holed.reason).toContain('a CommandAck may have come in time unseen');
  });

  it('is called late for a late result alone', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, frame(command('c-1')));
    scene.chain.inward(14_000, masked('{"type":"CommandResult","id":"c-1","code":0}'));
    const verdict = (await hear(scene.goOn(15_000).captures)).of('c-1');
    expect(verdict).toMatchObject({ outcome: 'delivered', late: true });
    expect(verdict.reason).toContain('later than the deadline');
  });

  it('is also proven by the result alone', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text());
    scene.chain.inward(2900, masked('{"type":"CommandResult","id":"c-1","output":"x"}'));
    const verdict = (await hear(scene.goOn(3000).captures)).of('c-1');
    expect(ruling(verdict)).toBe('delivered npm -');
    expect(verdict.attempts[0]).toMatchObject({ commandAck: null, result: { afterMs: 901 } });
  });

  it('holds where a capture between lost the command’s packet', async () => {
    const scene = new Scene();
    const [, atNginx] = scene.chain.outward(2000, text());
    scene.chain.inward(2040, masked(commandAck('c-1')));
    const { origin, nginx, npm } = scene.goOn(3000).captures;
    const verdict = (await hear({ origin, nginx: nginx.without(atNginx), npm })).of('c-1');
    expect(ruling(verdict)).toBe('delivered npm -');
    const [, atHole] = verdict.attempts[0].hops;
    // Its octets stand between messages that both captures have, and npm's TCP ACK covers them.
    expect(atHole).toMatchObject({ state: 'tcp-acked', grade: 'inferred', sentAt: null });
    expect(atHole.reason).toMatch(/none of its octets is in the capture, but all were TCP-ACKed/);
    expect(atHole.packets[0].data).toEqual([]);
  });

  it('leaves open what a capture lost at its end, where nothing behind it proves its place', async () => {
    const scene = new Scene();
    const [, atNginx] = scene.chain.outward(2000, text());
    scene.chain.inward(2040, masked(commandAck('c-1')));
    const { origin, nginx, npm } = scene.captures;
    const verdict = (await hear({ origin, nginx: nginx.without(atNginx), npm })).of('c-1');
    expect(ruling(verdict)).toBe('delivered npm -');
    expect(verdict.attempts[0].hops.map(({ state }) => state)).toEqual(['tcp-acked', 'unobserved', 'tcp-acked']);
  });

  it('holds over clocks that differ by minutes', async () => {
    const scene = new Scene(undefined, {}, [0, 180_000, -90_000]);
    scene.chain.outward(2000, text());
    scene.chain.inward(2040, masked(commandAck('c-1')));
    const heard = await hear(scene.goOn(3000).captures);
    expect(ruling(heard.of('c-1'))).toBe('delivered npm -');
    expect(heard.of('c-1').attempts.length).toBe(1);
    const [origin, nginx, npm] = heard.verdict.hops;
    expect(origin).toMatchObject({ clockOffsetMs: 0, clockUncertaintyMs: 0 });
    for (const [hop, ahead] of [
      [nginx, 180_000],
      [npm, -90_000],
    ] as const) {
      expect(Math.abs((hop.clockOffsetMs as number) - ahead)).toBeLessThanOrEqual(hop.clockUncertaintyMs as number);
      expect(hop.clockUncertaintyMs).toBeLessThan(5);
    }
  });

  it('holds where the CommandAck comes back on another connection', async () => {
    const scene = new Scene();
    const { Chain } = await import('../support/chain.js');
    scene.chain.outward(2000, text());
    const again = new Chain(scene.tapes, { agent: 2, key: 'AAAAAAAAAAAAAAAAAAAAAA==' }).open(2500);
    again.inward(2600, masked('{"type":"Authenticate","agent_id":"PST-SERVER"}'));
    again.inward(2700, masked(commandAck('c-1')));
    const verdict = (await hear(scene.goOn(3000).captures)).of('c-1');
    expect(ruling(verdict)).toBe('delivered npm -');
    expect(verdict.attempts[0]).toMatchObject({ connection: 'c1', commandAck: { connection: 'c2' } });
  });
});

describe('reached-agent', () => {
  it('is a command that was TCP-ACKed from the agent’s end and never answered', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text());
    const verdict = (await hear(scene.goOn(3000).captures)).of('c-1');
    expect(ruling(verdict)).toBe('reached-agent npm agent');
    expect(verdict.attempts[0]).toMatchObject({ commandAck: null, result: null });
  });

  it.each([
    ['the agent’s own address', ['X-Forwarded-For: 203.0.113.7', 'X-Real-IP: 203.0.113.7'], 'reached-agent npm agent'],
    ['another address', ['X-Forwarded-For: 198.51.100.5'], 'inconclusive npm -'],
    ['another address in Forwarded', ['Forwarded: for="[2001:db8::5]:80"'], 'inconclusive npm -'],
    ['another address in X-Real-IP', ['X-Real-IP: 198.51.100.5'], 'inconclusive npm -'],
    ['a word that is no address', ['Forwarded: for=unknown', 'X-Forwarded-For: unknown'], 'reached-agent npm agent'],
  ])('depends on the outermost leg’s forwarded headers: %s', async (_, outermost, expected) => {
    const scene = new Scene(undefined, { outermost });
    scene.chain.outward(2000, text());
    const verdict = (await hear(scene.goOn(3000).captures)).of('c-1');
    expect(ruling(verdict)).toBe(expected);
    if (expected.startsWith('inconclusive')) expect(verdict.reason).toMatch(/203\.0\.113\.7/);
  });

  it('is not said where --path names a hop further out', async () => {
    const scene = new Scene(['origin', 'nginx']);
    scene.chain.outward(2000, text());
    const verdict = (await hear(scene.goOn(3000).captures, { path: ['origin', 'nginx', 'npm'] })).of('c-1');
    expect(ruling(verdict)).toBe('inconclusive nginx -');
    expect(verdict.reason).toMatch(/npm/);
    expect(verdict.attempts[0].hops[2]).toMatchObject({ hop: 'npm', state: 'unobserved', grade: 'none', packets: [] });
  });

  it('is not said where a capture ends before the deadline', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text());
    scene.goOn(3000, 8001);
    const early = (await hear(scene.captures)).of('c-1');
    expect(ruling(early)).toBe('inconclusive npm -');
    expect(early.reason).toMatch(/ends .* before the deadline/);
    const impatient = (await hear(scene.captures, { ackTimeoutMs: 2000 })).of('c-1');
    expect(ruling(impatient)).toBe('reached-agent npm agent');
  });

  it('is not said where octets of the agent are missing from the captures', async () => {
    const scene = new Scene(['origin']);
    scene.chain.outward(2000, text());
    const [lost] = scene.chain.inward(2100, masked('{"type":"Metrics","load":1}'));
    const { origin } = scene.goOn(3000).captures;
    const verdict = (await hear({ origin: origin.without(lost) })).of('c-1');
    expect(ruling(verdict)).toBe('inconclusive origin -');
    expect(verdict.reason).toMatch(/missing/);
  });
});

describe('stalled', () => {
  /** Sent again and again on one leg, never TCP-ACKed. */
  function blackHole(scene: Scene, leg: number, bytes = text()): void {
    const talk = scene.chain.legs[leg];
    const at = talk.sent('server');
    for (const ms of [2001, 2210, 2630, 3470, 5150, 8510, 15_230]) talk.segment(ms, 'server', { data: bytes, at });
  }

  it('is a command that the next hop never TCP-ACKed', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text(), 1);
    blackHole(scene, 1);
    const { origin, nginx, npm } = scene.goOn(16_000, 30_000, 1).captures;
    scene.chain.legs[2].send(29_000, 'client', masked('{"type":"Heartbeat"}'));
    const verdict = (await hear({ origin, nginx, npm })).of('c-1');
    expect(ruling(verdict)).toBe('stalled nginx nginx->npm');
    expect(verdict.attempts[0].hops[1]).toMatchObject({ state: 'sent-unacked', retransmissions: 6, tcpAckedAt: null });
  });

  it('is a command that the agent never TCP-ACKed', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text(), 2);
    blackHole(scene, 2);
    const verdict = (await hear(scene.goOn(16_000, 30_000, 2).captures)).of('c-1');
    expect(ruling(verdict)).toBe('stalled npm npm->agent');
  });

  it('is not said where the TCP ACK may only have been missed: nothing was sent again', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text(), 2);
    scene.chain.legs[2].segment(2001, 'server', { data: text() });
    const { origin, nginx, npm } = scene.goOn(16_000, 30_000, 2).captures;
    npm.add(30_000, npm.packets[0].bytes.subarray(0, 20));
    const verdict = (await hear({ origin, nginx, npm })).of('c-1');
    expect(ruling(verdict)).toBe('inconclusive npm -');
  });

  it('is a command that was SACKed behind octets that never got through', async () => {
    const scene = new Scene(['npm']);
    const [leg] = scene.chain.legs;
    const acked = leg.sent('server');
    const big = frame('{"type":"ConfigUpdate","pad":"'.concat('x'.repeat(1200), '"}'));
    leg.segment(2000, 'server', { data: big });
    const from = leg.sent('server');
    leg.segment(2001, 'server', { data: text() });
    const sack = leg.segment(2002, 'client', { acked, sack: [from, leg.sent('server')] });
    for (const ms of [2200, 2600, 3400, 5000, 8200, 14_600, 27_400])
      leg.segment(ms, 'server', { data: big, at: acked });
    const verdict = (await hear(scene.captures)).of('c-1');
    expect(ruling(verdict)).toBe('stalled npm npm->agent');
    expect(verdict.attempts[0].hops[0]).toMatchObject({ state: 'tcp-acked' });
    expect(verdict.attempts[0].hops[0].packets[0].tcpAck).toEqual([sack]);
  });

  it('is a command that arrived at a hop whose own leg was not TCP-ACKed through the deadline', async () => {
    const scene = new Scene();
    const big = frame('{"type":"ConfigUpdate","pad":"'.concat('x'.repeat(1200), '"}'));
    scene.chain.outward(1990, big, 1);
    scene.chain.outward(2000, text(), 1);
    blackHole(scene, 1, big);
    const verdict = (await hear(scene.goOn(16_000, 30_000, 1).captures)).of('c-1');
    expect(ruling(verdict)).toBe('stalled origin nginx->npm');
    expect(verdict.attempts[0].hops.map(({ state }) => state).slice(0, 2)).toEqual(['tcp-acked', 'absent']);
  });

  it('is a command that arrived at a hop whose receiver had closed its window', async () => {
    const scene = new Scene();
    const leg = scene.chain.legs[1];
    leg.segment(1900, 'client', { window: 0 });
    scene.chain.outward(2000, text(), 1);
    for (let ms = 2500; ms < 30_000; ms += 2500) {
      leg.segment(ms, 'server', { at: leg.sent('server') - 1 });
      leg.segment(ms + 1, 'client', { window: 0 });
    }
    const verdict = (await hear(scene.goOn(30_000, 40_000, 1).captures)).of('c-1');
    expect(ruling(verdict)).toBe('stalled origin nginx->npm');
    expect(verdict.reason).toMatch(/window/);
  });

  it('is a write that stopped half way, at the hop that wrote', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, long(), 1);
    scene.chain.legs[1].send(2001, 'server', long().subarray(0, 200));
    scene.chain.legs[2].send(2002, 'server', long().subarray(0, 200));
    for (let ms = 3000; ms < 30_000; ms += 5000) scene.chain.inward(ms, masked(`{"type":"Heartbeat","at":${ms}}`));
    const verdict = (await hear(scene.captures)).of('c-1');
    expect(ruling(verdict)).toBe('stalled origin nginx');
    expect(verdict.attempts[0].hops[1]).toMatchObject({ state: 'partial', bytes: 200 });
  });

  it('is a write that stopped half way at the server itself', async () => {
    const scene = new Scene(['origin']);
    scene.chain.legs[0].send(2000, 'server', long().subarray(0, 200));
    for (let ms = 3000; ms < 30_000; ms += 5000) scene.chain.inward(ms, masked(`{"type":"Heartbeat","at":${ms}}`));
    expect(ruling((await hear(scene.captures)).of('c-1'))).toBe('stalled - origin');
  });

  it('is a write that TCP stopped: the leg', async () => {
    const scene = new Scene(['origin']);
    const [leg] = scene.chain.legs;
    leg.segment(2000, 'server', { data: long().subarray(0, 200) });
    leg.segment(2001, 'client', { window: 0 });
    for (let ms = 3000; ms < 30_000; ms += 2500) {
      leg.segment(ms, 'server', { at: leg.sent('server') - 1 });
      leg.segment(ms + 1, 'client', { window: 0 });
    }
    expect(ruling((await hear(scene.captures)).of('c-1'))).toBe('stalled - origin->agent');
  });

  it('is a command on which the connection broke', async () => {
    const scene = new Scene(['origin']);
    const [leg] = scene.chain.legs;
    const acked = leg.sent('server');
    leg.segment(2000, 'server', { data: text() });
    leg.segment(2100, 'client', { flags: RST | ACK, acked });
    // The agent may still acknowledge it on its next connection: the deadline must be over.
    expect(ruling((await hear(scene.captures)).of('c-1'))).toBe('inconclusive origin -');
    leg.segment(13_000, 'client', { flags: RST });
    expect(ruling((await hear(scene.captures)).of('c-1'))).toBe('stalled origin origin->agent');
  });
});

describe('not-forwarded', () => {
  it('is a command that arrived at a hop and never left it, on a leg that works', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text(), 1);
    const verdict = (await hear(proxied(scene).captures)).of('c-1');
    expect(ruling(verdict)).toBe('not-forwarded origin nginx');
    expect(verdict.attempts[0].hops[1]).toMatchObject({ state: 'absent', grade: 'measured', packets: [] });
  });

  it('is told at the last hop too', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text(), 2);
    expect(ruling((await hear(proxied(scene).captures)).of('c-1'))).toBe('not-forwarded nginx npm');
  });

  it('is said of a command in a hole of the capture, where another capture tells that it stood there', async () => {
    const scene = new Scene();
    const numbers = scene.chain.outward(2000, text(), 2);
    const { origin, nginx, npm } = proxied(scene).captures;
    const verdict = (await hear({ origin, nginx: nginx.without(numbers[1]), npm })).of('c-1');
    expect(ruling(verdict)).toBe('not-forwarded nginx npm');
    expect(verdict.attempts[0].hops[1]).toMatchObject({ state: 'tcp-acked', grade: 'inferred' });
  });

  it('is not said where no other capture tells what stood in the hole', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text(), 1);
    const lost = scene.chain.outward(2500, frame('{"type":"ConfigUpdate"}'), 3);
    const { origin, nginx, npm } = proxied(scene).captures;
    const verdict = (await hear({ origin, nginx: nginx.without(lost[1]), npm: npm.without(lost[2]) })).of('c-1');
    expect(verdict.outcome).toBe('inconclusive');
    expect(verdict.attempts[0].hops[1].state).toBe('unobserved');
  });

  it('is not said where the hop’s capture ends before the deadline', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text(), 1);
    const { origin, nginx, npm } = proxied(scene).captures;
    const verdict = (await hear({ origin, nginx: nginx.between(0, 9000), npm })).of('c-1');
    expect(verdict.outcome).toBe('inconclusive');
    expect(verdict.reason).toMatch(/nginx/);
  });

  it('is not said where the hop’s capture begins after the command', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text(), 1);
    const { origin, nginx, npm } = proxied(scene).captures;
    const verdict = (await hear({ origin, nginx: nginx.between(7000, 1e9), npm: npm.between(7000, 1e9) })).of('c-1');
    expect(verdict.outcome).toBe('inconclusive');
    expect(verdict.attempts[0].hops[1].state).toBe('unobserved');
  });

  /** Later traffic in which the swallowed octets are missing from the outer legs: the hop drops whole messages. */
  function proxied(scene: Scene): Scene {
    return scene.goOn(3000);
  }
});

describe('ack-lost', () => {
  it('is a CommandAck that a hop TCP-ACKed and swallowed', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text());
    scene.chain.inward(2040, masked(commandAck('c-1')), 1);
    const verdict = (await hear(scene.goOn(3000).captures)).of('c-1');
    expect(ruling(verdict)).toBe('ack-lost npm nginx');
    expect(verdict.attempts[0].commandAck?.hops.map(({ state }) => state)).toEqual([
      'absent',
      'tcp-acked',
      'tcp-acked',
    ]);
  });

  it('is a CommandAck that never got through a leg', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text());
    const [origin, nginx, npm] = scene.chain.legs;
    npm.send(2040, 'client', masked(commandAck('c-1')));
    const data = masked(commandAck('c-1'));
    const acked = nginx.sent('client');
    for (const ms of [2041, 2241, 2641, 3441, 5041, 8241, 14_641, 27_000])
      nginx.segment(ms, 'client', { data, at: acked });
    for (let ms = 3000; ms < 30_000; ms += 5000) origin.send(ms, 'server', frame('', { opcode: 9 }));
    const { commands } = await hear(scene.captures);
    const verdict = commands.find((each) => each.id === 'c-1');
    expect(verdict && ruling(verdict)).toBe('ack-lost npm nginx->npm');
  });

  it('is not said where the inner hop’s capture has a hole', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text());
    const [atOrigin] = scene.chain.inward(2040, masked(commandAck('c-1')));
    const { origin, nginx, npm } = scene.goOn(3000).captures;
    const verdict = (await hear({ origin: origin.without(atOrigin), nginx, npm })).of('c-1');
    expect(verdict.outcome).not.toBe('ack-lost');
    expect(verdict.outcome).not.toBe('reached-agent');
  });

  it('is not said where the CommandAck is of an inner hop that was not captured', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text());
    scene.chain.inward(2040, masked(commandAck('c-1')));
    const { nginx, npm } = scene.goOn(3000).captures;
    const verdict = (await hear({ nginx, npm }, { path: ['origin', 'nginx', 'npm'] })).of('c-1');
    expect(ruling(verdict)).toBe('delivered npm -');
  });
});

describe('re-offers', () => {
  const offers = (scene: Scene, ...atMs: number[]) => {
    for (const ms of atMs) {
      scene.chain.outward(ms, text());
      scene.goOn(ms + 1000, ms + 15_000);
    }
  };

  it('are attempts of one command, and the furthest speaks for it', async () => {
    const scene = new Scene();
    offers(scene, 2000, 20_000);
    scene.chain.outward(40_000, text());
    scene.chain.inward(40_040, masked(commandAck('c-1')));
    const verdict = (await hear(scene.goOn(41_000).captures)).of('c-1');
    expect(ruling(verdict)).toBe('delivered npm -');
    expect(verdict.attempts.map(ruling)).toEqual([
      'reached-agent npm agent',
      'reached-agent npm agent',
      'delivered npm -',
    ]);
    expect(verdict.attempts.map(({ n, commandAck: ack }) => [n, ack?.afterMs ?? null])).toEqual([
      [1, null],
      [2, null],
      [3, 41],
    ]);
  });

  it('that are all answered have an answer each', async () => {
    const scene = new Scene();
    for (const [ms, later] of [
      [2000, 30],
      [20_000, 60],
    ]) {
      scene.chain.outward(ms, text());
      scene.chain.inward(ms + later, masked(commandAck('c-1')));
      scene.goOn(ms + 1000, ms + 15_000);
    }
    const { attempts } = (await hear(scene.goOn(36_000).captures)).of('c-1');
    expect(attempts.map(({ outcome, commandAck: ack }) => [outcome, ack?.afterMs])).toEqual([
      ['delivered', 31],
      ['delivered', 61],
    ]);
  });

  it('of which a hop dropped one are told apart', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text(), 1);
    scene.goOn(3000, 18_000);
    scene.chain.outward(20_000, text());
    scene.chain.inward(20_040, masked(commandAck('c-1')));
    const { attempts } = (await hear(scene.goOn(21_000).captures)).of('c-1');
    expect(attempts.map(ruling)).toEqual(['not-forwarded origin nginx', 'delivered npm -']);
  });

  it('after which nothing is proven leave what the earlier one proved', async () => {
    const scene = new Scene();
    offers(scene, 2000);
    scene.chain.outward(20_000, text());
    const verdict = (await hear(scene.captures)).of('c-1');
    expect(verdict.attempts.map(({ outcome }) => outcome)).toEqual(['reached-agent', 'inconclusive']);
    expect(verdict.outcome).toBe('reached-agent');
  });
});

describe('a connection that ends', () => {
  it('by FIN before the deadline, never having answered, reached the agent all the same', async () => {
    const scene = new Scene();
    scene.chain.outward(2000, text());
    for (const leg of [...scene.chain.legs].reverse()) {
      leg.segment(3000, 'client', { flags: FIN | ACK });
      leg.segment(3001, 'server', { flags: FIN | ACK });
      leg.segment(3002, 'client');
    }
    for (const tape of scene.tapes) tape.add(30_000, tape.packets[0].bytes.slice(0, 20));
    expect(ruling((await hear(scene.captures)).of('c-1'))).toBe('reached-agent npm agent');
  });
});
