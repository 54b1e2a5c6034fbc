import { describe, expect, it } from 'vitest';
import { blindness, blockedThrough, seconds } from '../../src/delivery/coverage.js';
import { command, frame } from '../support/frames.js';
import { observe } from '../support/observe.js';
import { noise } from '../support/octets.js';
import { ACK, FIN, RST, type Talk, Tape } from '../support/tape.js';
import { webSocket } from '../support/web-socket-talk.js';

const SECOND = 1e9;

/** What the capture can not tell of the server's direction between two times, in seconds. */
function blind(
  tape: Tape,
  fromS: number,
  toS: number,
  side: 'fromServer' | 'fromClient' = 'fromServer',
): string | null {
  const { observation, connections } = observe(tape);
  const [connection] = connections;
  return blindness(observation, connection, connection[side], { fromNs: fromS * SECOND, toNs: toS * SECOND });
}

function quiet(more: (talk: Talk, tape: Tape) => void = () => {}): Tape {
  const tape = new Tape();
  const talk = webSocket(tape, 0);
  talk.send(1000, 'server', frame(command('c-1')));
  more(talk, tape);
  for (let s = 20; s <= 40; s += 5) talk.send(s * 1000, 'server', frame(command(`c-${s}`)));
  return tape;
}

describe('blindness', () => {
  it('is none where every octet was seen', () => expect(blind(quiet(), 2, 12)).toBeNull());

  it('is none where the direction was quiet and the capture went on', () => {
    const tape = new Tape();
    webSocket(tape, 0).send(1000, 'server', frame(command('c-1')));
    webSocket(tape, 30_000, { clientPort: 40113 });
    expect(blind(tape, 2, 12)).toBeNull();
  });

  it.each([
    ['FIN', FIN | ACK],
    ['RST', RST],
  ])('is none behind the direction’s %s', (_, flags) => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    talk.segment(5000, 'server', { flags });
    expect(blind(tape, 2, 12)).toBeNull();
  });

  it('is where the capture ends too early', () => {
    const tape = new Tape();
    webSocket(tape, 0).send(1000, 'server', frame(command('c-1')));
    expect(blind(tape, 2, 12)).toMatch(/ends 11 s too early/);
  });

  it('is where the capture starts too late', () => {
    const tape = quiet().between(20_000, 1e9);
    expect(blind(tape, 2, 12)).toMatch(/starts 18 s too late/);
    expect(blind(tape, 21, 35)).toBeNull();
  });

  it('is where octets are missing at that time, and only then', () => {
    const tape = quiet((talk) => void talk.send(6000, 'server', frame(command('lost'))));
    const numbers = tape.packets.map(({ atMs }, i) => (atMs === 6000 ? i + 1 : 0)).filter((n) => n > 0);
    const holed = tape.without(...numbers);
    expect(blind(holed, 2, 12)).toMatch(/missing/);
    expect(blind(holed, 25.5, 34)).toBeNull();
  });

  it('is where a packet was cut', () => {
    const tape = quiet((talk) => void talk.segment(6000, 'server', { data: frame(command('cut')), captured: 4 }));
    expect(blind(tape, 2, 12)).toMatch(/cut off/);
  });

  it('is where octets could not be read', () => {
    const tape = quiet((talk) => {
      talk.send(6000, 'server', Uint8Array.of(0xff, 0xff, ...noise(200)));
    });
    expect(blind(tape, 2, 12)).toMatch(/could not be read/);
  });

  it('is where the direction was not captured at all', () => {
    const tape = quiet();
    const oneWay = new Tape();
    // Packets to port 3001 only.
    for (const packet of tape.packets)
      if (packet.bytes[36] === 0x0b && packet.bytes[37] === 0xb9) oneWay.packets.push(packet);
    const { observation, connections } = observe(oneWay);
    const [{ fromServer }] = connections;
    expect(blindness(observation, connections[0], fromServer, { fromNs: 0, toNs: SECOND })).toMatch(/no packet/);
  });

  it('of one direction says nothing about the other', () => {
    const tape = quiet((talk) => void talk.segment(6000, 'server', { data: frame(command('cut')), captured: 4 }));
    expect(blind(tape, 2, 12, 'fromClient')).toBeNull();
  });
});

describe('blockedThrough', () => {
  const half = (...blocked: [number, number][]) => {
    const { connections } = observe(quiet());
    const intervals = blocked.map(([from, to]) => {
      return { kind: 'unacked' as const, fromNs: from * SECOND, toNs: to * SECOND, ref: 1, endRef: 0 };
    });
    return { ...connections[0].fromServer, blocked: intervals };
  };
  const through = (intervals: [number, number][], from: number, to: number) =>
    blockedThrough(half(...intervals), { fromNs: from * SECOND, toNs: to * SECOND }) !== null;

  it.each([
    ['all through', [[1, 20]], true],
    ['to the end of what was seen', [[1, Number.POSITIVE_INFINITY]], true],
    [
      'in two that follow each other at once',
      [
        [1, 6],
        [6.2, 20],
      ],
      true,
    ],
    [
      'in two that overlap, in any order',
      [
        [5, 20],
        [1, 6],
      ],
      true,
    ],
    ['not from its beginning', [[4, 20]], false],
    ['not to its end', [[1, 11]], false],
    [
      'not with a pause between',
      [
        [1, 6],
        [8, 20],
      ],
      false,
    ],
    ['not at all', [], false],
  ] as [string, [number, number][], boolean][])('%s', (_, intervals, expected) => {
    expect(through(intervals, 2, 12)).toBe(expected);
  });
});

it('writes times in words', () => {
  expect([0.2e6, 0.0152e6, 40.25e6, 940e6, 1e9, 1.26e9, 31e9].map(seconds)).toEqual([
    '0.2 ms',
    '0.0152 ms',
    '40.3 ms',
    '940 ms',
    '1.0 s',
    '1.3 s',
    '31 s',
  ]);
});
