/** A capture whose clock was set back while its streams went on: times go on, and are shown as they were stamped. */

import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { observe } from '../support/observe.js';
import { Talk, Tape } from '../support/tape.js';
import { hear, ruling } from '../support/verdict.js';
import { webSocket } from '../support/web-socket-talk.js';

/** Heartbeats each second to the 30th, c-1 at 10.2 s answered, c-2 at 20.2 s not. `stamped`: with TCP timestamps in milliseconds. */
function day(stamped: boolean): Tape {
  const tape = new Tape();
  const talk = new Talk(tape);
  const say = (ms: number, from: 'client' | 'server', data?: Uint8Array) =>
    talk.segment(ms, from, {
      ...(stamped ? { timestamp: 5_000_000 + ms } : {}),
      ...(data === undefined ? {} : { data }),
    });
  for (let ms = 0; ms <= 30_000; ms += 1000) {
    say(ms, 'client', masked(`{"type":"Heartbeat","at":${ms}}`));
    say(ms + 1, 'server');
    if (ms !== 10_000 && ms !== 20_000) continue;
    say(ms + 200, 'server', frame(command(ms === 10_000 ? 'c-1' : 'c-2')));
    say(ms + 201, 'client');
    if (ms === 10_000) say(ms + 300, 'client', masked(commandAck('c-1')));
  }
  return tape;
}

function setBack(tape: Tape, fromMs: number, byMs: number): Tape {
  for (const packet of tape.packets) if (packet.atMs >= fromMs) packet.atMs -= byMs;
  return tape;
}

describe('a clock set back by 41 s', () => {
  it('is told to the millisecond where senders write TCP timestamps', () => {
    const { observation } = observe(setBack(day(true), 21_500, 41_000));
    expect(observation.resumed).toHaveLength(1);
    const [{ stepNs, exact }] = observation.resumed;
    expect(exact).toBe(true);
    expect(Math.abs(stepNs / 1e6 - 41_000)).toBeLessThanOrEqual(1);
    expect(observation.lastNs / 1e6).toBeCloseTo(30_001, 0);
    expect(observation.setBacks).toEqual([]);
  });

  it('is told by what streams bring next where they do not', () => {
    const { observation } = observe(setBack(day(false), 21_500, 41_000));
    expect(observation.resumed).toMatchObject([{ exact: false }]);
    // The second without a packet is not known.
    expect(observation.lastNs / 1e6).toBeCloseTo(29_002, 0);
  });

  it('was not set where one packet alone is stamped in the past, time and again', () => {
    for (const stamped of [true, false]) {
      const tape = day(stamped);
      tape.packets.forEach((packet, i) => {
        if (i > 10 && i % 7 === 0) packet.atMs -= 1500;
      });
      const { observation } = observe(tape);
      expect(observation.resumed).toEqual([]);
      expect(observation.lastNs / 1e6).toBeCloseTo(30_001, 0);
    }
  });

  it('leaves commands decided, and shows their times as stamped', async () => {
    const { of, verdict } = await hear({ origin: setBack(day(true), 15_000, 41_000) }, { ackTimeoutMs: 3000 });
    expect(of('c-1')).toMatchObject({ outcome: 'delivered', late: false });
    expect(ruling(of('c-2'))).toBe('reached-agent origin agent');
    // 20.2 s - 41 s, after 1,700,000,000 s.
    expect(of('c-2').attempts[0].hops[0].sentAt).toBe('2023-11-14T22:12:59.200000Z');
    expect(verdict.hops[0].clockOffsetMs).toBe(0);
    expect(verdict.hops[0].captures[0].reasons).toEqual([
      'its clock was set back by 41 s at 22:13:34: streams go on there, and times are counted on',
    ]);
  });

  it('does not make an answer late or early that spans it', async () => {
    const { of } = await hear({ origin: setBack(day(true), 10_250, 41_000) }, { ackTimeoutMs: 3000 });
    expect(of('c-1')).toMatchObject({ outcome: 'delivered', late: false });
    expect(of('c-1').reason).toContain('after 100 ms');
  });
});

describe('what is stamped in the past', () => {
  it('is no clock set back where it is old: files one behind the other in the wrong order', () => {
    const tape = day(true);
    const wrong = new Tape();
    const half = tape.packets.findIndex(({ atMs }) => atMs >= 15_000);
    wrong.packets.push(...tape.packets.slice(half), ...tape.packets.slice(0, half));
    const { observation } = observe(wrong);
    expect(observation.resumed).toEqual([]);
    expect(observation.setBacks).toHaveLength(1);
  });

  it('is no clock set back where one packet alone was stamped in the future', () => {
    const tape = day(true);
    tape.packets[20].atMs += 3_600_000;
    const { observation } = observe(tape);
    expect(observation.resumed).toEqual([]);
  });

  it('is told of once where connections are many, and the first packet after it is nobody’s', () => {
    const tape = new Tape();
    const talks = [0, 1, 2].map((i) => webSocket(tape, i, { clientPort: 41_000 + i }));
    for (let i = 0; i < 10; i++)
      for (const talk of talks) talk.send(1000 + i * 1000, 'server', frame(command(`c-${i}`)));
    tape.packets.sort((a, b) => a.atMs - b.atMs);
    const at = tape.packets.findIndex(({ atMs }) => atMs >= 5000);
    const late = new Tape();
    new Talk(late, { clientPort: 50_000 }).open(4999);
    tape.packets.splice(at, 0, ...late.packets);
    for (const packet of tape.packets.slice(at)) packet.atMs -= 60_000;
    const { observation } = observe(tape);
    expect(observation.resumed).toHaveLength(1);
    expect(observation.setBacks).toEqual([]);
  });
});
