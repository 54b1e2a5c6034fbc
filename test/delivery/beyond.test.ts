/** Whether the outermost leg's client is the agent's end, where its opening was not captured. */

import { describe, expect, it } from 'vitest';
import { Chain } from '../support/chain.js';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { Tape } from '../support/tape.js';
import { hear, ruling } from '../support/verdict.js';

const GATEWAY = '198.51.100.1';

interface Shape {
  agents?: number;
  /** Time to Live of the packets from the common address. */
  hopLimit: number;
  /** The opening of this agent's connection is in the capture, and names somebody else as the client. */
  opens?: number;
  forwarded?: string;
}

/** Agents that come from one address; the capture begins after they connected. A-1 answers c-1, and nobody c-2. */
async function midConnection({ agents = 2, hopLimit, opens, forwarded }: Shape, path?: string[]) {
  const tape = new Tape();
  const chains = Array.from({ length: agents }, (_, i) => {
    const agent = i + 1;
    const chain = new Chain([tape], { agent, address: GATEWAY, hopLimit });
    if (opens === agent) {
      const outermost = forwarded === undefined ? [] : [`X-Forwarded-For: ${forwarded}`];
      return new Chain([tape], { agent, address: GATEWAY, hopLimit, outermost }).open(0);
    }
    return chain;
  });
  const beat = (ms: number) => {
    chains.forEach((chain, i) => void chain.inward(ms + i, masked(`{"type":"Heartbeat","agent_id":"A-${i + 1}"}`)));
  };
  beat(100);
  chains[0].outward(1000, frame(command('c-1')));
  chains[0].inward(1040, masked(commandAck('c-1')));
  chains[0].outward(2000, frame(command('c-2')));
  for (const ms of [3000, 8000, 13_000, 18_000]) beat(ms);
  return (await hear({ npm: tape }, path === undefined ? {} : { path })).of('c-2');
}

describe('agents from one address whose openings were not captured', () => {
  it('are taken for agents behind a gateway where a router forwarded their packets, and the reason says so', async () => {
    const verdict = await midConnection({ hopLimit: 57 });
    expect(ruling(verdict)).toBe('reached-agent npm agent');
    expect(verdict.reason).toContain(`its opening was not captured, so ${GATEWAY} is taken for the agent's end`);
  });

  it('may come through a proxy where the address itself made their packets', async () => {
    for (const hopLimit of [64, 128, 255]) {
      const verdict = await midConnection({ hopLimit });
      expect(ruling(verdict)).toBe('inconclusive npm -');
      expect(verdict.reason).toContain(`TCP-ACKed by ${GATEWAY}`);
    }
  });

  it('are what the user says', async () => {
    const verdict = await midConnection({ hopLimit: 64 }, ['npm']);
    expect(ruling(verdict)).toBe('reached-agent npm agent');
    expect(verdict.reason).not.toContain('is taken for');
  });

  it('are one agent where there is but one', async () => {
    expect(ruling(await midConnection({ agents: 1, hopLimit: 64 }))).toBe('reached-agent npm agent');
  });

  it('are what another opening from the same address says', async () => {
    const proxied = await midConnection({ hopLimit: 57, opens: 2, forwarded: '203.0.113.9' });
    expect(ruling(proxied)).toBe('inconclusive npm -');
    expect(ruling(await midConnection({ hopLimit: 64, opens: 2 }))).toBe('reached-agent npm agent');
  });
});

/** Two agents from one address; npm's capture begins after they connected, and origin's holds the opening of npm's connections to it. */
async function knownFurtherIn(address: string) {
  const tapes = [new Tape(), new Tape()];
  const chains = [1, 2].map((agent) => new Chain(tapes, { agent, address, hopLimit: 64 }).open(0));
  for (const [i, chain] of chains.entries())
    chain.inward(100, masked(`{"type":"Authenticate","agent_id":"A-${i + 1}"}`));
  chains[0].outward(1000, frame(command('c-1')));
  chains[0].inward(1040, masked(commandAck('c-1')));
  chains[0].outward(2000, frame(command('c-2')));
  for (const ms of [3000, 8000, 13_000, 18_000])
    chains.forEach((chain, i) => void chain.inward(ms + i, masked(`{"type":"Heartbeat","agent_id":"A-${i + 1}"}`)));
  const [origin, npm] = tapes;
  return (await hear({ origin, npm: npm.between(50, 60_000) })).of('c-2');
}

describe('agents from one address, named by the opening of the next leg inward', () => {
  it('are the end of the path where they stand first in its X-Forwarded-For', async () => {
    expect(ruling(await knownFurtherIn('203.0.113.7'))).toBe('reached-agent npm agent');
  });

  it('may be a proxy where it names somebody else', async () => {
    const verdict = await knownFurtherIn('203.0.113.99');
    expect(ruling(verdict)).toBe('inconclusive npm -');
    expect(verdict.reason).toContain(
      'seems to be a proxy (the opening of its connection, which would tell, was not captured), since 2 agents connect from it',
    );
  });
});
