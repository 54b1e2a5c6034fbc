/**
 * A capture of which the kernel dropped packets: what the logs of the programs say is not contradicted, the hole is as long as a second reader
 * finds it, and quiet connections are distrusted around the time at which tcpdump stood still, and only then.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { falseClaims } from './records.js';
import { droppedSamples, lasthop, log } from './sample.js';
import type { VerdictJson } from './verdict-json.js';
import { type TcpPacket, tcpPackets } from './witness-packets.js';

/** Octets that TCP ACKs cover and no packet brought, from the first packet of each direction on. */
function octetsNotThere(packets: Iterable<TcpPacket>): number {
  const seen = new Map<string, { from: number; octets: Set<number>; acked: number }>();
  const of = (key: string, from: number) => {
    const known = seen.get(key) ?? { from, octets: new Set(), acked: 0 };
    seen.set(key, known);
    return known;
  };
  for (const { source, destination, seq, ack, syn, payload } of packets) {
    const sent = of(`${source} ${destination}`, syn ? seq + 1 : seq);
    for (let i = 0; i < payload.length; i++) sent.octets.add((seq + i - sent.from) | 0);
    if (ack === null) continue;
    const other = of(`${destination} ${source}`, ack);
    other.acked = Math.max(other.acked, (ack - other.from) | 0);
  }
  let missing = 0;
  for (const { octets, acked } of seen.values()) for (let i = 0; i < acked; i++) if (!octets.has(i)) missing++;
  return missing;
}

describe.each(droppedSamples)('$name', (sample) => {
  const [[hop, dropped]] = Object.entries(sample.scenario.dropped ?? {});
  const file = join(sample.dir, sample.scenario.hops.find(({ name }) => name === hop)?.file ?? '');
  const verdict = lasthop(['verdict', ...sample.args, '--json']).then(({ out }): VerdictJson => JSON.parse(out));
  const quality = lasthop(['quality', file, '--json']).then(({ out }) => JSON.parse(out).captures[0]);
  const [paused, resumed] = ['capture-paused', 'capture-resumed'].map(
    (event) => log(sample, 'lab').find((each) => each['event'] === event)?.['at'] as string,
  );

  it('claims what the logs say, for every command', async () => {
    const said = await verdict;
    expect(falseClaims(sample, said)).toEqual([]);
    expect(said.summary.byOutcome).toEqual(sample.expected.summary.byOutcome);
    const attempts = said.commands.map(({ id, attempts: all }) => [id, all.length]);
    const right = sample.expected.commands.map(({ id, attempts: all }) => [id, all.length]);
    expect(new Map(attempts as [string, number][])).toEqual(new Map(right as [string, number][]));
  });

  it('calls nothing absent that was in the hole', async () => {
    const states = (await verdict).commands.flatMap(({ attempts }) =>
      attempts.flatMap(({ hops, commandAck, result }) => [hops, commandAck?.hops ?? [], result?.hops ?? []].flat()),
    );
    expect(states.filter((state) => state.hop === hop && state.grade === 'inferred').length).toBeGreaterThan(5);
    // What an agent that ignores commands never sent is absent, rightly; no command is.
    expect(states.filter(({ state }) => state === 'absent')).toEqual([]);
  });

  it('finds as many octets missing as a second reader', async () => {
    const { missedOctets, losses, trust, reasons } = await quality;
    expect(missedOctets).toBe(octetsNotThere(tcpPackets(file).values()));
    const [missed] = losses;
    expect(missed).toMatchObject({ fate: 'missed-by-capture', octets: missedOctets });
    expect(missed.count).toBeLessThanOrEqual(dropped);
    expect(trust).toBe('limited');
    expect(reasons).toEqual([expect.stringMatching(/^missed-by-capture: /)]);
    const captures = (await verdict).hops.map(({ captures: [capture] }) => [capture.trust, capture.reasons]);
    expect(captures).toEqual(sample.hops.map((name) => (name === hop ? ['limited', reasons] : ['full', []])));
  });

  it('distrusts silence around the time at which tcpdump stood still, and not before or after', async () => {
    const { blindTimes, firstAt, lastAt } = await quality;
    expect(blindTimes).toHaveLength(1);
    const [{ fromAt, toAt }] = blindTimes;
    expect([firstAt, fromAt, paused, resumed, toAt, lastAt]).toEqual(
      [firstAt, fromAt, paused, resumed, toAt, lastAt].sort(),
    );
  });
});
