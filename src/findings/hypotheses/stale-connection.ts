/** stale-connection: commands go to a connection that is dead, or that only its age makes fail. */

import { localNs, type Path } from '../../path/path.js';
import { clockTime } from '../cite.js';
import type { Facts } from '../facts.js';
import { startNs } from '../survives-reconnect.js';
import { counted, listed } from '../words.js';
import {
  type Conclusion,
  endsAtAgent,
  has,
  isFound,
  isInside,
  nextCapture,
  open,
  type Question,
  ruledOut,
  supported,
} from './rule.js';
import { pingPackets, whereOf } from './words.js';

export function staleConnection(question: Question): Conclusion {
  const { facts, each } = question;
  if (isFound(question, 'survives-reconnect'))
    return ruledOut(
      `commands failed on ${listed(each.failing.map(({ id }) => id))}, the later opened at ${openedAt(facts, each.failing[each.failing.length - 1])}: it survives a fresh connection`,
    );
  const newer = each.paths.find(
    (path) =>
      each.failing.length > 0 && each.failing.every((failing) => startNs(facts, path) > startNs(facts, failing)),
  );
  const dead = each.failing.find((path) =>
    path.legs.some((leg) => leg !== null && leg.connection.fromServer.unacked !== null),
  );
  if (isFound(question, 'split-connection') && dead !== undefined)
    return supported(
      `commands went out on ${dead.id}, where nothing is TCP-ACKed any more, after the agent had connected anew`,
    );
  if (has(question, 'cut-off') && !has(question, 'silent', 'unacked', 'dropped', 'partial'))
    return ruledOut(
      `the connection worked until it was closed at ${closedAt(facts, each.failing[0])}, just after the commands`,
    );
  const worked = newer !== undefined && (facts.records.get(newer)?.delivered ?? 0) > 0;
  const alive =
    each.lives.length > 0 && each.lives.every(({ answered, messageNs }) => answered > 0 || !Number.isNaN(messageNs));
  if (worked) {
    const words = `commands failed on ${listed(each.failing.map(({ id }) => id))} and were delivered on ${newer.id}, opened at ${openedAt(facts, newer)}`;
    // Its end explains the failure as well as its age would, and what is not proven to have failed needs no explanation.
    if (each.inconclusive || wasClosedSoon(question))
      return open(
        each.inconclusive
          ? `${words}; but that the commands failed is not proven`
          : `${words}; but the older one was closed before an answer was due`,
      );
    return alive
      ? open(`${words}; but the older one was alive at both ends: a capture of the next reconnect would tell`)
      : supported(words);
  }
  if (isFound(question, 'large-frames-lost'))
    return open(
      'smaller messages pass on it: whether a fresh connection takes the large ones would be seen after a reconnect',
    );
  const unacked = each.sites.find(({ how }) => how === 'unacked' || how === 'behind');
  if (unacked !== undefined)
    return open(
      `${whereOf(facts, unacked)}: the connection is dead, and ${newer === undefined ? 'no newer one of the agent was captured' : `${newer.id}, opened at ${openedAt(facts, newer)}, was not tried`}: capture until commands are sent on the next one`,
    );
  if (has(question, 'window') && newer === undefined && !isFound(question, 'middlebox-acks'))
    return ruledOut('the kernel at the other end answers on it all the time, if only to say that its window is closed');
  if (each.sites.some(({ how }) => how === 'unsent'))
    return open(
      'which connection the server had registered cannot be seen on the wire: its log, or a list of its sockets',
    );
  const oneWay = each.sites.find(({ how }) => how === 'ack-lost');
  if (oneWay !== undefined)
    return open(`${whereOf(facts, oneWay)}: whether a fresh connection loses it too would be seen after a reconnect`);
  if (alive) {
    const pings = each.lives.reduce((sum, { answered }) => sum + answered, 0);
    const shown = each.lives.find(({ ping }) => ping !== null);
    const last = each.tallies[each.tallies.length - 1];
    // Messages that arrive show one direction; a half-open connection has just that.
    if (pings === 0 && !isInside(question) && !(endsAtAgent(question) && last.acked > 0))
      return open(
        `the agent's own messages arrive on it until ${lastMessage(question)}; whether anything sent on it still reaches the agent was not seen: ${nextCapture(question)}`,
      );
    return ruledOut(
      pings > 0 && shown !== undefined
        ? `the connection is alive: ${counted(pings, 'Ping')} sent after the first command that failed were answered on it (${pingPackets(facts, shown)})`
        : `the agent's own messages arrive on it until ${lastMessage(question)}`,
    );
  }
  if (
    has(question, 'silent', 'window') &&
    newer === undefined &&
    endsAtAgent(question) &&
    !isFound(question, 'middlebox-acks')
  )
    return ruledOut(
      `the agent's kernel answers on ${listed(each.failing.map(({ id }) => id))} all the time, and no connection newer than ${each.failing.length === 1 ? 'it' : 'these'} was seen`,
    );
  return open(
    'nothing shows the connection alive after the commands, and no newer one was tried: force a reconnect while capturing',
  );
}

/** Some connection that failed was closed before the deadline of its last attempt, as a hop's own clock has it. */
function wasClosedSoon({ facts, each }: Question): boolean {
  return each.failing.some((path) =>
    (facts.records.get(path)?.failed ?? []).some(({ threads }) =>
      path.legs.some((leg) => {
        const thread = threads.at(-1) ?? -1;
        const row = leg === null || thread < 0 ? -1 : path.fromServer.row(thread, leg.hop);
        const messages = leg === null ? undefined : facts.views[leg.hop].observation?.messages;
        if (leg === null || row < 0 || messages === undefined) return false;
        return leg.connection.closedNs < messages.sentNs[row] + facts.court.ackTimeoutNs;
      }),
    ),
  );
}

function openedAt(facts: Facts, path: Path): string {
  const view = facts.views[path.legs.find((leg) => leg !== null)?.hop ?? 0];
  return clockTime(view, localNs(view, startNs(facts, path)));
}

function closedAt(facts: Facts, path: Path): string {
  const leg = path.legs.findLast((each) => each !== null);
  return leg == null ? '?' : clockTime(facts.views[leg.hop], leg.connection.closedNs);
}

function lastMessage({ facts, each }: Question): string {
  const lastNs = Math.max(...each.lives.map(({ messageNs }) => messageNs).filter((ns) => ns >= 0));
  const view = facts.views.find(({ observation }) => observation !== null) ?? facts.views[0];
  return clockTime(view, localNs(view, lastNs));
}
