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

  it('are not taken where they contradict each other: the server may write to the wrong connection', async () => {
    expect(
      await agentsOf([
        ['NVR-2', 'c-1'],
        ['NVR-3', 'c-2'],
      ]),
    ).toEqual([null]);
  });
});
