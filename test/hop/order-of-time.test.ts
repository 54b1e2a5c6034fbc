/** Captures whose packets stand in another order than that of their times, and captures whose clock was set back: which is which. */

import { describe, expect, it } from 'vitest';
import { Scene } from '../delivery/scene.js';
import { command, frame } from '../support/frames.js';
import { Tape } from '../support/tape.js';
import { hear, ruling } from '../support/verdict.js';

/** An agent that answers c-ok and not c-1, on two hops. */
function day() {
  const scene = new Scene(['origin', 'npm']);
  scene.chain.outward(2000, frame(command('c-1')));
  return scene.goOn(3000).captures as { origin: Tape; npm: Tape };
}

function inOrder(tape: Tape, order: (packets: Tape['packets']) => Tape['packets']): Tape {
  const other = new Tape();
  other.packets.push(...order([...tape.packets].sort((a, b) => a.atMs - b.atMs)));
  return other;
}

/** Each two blocks of so many packets exchanged. */
const exchanged = (size: number) => (packets: Tape['packets']) =>
  packets.map((_, i) => {
    const other = (Math.floor(i / size) ^ 1) * size + (i % size);
    const isLast = i >= packets.length - (packets.length % (2 * size));
    return packets[isLast ? i : other];
  });

/** The later half first. */
const turned = (packets: Tape['packets']) => [
  ...packets.slice(packets.length >> 1),
  ...packets.slice(0, packets.length >> 1),
];

describe('a capture whose packets are in the wrong order', () => {
  it.each([
    ['blocks exchanged', exchanged(8)],
    ['halves exchanged', turned],
  ])('is read in the order of their times, and says so: %s', async (_, order) => {
    const { origin, npm } = day();
    const { of, verdict } = await hear({ origin, npm: inOrder(npm, order) });
    expect(ruling(of('c-1'))).toBe('reached-agent npm agent');
    const [, { captures }] = verdict.hops;
    expect(captures[0].reasons.join()).toContain('Packets stand in another order than that of their times');
    expect(captures[0].packets).toBe(npm.packets.length);
  });

  it('names packets by their numbers in the file', async () => {
    const { origin, npm } = day();
    const other = inOrder(npm, exchanged(8));
    const { of } = await hear({ origin, npm: other });
    const [{ hops }] = of('c-1').attempts;
    const [{ data }] = hops[1].packets;
    const cited = Buffer.from(other.packets[data[0] - 1].bytes);
    expect(cited.includes('"id":"c-1"')).toBe(true);
  });
});

describe('a capture whose clock was set back', () => {
  it('is read as it stands', async () => {
    const { origin, npm } = day();
    const back = new Tape();
    for (const { atMs, bytes } of npm.packets) back.add(atMs < 10_000 ? atMs : atMs - 9000, bytes);
    const { verdict } = await hear({ origin, npm: back });
    const [, { captures }] = verdict.hops;
    expect(captures[0].reasons.join()).not.toContain('in another order');
  });
});
