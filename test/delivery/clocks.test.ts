/** Clocks that were set or drift while the captures ran: what is judged by deadlines all the same, and what is left open. */

import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { Talk, Tape } from '../support/tape.js';
import { hear, ruling } from '../support/verdict.js';
import { Scene } from './scene.js';

const HOUR = 3_600_000;

/** Sets a capture's clock forward from a moment on. */
function setForward(tape: Tape, fromMs: number, byMs: number): void {
  for (const packet of tape.packets) if (packet.atMs >= fromMs) packet.atMs += byMs;
}

describe('one capture, set forward by an hour where senders write TCP timestamps', () => {
  function heard(lastMs: number) {
    const tape = new Tape();
    const talk = new Talk(tape);
    const say = (ms: number, from: 'client' | 'server', data?: Uint8Array) =>
      talk.segment(ms, from, { timestamp: 5_000_000 + ms, ...(data === undefined ? {} : { data }) });
    for (let ms = 0; ms <= lastMs; ms += 1000) {
      say(ms, 'client', masked(`{"type":"Heartbeat","at":${ms}}`));
      say(ms + 1, 'server');
    }
    say(20_200, 'server', frame(command('c-1')));
    say(20_240, 'client');
    tape.packets.sort((a, b) => a.atMs - b.atMs);
    return { tape, talk };
  }

  it('does not run out the deadline of a command sent before', async () => {
    const { tape } = heard(24_000);
    setForward(tape, 21_500, HOUR);
    const { of, verdict } = await hear({ origin: tape });
    expect(of('c-1').outcome).toBe('inconclusive');
    expect(of('c-1').reason).toContain('ends 6.2 s before the deadline');
    expect(verdict.hops[0].captures[0].reasons).toEqual([
      expect.stringMatching(
        /^its clock was set forward by 3600 s after \d\d:\d\d:\d\d, by the senders' TCP timestamps$/,
      ),
    ]);
  });

  it('nor keeps it open where the time is over', async () => {
    const { tape } = heard(40_000);
    setForward(tape, 21_500, HOUR);
    expect((await hear({ origin: tape })).of('c-1').outcome).toBe('reached-agent');
  });
});

describe('two captures, one of them set forward by an hour', () => {
  /** Commands every 4 s from 2 s on, `ignored` of which the agent does not answer. */
  function scene(ignored: number[], set: 'origin' | 'npm') {
    const made = new Scene(['origin', 'npm']);
    for (let n = 0; n < 16; n++) {
      made.chain.outward(2000 + n * 4000, frame(command(`c-${n}`)));
      if (!ignored.includes(n)) made.chain.inward(2040 + n * 4000, masked(commandAck(`c-${n}`)));
    }
    made.goOn(66_000);
    setForward(made.captures[set], 31_000, HOUR);
    return made.captures;
  }

  it.each(['origin', 'npm'] as const)('%s: delivered commands are in time', async (set) => {
    const { commands } = await hear(scene([], set));
    expect(commands.length).toBe(17);
    for (const { outcome, late } of commands) expect({ outcome, late }).toEqual({ outcome: 'delivered', late: false });
  });

  it.each(['origin', 'npm'] as const)('%s: ignored ones are judged, whichever clock it was', async (set) => {
    const { of, verdict } = await hear(scene([2, 7, 11], set));
    expect(ruling(of('c-2'))).toBe('reached-agent npm agent');
    expect(ruling(of('c-11'))).toBe('reached-agent npm agent');
    // Sent at 30 s; the clock was set between 30 and 34 s, and the captures go on for 36 s by either clock.
    expect(ruling(of('c-7'))).toBe('reached-agent npm agent');
    expect(verdict.hops[1].captures[0].reasons.join()).toMatch(/its clock went (forward|back) by 3600 s against/);
  });
});

it('a clock set forward runs out no deadline', async () => {
  const made = new Scene(['origin', 'npm']);
  for (let n = 0; n < 9; n++) {
    made.chain.outward(2000 + n * 4000, frame(command(`c-${n}`)));
    if (n !== 7) made.chain.inward(2040 + n * 4000, masked(commandAck(`c-${n}`)));
  }
  made.goOn(33_000, 38_000);
  setForward(made.captures.origin, 31_000, HOUR);
  const { of } = await hear(made.captures);
  // An hour and 7 s later by origin's clock, 7 s by npm's.
  expect(of('c-7').outcome).toBe('inconclusive');
  expect(of('c-7').reason).toMatch(/clock of npm or of origin was set back by 3600 s at this time/);
});

it('a clock that drifts by 2 per thousand is followed', async () => {
  const scene = new Scene(['origin', 'npm']);
  for (let n = 0; n < 60; n++) {
    scene.chain.outward(2000 + n * 4000, frame(command(`c-${n}`)), n === 30 ? 1 : 2);
    if (n !== 30) scene.chain.inward(2040 + n * 4000, masked(commandAck(`c-${n}`)));
  }
  scene.goOn(250_000);
  const { origin, npm } = scene.captures;
  for (const packet of npm.packets) packet.atMs *= 1.002;
  const { of, commands, verdict } = await hear({ origin, npm });
  expect(commands.filter(({ outcome, late }) => outcome === 'delivered' && !late).length).toBe(60);
  expect(ruling(of('c-30'))).toBe('not-forwarded origin npm');
  expect(verdict.hops[1].captures[0].reasons.join()).toMatch(/its clock drifted by \d+ ms against/);
});

describe('an answer after the deadline, by the first hop’s own stamps', () => {
  /** Three hops; the outermost one's stamps go to and fro, so that no offset holds. */
  function heard(answeredMs: number, hops: string[]) {
    const scene = new Scene(hops);
    const { chain } = scene.goOn(3000, 29_000);
    // The second hop holds it back until shortly before it is answered.
    const heldMs = 30_000 + answeredMs - 500;
    chain.legs.forEach((leg, i) => void leg.send(i === 0 ? 30_000 : heldMs + i, 'server', frame(command('c-1'))));
    chain.inward(30_000 + answeredMs, masked(commandAck('c-1')));
    scene.goOn(31_000 + answeredMs, 70_000);
    const last = scene.tapes[hops.length - 1];
    last.packets.forEach((packet, i) => {
      if (i % 7 === 3) packet.atMs += 1500;
    });
    return hear(scene.captures);
  }

  it('is late where another clock keeps pace with it, whatever the third one says', async () => {
    const { of, verdict } = await heard(12_000, ['origin', 'nginx', 'npm']);
    expect(verdict.hops[2].clockUncertaintyMs).toBeGreaterThan(200);
    expect(of('c-1')).toMatchObject({ outcome: 'delivered', late: true });
  });

  it('is not late before it', async () => {
    const { of } = await heard(8000, ['origin', 'nginx', 'npm']);
    expect(of('c-1')).toMatchObject({ outcome: 'delivered', late: false });
  });
});
