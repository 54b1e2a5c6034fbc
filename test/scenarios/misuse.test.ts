/** Captures given for the wrong hops: changed over, one for two of them. It is said, or at least nothing false is. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { optionsOf, pcapSample } from './altered.js';
import { falseClaims } from './records.js';
import { lasthop, samples } from './sample.js';

const CHOSEN = ['incident-1', 'black-hole', 'four-hops', 'five-hops', 'mid-connection', 'ipv6', 'tls', 'docker-any'];

/** Every order that exchanges two hops, and the whole of it backwards. */
function wrongOrders(hops: readonly string[]): string[][] {
  const orders = [hops.toReversed()];
  for (let i = 0; i < hops.length; i++)
    for (let j = i + 1; j < hops.length; j++) {
      const order = [...hops];
      [order[i], order[j]] = [order[j], order[i]];
      if (order.join() !== orders[0].join()) orders.push(order);
    }
  return orders;
}

describe.each(CHOSEN.map((name) => pcapSample(samples, name)))('$name', (sample) => {
  const filesOf = (hop: string) =>
    sample.scenario.hops.filter(({ name }) => name === hop).map(({ file }) => join(sample.dir, file));

  it.each(wrongOrders(sample.hops).map((order) => [order.join(' '), order] as const))(
    'in the order %s',
    async (_, order) => {
      const inputs = order.flatMap((hop) => filesOf(hop).map((file) => `${hop}=${file}`));
      const { status, err } = await lasthop(['verdict', ...inputs, ...optionsOf(sample), '--json']);
      expect({ status, err }).toEqual({ status: 2, err: expect.stringContaining('order') });
    },
  );

  it.each(sample.hops.slice(1).map((hop, i) => [hop, sample.hops[i]] as const))(
    'one file for %s and %s',
    async (outer, inner) => {
      for (const given of [inner, outer]) {
        const inputs = sample.hops.flatMap((hop) =>
          filesOf(hop === inner || hop === outer ? given : hop).map((file) => `${hop}=${file}`),
        );
        const { status, out, err } = await lasthop(['verdict', ...inputs, ...optionsOf(sample), '--json']);
        // The outer hop's may hold the inner one's connections as well, from their other end.
        if (given === outer && status === 0) expect(falseClaims(sample, JSON.parse(out))).toEqual([]);
        else expect({ status, err }).toEqual({ status: 2, err: expect.stringContaining('are given the same capture') });
      }
    },
  );
});
