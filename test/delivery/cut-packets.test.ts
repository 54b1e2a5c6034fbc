/** Captures with a short snapshot length, beside others that hold the payload: headers and sequence numbers prove what they can. */

import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { Tape } from '../support/tape.js';
import { hear, ruling } from '../support/verdict.js';
import { Scene } from './scene.js';

/** As `tcpdump -s`: Ethernet, IPv4 and TCP headers without options are 54 octets. */
function cut(tape: Tape, snapLength: number): Tape {
  const short = new Tape();
  for (const { atMs, bytes, wireLength } of tape.packets)
    short.packets.push({ atMs, bytes: bytes.subarray(0, snapLength), wireLength });
  return short;
}

/** Twelve commands of which one is dropped by a hop, and two are ignored; payloads longer than the snapshot length leaves. */
function scene(handshake: boolean, isDropped = true): Record<string, Tape> {
  const made = new Scene();
  for (let n = 0; n < 12; n++) {
    const text = frame(command(`c-${n}`, `,"pad":"${'x'.repeat(60 + n)}"`));
    const dropped = isDropped && n === 5;
    made.chain.outward(20_000 + n * 2000, text, dropped ? 1 : 3);
    if (!dropped && n !== 3 && n !== 8)
      made.chain.inward(20_040 + n * 2000, masked(`${commandAck(`c-${n}`)}${' '.repeat(n + 40)}`));
  }
  made.goOn(45_000);
  if (handshake) return made.captures;
  return Object.fromEntries(Object.entries(made.captures).map(([hop, tape]) => [hop, tape.between(10_000, 1e9)]));
}

describe.each([true, false])('one hop cut at 74 octets (with the opening: %s)', (handshake) => {
  it.each(['origin', 'nginx', 'npm'])('%s', async (hop) => {
    // Only origin's capture holds what nginx drops.
    const captures = scene(handshake, hop !== 'origin');
    const { of, verdict } = await hear({ ...captures, [hop]: cut(captures[hop], 74) });
    for (const n of [0, 1, 2, 4, 6, 7, 9, 10, 11]) expect(of(`c-${n}`).outcome, `c-${n}`).toBe('delivered');
    for (const n of [3, 8]) expect(ruling(of(`c-${n}`))).toBe('reached-agent npm agent');
    if (hop !== 'origin') expect(ruling(of('c-5'))).toBe('not-forwarded origin nginx');
    const [attempt] = of('c-3').attempts;
    expect(attempt.hops.map(({ state }) => state)).toEqual(['tcp-acked', 'tcp-acked', 'tcp-acked']);
    for (const state of attempt.hops) {
      expect(state.grade).toBe(state.hop === hop ? 'inferred' : 'measured');
      if (state.hop === hop) expect(state.reason).toContain('the other hops tell by its place and length');
    }
    expect(attempt.grade).toBe(hop === 'npm' ? 'inferred' : 'measured');
    expect(verdict.connections.length).toBe(1);
  });

  it('all three tell nothing of commands', async () => {
    const captures = Object.entries(scene(handshake)).map(([hop, tape]) => [hop, cut(tape, 74)]);
    const { commands } = await hear(Object.fromEntries(captures));
    for (const { outcome } of commands) expect(['inconclusive', 'delivered']).toContain(outcome);
  });
});
