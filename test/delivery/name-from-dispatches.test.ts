/** Agents whose authentication was not captured are named by the requests for their commands, where all of them agree. */
import { describe, expect, it } from 'vitest';
import { dispatch, judged, tapesOf } from '../findings/diagnosis.js';
import { Chain } from '../support/chain.js';
import { command, frame, masked } from '../support/frames.js';

async function agentsOf(dispatched: [string, string][]): Promise<(string | null)[]> {
  const { tapes, captures } = tapesOf('origin', 'npm');
  const chain = new Chain(tapes).open(0);
  chain.inward(100, masked('{"type":"Heartbeat","n":1}'));
  dispatched.forEach(([agent, id], i) => {
    dispatch(tapes[0], 1000 + 1000 * i, agent, id);
    chain.outward(1010 + 1000 * i, frame(command(id)));
    chain.inward(1100 + 1000 * i, masked('{"type":"Heartbeat","n":2}'));
  });
  for (let ms = 9000; ms < 30_000; ms += 5000) chain.inward(ms, masked(`{"type":"Heartbeat","at":${ms}}`));
  return (await judged(captures())).connections.map(({ agent }) => agent);
}

describe('names from dispatches', () => {
  it('are taken where all agree', async () => {
    expect(
      await agentsOf([
        ['NVR-2', 'c-1'],
        ['NVR-2', 'c-2'],
      ]),
    ).toEqual(['NVR-2']);
  });

  it('are other names of agents that call themselves something else, where all their commands went to one', async () => {
    const { tapes, captures } = tapesOf('origin', 'npm');
    const [one, two] = ['~SIX1~', '~SIX2~'].map((name, i) => {
      const chain = new Chain(tapes, { agent: i + 1, key: `dGhlIHNhbXBsZSBub25jZ${i}==` }).open(i * 10);
      return chain.inward(100 + i, masked(`{"type":"Authenticate","agent_id":"${name}"}`)) && chain;
    });
    dispatch(tapes[0], 1000, 'SIX1', 'c-1');
    one.outward(1010, frame(command('c-1')));
    dispatch(tapes[0], 2000, 'SIX1', 'c-never');
    for (let ms = 3000; ms < 30_000; ms += 5000)
      for (const chain of [one, two])
        chain.inward(ms + (chain === one ? 0 : 1), masked(`{"type":"Heartbeat","at":${ms}}`));
    const verdict = await judged(captures());
    expect(verdict.connections.map(({ agent }) => agent)).toEqual(['~SIX1~', '~SIX2~']);
    expect([...verdict.commands].map(({ id, agent, outcome }) => [id, agent, outcome])).toContainEqual([
      'c-never',
      '~SIX1~',
      'never-sent',
    ]);
    const [unsent] = verdict.findings.filter(({ id }) => id === 'commands-not-sent');
    expect(unsent).toMatchObject({ agents: ['~SIX1~'], severity: 'error' });
  });

  it('are not taken where they contradict each other: the server may write to the wrong connection', async () => {
    expect(
      await agentsOf([
        ['NVR-2', 'c-1'],
        ['NVR-3', 'c-2'],
      ]),
    ).toEqual([null]);
  });
});
