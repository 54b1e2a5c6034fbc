/** What the findings on the lab's samples read like: one sentence each, what to do next, and packets. Which they are: test/scenarios. */
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/delivery/verdict.js';
import { lasthop, samples } from '../scenarios/sample.js';

describe('findings on the samples', () => {
  it.each(samples.map((sample) => [sample.name, sample] as const))('%s', async (_name, sample) => {
    const { out } = await lasthop(['verdict', ...sample.args, '--json']);
    const { findings } = JSON.parse(out) as { findings: Finding[] };
    for (const { summary, next, evidence } of findings) {
      expect(summary).toMatch(/^[^\n]{20,360}\.$/);
      expect(next).toMatch(/\.$/);
      expect(evidence.length).toBeGreaterThan(0);
    }
  });
});
