/** Findings and hypotheses on every sample, against what the injected fault and the logs say: these, of these agents, and no others. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lasthop, PROJECT, samples } from './sample.js';
import type { VerdictJson } from './verdict-json.js';

const built = existsSync(join(PROJECT, 'src/findings'));
const sorted = (words: Iterable<string>) => [...new Set(words)].sort();

describe.skipIf(!built)('findings and hypotheses', () => {
  it.each(samples)('$name', async (sample) => {
    const { out } = await lasthop(['verdict', ...sample.args, '--json']);
    const { findings, hypotheses } = JSON.parse(out) as VerdictJson;
    const { present = [], absentIds = [] } = sample.expected.findings;
    expect(sorted(findings.map(({ id }) => id))).toEqual(sorted(present.map(({ id }) => id)));
    for (const { id, agents } of present) {
      if (agents === undefined) continue;
      const about = findings.filter((one) => one.id === id).flatMap((one) => one.agents);
      expect({ id, agents: sorted(about) }).toEqual({ id, agents: sorted(agents) });
    }
    // What each scenario names as its trap, should `present` ever be loosened.
    expect(findings.filter(({ id }) => absentIds.includes(id))).toEqual([]);

    const stand: Record<string, { supported: string[]; open: string[] }> = {};
    for (const { id, agent, status } of hypotheses) {
      stand[agent] ??= { supported: [], open: [] };
      if (status !== 'ruled-out') stand[agent][status].push(id);
    }
    const wanted = Object.entries(sample.expected.hypotheses ?? {});
    expect(sorted(Object.keys(stand))).toEqual(sorted(wanted.map(([agent]) => agent)));
    for (const [agent, { supported, open }] of wanted)
      expect({ agent, ...stand[agent] }).toEqual({ agent, supported, open });
  });
});
