import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { octets } from '../support/octets.js';
import { Talk, type Tape } from '../support/tape.js';
import { hear, ruling } from '../support/verdict.js';
import { Scene } from './scene.js';

/** Another connection, by which the capture goes on. */
function askAnything(tape: Tape, atMs: number, port: number): void {
  const talk = new Talk(tape, { client: '127.0.0.1', clientPort: port, server: '127.0.0.1', serverPort: 3001 });
  talk.open(atMs - 2);
  talk.send(atMs, 'client', octets('GET /health HTTP/1.1\r\n\r\n'));
  talk.send(atMs + 5, 'server', octets('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
}

/** Origin's capture holds the agent's connection in that time only, and something else before and after. */
function originHolds(fromMs: number, toMs: number): { scene: Scene; captures: Record<string, Tape> } {
  const scene = new Scene();
  scene.chain.outward(5000, frame(command('c-1')));
  scene.chain.inward(5040, masked(commandAck('c-1')));
  scene.goOn(6000);
  const origin = scene.tapes[0].between(-1000, -500);
  askAnything(origin, -400, 50_001);
  for (const packet of scene.tapes[0].between(fromMs, toMs).packets) origin.packets.push(packet);
  askAnything(origin, 45_000, 50_002);
  return { scene, captures: { ...scene.captures, origin } };
}

describe('a connection of which every packet is missing', () => {
  it('from some moment on is not quiet where other hops show messages pass', async () => {
    const { captures } = originHolds(-1000, 4000);
    const verdict = (await hear(captures)).of('c-1');
    expect(verdict.outcome).toBe('inconclusive');
    expect(verdict.attempts[0].commandAck?.hops.map(({ state }) => state)).toEqual([
      'unobserved',
      'tcp-acked',
      'tcp-acked',
    ]);
    expect(verdict.reason).toContain('messages passed, as nginx shows');
  });

  it('up to some moment is not quiet either', async () => {
    const { captures } = originHolds(8000, 40_000);
    const verdict = (await hear(captures)).of('c-1');
    expect(verdict.outcome).toBe('inconclusive');
    expect(verdict.reason).toContain('after a message had passed, as nginx shows');
  });

  it('is quiet where nothing passes at the other hops', async () => {
    const scene = new Scene();
    // The agent's CommandAck arrives at nginx, which passes nothing on from then on.
    scene.chain.outward(5000, frame(command('c-1')));
    for (const leg of [1, 2]) scene.chain.legs[leg].send(5040 - leg, 'client', masked(commandAck('c-1')));
    for (const tape of scene.tapes) askAnything(tape, 45_000, 50_002);
    const [attempt] = (await hear(scene.captures)).of('c-1').attempts;
    expect(attempt.commandAck?.hops.map(({ state }) => state)).toEqual(['absent', 'tcp-acked', 'tcp-acked']);
  });

  it('may have carried what was asked for, where another hop shows it open', async () => {
    const scene = new Scene();
    scene.goOn(2000);
    const origin = scene.tapes[0].between(-1000, -500);
    askAnything(origin, -400, 50_001);
    const talk = new Talk(origin, { client: '127.0.0.1', clientPort: 50_003, server: '127.0.0.1', serverPort: 3001 });
    talk.open(1998);
    talk.send(2000, 'client', octets('POST /api/agents/PST-SERVER/command HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}'));
    talk.send(2005, 'server', octets('HTTP/1.1 202 Accepted\r\nContent-Length: 12\r\n\r\n{"id":"c-9"}'));
    askAnything(origin, 45_000, 50_002);
    const verdict = (await hear({ ...scene.captures, origin })).of('c-9');
    expect(verdict.outcome).toBe('inconclusive');
    expect(verdict.reason).toContain("that nginx's shows open at this time");
    expect(ruling((await hear({ origin })).of('c-9'))).toBe('never-sent - origin');
  });
});
