/**
 * Tells one command's story over all hops on one clock: asked for, left each hop, TCP-ACKed, answered, and what its connections did
 * meanwhile. In: the heard case, with every message kept. Out: Story.
 */

import { type AnalyseOptions, type HopInput, hearCase, version } from '../../delivery/analyse.js';
import type { DecidedCommand } from '../../delivery/judge-command.js';
import type { Story, StoryEvent } from '../../delivery/story.js';
import { UsageError } from '../../evidence/usage-error.js';
import { stampOf } from '../../hop/timestamp.js';
import type { Path } from '../../path/path.js';
import { connectionEvents } from './connection-events.js';
import { contextEvents } from './context-events.js';
import { deliveryEvents } from './delivery-events.js';
import { type Moment, type Stretch, Telling } from './telling.js';

/** What went on so long before and after it belongs to it. */
const MARGIN_NS = 5e9;
const MOST_EVENTS = 5000;

export async function explain(hops: HopInput[], options: AnalyseOptions, id: string): Promise<Story> {
  const heard = await hearCase(hops, { ...options, commandIds: [id], keepMessages: true });
  const [decided] = heard.verdict.commands as Iterable<DecidedCommand>;
  if (decided === undefined) throw new UsageError(`--explain ${id}: not among the commands asked for`);
  const { court } = heard;
  const telling = new Telling(court);
  const own = deliveryEvents(telling, decided);
  const stretch = around(own);
  const paths = [
    ...new Set([...decided.attempts.map(({ entry }) => entry.path), ...own.map(({ path }) => path)]),
  ].filter((path): path is Path => path !== null);
  const moments = [...own];
  for (const path of paths) {
    moments.push(...connectionEvents(telling, path, stretch));
    moments.push(...contextEvents(telling, path, stretch));
  }
  moments.sort((a, b) => a.timeNs - b.timeNs || a.rank - b.rank);
  const firstNs = own[0]?.timeNs ?? moments[0]?.timeNs ?? 0;
  const { agent, outcome, lastHop, lostAt, grade, late, reason } = decided;
  return {
    schema: 'lasthop/explain@1',
    generator: { name: 'lasthop', version: version() },
    hops: heard.verdict.hops,
    command: { id: decided.id, agent, outcome, lastHop, lostAt, grade, late, reason },
    events: moments.slice(0, MOST_EVENTS).map((moment) => eventOf(telling, moment, firstNs)),
    omitted: Math.max(0, moments.length - MOST_EVENTS),
  };
}

function around(own: readonly Moment[]): Stretch {
  const times = own.map(({ timeNs }) => timeNs);
  if (times.length === 0) return { fromNs: Number.NaN, toNs: Number.NaN };
  return { fromNs: Math.min(...times) - MARGIN_NS, toNs: Math.max(...times) + MARGIN_NS };
}

function eventOf({ court }: Telling, moment: Moment, firstNs: number): StoryEvent {
  const view = court.views[moment.hop];
  const base = court.views.find(({ observation }) => observation !== null) ?? view;
  const observation = (view.observation ?? base.observation) as NonNullable<typeof view.observation>;
  const { clock } = view;
  return {
    at: stampOf(observation, moment.timeNs) ?? '',
    afterMs: Math.round((moment.timeNs - firstNs) / 1e3) / 1e3,
    uncertaintyMs: clock === null ? null : Math.round(clock.uncertaintyNs / 1e3) / 1e3,
    hop: view.name,
    connection: moment.path?.id ?? null,
    kind: moment.kind,
    attempt: moment.attempt,
    from: moment.from,
    text: moment.text,
    evidence: moment.evidence,
  };
}
