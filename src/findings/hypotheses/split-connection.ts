/** split-connection: the server writes to another connection than the one on which the agent's messages arrive. */

import { commonNs, localNs, type Path } from '../../path/path.js';
import { clockTime } from '../cite.js';
import type { Facts } from '../facts.js';
import { startNs } from '../survives-reconnect.js';
import { listed } from '../words.js';
import { type Conclusion, cutOff, isFound, open, type Question, ruledOut, supported } from './rule.js';

export function splitConnection(question: Question): Conclusion {
  const { facts, found, each } = question;
  const ended = cutOff(question);
  if (ended !== null) return ended;
  if (isFound(question, 'split-connection')) {
    const split = each.paths.filter((path) => found.has(path, 'split-connection'));
    const written = split.filter((path) => each.failing.includes(path));
    const read = split.filter((path) => !each.failing.includes(path));
    return supported(
      `commands went out on ${listed(written.map(({ id }) => id))} while the agent's messages arrived on ${listed(read.map(({ id }) => id)) || 'a newer one'}`,
    );
  }
  const view = facts.views.find(({ observation }) => observation !== null) ?? facts.views[0];
  const own = each.lives.filter(({ messageNs }) => !Number.isNaN(messageNs));
  const rival =
    each.failing.length === 0
      ? undefined
      : each.paths.find((path) => !each.failing.includes(path) && speaksMeanwhile(question, path));
  if (rival !== undefined)
    return open(
      `${rival.id} was open as well and carried messages of the agent: the server's log tells which one it writes to`,
    );
  if (own.length > 0 && own.length === each.lives.length)
    return ruledOut(
      `the agent's messages arrive on ${listed(own.map(({ path }) => path.id))}, on which the commands went out: the last at ${clockTime(view, localNs(view, Math.max(...own.map(({ messageNs }) => messageNs))))}`,
    );
  if (each.lives.length === 0)
    return open('no command left, so which connection the server would have written to cannot be seen: its log tells');
  const next = each.paths.find(
    (path) => !each.failing.includes(path) && lastMessageNs(question, path) > each.lastFailedNs,
  );
  if (next !== undefined)
    return open(
      `no message of the agent arrived after the first command that failed, until it spoke on ${next.id}, a newer connection to which no command went: capture until commands are sent on it`,
    );
  if (own.length > 0)
    return open(
      `the agent's messages arrive on ${listed(own.map(({ path }) => path.id))}, on which commands went out, but not on all such connections: capture until it stays connected`,
    );
  return open(
    'no message of the agent arrived after the first command that failed, on any connection captured: capture until it connects again',
  );
}

/** Another connection of the agent, open at the time and with messages of its own after it. */
function speaksMeanwhile({ facts, each }: Question, path: Path): boolean {
  if (!(startNs(facts, path) <= each.lastFailedNs)) return false;
  // One after the other they are reconnects.
  if (!each.failing.some((failing) => togetherNs(facts, failing, path) > TOGETHER_NS)) return false;
  return path.legs.some((leg) => {
    if (leg === null) return false;
    const { closedNs, fromClient } = leg.connection;
    const view = facts.views[leg.hop];
    return (
      !(commonNs(view, closedNs) < each.firstFailedNs) && commonNs(view, fromClient.lastMessageNs) > each.firstFailedNs
    );
  });
}

/** A reconnect may be seen before the end of the connection that it replaces. */
const TOGETHER_NS = 1e9;

/** How long both were open. */
function togetherNs(facts: Facts, a: Path, b: Path): number {
  const ends = [a, b].map(({ legs }) =>
    Math.min(
      ...legs
        .map((leg) => (leg === null ? Number.NaN : commonNs(facts.views[leg.hop], leg.connection.closedNs)))
        .map((ns) => (Number.isNaN(ns) ? Number.POSITIVE_INFINITY : ns)),
    ),
  );
  return Math.min(...ends) - Math.max(startNs(facts, a), startNs(facts, b));
}

/** Common clock, at the hop that saw the last one; NaN for none. */
function lastMessageNs({ facts }: Question, path: Path): number {
  let lastNs = Number.NaN;
  for (const leg of path.legs) {
    if (leg === null) continue;
    const messageNs = commonNs(facts.views[leg.hop], leg.connection.fromClient.lastMessageNs);
    if (!(messageNs <= lastNs) && !Number.isNaN(messageNs)) lastNs = messageNs;
  }
  return lastNs;
}
