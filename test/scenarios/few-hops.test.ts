/**
 * Fewer captures than the path has hops: one end only, the other end only, any two of three, any of four; with the path named and without.
 * What the logs say stays the measure: nothing else may be claimed, and what the captures at hand do show must be.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { altered, pcapSample } from './altered.js';
import { type ExpectedCommand, type Sample, samples } from './sample.js';
import type { Command, VerdictJson } from './verdict-json.js';

const folder = mkdtempSync(join(tmpdir(), 'lasthop-few-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CHOSEN = ['incident-1', 'black-hole', 'hop-drops-text', 'lost-acks', 'inner-leg-cut', 'never-sent', 'four-hops'];

const NOT_CAPTURED =
  /^lasthop: warning: between \w+ and \w+ stands a hop that was not captured \([\d.]+\): name all hops with --path\n$/;

/** All ways to choose some of them, but not all. */
const choices = (hops: readonly string[]): string[][] =>
  Array.from({ length: 2 ** hops.length - 2 }, (_, bits) => hops.filter((_, i) => ((bits + 1) >> i) & 1));

/** Places from the server outward: hops are even, legs odd, the agent is the last. A leg that spans hops is all that lies between. */
function placeOf(path: readonly string[], place: string | null): [from: number, to: number] | null {
  if (place === null) return null;
  // Without --path a hop that was not captured has its address for a name: it may be any further out.
  const at = (name: string) => 2 * (path.includes(name) ? path.indexOf(name) : path.length);
  const [inner, outer] = place.split('->');
  return outer === undefined ? [at(inner), at(inner)] : [at(inner) + 1, at(outer) - 1];
}

function isTrue(path: readonly string[], given: readonly string[], right: ExpectedCommand, had: Command): boolean {
  if (had.outcome === 'inconclusive') return true;
  const wanted = placeOf(path, right.lostAt);
  const said = placeOf(path, had.lostAt);
  // The contract: it is delivered if the CommandAck came to the innermost captured hop.
  if (had.outcome === 'delivered' && right.outcome === 'ack-lost' && wanted !== null)
    return wanted[1] <= 2 * path.indexOf(given[0]);
  if (had.outcome !== right.outcome) return false;
  return wanted === null || said === null ? wanted === said : said[0] <= wanted[0] && wanted[1] <= said[1];
}

function contradictions(sample: Sample, given: readonly string[], { commands }: VerdictJson): string[] {
  const right = new Map(sample.expected.commands.map((command) => [command.id, command]));
  return commands
    .filter((had) => right.has(had.id) && !isTrue(sample.hops, given, right.get(had.id)!, had))
    .map(({ id, outcome, lostAt, reason }) => {
      const { outcome: wanted, lostAt: at, agent } = right.get(id)!;
      return `${agent} ${id}: ${wanted} at ${at}, lasthop ${outcome} at ${lostAt} (${reason})`;
    });
}

const outcomes = ({ commands }: VerdictJson) => new Map(commands.map(({ id, outcome }) => [id, outcome]));

describe.each(CHOSEN.map((name) => pcapSample(samples, name)))('$name', (sample) => {
  const outermost = sample.hops.at(-1)!;

  it.each(choices(sample.hops).map((given) => [given.join(' '), given] as const))('%s', async (name, given) => {
    for (const more of [['--path', sample.hops.join(',')], []]) {
      const { status, err, verdict } = await altered(
        folder,
        sample,
        `${name} ${more.length}`,
        (capture, hop) => (given.includes(hop) ? capture : null),
        more,
      );
      const gap =
        more.length === 0 && sample.hops.indexOf(given.at(-1)!) - sample.hops.indexOf(given[0]) >= given.length;
      expect({ status, err }).toEqual({ status: 0, err: gap ? expect.stringMatching(NOT_CAPTURED) : '' });
      expect(contradictions(sample, given, verdict), more.join(' ')).toEqual([]);
      const said = outcomes(verdict);
      for (const { id, agent, outcome, lostAt, lastHopAnyOf } of sample.expected.commands) {
        const where = `${agent} ${id} ${more}`;
        // Every capture on the way back shows the CommandAck.
        if (outcome === 'delivered') expect(said.get(id), where).toBe('delivered');
        // Where the last leg is seen, so is what becomes of a command on it; but not of one that may still wait further in.
        const isLast = lastHopAnyOf === undefined && (lostAt === 'agent' || lostAt === `${outermost}->agent`);
        if (isLast && given.includes(outermost)) expect(said.get(id), where).toBe(outcome);
      }
    }
  });
});
