import { describe, expect, it } from 'vitest';
import { lossTimes, mayHaveLost } from '../../src/hop/loss-times.js';
import { command, frame } from '../support/frames.js';
import { observe } from '../support/observe.js';
import { type Talk, Tape } from '../support/tape.js';
import { webSocket } from '../support/web-socket-talk.js';

const SECOND = 1e9;

/** A connection that says something each second for two minutes, seen without its messages of these seconds. */
function lostAt(...seconds: number[]) {
  const tape = new Tape();
  const talk: Talk = webSocket(tape, 0);
  const lost: number[] = [];
  for (let s = 1; s <= 120; s++) {
    const number = talk.send(s * 1000, 'server', frame(command(`c-${s}`)));
    if (seconds.includes(s)) lost.push(number);
  }
  return observe(tape.without(...lost)).observation;
}

describe('times in which a capture lost packets', () => {
  it('are none where nothing is missing', () => {
    expect(mayHaveLost(lostAt(), Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)).toBe(false);
  });

  it('reach from the last octet before a hole to what made it known', () => {
    const { connections, files } = lostAt(40);
    const [time, ...more] = lossTimes(connections, files);
    expect(more).toEqual([]);
    expect(time.fromNs).toBeCloseTo(39 * SECOND, -3);
    expect(time.toNs / SECOND).toBeGreaterThan(40);
    expect(time.toNs / SECOND).toBeLessThan(42.1);
  });

  it('count some seconds around a hole, and not the rest of the capture', () => {
    const observation = lostAt(40);
    const at = (fromS: number, toS: number) => mayHaveLost(observation, fromS * SECOND, toS * SECOND);
    expect(at(41, 60)).toBe(true);
    expect(at(30, 36)).toBe(true);
    expect(at(5, 30)).toBe(false);
    expect(at(60, 100)).toBe(false);
    expect(at(5, 100)).toBe(true);
  });

  it('go on between holes that follow each other', () => {
    const at = (observation: ReturnType<typeof lostAt>, fromS: number, toS: number) =>
      mayHaveLost(observation, fromS * SECOND, toS * SECOND);
    expect(at(lostAt(20, 45), 30, 35)).toBe(true);
    expect(at(lostAt(20, 70), 40, 50)).toBe(false);
  });

  it('are all times where the clock was set back meanwhile', () => {
    const observation = lostAt(40);
    observation.setBacks.push({ fromNs: 80 * SECOND, toNs: 90 * SECOND });
    expect(mayHaveLost(observation, 5 * SECOND, 10 * SECOND)).toBe(true);
  });
});
