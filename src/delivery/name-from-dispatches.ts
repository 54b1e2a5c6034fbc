/**
 * Names of agents whose authentication was not captured: the HTTP request that asked for a command says for whom, and the command's
 * frame says on which connection. In: the command log with its dispatches. Out: `agent` and `names` of paths that had none.
 */

import { Role } from '../message/profile.js';
import type { Path } from '../path/path.js';
import type { CommandLog } from './commands.js';

/** Only where all dispatches agree: a server that writes to the wrong connection is one of the faults to be found. */
export function nameFromDispatches(log: CommandLog, paths: readonly Path[]): void {
  const nameless = new Map<Path, string | null>();
  for (const path of paths) if (path.names.length === 0 && path.agent === null) nameless.set(path, '');
  if (nameless.size === 0) return;
  for (const [command, { dispatch }] of log.dispatches) {
    // Paired by time alone, it proves nothing.
    if (dispatch.id === null || dispatch.agent === null) continue;
    for (const { path, role } of log.entries(command)) {
      const had = nameless.get(path);
      if (role !== Role.command || had === undefined) continue;
      nameless.set(path, had === '' || had === dispatch.agent ? dispatch.agent : null);
    }
  }
  for (const [path, name] of nameless) {
    if (name === null || name === '') continue;
    path.agent = name;
    path.names.push(name);
  }
}
