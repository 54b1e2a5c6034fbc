/**
 * Exactly these findings on the lab's samples, and no others: each folder's expected.json says which must be there and which must not;
 * here stands what else was looked at and holds true. A healthy run has none.
 */
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/delivery/verdict.js';
import { lasthop, samples } from '../scenarios/sample.js';

const NONE = ['healthy', 'lossy', 'second-attempt'];

/** Beyond what expected.json declares present. */
const FURTHER: Record<string, string[]> = {
  // npm's capture holds its inner connection, where it sends the answers again and again.
  'acks-lost-on-leg': ['peer-unreachable'],
  // TABLET-2 ignores the first of its commands; the last one is cut off by the end of the captures.
  'early-stop': ['agent-ignores-commands', 'capture-untrusted'],
  // Nobody was connected to get it.
  'handshake-stalled': ['commands-not-sent'],
  // The relay at nginx drops Text on its way back, and Pongs pass.
  'lost-acks': ['hop-drops-text'],
  // Both worked until their second connection opened.
  'split-connection': ['changed-after', 'changed-after'],
};

describe('findings on the samples', () => {
  it.each(samples.map((sample) => [sample.name, sample] as const))('%s', async (name, sample) => {
    const { out } = await lasthop(['verdict', ...sample.args, '--json']);
    const { findings } = JSON.parse(out) as { findings: Finding[] };
    const declared = (sample.expected.findings.present ?? []).map(({ id }) => id);
    const wanted = NONE.includes(name) ? [] : [...declared, ...(FURTHER[name] ?? [])];
    expect(findings.map(({ id }) => id).sort()).toEqual(wanted.sort());
    for (const { summary, next, evidence } of findings) {
      expect(summary).toMatch(/^[^\n]{20,330}\.$/);
      expect(next).toMatch(/\.$/);
      expect(evidence.length).toBeGreaterThan(0);
    }
  });
});
