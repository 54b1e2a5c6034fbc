/** Connections of which a capture holds one direction only, linked with the others' connections all the same. */

import { describe, expect, it } from 'vitest';
import { Chain } from '../support/chain.js';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { type Party, Tape } from '../support/tape.js';
import { hear } from '../support/verdict.js';

const HOPS = ['origin', 'nginx', 'npm'];
const KEYS = ['AAAAAAAAAAAAAAAAAAAAAA==', 'BBBBBBBBBBBBBBBBBBBBBA=='];

/** Only what the leg's server sent, or what came to it. */
function oneWay(tape: Tape, serverPort: number, from: Party): Tape {
  const kept = new Tape();
  const at = from === 'server' ? 34 : 36;
  for (const packet of tape.packets)
    if (packet.bytes[at] * 256 + packet.bytes[at + 1] === serverPort) kept.packets.push(packet);
  return kept;
}

/** Two agents that get alike commands and say much between; at one hop one direction was captured. */
async function heard(hop: number, from: Party, fromMs = 0) {
  const tapes = HOPS.map(() => new Tape());
  const chains = KEYS.map((key, i) => new Chain(tapes, { key, agent: i + 1 }).open(i * 50));
  for (let round = 0; round < 4; round++)
    chains.forEach((chain, i) => {
      const ms = 1000 + round * 1000 + i * 100;
      chain.outward(ms, frame(command(`c-${i}-${round}`)));
      chain.inward(ms + 40, masked(commandAck(`c-${i}-${round}`)));
      for (let n = 0; n < 6; n++)
        chain.inward(
          ms + 50 + n,
          masked(`{"type":"Heartbeat","agent_id":"A-${i}","at":"${round} ${n} ${'x'.repeat(30)}"}`),
        );
    });
  const captured = tapes.map((tape, i) => (i === hop ? oneWay(tape, 3001 + i, from) : tape).between(fromMs, 60_000));
  return hear(Object.fromEntries(HOPS.map((name, i) => [name, captured[i]])));
}

describe.each([
  ['by Sec-WebSocket-Accept or the key', 0],
  ['by contents, in mid-connection', 500],
])('one direction at one hop is linked %s', (_, fromMs) => {
  it.each([
    [0, 'server'],
    [1, 'server'],
    [2, 'server'],
    [0, 'client'],
    [1, 'client'],
    [2, 'client'],
  ] as const)('at hop %i, from the %s', async (hop, from) => {
    const { verdict, commands } = await heard(hop, from, fromMs);
    expect(verdict.connections.map(({ legs }) => legs.length)).toEqual([3, 3]);
    expect(commands.map(({ attempts }) => attempts.length)).toEqual(Array(8).fill(1));
    // What the other hops show is as good as ever; and CommandAcks at the innermost hop say it alone.
    const inner = hop === 0 && from === 'server';
    expect(new Set(commands.map(({ outcome }) => outcome))).toEqual(new Set([inner ? 'inconclusive' : 'delivered']));
  });
});
