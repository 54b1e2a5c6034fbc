/** An agent that sends and does not handle what comes in: Heartbeats show that it lives, and nothing more. */
import { describe, expect, it } from 'vitest';
import { Scene } from '../delivery/scene.js';
import { command, frame, ping } from '../support/frames.js';
import { citedOf, diagnosed, heartbeat, hypotheses, idsOf, judged, pinged } from './diagnosis.js';

/** From 5 s on nothing is answered; Pings at these times. */
function deaf(pingsMs: number[], heartbeatsMs: number[]): { scene: Scene; pings: number[] } {
  const scene = new Scene();
  pinged(scene.chain, 3000);
  const pings = pingsMs.filter((ms) => ms < 5000).map((ms) => scene.chain.outward(ms, ping(String(ms)))[2]);
  for (const ms of heartbeatsMs.filter((ms) => ms < 5000)) heartbeat(scene.chain, ms);
  scene.chain.outward(5000, frame(command('c-bad')));
  for (const ms of [...pingsMs, ...heartbeatsMs].filter((ms) => ms > 5000).sort((a, b) => a - b))
    if (pingsMs.includes(ms)) pings.push(scene.chain.outward(ms, ping(String(ms)))[2]);
    else heartbeat(scene.chain, ms);
  return { scene, pings };
}

const BEATS = [6000, 9000, 14_000, 19_000, 24_000, 29_000];

describe('agent-answers-nothing', () => {
  it('is found where Heartbeats go on, and neither Pings nor the command are answered', async () => {
    const { scene, pings } = deaf([7000, 12_000, 17_000], BEATS);
    const [finding, ...more] = await diagnosed(scene.captures);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ id: 'agent-answers-nothing', agents: ['PST-SERVER'], commands: ['c-bad'] });
    expect(citedOf(finding, 'npm.pcap')).toEqual(expect.arrayContaining(pings));
    const found = await hypotheses(scene.captures);
    expect(found.get('agent-receive-loop')).toMatchObject({ status: 'supported' });
    expect(found.get('agent-command-path')).toMatchObject({ status: 'open' });
  });

  it('is found for one Ping from before the command that waits long: its server sends no other', async () => {
    const { scene } = deaf([4500], BEATS);
    expect(idsOf(await diagnosed(scene.captures))).toEqual(['agent-answers-nothing']);
  });

  it('is not found where one Ping waited for a moment only', async () => {
    const { scene } = deaf([22_000], BEATS);
    expect(idsOf(await diagnosed(scene.captures))).toEqual([]);
  });

  it('is not found where it speaks for the first time just before the end: a process that goes on answers in a moment', async () => {
    const { scene } = deaf([7000, 12_000, 17_000], [29_000]);
    expect(idsOf(await diagnosed(scene.captures))).not.toContain('agent-answers-nothing');
  });

  it('is no more than inferred where no Pong was captured and the capture starts in mid-connection: its stream may be spoilt', async () => {
    const { scene } = deaf([7000, 12_000, 17_000], [4200, ...BEATS]);
    const from = (ms: number) =>
      Object.fromEntries(Object.entries(scene.captures).map(([hop, tape]) => [hop, tape.between(ms, 1e6)]));
    const late = await judged(from(4000));
    expect(late.findings).toMatchObject([{ id: 'agent-answers-nothing', grade: 'inferred' }]);
    expect(late.findings[0].summary).toContain('or the stream to it was spoilt before the capture');
    expect(late.hypotheses.filter(({ status }) => status === 'supported')).toEqual([]);
    const withPong = await judged(from(900));
    expect(withPong.findings).toMatchObject([{ id: 'agent-answers-nothing', grade: 'measured' }]);
    expect(withPong.hypotheses.find(({ id }) => id === 'agent-receive-loop')).toMatchObject({ status: 'supported' });
  });

  it('is not found where what left for it could not all be read', async () => {
    const { scene } = deaf([7000, 12_000, 17_000], BEATS);
    const garbage = Uint8Array.from({ length: 60 }, (_, i) => 0x70 | (i & 7));
    scene.chain.outward(6500, garbage);
    for (const tape of scene.tapes) tape.packets.sort((a, b) => a.atMs - b.atMs);
    expect(idsOf(await diagnosed(scene.captures))).not.toContain('agent-answers-nothing');
  });
});
