/**
 * The whole analysis: hears the case, goes through its commands once for the summary and for what the rules need, and diagnoses.
 * In: cli/ with hops and options. Out: Verdict with its findings.
 */

import { type AnalyseOptions, type HopInput, hearCase } from '../delivery/analyse.js';
import type { Verdict } from '../delivery/verdict.js';
import { diagnose } from './diagnose.js';
import { gather } from './gather.js';
import { LatencyMeter } from './latency.js';

export async function analyse(hops: HopInput[], options: AnalyseOptions & { latency?: boolean }): Promise<Verdict> {
  const heard = await hearCase(hops, options);
  const meter = options.latency ? new LatencyMeter(heard.court) : null;
  const facts = gather(heard, meter);
  const diagnosis = diagnose(facts);
  return {
    ...heard.verdict,
    ...diagnosis,
    ...(meter === null ? {} : { latency: meter.latency }),
    summary: facts.summary,
  };
}
