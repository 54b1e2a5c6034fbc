/** distinct-failures, the filter by agent, and bounds: findings about many at a time. */
import { describe, expect, it } from 'vitest';
import { command, frame, ping } from '../support/frames.js';
import { agentOn, diagnosed, heartbeat, idsOf, pinged, tapesOf } from './diagnosis.js';

function twoFaults() {
  const { tapes, captures } = tapesOf('origin', 'npm');
  const ignores = agentOn(tapes, 'IGNORES', 0, { agent: 1 });
  const stopped = agentOn(tapes, 'STOPPED', 10, { agent: 2 });
  const fine = agentOn(tapes, 'FINE', 20, { agent: 3 });
  ignores.outward(2000, frame(command('c-1')));
  stopped.outward(2000, frame(command('c-2')));
  for (let ms = 3000; ms < 30_000; ms += 3000) {
    pinged(ignores, ms);
    stopped.outward(ms, ping(String(ms)));
    pinged(fine, ms + 1);
    heartbeat(fine, ms + 100);
  }
  return captures();
}

describe('several agents', () => {
  it('that fail in different ways are told apart', async () => {
    const findings = await diagnosed(twoFaults());
    expect(idsOf(findings)).toEqual(['agent-unresponsive', 'agent-ignores-commands', 'distinct-failures']);
    expect(findings.map(({ agents }) => agents.sort())).toEqual([['STOPPED'], ['IGNORES'], ['IGNORES', 'STOPPED']]);
  });

  it('are left out where only one was asked for', async () => {
    expect(idsOf(await diagnosed(twoFaults(), { agents: ['IGNORES'] }))).toEqual(['agent-ignores-commands']);
  });

  it('that fail in the same way are one finding, with the first fifty commands', async () => {
    const { tapes, captures } = tapesOf('origin');
    const names = Array.from({ length: 70 }, (_, i) => `AG-${i}`);
    names.forEach((name, i) => {
      const chain = agentOn(tapes, name, i, { agent: i + 1 });
      chain.outward(1000 + i, frame(command(`c-${i}`)));
      for (let ms = 2000; ms < 15_000; ms += 2000) pinged(chain, ms + i);
    });
    const [finding, ...more] = await diagnosed(captures());
    expect(more).toEqual([]);
    expect(finding.agents).toHaveLength(70);
    expect(finding.commands).toHaveLength(50);
    expect(finding.summary).toContain('70 commands');
    expect(finding.evidence.length).toBeLessThanOrEqual(24);
  });
});
