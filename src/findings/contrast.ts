/**
 * What agents that fail have in common and agents that work do not: the client's version, the address that they come from. In: facts.
 * Out: a sentence for findings that accuse agents; empty where nothing tells them apart.
 */

import type { Path } from '../path/path.js';
import type { Facts } from './facts.js';
import { namesOf } from './found.js';
import { counted } from './words.js';

/** Fewer that work are no comparison. */
const LEAST_WORKING = 2;

export function contrast(facts: Facts, failing: readonly Path[]): string {
  const names = new Set(namesOf(failing));
  const working = facts.court.paths.filter((path) => {
    const record = facts.records.get(path);
    return (
      path.agent !== null &&
      !names.has(path.agent) &&
      record !== undefined &&
      record.delivered > 0 &&
      record.failed.length === 0
    );
  });
  const count = new Set(namesOf(working)).size;
  if (count < LEAST_WORKING) return '';
  const who = names.size === 1 ? 'It' : `All ${names.size} of them`;
  const client = common(failing, clientOf, working) ?? common(failing, versionOf, working);
  if (client !== null)
    return `${who} ${names.size === 1 ? 'runs' : 'run'} ${client}, and none of the ${counted(count, 'agent')} that work does: look there first. `;
  const address = names.size === 1 ? null : common(failing, addressOf, working);
  return address === null
    ? ''
    : `${who} come from ${address}, and none of the ${counted(count, 'agent')} that work does. `;
}

/** The one value that all who fail share and nobody who works has; null where one of them is not known. */
function common(failing: readonly Path[], of: (path: Path) => string | null, working: readonly Path[]): string | null {
  const values = new Set(failing.map(of));
  const [value] = values;
  if (values.size !== 1 || value === null || value === undefined) return null;
  const others = working.map(of);
  return others.includes(value) || others.includes(null) ? null : value;
}

function clientOf(path: Path): string | null {
  return path.legs.findLast((leg) => leg?.connection.handshake != null)?.connection.handshake?.userAgent ?? null;
}

function versionOf(path: Path): string | null {
  const version = path.legs.findLast((leg) => leg !== null)?.connection.agentVersion ?? null;
  return version === null ? null : `version ${version}`;
}

function addressOf(path: Path): string | null {
  return path.legs.findLast((leg) => leg !== null)?.connection.clientAddress ?? null;
}
