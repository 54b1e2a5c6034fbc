/**
 * distinct-failures: the failing agents fall into groups that fail in different ways, so that these are several faults and not one.
 * In: the causes found so far. Out: at most one finding.
 */

import type { Path } from '../path/path.js';
import type { Facts } from './facts.js';
import { type FindingId, type Found, namesOf } from './found.js';
import { FAILURES } from './survives-reconnect.js';
import { listed } from './words.js';

export const CAUSES: readonly FindingId[] = [...FAILURES, 'split-connection', 'commands-not-sent'];

export function distinctFailures(facts: Facts, found: Found): void {
  const groups = new Map<FindingId, Path[]>();
  for (const path of facts.paths)
    for (const id of found.of(path)) if (CAUSES.includes(id)) groups.set(id, [...(groups.get(id) ?? []), path]);
  // An agent that fails in two ways does not make two groups.
  const names = [...groups].map(([id, paths]) => ({ id, paths, names: namesOf(paths) }));
  const agents = new Set(names.flatMap((group) => group.names));
  const apart = names.filter((group) =>
    names.every((other) => other === group || !other.names.some((name) => group.names.includes(name))),
  );
  if (agents.size < 2 || apart.length < 2) return;
  found.add({
    id: 'distinct-failures',
    severity: 'info',
    paths: apart.flatMap(({ paths }) => paths),
    summary: `These are ${apart.length} different faults: ${apart.map(({ id, names: who }) => `${id} (${listed(who)})`).join('; ')}.`,
    evidence: apart.flatMap(
      ({ id }) => found.findings.find((finding) => finding.id === id)?.evidence.slice(0, 1) ?? [],
    ),
    next: 'Follow each of them on its own.',
  });
}
