/** TCP ACKs and nothing else: the kernel lives, the process does not. */
import { describe, expect, it } from 'vitest';
import { Scene } from '../delivery/scene.js';
import { command, frame, masked, ping } from '../support/frames.js';
import { citedOf, diagnosed, idsOf } from './diagnosis.js';

function stopped(untilMs = 40_000): { scene: Scene; pings: number[] } {
  const scene = new Scene().goOn(2000, 4000);
  scene.chain.outward(5000, frame(command('c-bad')));
  const pings: number[] = [];
  for (let ms = 6000; ms < untilMs; ms += 5000) pings.push(scene.chain.outward(ms, ping(String(ms)))[2]);
  return { scene, pings };
}

describe('agent-unresponsive', () => {
  it('is found where Pings are TCP-ACKed and nothing returns', async () => {
    const { scene, pings } = stopped();
    const [finding, ...more] = await diagnosed(scene.captures);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ id: 'agent-unresponsive', agents: ['PST-SERVER'], commands: ['c-bad'] });
    expect(citedOf(finding, 'npm.pcap').slice(0, 2)).toEqual([pings[0], pings[0] + 1]);
  });

  it('is not found where its messages go on, or the capture ends before a Pong may come', async () => {
    const talking = stopped().scene;
    talking.chain.inward(39_500, masked('{"type":"Heartbeat","at":1}'));
    expect(idsOf(await diagnosed(talking.captures))).toEqual([]);
    expect(idsOf(await diagnosed(stopped(15_000).scene.captures))).not.toContain('agent-unresponsive');
  });

  it("is not found where the agent's packets may be missing from the capture", async () => {
    const { scene } = stopped();
    const [, , npm] = scene.tapes;
    const before = npm.packets.length;
    scene.chain.inward(30_000.5, masked('{"type":"Heartbeat","at":1}'));
    // Captured: only the TCP ACK for it.
    const all = { ...scene.captures, npm: npm.without(before + 1) };
    expect(idsOf(await diagnosed(all))).not.toContain('agent-unresponsive');
  });
});
