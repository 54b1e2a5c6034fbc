/** The findings on every sample, against what the injected fault and the logs say must and must not be found. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lasthop, PROJECT, samples } from './sample.js';
import type { VerdictJson } from './verdict-json.js';

const built = existsSync(join(PROJECT, 'src/findings'));

describe.skipIf(!built)('findings', () => {
  it.each(samples)('$name', async (sample) => {
    const { out } = await lasthop(['verdict', ...sample.args, '--json']);
    const { findings } = JSON.parse(out) as VerdictJson;
    const { present = [], absentIds = [] } = sample.expected.findings;
    const about = (id: string) => new Set(findings.filter((one) => one.id === id).flatMap(({ agents }) => agents));
    const missing = present.filter(
      ({ id, agents = [] }) => !findings.some((one) => one.id === id) || !agents.every((agent) => about(id).has(agent)),
    );
    const wrong = findings.filter(({ id }) => absentIds.includes(id));
    expect({ missing, wrong: wrong.map(({ id, agents }) => `${id}: ${agents}`) }).toEqual({ missing: [], wrong: [] });
  });
});
