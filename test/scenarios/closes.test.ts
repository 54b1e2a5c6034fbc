/** How connections ended on the samples where the lab ended them: by whom, which together, after how long a silence. */
import { describe, expect, it } from 'vitest';
import type { CloseReport, LegReport } from '../../src/delivery/verdict.js';
import { lasthop, log, samples } from './sample.js';

async function verdictOf(name: string): Promise<{ closes: CloseReport[]; connections: { legs: LegReport[] }[] }> {
  const sample = samples.find((each) => each.name === name);
  if (sample === undefined) throw new Error(`no sample ${name}`);
  return JSON.parse((await lasthop(['verdict', ...sample.args, '--json'])).out);
}

const together = (closes: CloseReport[]) => closes.filter(({ count }) => count > 1);

describe('how connections ended', () => {
  it('a reload closes what its old worker had, and leaves the newer connections', async () => {
    const [reload, ...more] = together((await verdictOf('proxy-reload')).closes);
    expect(more).toEqual([]);
    expect(reload).toMatchObject({
      by: 'npm',
      count: 4,
      open: 6,
      agents: ['OLD-A', 'OLD-B', 'OLD-C', 'OLD-D'],
      back: 4,
    });
  });

  it("a site's connections end from the agents' side, those of another site stay", async () => {
    const [dropped, ...more] = together((await verdictOf('site-dropped')).closes);
    expect(more).toEqual([]);
    expect(dropped).toMatchObject({ by: 'agent', count: 3, open: 5, addresses: ['198.51.100.11'], back: 3 });
  });

  it('each death of the server ends all connections at once, when the lab killed it', async () => {
    const sample = samples.find(({ name }) => name === 'incident-3');
    if (sample === undefined) throw new Error('no sample incident-3');
    const killed = log(sample, 'lab').filter(({ event }) => event === 'server-killed');
    const ends = together((await verdictOf('incident-3')).closes);
    expect(ends).toHaveLength(killed.length);
    ends.forEach((end, i) => {
      expect(end).toMatchObject({ by: 'origin', count: 12, open: 12, back: 12 });
      expect(Math.abs(Date.parse(end.at) - Date.parse(String(killed[i].at)))).toBeLessThan(200);
    });
  });

  it('an idle time-out closes after its time of silence, on the leg of the hop that has it', async () => {
    for (const [name, hop, ms] of [
      ['idle-timeout', 'npm', 4000],
      ['idle-timeout-inner', 'nginx', 3000],
    ] as const) {
      const { closes, connections } = await verdictOf(name);
      expect(closes.length).toBeGreaterThan(0);
      for (const { by, quietMs } of closes) {
        expect(by).toBe(hop);
        expect(quietMs?.min).toBeGreaterThan(ms - 250);
        expect(quietMs?.max).toBeLessThan(ms + 250);
      }
      const quiet = connections.flatMap(({ legs }) => legs.filter((leg) => leg.hop === hop && leg.closedAt !== null));
      expect(quiet.length).toBeGreaterThan(0);
      for (const { quietBeforeCloseMs } of quiet) expect(quietBeforeCloseMs).toBeGreaterThan(ms - 250);
    }
  });
});
