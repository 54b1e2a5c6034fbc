/**
 * lasthop/explain@1 as JSON: one command's story, one event on a line. In: Story. Out: pieces of text for cli/ to write.
 */
import type { Story } from '../delivery/story.js';
import { captureShape } from './json-shape.js';
import { jsonArray, jsonText, mapped } from './json-text.js';

export function* storyJson(story: Story): Generator<string> {
  yield `{\n  "schema": ${jsonText(story.schema)},\n  "generator": ${jsonText(story.generator)},\n`;
  const hops = story.hops.map(({ name, captures, clockOffsetMs, clockUncertaintyMs }) => ({
    name,
    captures: captures.map(captureShape),
    clockOffsetMs,
    clockUncertaintyMs,
  }));
  yield* jsonArray('hops', hops);
  const { id, agent, outcome, lastHop, lostAt, grade, late, reason } = story.command;
  yield `  "command": ${jsonText({ id, agent, outcome, lastHop, lostAt, grade, late, reason })},\n`;
  yield* jsonArray(
    'events',
    mapped(story.events, (event) => {
      const { at, afterMs, uncertaintyMs, hop, connection, kind, attempt, from, text } = event;
      const evidence = event.evidence.map(({ file, packets }) => ({ file, packets }));
      return { at, afterMs, uncertaintyMs, hop, connection, kind, attempt, from, text, evidence };
    }),
  );
  yield `  "omitted": ${story.omitted}\n}\n`;
}
