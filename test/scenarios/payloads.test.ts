/** The payloads hold customers' commands: no output of any format shows text of them unless --show-payloads asks for it. */
import { describe, expect, it } from 'vitest';
import { witness } from './differences.js';
import { lasthop, type Sample, samples } from './sample.js';

const VERDICT_FORMATS = ['table', 'json', 'ndjson', 'csv', 'markdown', 'html', 'junit'];
const LIST_FORMATS = ['table', 'json', 'ndjson', 'csv', 'markdown'];
/** What a report names of a message, on purpose: its type, its command's and its agent's ID, the agent's version. */
const NAMED = /^(agent_?id|command_?id|id|hostname|type|agent_?version|server_?version)$/i;

/** Strings in the samples' messages that only somebody who shows payloads can know. */
function secrets(sample: Sample): string[] {
  const found = new Set<string>();
  const collect = (value: unknown, key: string): void => {
    if (typeof value === 'string') {
      if (!NAMED.test(key) && value.length >= 8 && /[^A-Za-z_]/.test(value)) found.add(value);
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) collect(inner, name);
    }
  };
  for (const stream of witness(sample).streams.values()) {
    for (const { fromServer, fromClient } of stream) {
      for (const { text } of [...fromServer.messages, ...fromClient.messages]) collect(JSON.parse(text), '');
    }
  }
  return [...found];
}

/** As it is, and as JSON and HTML would write it. */
function shown(text: string, all: string[]): string[] {
  return all.filter((secret) => {
    const json = JSON.stringify(secret).slice(1, -1);
    const html = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
    return text.includes(secret) || text.includes(json) || text.includes(html);
  });
}

describe.each(samples)('$name', (sample) => {
  const all = secrets(sample);

  it('has payloads that could be shown', () => {
    expect(all.length).toBeGreaterThan(0);
  });

  it.each(VERDICT_FORMATS)('verdict --format %s shows none', async (format) => {
    const { status, out, err } = await lasthop(['verdict', ...sample.args, '--all', '--format', format]);
    expect(status).toBe(0);
    expect(shown(out + err, all)).toEqual([]);
  });

  const files = sample.args.filter((word) => word.includes('=')).map((word) => word.slice(word.indexOf('=') + 1));

  it.each(LIST_FORMATS)('frames and connections --format %s show none', async (format) => {
    for (const command of ['frames', 'connections']) {
      const { status, out, err } = await lasthop([command, ...files, '--format', format]);
      expect(status, err).toBe(0);
      expect(shown(out + err, all)).toEqual([]);
    }
  });

  it('would notice: frames --show-payloads shows them', async () => {
    const { out } = await lasthop(['frames', ...files, '--show-payloads', '--json']);
    expect(shown(out, all).length).toBeGreaterThan(0);
  });
});
