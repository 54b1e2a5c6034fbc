/** lasthop's verdict on every sample, against what the logs of the real server, agents and relays say about that run. */
import { describe, expect, it } from 'vitest';
import { allDifferences, pairConnections, witness } from './differences.js';
import { lasthop, log, samples } from './sample.js';
import type { VerdictJson } from './verdict-json.js';

/** The relays and proxies of the lab hold a frame for a millisecond or so; the clocks of the captures are one. */
const CLOCK_MS = 2;

const setBy = (ms: number) =>
  `its clock was set ${ms > 0 ? 'forward' : 'back'} by ${(Math.abs(ms) / 1e3).toFixed(ms > -1e4 && ms < 1e4 ? 1 : 0)} s`;

describe.each(samples)('$name', (sample) => {
  const verdict = lasthop(['verdict', ...sample.args, '--json']).then(({ status, out, err }) => {
    expect({ status, err }).toEqual({ status: 0, err: '' });
    return JSON.parse(out) as VerdictJson;
  });
  const seen = witness(sample);
  const made = (hop: string) => sample.scenario.hops.find(({ name }) => name === hop)!;

  it('says what the logs say', async () => {
    expect(allDifferences(sample, await verdict, seen)).toEqual([]);
  });

  it('counts the packets that tcpdump counted, and trusts the captures', async () => {
    for (const hop of (await verdict).hops) {
      const packets = hop.captures.reduce((sum, capture) => sum + capture.packets, 0);
      expect(packets, hop.name).toBe(sample.scenario.packets[hop.name]);
      const steps = made(hop.name).clockSteps ?? [];
      const reasons = steps.map(([, byMs]) => expect.stringContaining(setBy(byMs)));
      if (made(hop.name).oneWay)
        reasons.push(expect.stringMatching(/one direction|TCP-ACKed by the receiver and not in the capture/));
      for (const capture of hop.captures)
        expect(capture).toMatchObject({ trust: reasons.length > 0 ? 'limited' : 'full', reasons });
    }
  });

  it("knows each hop's clock", async () => {
    const known = sample.hops.map((hop) => made(hop).clockOffsetMs ?? 0);
    for (const [i, hop] of (await verdict).hops.entries()) {
      // Before each step and after it.
      const steps = (made(hop.name).clockSteps ?? []).map(([, byMs]) => byMs);
      const right = [0, ...steps].map((_, n) =>
        steps.slice(0, n).reduce((sum, byMs) => sum + byMs, known[i] - known[0]),
      );
      // Messages of one direction bound it from one side only.
      if (made(hop.name).oneWay && hop.clockOffsetMs === null) continue;
      expect(hop.clockOffsetMs, hop.name).not.toBeNull();
      const off = Math.min(...right.map((ms) => Math.abs(hop.clockOffsetMs! - ms)));
      expect(off, hop.name).toBeLessThanOrEqual(hop.clockUncertaintyMs! + 0.002);
      expect(hop.clockUncertaintyMs, hop.name).toBeLessThan(CLOCK_MS + (made(hop.name).lateMs ?? 0));
    }
  });

  it('counts the Pings and Pongs that the server counted', async () => {
    const { connections, hops } = await verdict;
    const { conns } = pairConnections(sample, await verdict, seen);
    const notes = log(sample, 'server');
    // tcpdump loses its last ring block when it is stopped: what the server noted just then may not be in the file.
    const ends = hops[0].captures.flatMap(({ lastAt }) => (lastAt === null ? [] : [Date.parse(lastAt)]));
    const sure = new Date(Math.max(...ends) - 50).toISOString();
    for (const { conn, agent } of sample.expected.connections) {
      const pings = connections.find(({ id }) => id === conns.get(conn))?.pings;
      // Flooded: what is noted as sent waits in the process.
      const flooded = notes.some((note) => note['event'] === 'flood' && note['agent'] === agent);
      for (const [event, counted] of [
        ['ping', pings?.sent],
        ['pong', pings?.answered],
      ] as const) {
        const all = notes.filter((note) => note['conn'] === conn && note['event'] === event);
        const certain = all.filter(({ at }) => String(at) >= sample.scenario.capturedFrom && String(at) < sure).length;
        const where = `${event} ${conn} of ${agent}`;
        if (!(flooded && event === 'ping')) expect(counted, where).toBeGreaterThanOrEqual(certain);
        expect(counted, where).toBeLessThanOrEqual(all.length);
      }
    }
  });
});
