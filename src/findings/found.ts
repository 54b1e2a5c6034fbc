/**
 * What has been found so far, and which paths it explains: a cause is said once, and its consequences are not findings of
 * their own. In: rules, the causes first. Out: later rules, and the list of findings.
 */

import type { Finding, Grade } from '../delivery/verdict.js';
import type { Path } from '../path/path.js';
import type { Evidence } from './cite.js';
import type { Facts } from './facts.js';

export type FindingId =
  | 'agent-ignores-commands'
  | 'agent-unresponsive'
  | 'agent-answers-nothing'
  | 'peer-unreachable'
  | 'receiver-window-closed'
  | 'write-stalled'
  | 'commands-not-sent'
  | 'dispatch-stalled'
  | 'hop-drops-text'
  | 'hop-drops-frames'
  | 'large-frames-lost'
  | 'split-connection'
  | 'survives-reconnect'
  | 'changed-after'
  | 'origin-restarted'
  | 'handshake-stalled'
  | 'idle-timeout'
  | 'protocol-desync'
  | 'middlebox-acks'
  | 'reply-address-mismatch'
  | 'distinct-failures'
  | 'capture-untrusted';

export interface Draft {
  id: FindingId;
  severity: Finding['severity'];
  grade?: Grade;
  /** The paths that it is about. */
  paths?: readonly Path[];
  /** Agents beyond those of the paths. */
  agents?: readonly string[];
  /** Command numbers, perhaps several times. */
  commands?: readonly number[];
  summary: string;
  evidence: Evidence[];
  next: string;
}

export type Rule = (facts: Facts, found: Found) => void;

/** So many command IDs and pieces of evidence are named; counts are in the sentence. */
const MOST_COMMANDS = 50;
const MOST_EVIDENCE = 24;
const MOST_CONNECTIONS = 200;

export class Found {
  readonly findings: Finding[] = [];
  private readonly causes = new Map<Path, FindingId[]>();
  readonly explainedCommands = new Set<number>();
  /** Connections that could not move when something else stopped: perhaps its cause. */
  readonly suspects = new Set<Path>();

  constructor(private readonly facts: Facts) {}

  add(draft: Draft): void {
    const paths = draft.paths ?? [];
    for (const path of paths) this.causes.set(path, [...(this.causes.get(path) ?? []), draft.id]);
    for (const command of draft.commands ?? []) this.explainedCommands.add(command);
    const { ids } = this.facts.court.log;
    this.findings.push({
      id: draft.id,
      severity: draft.severity,
      grade: draft.grade ?? (this.restsOnInference(draft) ? 'inferred' : 'measured'),
      agents: [...new Set([...paths.map((path) => path.agent), ...(draft.agents ?? [])])].filter(
        (agent): agent is string => agent !== null,
      ),
      connections: [...new Set(paths.map((path) => path.id))].slice(0, MOST_CONNECTIONS),
      commands: [...new Set(draft.commands ?? [])].slice(0, MOST_COMMANDS).map((command) => ids.text(command)),
      summary: draft.summary.replace(/^the agent /, 'The agent '),
      evidence: draft.evidence.slice(0, MOST_EVIDENCE),
      next: draft.next,
    });
  }

  /** Some of its evidence is of an encrypted leg that was told by the sizes of its records. */
  private restsOnInference({ paths = [], evidence }: Draft): boolean {
    const cited = new Set(evidence.map(({ file }) => file));
    return paths.some(({ legs }) =>
      legs.some(
        (leg) =>
          leg !== null &&
          leg.connection.alignment !== null &&
          this.facts.views[leg.hop].observation?.files.some(({ file }) => cited.has(file)),
      ),
    );
  }

  has(path: Path, ...ids: FindingId[]): boolean {
    return this.causes.get(path)?.some((id) => ids.includes(id)) ?? false;
  }

  of(path: Path): readonly FindingId[] {
    return this.causes.get(path) ?? [];
  }
}

/** For a sentence: the agent where it is known, else its connection. */
export function nameOf(path: Path): string {
  return path.agent ?? `the agent on ${path.id}`;
}

export function namesOf(paths: readonly Path[]): string[] {
  return [...new Set(paths.map(nameOf))];
}
