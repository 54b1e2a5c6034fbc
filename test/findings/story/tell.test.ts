/** One command's story, event by event, on the first hop's clock. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Story, StoryEvent } from '../../../src/delivery/story.js';
import { explain } from '../../../src/findings/story/tell.js';
import { storyJson } from '../../../src/report/story-json.js';
import { storyTable } from '../../../src/report/story-table.js';
import { columns } from '../../../src/report/width.js';
import { HOPS, Scene } from '../../delivery/scene.js';
import { command, frame } from '../../support/frames.js';
import type { Tape } from '../../support/tape.js';
import { dispatch } from '../diagnosis.js';

async function told(tapes: Record<string, Tape>, id: string): Promise<Story> {
  const directory = mkdtempSync(join(tmpdir(), 'lasthop-story-'));
  try {
    const hops = Object.entries(tapes).map(([name, tape]) => {
      const file = join(directory, `${name}.pcap`);
      writeFileSync(file, tape.file());
      return { name, files: [file] };
    });
    return await explain(hops, {}, id);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const short = ({ kind, hop, attempt, from }: StoryEvent) =>
  [kind, hop, attempt, from].filter((part) => part !== null).join(' ');
const own = ({ kind }: StoryEvent) => !['ping', 'message', 'opened', 'closed'].includes(kind);
const quiet = { width: 80, colour: false, unicode: true, all: false, failedOnly: false };

describe('the story of a command', () => {
  it('goes out over all hops and comes back, on one clock', async () => {
    // nginx is 3 s behind, npm an hour ahead.
    const scene = new Scene(HOPS, {}, [0, -3000, 3_600_000]);
    dispatch(scene.tapes[0], 1999, 'PST-SERVER', 'c-told');
    scene.works(2002, 'c-told');
    scene.goOn(3000, 15_000);
    scene.tapes[0].packets.sort((a, b) => a.atMs - b.atMs);
    const story = await told(scene.captures, 'c-told');
    expect(story).toMatchObject({ schema: 'lasthop/explain@1', omitted: 0 });
    expect(story.command).toMatchObject({ id: 'c-told', agent: 'PST-SERVER', outcome: 'delivered' });
    expect(story.events.filter(own).map(short)).toEqual([
      'asked origin',
      'asked-answered origin',
      'command origin 1 server',
      'tcp-ack origin 1 server',
      'command nginx 1 server',
      'tcp-ack nginx 1 server',
      'command npm 1 server',
      'tcp-ack npm 1 server',
      'command-ack npm agent',
      'command-ack nginx agent',
      'command-ack origin agent',
    ]);
    const after = story.events.filter(own).map(({ afterMs }) => afterMs);
    expect(after).toEqual([...after].sort((a, b) => a - b));
    expect(after.at(-1)).toBeGreaterThan(40);
    expect(after.at(-1)).toBeLessThan(50);
    for (const { evidence, kind } of story.events.filter(own))
      expect([kind, evidence.flatMap(({ packets }) => packets).length > 0]).toEqual([kind, true]);
  });

  it('names what stands around it by type only, Pings with their Pongs, and one line for all hops', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')));
    scene.works(7000, 'c-other');
    const story = await told(scene.goOn(8000).captures, 'c-bad');
    const around = story.events.filter((event) => !own(event)).map(({ text }) => text);
    expect(around.filter((text) => text.startsWith('TCP to'))).toHaveLength(3);
    expect(around.some((text) => /^Heartbeat from the agent, \d+ octets$/.test(text))).toBe(true);
    expect(around.some((text) => /^Ping from the server, Pong after 3\d(\.\d)? ms$/.test(text))).toBe(true);
    expect(around.some((text) => text.startsWith('Command (another command) from the server'))).toBe(true);
    expect(JSON.stringify(story)).not.toContain('hostname');
    const [deadline] = story.events.filter(({ kind }) => kind === 'deadline');
    expect(deadline.text).toBe('deadline of attempt 1: reached-agent, lost at agent');
    expect(deadline.afterMs).toBe(10_000);
  });

  it('says at which hop it ended', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')), 1);
    const story = await told(scene.goOn(6000).captures, 'c-bad');
    const [deadline] = story.events.filter(({ kind }) => kind === 'deadline');
    expect(deadline.text).toContain('not-forwarded, lost at nginx (nginx: never left it');
  });

  it('has no events for an ID that no capture holds', async () => {
    const story = await told(new Scene().goOn(2000).captures, 'c-nowhere');
    expect(story.events).toEqual([]);
    expect([...storyTable(story, quiet)].join('')).toContain('No packet of it was captured.');
  });
});

describe('as it is shown', () => {
  const scene = () => {
    const one = new Scene();
    one.chain.outward(5000, frame(command('c-bad')));
    return one.goOn(6000).captures;
  };

  it('is a timeline that fits the terminal', async () => {
    const story = await told(scene(), 'c-bad');
    for (const width of [80, 60, 120]) {
      const text = [...storyTable(story, { ...quiet, width })].join('');
      expect(Math.max(...text.split('\n').map(columns))).toBeLessThanOrEqual(width);
    }
    const text = [...storyTable(story, quiet)].join('');
    expect(text).toMatch(/^✗ c-bad for PST-SERVER: reached-agent, lost at agent \(measured\)\n/);
    expect(text).toMatch(/\n→ \d\d:\d\d:\d\d\.\d{6} {2}npm {5}Command attempt 1 left npm, \d+ octets #\d+\n/);
    expect(text).toContain('\n  … ');
  });

  it('is JSON with the fields of its schema', async () => {
    const story = JSON.parse([...storyJson(await told(scene(), 'c-bad'))].join('')) as Story;
    expect(Object.keys(story)).toEqual(['schema', 'generator', 'hops', 'command', 'events', 'omitted']);
    expect(Object.keys(story.events[0])).toEqual([
      'at',
      'afterMs',
      'uncertaintyMs',
      'hop',
      'connection',
      'kind',
      'attempt',
      'from',
      'text',
      'evidence',
    ]);
  });
});
