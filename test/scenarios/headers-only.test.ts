/**
 * Real captures taken with `tcpdump -s`: nothing but headers at some hops. What the programs logged is what lasthop must say all the same, from
 * headers and from what the one whole capture holds; and what it cites is a packet of that leg, going that way.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cutSamples, lasthop } from './sample.js';
import type { VerdictJson } from './verdict-json.js';
import { tcpPackets } from './witness-packets.js';

describe.each(cutSamples)('$name', (sample) => {
  const run = lasthop(['verdict', ...sample.args, '--json']);
  const verdict = run.then(({ out }): VerdictJson => JSON.parse(out));
  const cutAt = sample.scenario.hops.filter(({ snap }) => snap !== undefined).map(({ name }) => name);

  it('says what the logs say', async () => {
    const said = new Map((await verdict).commands.map((command) => [command.id, command] as const));
    expect(said.size).toBe(sample.expected.commands.length);
    for (const { id, outcome, lastHop, lostAt, late, attempts } of sample.expected.commands) {
      const command = said.get(id);
      expect(command, id).toMatchObject({ outcome, lastHop, lostAt });
      if (outcome === 'delivered') expect(command?.late, id).toBe(late);
      expect(command?.attempts.length, id).toBe(attempts.length);
      attempts.forEach((attempt, i) => {
        const states = command?.attempts[i].hops.map(({ hop, state }) => [hop, state]) ?? [];
        expect(Object.fromEntries(states), id).toEqual(attempt.states);
      });
    }
  });

  it('grades as inferred what was cut, and as measured what was not', async () => {
    for (const { attempts } of (await verdict).commands)
      for (const { hop, grade, state } of attempts.flatMap(({ hops }) => hops))
        if (state !== 'absent') expect([hop, grade]).toEqual([hop, cutAt.includes(hop) ? 'inferred' : 'measured']);
  });

  it('finds what is the matter, and nothing else', async () => {
    const { findings } = await verdict;
    for (const { id, agents } of sample.expected.findings.present ?? [])
      expect(
        findings.filter((each) => each.id === id).map((each) => each.agents),
        id,
      ).toContainEqual(agents);
    for (const id of sample.expected.findings.absentIds ?? [])
      expect(findings.map((each) => each.id)).not.toContain(id);
  });

  it('counts the Pings and Pongs that the server counted', async () => {
    const { connections } = await verdict;
    for (const { agent, pings: sent, pongs: answered } of sample.expected.connections)
      expect(connections.find((each) => each.agent === agent)?.pings, String(agent)).toMatchObject({ sent, answered });
  });

  it('cites packets of that leg, in that direction', async () => {
    const { commands, connections } = await verdict;
    const seen = new Map(sample.scenario.hops.map(({ name, file }) => [name, tcpPackets(join(sample.dir, file))]));
    let checked = 0;
    for (const { attempts } of commands)
      for (const { connection, hops } of attempts)
        for (const { hop, packets } of hops) {
          const leg = connections.find(({ id }) => id === connection)?.legs.find((each) => each.hop === hop);
          for (const { data, tcpAck } of packets)
            for (const [numbers, from, to] of [
              [data, leg?.server, leg?.client],
              [tcpAck, leg?.client, leg?.server],
            ] as const)
              for (const number of numbers) {
                expect(seen.get(hop)?.get(number), `${hop} #${number}`).toMatchObject({
                  source: from,
                  destination: to,
                });
                checked++;
              }
        }
    expect(checked).toBeGreaterThan(sample.expected.commands.length * 4);
  });
});
