/** write-stalled, hop-drops-frames and hop-drops-text: what a hop does to messages that reached it. */
import { describe, expect, it } from 'vitest';
import { Scene } from '../delivery/scene.js';
import { command, commandAck, frame, masked, ping, pong } from '../support/frames.js';
import { FIN } from '../support/tape.js';
import { citedOf, diagnosed, idsOf, pinged } from './diagnosis.js';

describe('hop-drops-text', () => {
  it('is found where Pings pass and commands do not', async () => {
    const scene = new Scene();
    const [atOrigin] = scene.chain.outward(5000, frame(command('c-bad')), 1);
    scene.goOn(6000);
    const findings = await diagnosed(scene.captures);
    expect(idsOf(findings)).toEqual(['hop-drops-text']);
    expect(findings[0]).toMatchObject({ agents: ['PST-SERVER'], commands: ['c-bad'], severity: 'error' });
    expect(citedOf(findings[0], 'origin.pcap')).toEqual([atOrigin]);
    expect(citedOf(findings[0], 'nginx.pcap').length).toBeGreaterThan(0);
    expect(findings[0].summary).toContain('nginx does not pass on');
  });

  it('is found for CommandAcks on their way back', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')));
    const numbers = scene.chain.inward(5040, masked(commandAck('c-bad')), 1);
    scene.goOn(6000);
    const findings = await diagnosed(scene.captures);
    expect(idsOf(findings)).toEqual(['hop-drops-text']);
    expect(citedOf(findings[0], 'nginx.pcap')).toContain(numbers[1]);
  });

  it("is found where the hop's clock is behind the first hop's, so that its times lie before the epoch", async () => {
    const scene = new Scene(undefined, {}, [0, -3000, 0]);
    scene.chain.outward(5000, frame(command('c-bad')), 1);
    scene.goOn(6000);
    const findings = await diagnosed(scene.captures);
    expect(idsOf(findings)).toEqual(['hop-drops-text']);
  });

  it('is found where the hop ends WebSocket on both sides: it answers Pings itself, and sends its own', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')), 1);
    const [inner, ...outer] = scene.chain.legs;
    for (let ms = 6000; ms < 30_000; ms += 4000) {
      inner.send(ms, 'server', ping(`server ${ms}`));
      inner.send(ms + 1, 'client', pong(`server ${ms}`));
      outer.forEach((leg, i) => {
        leg.send(ms + 500 + i, 'server', ping(`nginx ${ms}`));
        leg.send(ms + 530 - i, 'client', pong(`nginx ${ms}`));
      });
      scene.chain.inward(ms + 900, masked(`{"type":"Heartbeat","at":${ms}}`));
    }
    const findings = await diagnosed(scene.captures);
    expect(idsOf(findings)).toEqual(['hop-drops-text']);
    expect(findings[0].summary).toContain('answered 3 Pings itself and sent 3 control frames of its own');
  });

  it('is not found where the leg ends within a message: nothing can follow that', async () => {
    const scene = new Scene();
    const whole = frame(command('c-half', `,"script":"${'x'.repeat(400)}"`));
    const [origin, ...outer] = scene.chain.legs;
    origin.send(5000, 'server', whole);
    for (const leg of outer) leg.send(5001, 'server', whole.subarray(0, 200));
    scene.chain.outward(7000, frame(command('c-bad')), 1);
    for (let ms = 8000; ms < 30_000; ms += 4000) {
      origin.send(ms, 'server', ping(`server ${ms}`));
      scene.chain.inward(ms + 900, masked(`{"type":"Heartbeat","at":${ms}}`));
    }
    expect(idsOf(await diagnosed(scene.captures))).toEqual(['write-stalled']);
  });

  it('is not found without a Ping to compare with', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')), 1);
    for (let ms = 6000; ms < 30_000; ms += 4000) scene.chain.inward(ms, masked(`{"type":"Heartbeat","at":${ms}}`));
    expect(idsOf(await diagnosed(scene.captures))).toEqual([]);
  });
});

describe('hop-drops-frames', () => {
  it('is found where Pings end at the same hop, also one just before the command', async () => {
    const scene = new Scene();
    pinged(scene.chain, 4000);
    const [first] = scene.chain.outward(4800, ping('4800'), 1);
    scene.chain.outward(5000, frame(command('c-bad')), 1);
    for (let ms = 6000; ms < 30_000; ms += 4000) scene.chain.inward(ms, masked(`{"type":"Heartbeat","at":${ms}}`));
    const findings = await diagnosed(scene.captures);
    expect(idsOf(findings)).toEqual(['hop-drops-frames']);
    expect(citedOf(findings[0], 'origin.pcap')).toContain(first);
  });

  it('is not found where the hop answers Pings itself, though a capture missed its Pongs', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')), 1);
    const [inner] = scene.chain.legs;
    const pongs: number[] = [];
    for (let ms = 6000; ms < 30_000; ms += 4000) {
      inner.send(ms, 'server', ping(`server ${ms}`));
      pongs.push(inner.send(ms + 1, 'client', pong(`server ${ms}`)));
      scene.chain.inward(ms + 900, masked(`{"type":"Heartbeat","at":${ms}}`));
    }
    // One Pong is missing, then all of them.
    for (const missed of [pongs.slice(0, 1), pongs]) {
      const findings = await diagnosed({ ...scene.captures, origin: scene.tapes[0].without(...missed) });
      expect(idsOf(findings)).not.toContain('hop-drops-frames');
    }
  });
});

describe('write-stalled', () => {
  function half(): Scene {
    const scene = new Scene();
    const bytes = frame(command('c-half', `,"script":"${'x'.repeat(400)}"`));
    scene.chain.outward(5000, bytes.subarray(0, 200));
    return scene;
  }
  const beats = (scene: Scene) => {
    for (let ms = 6000; ms < 30_000; ms += 4000) scene.chain.inward(ms, masked(`{"type":"Heartbeat","at":${ms}}`));
  };

  it('is found at the innermost hop that wrote a part only', async () => {
    const scene = half();
    beats(scene);
    const findings = await diagnosed(scene.captures);
    expect(idsOf(findings)).toEqual(['write-stalled']);
    expect(findings[0].summary).toContain('origin wrote only a part');
    expect(findings[0]).toMatchObject({ agents: ['PST-SERVER'], commands: ['c-half'] });
  });

  it('is not found where the connection was closed in the middle, or the capture ends there', async () => {
    const scene = half();
    scene.chain.legs.forEach((leg, i) => {
      leg.segment(5200 + i, 'server', { flags: FIN | 0x10 });
    });
    expect(idsOf(await diagnosed(scene.captures))).not.toContain('write-stalled');
    expect(idsOf(await diagnosed(half().captures))).not.toContain('write-stalled');
  });

  it('is not found where the rest comes late', async () => {
    const scene = new Scene();
    const bytes = frame(command('c-half', `,"script":"${'x'.repeat(400)}"`));
    scene.chain.outward(5000, bytes.subarray(0, 200));
    scene.chain.outward(19_000, bytes.subarray(200));
    scene.chain.inward(19_040, masked(commandAck('c-half')));
    scene.chain.outward(20_000, ping('p'));
    scene.chain.inward(20_005, pong('p'));
    expect(idsOf(await diagnosed(scene.captures))).toEqual([]);
  });
});
