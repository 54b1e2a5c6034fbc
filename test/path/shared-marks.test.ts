/** Agents of one build that mask with the same keys and say the same: what tells them apart, and that nothing is made up where nothing does. */

import { expect, it } from 'vitest';
import { buildPaths } from '../../src/path/build-paths.js';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { observe } from '../support/observe.js';
import { Talk, Tape } from '../support/tape.js';

/** Two agents over two hops in mid-connection; each path as the last digits of its legs' ports. */
function linked(isAsked: boolean): string[] {
  const tapes = [new Tape(), new Tape()];
  const talks = tapes.map((tape, hop) =>
    [0, 1].map(
      (agent) =>
        new Talk(tape, {
          server: `10.0.${hop}.1`,
          client: hop === 0 ? '10.0.1.1' : '10.0.2.9',
          // At the outer hop the second agent's connection comes first.
          clientPort: 50_000 + 10 * hop + (hop === 0 ? agent : 1 - agent),
          clientIsn: 1e9 * agent + 77_000_000 * hop,
          serverIsn: 1.5e9 * agent + 99_000_000 * hop,
        }),
    ),
  );
  const of = (hop: number, agent: number) => talks[hop][hop === 0 ? agent : agent];
  const say = (ms: number, from: 'client' | 'server', bytes: (agent: number) => Uint8Array) => {
    for (const hop of from === 'client' ? [1, 0] : [0, 1])
      for (const agent of [0, 1]) of(hop, agent).send(ms + agent * 0.01, from, bytes(agent), 0.1);
  };
  for (let n = 0; n < 8; n++) {
    const beat = masked(`{"type":"Heartbeat","seq":${n},"state":"idle","since":"the morning"}`, {
      mask: [n + 1, 2, 3, 4],
    });
    say(1000 + n * 1000, 'client', () => beat);
  }
  if (isAsked) {
    say(9000, 'server', (agent) => frame(command(`c-${agent}`)));
    say(9040, 'client', (agent) => masked(commandAck(`c-${agent}`), { mask: [99, 2, 3, 4] }));
  }
  for (const tape of tapes) tape.packets.sort((a, b) => a.atMs - b.atMs);
  const { paths } = buildPaths(
    ['origin', 'npm'],
    tapes.map((tape) => observe(tape).observation),
  );
  return paths
    .map(({ legs }) => legs.map((leg) => (leg === null ? '-' : leg.connection.clientPort - 50_000)).join(' '))
    .sort();
}

it('a few messages of their own tell which connection is whose', () => {
  expect(linked(true)).toEqual(['0 11', '1 10']);
});

it('without any, no leg is taken for another one’s', () => {
  expect(linked(false)).toEqual(['- 10', '- 11', '0 -', '1 -']);
});
