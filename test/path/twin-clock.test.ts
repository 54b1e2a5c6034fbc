import { describe, expect, it } from 'vitest';
import type { Leg } from '../../src/path/path.js';
import { twinSamples } from '../../src/path/twin-clock.js';
import { command, frame, masked } from '../support/frames.js';
import { observe } from '../support/observe.js';
import { Tape } from '../support/tape.js';
import { webSocket } from '../support/web-socket-talk.js';

const ENDS = { client: '10.0.1.1', clientPort: 40_001, server: '10.0.0.1', serverPort: 3001 };

/** A connection with messages both ways. */
function told(shape = ENDS): Tape {
  const tape = new Tape();
  const talk = webSocket(tape, 10, shape);
  for (let i = 0; i < 5; i++) {
    talk.send(1000 + 500 * i, 'server', frame(command(`c-${i}`)));
    talk.send(1040 + 500 * i, 'client', masked(`{"type":"Heartbeat","at":${i}}`));
  }
  return tape;
}

/** The same packets by a clock that is ahead. */
function ahead(tape: Tape, ms: number): Tape {
  const copy = new Tape(ms);
  for (const { atMs, bytes, wireLength } of tape.packets) copy.add(atMs, bytes, wireLength);
  return copy;
}

function samples(inner: Tape, outer: Tape) {
  const [a, b] = [observe(inner).observation, observe(outer).observation];
  const legs = a.connections.map((connection): Leg => ({ hop: 0, connection, linkedBy: 'only', inTime: false }));
  return [...twinSamples(legs, a, b)].map(({ innerNs, outerNs, way }) => `${way} ${(outerNs - innerNs) / 1e6}`);
}

describe('two captures of one TCP connection', () => {
  it('tell how far their clocks are apart, in both directions', () => {
    const seen = samples(told(), ahead(told(), 7000));
    expect(new Set(seen)).toEqual(new Set(['fromServer 7000', 'fromClient 7000']));
    expect(seen.length).toBeGreaterThanOrEqual(10);
  });

  it('tell it where both hold nothing but headers, and one began later', () => {
    const seen = samples(told().cut(54), ahead(told().cut(54).between(1900, 1e9), 7000));
    expect(new Set(seen)).toEqual(new Set(['fromServer 7000', 'fromClient 7000']));
  });

  it('are not two connections on the same ports', () => {
    expect(
      samples(told(), ahead(told({ ...ENDS, clientIsn: 9_000_000, serverIsn: 9_900_000 } as typeof ENDS), 1)),
    ).toEqual([]);
  });
});
