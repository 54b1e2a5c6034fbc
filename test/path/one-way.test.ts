/** Connections of which a capture holds one direction only, linked with the others' connections all the same. */

import { describe, expect, it } from 'vitest';
import type { Reply } from '../../src/delivery/verdict.js';
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
    // Answers and TCP ACKs tell the clocks where no message that both captures hold goes the other way.
    const { clockOffsetMs, clockUncertaintyMs } = verdict.hops[hop === 0 ? 1 : hop];
    const told = hop > 0 || (from === 'server' && fromMs === 0);
    if (!told) expect(clockOffsetMs).toBeNull();
    else {
      expect(Math.abs(clockOffsetMs as number)).toBeLessThanOrEqual(clockUncertaintyMs as number);
      expect(clockUncertaintyMs).toBeLessThanOrEqual(50);
    }
    // What the other hops show is as good as ever. CommandAcks at the innermost hop its own TCP ACKs tell, where their places are known.
    const unseen = hop === 0 && from === 'server';
    const outcome = unseen && fromMs > 0 ? 'inconclusive' : 'delivered';
    expect(new Set(commands.map((command) => command.outcome))).toEqual(new Set([outcome]));
    expect(new Set(commands.map(({ grade }) => grade))).toEqual(
      new Set([unseen && fromMs === 0 ? 'inferred' : 'measured']),
    );
    for (const { attempts } of commands)
      if (unseen && fromMs === 0) {
        const [{ state, grade, bytes }, next] = (attempts[0].commandAck as Reply).hops;
        expect({ state, grade, bytes }).toEqual({ state: 'tcp-acked', grade: 'inferred', bytes: next.bytes });
        expect(attempts[0].reason).toMatch(/^CommandAck back at origin \(none of its octets is in the capture/);
      }
  });
});
