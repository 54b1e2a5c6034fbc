/**
 * Names of agents whose authentication was not captured, and those by which the server's HTTP interface knows an agent that calls itself
 * something else: the request that asked for a command says for whom, and the command's frame says on which connection. In: the command
 * log with its dispatches. Out: `agent` and `names` of paths.
 */

import { Role } from '../message/profile.js';
import type { Path } from '../path/path.js';
import type { CommandLog } from './commands.js';

export function nameFromDispatches(log: CommandLog, paths: readonly Path[]): void {
  nameNameless(log, paths);
  addOtherNames(log, paths);
}

/** Only where all dispatches agree: a server that writes to the wrong connection is one of the faults to be found. */
function nameNameless(log: CommandLog, paths: readonly Path[]): void {
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

/** A name that no connection bears, and whose commands all went to one agent: the one in the request's path is often a database's. */
function addOtherNames(log: CommandLog, paths: readonly Path[]): void {
  const borne = new Set(paths.flatMap(({ names }) => names));
  const agentOf = new Map<string, string | null>();
  for (const [command, { dispatch }] of log.dispatches) {
    if (dispatch.id === null || dispatch.agent === null || borne.has(dispatch.agent)) continue;
    for (const { path, role } of log.entries(command)) {
      if (role !== Role.command) continue;
      const had = agentOf.get(dispatch.agent);
      agentOf.set(dispatch.agent, had === undefined || had === path.agent ? path.agent : null);
    }
  }
  const agents = [...agentOf.values()];
  for (const [name, agent] of agentOf) {
    if (agent === null || agents.filter((each) => each === agent).length > 1) continue;
    for (const path of paths) if (path.agent === agent) path.names.push(name);
  }
}
