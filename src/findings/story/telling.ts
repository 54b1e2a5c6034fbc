/** What the parts of a story share: moments on the common clock, and citations. In: tell.ts. Out: the events' makers. */

import { cited } from '../../delivery/hop-state.js';
import type { CommandCourt } from '../../delivery/judge-command.js';
import type { StoryEvent, StoryKind } from '../../delivery/story.js';
import { commonNs, type Path } from '../../path/path.js';

export interface Stretch {
  fromNs: number;
  toNs: number;
}

export interface Moment {
  /** Common clock. */
  timeNs: number;
  hop: number;
  path: Path | null;
  kind: StoryKind;
  attempt: number | null;
  from: StoryEvent['from'];
  text: string;
  evidence: StoryEvent['evidence'];
  /** Of what happens at one time: causes first. */
  rank: number;
}

const MOST_PACKETS = 24;

export class Telling {
  /** Messages that are the command's own: `path direction thread`. */
  readonly told = new Set<string>();

  constructor(readonly court: CommandCourt) {}

  moment(
    hop: number,
    localTimeNs: number,
    kind: StoryKind,
    text: string,
    refs: readonly number[],
    more: Partial<Pick<Moment, 'path' | 'attempt' | 'from' | 'rank'>> = {},
  ): Moment {
    const { path = null, attempt = null, from = null, rank = 5 } = more;
    const timeNs = commonNs(this.court.views[hop], localTimeNs);
    return { timeNs, hop, path, kind, attempt, from, text, rank, evidence: this.evidence(hop, refs) };
  }

  evidence(hop: number, refs: readonly number[]): StoryEvent['evidence'] {
    const { observation } = this.court.views[hop];
    const known = [...new Set(refs)].filter((ref) => ref > 0).slice(0, MOST_PACKETS);
    if (observation === null || known.length === 0) return [];
    return cited(observation, known, []).map(({ file, data }) => ({ file, packets: data.sort((a, b) => a - b) }));
  }

  tell(path: Path, direction: 'fromServer' | 'fromClient', thread: number): void {
    this.told.add(keyOf(path, direction, thread));
  }

  isTold(path: Path, direction: 'fromServer' | 'fromClient', thread: number): boolean {
    return this.told.has(keyOf(path, direction, thread));
  }
}

function keyOf(path: Path, direction: string, thread: number): string {
  return `${path.id} ${direction} ${thread}`;
}
