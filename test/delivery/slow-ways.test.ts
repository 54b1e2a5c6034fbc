/** Between two captures messages take long in one direction: their clocks cannot be known better than half of that. */

import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { hear } from '../support/verdict.js';
import { Scene } from './scene.js';

const SLOW_MS = 400;
const FROM_PORT = 34;
const NPM_PORT = 3002;

/** What npm sends outward leaves it late, but for the command (`lost`), which is not in its capture. */
function slowOutward(scene: Scene, lost: number) {
  const npm = scene.tapes[1].without(lost);
  for (const packet of npm.packets)
    if (new DataView(packet.bytes.buffer, packet.bytes.byteOffset).getUint16(FROM_PORT) === NPM_PORT)
      packet.atMs += SLOW_MS;
  npm.packets.sort((a, b) => a.atMs - b.atMs);
  return { origin: scene.tapes[0], npm };
}

describe('a CommandAck that seems to come before its command, by clocks that are not known well', () => {
  it('is its answer', async () => {
    const scene = new Scene(['origin', 'npm']);
    const [, lost] = scene.chain.outward(5000, frame(command('c-1')));
    // npm takes it, and passes nothing on.
    scene.chain.inward(5040, masked(commandAck('c-1')), 1);
    const { of, verdict } = await hear(slowOutward(scene.goOn(6000), lost));
    expect(verdict.hops[1].clockUncertaintyMs).toBeGreaterThan(150);
    const [attempt] = of('c-1').attempts;
    expect(attempt.commandAck?.hops[1].state).toBe('tcp-acked');
    expect(attempt.commandAck?.afterMs).toBeLessThan(0);
  });

  it('is the answer of the copy that it is nearest to', async () => {
    const scene = new Scene(['origin', 'npm']);
    scene.chain.outward(5000, frame(command('c-1')));
    const [, lost] = scene.chain.outward(20_000, frame(command('c-1')));
    scene.chain.inward(20_040, masked(commandAck('c-1')), 1);
    const { attempts } = (await hear(slowOutward(scene.goOn(21_000), lost))).of('c-1');
    expect(attempts.map(({ commandAck: answer }) => answer !== null)).toEqual([false, true]);
  });
});
