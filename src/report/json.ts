/**
 * lasthop/verdict@1 as JSON and as NDJSON. In: Verdict. Out: pieces of text for cli/ to write.
 * The document's top level is set out for people, and each command stands on one line, so that grep and diff work on it.
 * Nothing is stringified as a whole: the commands may be hundreds of thousands.
 */
import type { Verdict } from '../delivery/verdict.js';
import {
  agentShape,
  captureShape,
  closeShape,
  commandJson,
  connectionShape,
  findingShape,
  hypothesisShape,
  latencyShape,
} from './json-shape.js';
import { jsonArray as array, jsonText, mapped } from './json-text.js';
import { listed } from './select.js';

export function* verdictJson(verdict: Verdict, options: { failedOnly: boolean }): Generator<string> {
  yield `{\n  "schema": ${jsonText(verdict.schema)},\n`;
  const { name, version } = verdict.generator;
  yield `  "generator": ${jsonText({ name, version })},\n`;
  const hops = verdict.hops.map((hop) => ({
    name: hop.name,
    captures: hop.captures.map(captureShape),
    clockOffsetMs: hop.clockOffsetMs,
    clockUncertaintyMs: hop.clockUncertaintyMs,
    orderProven: hop.orderProven,
  }));
  yield* array('hops', hops);
  yield* array('connections', mapped(verdict.connections, connectionShape));
  yield* array('commands', mapped(listed(verdict, options.failedOnly), commandJson));
  yield* array('findings', mapped(verdict.findings, findingShape));
  yield* array('hypotheses', mapped(verdict.hypotheses, hypothesisShape));
  if (verdict.agents !== undefined) yield* array('agents', mapped(verdict.agents, agentShape));
  if (verdict.closes !== undefined) yield* array('closes', mapped(verdict.closes, closeShape));
  if (verdict.latency !== undefined) yield `  "latency": ${jsonText(latencyShape(verdict.latency))},\n`;
  const { commands, byOutcome } = verdict.summary;
  yield `  "summary": ${jsonText({ commands, byOutcome })}\n}\n`;
}

export function* verdictNdjson(verdict: Verdict, options: { failedOnly: boolean }): Generator<string> {
  for (const command of listed(verdict, options.failedOnly)) yield `${commandJson(command)}\n`;
}
