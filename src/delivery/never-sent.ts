/**
 * Judges a command of which no frame was seen anywhere: never sent, or not to be seen. In: the dispatch that asked for it, or only
 * its ID. Out: `never-sent` where the innermost hop's capture is whole on every connection that could have carried it.
 */

import { MessageFlag } from '../hop/message-table.js';
import type { HopObservation, ObservedConnection, ObservedDispatch, ObservedHalf } from '../hop/observation.js';
import { commonNs, type HopView } from '../path/path.js';
import { deadlineAfter, steppedBetween } from './clock-doubt.js';
import { blindness, lostAround, type Stretch, seconds } from './coverage.js';
import { localStretch } from './hop-state.js';
import { broughtInward } from './inner-side.js';
import type { CommandCourt } from './judge-command.js';
import { innermostIsCertain } from './order-doubt.js';
import { blindnessOn } from './passed-unseen.js';
import { wholeCapture } from './settle.js';
import type { CommandVerdict } from './verdict.js';

const FIRST_CONTROL = 8;

type Judgement = Pick<CommandVerdict, 'agent' | 'outcome' | 'lastHop' | 'lostAt' | 'grade' | 'late' | 'reason'>;

export function neverSent(court: CommandCourt, command: number): Judgement {
  const { views, log, ackTimeoutNs } = court;
  const inner = views.find((view) => view.observation !== null);
  const seen = log.dispatches.get(command);
  const agent = seen?.dispatch.agent ?? null;
  const named = agent === null ? null : (court.paths.find((path) => path.names.includes(agent))?.agent ?? agent);
  const base = { agent: named, lastHop: null, late: false };
  const open = (reason: string): Judgement => ({
    ...base,
    outcome: 'inconclusive',
    lostAt: null,
    grade: 'none',
    reason,
  });
  if (inner === undefined || inner.observation === null) return open('no capture was given');
  if (inner.index > 0)
    return open(`the innermost hop, ${views[0].name}, was not captured: a capture there would settle it`);
  const { observation } = inner;
  const whole = wholeCapture(inner, ackTimeoutNs);
  if (log.entries(command).length > 0)
    return open(`the agent answered it, so it was sent: no capture holds the frame that carried it${whole}`);
  const brought = broughtInward(court.paths, inner);
  // A dispatch that names no ID may have asked for any of them.
  const inward = seen?.dispatch.id === null ? [...brought.values()][0] : brought.get(log.ids.text(command));
  if (inward !== undefined)
    return open(
      `it came to ${inner.name} from ${inward.serverAddress}:${inward.serverPort}, and no frame with it was seen leaving ${inner.name}: captures further in, given as hops of their own, would settle whether ${inner.name} held it back`,
    );
  for (const view of views) {
    const other = view === inner ? undefined : broughtInward(court.paths, view).get(log.ids.text(command));
    if (other !== undefined)
      return open(
        `no frame with it left ${inner.name}, but the capture of ${view.name} holds one that left ${other.serverAddress}:${other.serverPort} on a connection that is no leg of ${view.name}: check which file is whose`,
      );
  }
  const window =
    seen === undefined
      ? { fromNs: commonNs(inner, observation.firstNs), toNs: commonNs(inner, observation.lastNs) }
      : { fromNs: seen.askedNs, toNs: deadlineAfter(court, seen.askedNs, ackTimeoutNs) };
  const stepped = seen === undefined ? null : steppedBetween(court, window.fromNs, window.toNs);
  const endNs = commonNs(inner, observation.lastNs);
  if (endNs < window.toNs)
    return open(
      `asked for, and no frame with it was seen, but the capture of ${inner.name} ends ${seconds(window.toNs - endNs)} before the deadline${stepped === null ? '' : `; ${stepped.words}`}${whole}`,
    );
  if (
    seen === undefined &&
    observation.connections.some((each) => each?.protocol === 'websocket' && each.handshake === null)
  )
    return open(
      `named with --command and not seen; connections were open before the capture of ${inner.name} began, so it may have been sent earlier${whole}`,
    );
  if (seen === undefined && !observation.connections.some((each) => each?.protocol === 'websocket'))
    return open(
      `named with --command and not seen; the capture of ${inner.name} holds no WebSocket connection${whole}`,
    );
  const unread = seen === undefined ? null : unreadRequest(court.views[seen.hop], seen.dispatch, window);
  if (unread !== null)
    return open(`no frame with it was seen, but the request for it was not captured whole: ${unread}${whole}`);
  const blind = blindAnywhere(court, inner, observation, agent, window);
  if (blind !== null) return open(`no frame with it was seen, but ${blind}${whole}`);
  if (!innermostIsCertain(court))
    return open(
      `no frame with it left ${inner.name}, but ${court.orderNote}, so another hop may be the innermost one; captures that hold the opening of these connections would settle it`,
    );
  const asked =
    seen === undefined
      ? 'named with --command'
      : `asked for over HTTP${seen.dispatch.status > 0 ? ` (answered ${seen.dispatch.status})` : ' (never answered)'}`;
  return {
    ...base,
    outcome: 'never-sent',
    lostAt: inner.name,
    grade: 'measured',
    reason: `${asked}, and no Text frame with it left ${inner.name}${seen === undefined ? '' : ` within ${seconds(ackTimeoutNs)}`}`,
  };
}

