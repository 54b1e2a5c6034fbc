/** A capture's clock that was set forward, by the senders' timestamps. */

import { describe, expect, it } from 'vitest';
import { observe } from '../support/observe.js';
import { octets } from '../support/octets.js';
import { Talk, Tape } from '../support/tape.js';

/** Two ends that speak every second; what each's own clock (ms) says, and what the capture's says, of a moment in true ms. */
function steps(
  clientTick: (ms: number) => number,
  serverTick: (ms: number) => number,
  captured: (ms: number) => number,
): [number, number, number][] {
  const tape = new Tape();
  const talk = new Talk(tape);
  for (let ms = 0; ms < 60_000; ms += 1500) {
    const data = octets('x'.repeat(20));
    talk.segment(captured(ms), 'client', { data, timestamp: clientTick(ms) >>> 0 });
    talk.segment(captured(ms + 30), 'server', { timestamp: serverTick(ms + 30) >>> 0 });
  }
  return observe(tape).observation.clockSteps.map(({ fromNs, toNs, stepNs }) => [
    fromNs / 1e6,
    toNs / 1e6,
    stepNs / 1e6,
  ]);
}

const ticking = (ms: number) => 4_294_960_000 + ms;
const forward = (by: number) => (ms: number) => (ms > 30_000 ? ms + by : ms);

describe('a clock set forward', () => {
  it('is told by what the senders’ clocks say, over their wrap', () => {
    expect(steps(ticking, (ms) => 77 + ms, forward(3_600_000))).toEqual([[30_000, 3_630_030, 3_600_000]]);
  });

  it('is not seen where it went forward by less than matters', () => {
    expect(steps(ticking, ticking, forward(300))).toEqual([]);
  });
});

describe('a pause is none', () => {
  it('where all were silent', () => {
    const pause = forward(3_600_000);
    expect(
      steps(
        (ms) => ticking(pause(ms)),
        (ms) => ticking(pause(ms)),
        pause,
      ),
    ).toEqual([]);
  });

  it('where one of the senders slept', () => {
    const pause = forward(3_600_000);
    expect(steps(ticking, (ms) => ticking(pause(ms)), pause)).toEqual([]);
  });

  it('where nobody counts milliseconds', () => {
    const coarse = (ms: number) => 1000 + Math.floor(ms / 100);
    expect(steps(coarse, coarse, forward(3_600_000))).toEqual([]);
  });

  it('where nobody writes timestamps', () => {
    expect(
      steps(
        () => 0,
        () => 0,
        forward(3_600_000),
      ),
    ).toEqual([]);
  });
});
