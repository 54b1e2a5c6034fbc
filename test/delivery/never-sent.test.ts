import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { hex, octets } from '../support/octets.js';
import { Talk, Tape } from '../support/tape.js';
import { hear, ruling } from '../support/verdict.js';
import { Scene } from './scene.js';

/** `POST /api/agents/:id/command` on the server's port, answered with the ID. */
function dispatch(tape: Tape, atMs: number, id: string | null, agent = 'PST-SERVER', port = 50_001): void {
  const talk = new Talk(tape, { client: '127.0.0.1', clientPort: port, server: '127.0.0.1', serverPort: 3001 });
  talk.open(atMs - 2);
  const body = '{"cmd":"hostname"}';
  talk.send(
    atMs,
    'client',
    octets(`POST /api/agents/${agent}/command HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
  );
  const answer = id === null ? '{"ok":true}' : `{"id":"${id}"}`;
  talk.send(atMs + 5, 'server', octets(`HTTP/1.1 202 Accepted\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`));
}

describe('never-sent', () => {
  it('is a command that was asked for and of which no frame left', async () => {
    const scene = new Scene();
    dispatch(scene.tapes[0], 2000, 'c-1');
    const verdict = (await hear(scene.goOn(3000).captures)).of('c-1');
    expect(ruling(verdict)).toBe('never-sent - origin');
    expect(verdict).toMatchObject({ agent: 'PST-SERVER', attempts: [], grade: 'measured' });
    expect(verdict.dispatch).toMatchObject({ hop: 'origin', status: 202, askedAt: '2023-11-14T22:13:22.000000Z' });
    expect(verdict.dispatch?.packets.length).toBe(2);
  });

  it('is not said of an agent without a connection in a capture that lost octets', async () => {
    for (const lost of [false, true]) {
      const scene = new Scene();
      scene.chain.outward(500, frame('{"type":"ConfigUpdate"}'), 1);
      dispatch(scene.tapes[0], 2000, 'c-1', 'OTHER');
      const [number] = scene.chain.outward(3000, frame('{"type":"ConfigUpdate"}'));
      scene.goOn(4000);
      const origin = lost ? scene.tapes[0].without(number) : scene.tapes[0];
      const verdict = (await hear({ ...scene.captures, origin })).of('c-1');
      expect(verdict.outcome).toBe(lost ? 'inconclusive' : 'never-sent');
      if (lost) expect(verdict.reason).toContain('no connection of OTHER is in the capture, and it lost octets');
    }
  });

  it('is a command that is named and nowhere to be seen', async () => {
    const scene = new Scene();
    const heard = await hear(scene.goOn(3000).captures, { commandIds: ['c-77'] });
    expect(heard.commands.map(ruling)).toEqual(['never-sent - origin']);
    expect(heard.of('c-77').reason).toContain('--command');
  });

  it('is not said where messages left that are no JSON', async () => {
    for (const bytes of [frame(hex('82 a1 74 07 a2 69 64'), { opcode: 2 }), frame('42["Command",{"id":"c-1"}]')]) {
      const scene = new Scene();
      dispatch(scene.tapes[0], 2000, 'c-1');
      scene.chain.outward(2010, bytes);
      const verdict = (await hear(scene.goOn(3000).captures)).of('c-1');
      expect(verdict.outcome).toBe('inconclusive');
      expect(verdict.reason).toContain('no JSON');
    }
  });

  it('is not a command that was sent in a Binary message', async () => {
    const scene = new Scene();
    dispatch(scene.tapes[0], 1990, 'c-1');
    scene.chain.outward(2000, frame(command('c-1'), { opcode: 2 }));
    const verdict = (await hear(scene.goOn(3000).captures)).of('c-1');
    expect(ruling(verdict)).toBe('reached-agent npm agent');
  });

  it('is not a command that came to the innermost captured hop from further in', async () => {
    const scene = new Scene();
    const [, nginx, npm] = scene.tapes;
    const outermost = async (id: string | null) => {
      const tape = new Tape();
      tape.packets.push(...nginx.packets, ...npm.packets);
      dispatch(tape, 2000, id);
      tape.packets.sort((a, b) => a.atMs - b.atMs);
      const { commands } = await hear({ npm: tape });
      return commands.find((each) => each.id !== 'c-ok');
    };
    scene.goOn(3000);
    expect((await outermost('c-1'))?.outcome).toBe('never-sent');
    scene.chain.legs[1].send(2010, 'server', frame(command('c-1')));
    for (const id of ['c-1', null]) {
      const verdict = await outermost(id);
      expect(verdict?.outcome).toBe('inconclusive');
      expect(verdict?.reason).toContain('it came to npm from 10.0.1.1:3002');
    }
  });

  it('is not a command that left a hop whose capture was given under the name of another one', async () => {
    const scene = new Scene(['origin', 'nginx', 'npm']);
    dispatch(scene.tapes[0], 2000, 'c-1');
    scene.chain.outward(2010, frame(command('c-1')), 1);
    scene.goOn(3000);
    const [origin, nginx, npm] = scene.tapes;
    const both = new Tape();
    both.packets.push(...[...npm.packets, ...origin.packets].sort((a, b) => a.atMs - b.atMs));
    const verdict = (await hear({ nginx, npm: both })).of('c-1');
    expect(verdict.outcome).toBe('inconclusive');
  });

  it('is not a command that was asked for and sent', async () => {
    const scene = new Scene();
    dispatch(scene.tapes[0], 1990, 'c-1');
    scene.works(2000, 'c-1');
    const verdict = (await hear(scene.goOn(3000).captures)).of('c-1');
    expect(verdict.outcome).toBe('delivered');
    expect(verdict.dispatch).toMatchObject({ status: 202 });
  });

  it('names a dispatch that gives no ID by its file and packet', async () => {
    const scene = new Scene();
    dispatch(scene.tapes[0], 2000, null);
    const { commands } = await hear(scene.goOn(3000).captures);
    const nameless = commands.find(({ id }) => id.startsWith('dispatch@'));
    expect(nameless?.outcome).toBe('never-sent');
    expect(nameless?.id).toMatch(/origin-0\.pcap#\d+$/);
  });

  it('puts a dispatch without an ID beside the next command to that agent', async () => {
    const scene = new Scene();
    dispatch(scene.tapes[0], 1990, null);
    scene.works(2000, 'c-1');
    const heard = await hear(scene.goOn(3000).captures);
    expect(heard.commands.map(({ id }) => id)).toEqual(['c-ok', 'c-1']);
    expect(heard.of('c-1').dispatch).not.toBeNull();
    expect(heard.of('c-ok').dispatch).toBeNull();
  });
});

describe('inconclusive, where a command was asked for and no frame seen', () => {
  it('the capture ends before the deadline', async () => {
    const scene = new Scene();
    dispatch(scene.tapes[0], 2000, 'c-1');
    const verdict = (await hear(scene.goOn(3000, 9000).captures)).of('c-1');
    expect(ruling(verdict)).toBe('inconclusive - -');
    expect(verdict.reason).toMatch(/ends .* before the deadline/);
  });

  it('octets of the agent’s connection are missing at that time', async () => {
    const scene = new Scene(['origin']);
    dispatch(scene.tapes[0], 2000, 'c-1');
    const [lost] = scene.chain.outward(2010, frame(command('c-1')));
    const { origin } = scene.goOn(3000).captures;
    const verdict = (await hear({ origin: origin.without(lost) })).of('c-1');
    expect(ruling(verdict)).toBe('inconclusive - -');
    expect(verdict.reason).toMatch(/missing/);
  });

  it('the innermost hop was not captured', async () => {
    const scene = new Scene(['nginx', 'npm']);
    dispatch(scene.tapes[0], 2000, 'c-1');
    const verdict = (await hear(scene.goOn(3000).captures, { path: ['origin', 'nginx', 'npm'] })).of('c-1');
    expect(ruling(verdict)).toBe('inconclusive - -');
    expect(verdict.reason).toMatch(/origin/);
  });

  it('all connections are encrypted', async () => {
    const origin = new Tape();
    dispatch(origin, 2000, 'c-1');
    const tls = new Talk(origin, { client: '203.0.113.7', clientPort: 40_001, serverPort: 443 }).open(2100);
    tls.send(2200, 'client', hex('16 03 01 00 05 01 00 00 01 00'));
    for (let ms = 3000; ms < 20_000; ms += 2000) tls.send(ms, 'server', hex('17 03 03 00 02 aa bb'));
    const verdict = (await hear({ origin })).of('c-1');
    expect(ruling(verdict)).toBe('inconclusive - -');
    expect(verdict.reason).toMatch(/encrypted/);
  });

  it('a compressed message could not be read', async () => {
    const scene = new Scene(['origin'], { response: ['Sec-WebSocket-Extensions: permessage-deflate'] });
    dispatch(scene.tapes[0], 2000, 'c-1');
    scene.chain.outward(2500, frame(hex('f2 00 11 00 00'), { rsv1: true }));
    const { origin } = scene.goOn(3000).captures;
    // The message that it refers back to was sent before the capture.
    const verdict = (await hear({ origin: origin.between(1500, 1e9) })).of('c-1');
    expect(verdict.outcome).toBe('inconclusive');
  });

  it('no connection of the agent is in a capture that began in mid-connection', async () => {
    const scene = new Scene();
    dispatch(scene.tapes[0], 2000, 'c-1', 'SILENT');
    const { origin, ...others } = scene.goOn(3000).captures;
    expect((await hear({ origin, ...others })).of('c-1').outcome).toBe('never-sent');
    const { outcome, reason } = (await hear({ origin: origin.between(500, 1e9), ...others })).of('c-1');
    expect(outcome).toBe('inconclusive');
    expect(reason).toContain('no connection of SILENT is in the capture, which began when others were open already');
  });

  it('the answer may have been taken for another one, since octets of its connection are missing', async () => {
    const scene = new Scene();
    const [tape] = scene.tapes;
    const talk = new Talk(tape, { client: '127.0.0.1', clientPort: 50_001, server: '127.0.0.1', serverPort: 3001 });
    talk.open(1500);
    const ask = 'POST /api/agents/PST-SERVER/command HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}';
    const first = talk.send(1600, 'client', octets(ask));
    talk.send(1605, 'server', octets('HTTP/1.1 202 Accepted\r\nContent-Length: 12\r\n\r\n{"id":"c-0"}'));
    talk.send(2000, 'client', octets(ask));
    const { origin, ...others } = scene.goOn(3000).captures;
    const nameless = async (tapes: Record<string, Tape>) =>
      (await hear(tapes)).commands.filter(({ id }) => id.startsWith('dispatch@')).map(({ outcome }) => outcome);
    expect(await nameless({ origin, ...others })).toEqual(['never-sent']);
    expect(await nameless({ origin: origin.without(first), ...others })).not.toContain('never-sent');
  });

  it('the agent answered a command of which the capture holds no frame', async () => {
    const scene = new Scene();
    scene.chain.inward(2000, masked(commandAck('c-before')));
    const { commands } = await hear(scene.goOn(3000).captures, { commandIds: ['c-before'] });
    expect(commands.map(({ id }) => id)).toEqual(['c-before']);
    expect(commands[0].outcome).not.toBe('never-sent');
  });
});