/** Null if the request and its answer, which name the command, were read without a gap as far as they went. */
function unreadRequest(view: HopView, dispatch: ObservedDispatch, window: Stretch): string | null {
  const { observation } = view;
  const connection = observation?.connections[dispatch.connection];
  if (observation == null || connection === undefined) return null;
  const { fromClient, fromServer } = connection;
  // Which answer is whose is counted from the connection's first request.
  if (dispatch.id === null && fromClient.gaps.length + fromServer.gaps.length > 0)
    return 'octets are missing from its connection, so its answer may have been taken for another one';
  const { fromNs, toNs } = localStretch(view, window);
  const answeredNs = Number.isNaN(dispatch.answeredNs) ? toNs : dispatch.answeredNs;
  const stretch = { fromNs, toNs: Math.min(answeredNs, toNs) };
  return (
    blindness(observation, connection, fromClient, stretch) ?? blindness(observation, connection, fromServer, stretch)
  );
}

/** Null if every connection that could have carried it was read without a gap. */
function blindAnywhere(
  court: CommandCourt,
  inner: HopView,
  observation: HopObservation,
  agent: string | null,
  window: { fromNs: number; toNs: number },
): string | null {
  const local = localStretch(inner, window);
  const encrypted = observation.connections.filter((connection) => connection?.protocol === 'tls').length;
  const open = observation.connections.filter(
    (connection) =>
      connection !== undefined &&
      mayBeWebSocket(connection) &&
      connection.lastNs >= local.fromNs &&
      connection.firstNs <= local.toNs,
  );
  // A name that no connection bears says nothing of whose it is: the server's HTTP interface may know the agent by another one.
  const isBorne = court.paths.some(({ names }) => agent !== null && names.includes(agent));
  const mine =
    agent === null || !isBorne ? open : open.filter((connection) => mayBeOf(court, inner, connection, agent));
  if (open.length === 0 && encrypted > 0) return `the capture of ${inner.name} holds encrypted connections only`;
  const hasOwn = isBorne && mine.length > 0;
  const elsewhere = onlyElsewhere(court, inner, isBorne ? agent : null, hasOwn, window);
  if (elsewhere !== null) return `${inner.name}: ${elsewhere}`;
  // One that was open before the capture began may be silent all through it.
  if (!hasOwn && agent !== null && observation.connections.some(beganBefore))
    return `${inner.name}: no connection of ${agent ?? 'an agent'} is in the capture, which began when others were open already`;
  const lossy =
    hasOwn || agent === null ? null : lostAround(observation, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  if (lossy !== null)
    return `${inner.name}: no connection of ${agent ?? 'an agent'} is in the capture, and ${lossy.replace('the capture', 'it')}`;
  for (const connection of mine) {
    const stretch = { fromNs: Math.max(local.fromNs, connection.firstNs), toNs: local.toNs };
    const path = court.paths.find((each) => each.legs[inner.index]?.connection === connection);
    const reason =
      path === undefined
        ? blindness(observation, connection, connection.fromServer, stretch)
        : blindnessOn(court.views, path, inner.index, 'fromServer', stretch);
    if (reason !== null) return `${inner.name}: ${reason}`;
    const { opaque } = connection.fromServer;
    if (opaque !== null && opaque.fromNs <= stretch.toNs && opaque.toNs >= stretch.fromNs)
      return `${inner.name}: messages left that are no JSON, and lasthop cannot read whether the command is in them`;
    if (endsUnnamed(observation, connection, stretch))
      return `${inner.name}: of a Text message only a part left, and the ID is not in it: that may be the command`;
  }
  return null;
}

/** A connection of the agent that other hops hold in that time, and the innermost one's capture does not: it left the capture out. */
function onlyElsewhere(
  { paths, views }: CommandCourt,
  inner: HopView,
  agent: string | null,
  hasOwn: boolean,
  { fromNs, toNs }: Stretch,
): string | null {
  for (const { legs, names } of paths) {
    if (legs[inner.index] !== null) continue;
    // Of one without a name nothing says that it is the agent's, where another one is.
    if (agent !== null && !names.includes(agent) && (names.length > 0 || hasOwn)) continue;
    for (const leg of legs) {
      if (leg === null) continue;
      const { connection, hop } = leg;
      const [firstNs, lastNs] = [commonNs(views[hop], connection.firstNs), commonNs(views[hop], connection.lastNs)];
      if (!(lastNs < fromNs) && !(firstNs > toNs))
        return `the capture does not hold a connection that ${views[hop].name}'s shows open at this time`;
    }
  }
  return null;
}

/** The last Text to the agent, begun in that time, is cut short before any ID. */
function endsUnnamed(
  { messages }: HopObservation,
  { fromServer }: ObservedConnection,
  { fromNs, toNs }: Stretch,
): boolean {
  const row = fromServer.rows.at(-1);
  if (row === undefined || !messages.has(row, MessageFlag.partial) || messages.opcode[row] >= FIRST_CONTROL)
    return false;
  return messages.id[row] < 0 && messages.sentNs[row] >= fromNs && messages.sentNs[row] <= toNs;
}

function beganBefore(connection: ObservedConnection | undefined): boolean {
  return connection?.protocol === 'websocket' && connection.handshake === null;
}

/** Also one of which too little was captured to tell what it is. */
function mayBeWebSocket({ protocol, handshake, fromServer, fromClient }: ObservedConnection): boolean {
  if (protocol === 'websocket') return true;
  if (protocol === 'tls' || protocol === 'upgrade-refused') return false;
  const damaged = (half: ObservedHalf) => half.packets === 0 || half.gaps.length > 0;
  return protocol !== 'http' || handshake !== null ? damaged(fromServer) || damaged(fromClient) : false;
}

/** A connection of that agent, or of one whose name is not known. */
function mayBeOf(court: CommandCourt, inner: HopView, connection: ObservedConnection, agent: string): boolean {
  const path = court.paths.find((each) => each.legs[inner.index]?.connection === connection);
  const names = path?.names ?? connection.agentNames;
  return names.length === 0 || names.includes(agent);
}
