/** A command TCP-ACKed and never acknowledged, and what the Pings of the same time must show before the agent is blamed. */
import { describe, expect, it } from 'vitest';
import { HOPS, Scene } from '../delivery/scene.js';
import { command, frame, masked, ping, pong } from '../support/frames.js';
import { FIN } from '../support/tape.js';
import { citedOf, diagnosed, idsOf, pinged } from './diagnosis.js';

describe('agent-ignores-commands', () => {
  it('is found where Pings of the same time are answered, with the packets that show it', async () => {
    const scene = new Scene();
    const [, , atNpm] = scene.chain.outward(5000, frame(command('c-bad')));
    scene.goOn(6000);
    const [finding, ...more] = await diagnosed(scene.captures);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      id: 'agent-ignores-commands',
      severity: 'error',
      grade: 'measured',
      agents: ['PST-SERVER'],
      connections: ['c1'],
      commands: ['c-bad'],
    });
    expect(citedOf(finding, 'npm.pcap').slice(0, 2)).toEqual([atNpm, atNpm + 1]);
    expect(citedOf(finding, 'npm.pcap')).toHaveLength(4);
  });

  it('takes the next Ping where none was sent before the deadline', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')));
    pinged(scene.chain, 25_000);
    expect(idsOf(await diagnosed(scene.captures))).toEqual(['agent-ignores-commands']);
  });

  it('is not found where the Pings were answered late, and what came before is missing: a late CommandAck may be there', async () => {
    const late = (missing: boolean) => {
      const scene = new Scene();
      scene.chain.outward(5000, frame(command('c-bad')));
      scene.chain.outward(6000, ping('late'));
      const beats = scene.chain.inward(16_000, masked('{"type":"Heartbeat","at":1}'));
      scene.chain.inward(17_000, pong('late'));
      scene.chain.inward(30_000, masked('{"type":"Heartbeat","at":2}'));
      const hops = scene.tapes.map((tape, i) => (missing ? tape.without(beats[i]) : tape));
      return Object.fromEntries(HOPS.map((hop, i) => [hop, hops[i]]));
    };
    expect(idsOf(await diagnosed(late(false)))).toEqual(['agent-ignores-commands']);
    expect(idsOf(await diagnosed(late(true)))).not.toContain('agent-ignores-commands');
  });

  it('is not found where only Pings before the command were answered', async () => {
    const scene = new Scene();
    pinged(scene.chain, 3000);
    scene.chain.outward(5000, frame(command('c-bad')));
    for (const ms of [7000, 12_000, 17_000, 30_000]) {
      scene.chain.outward(ms, ping(String(ms)));
      scene.chain.inward(ms + 500, masked(`{"type":"Heartbeat","at":${ms}}`));
    }
    // Its Heartbeats go on: it sends, and handles nothing.
    expect(idsOf(await diagnosed(scene.captures))).toEqual(['agent-answers-nothing']);
  });

  it('is not found without any Ping, however alive the agent is', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')));
    for (let ms = 6000; ms < 30_000; ms += 2000) scene.chain.inward(ms, masked(`{"type":"Heartbeat","at":${ms}}`));
    expect(idsOf(await diagnosed(scene.captures))).toEqual([]);
  });

  it('is not found where the connection closed at once, or a later attempt was acknowledged', async () => {
    const closed = new Scene();
    closed.chain.outward(5000, frame(command('c-bad')));
    pinged(closed.chain, 5500);
    closed.chain.legs.forEach((leg, i) => {
      leg.segment(6000 + i, 'client', { flags: FIN | 0x10 });
      leg.segment(20_000 + i, 'server');
    });
    expect(idsOf(await diagnosed(closed.captures))).toEqual([]);
    const repeated = new Scene();
    repeated.chain.outward(5000, frame(command('c-twice')));
    pinged(repeated.chain, 6000);
    repeated.works(20_000, 'c-twice');
    expect(idsOf(await diagnosed(repeated.goOn(21_000).captures))).toEqual([]);
  });

  it('is not found where the path goes on beyond the last capture', async () => {
    const scene = new Scene(['origin', 'nginx'], { outermost: ['X-Forwarded-For: 198.51.100.77'] });
    scene.chain.outward(5000, frame(command('c-bad')));
    expect(idsOf(await diagnosed(scene.goOn(6000).captures))).not.toContain('agent-ignores-commands');
  });

  it('nothing is found on a day without failures', async () => {
    expect(await diagnosed(new Scene(HOPS).goOn(2000).captures)).toEqual([]);
  });
});
