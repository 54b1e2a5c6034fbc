/**
 * Hops and connections as the contract shows them. In: views, paths. Out: HopReport and ConnectionReport.
 */

import { captureDoubts, hopDoubts } from '../hop/capture-doubts.js';
import { endpoint } from '../hop/list.js';
import type { HopObservation, ObservedConnection, ObservedFile } from '../hop/observation.js';
import { usualShiftNs } from '../hop/steady-clock.js';
import { isoTime, stampOf } from '../hop/timestamp.js';
import type { HopView, Leg, Path } from '../path/path.js';
import { NO_KEYS } from '../tls/key-search.js';
import { seconds } from './coverage.js';
import { milliseconds } from './hop-state.js';
import { pingsEndAt } from './ping-ends.js';
import { quietBeforeCloseNs } from './quiet.js';
import type { CaptureReport, ConnectionReport, HopReport, LegReport, PingReport } from './verdict.js';

/** Connections that a reason names by their clients. */
const MOST_NAMED = 3;

export function describeHop(view: HopView, _index: number, views: readonly HopView[]): HopReport {
  const { observation } = view;
  const aligned = view.clock;
  return {
    name: view.name,
    captures: observation === null ? [] : describeCaptures(view, observation),
    clockOffsetMs:
      observation === null || aligned === null
        ? null
        : milliseconds(
            aligned.offsetNs - shiftNs(view) + shiftNs(views.find((each) => each.observation !== null) ?? view),
          ),
    clockUncertaintyMs: observation === null || aligned === null ? null : milliseconds(aligned.uncertaintyNs),
    orderProven: view.orderProven,
  };
}

function describeCaptures(view: HopView, observation: HopObservation): CaptureReport[] {
  const doubts = hopDoubts(observation);
  const further = [...undecrypted(observation), ...clockTrouble(view, observation)];
  return observation.files.map((file) =>
    describeCapture(file, observation, [...captureDoubts(file.summary, observation, doubts), ...further]),
  );
}

function describeCapture(
  { file, summary }: ObservedFile,
  observation: HopObservation,
  reasons: string[],
): CaptureReport {
  const none = observation.tcpPackets === 0;
  const time = (timeNs: number | null) =>
    timeNs === null ? null : isoTime(timeNs, observation.epochSeconds, summary.timeDigits);
  return {
    file,
    format: summary.format,
    compression: summary.compression,
    linkTypes: [...summary.linkTypes],
    packets: summary.packets,
    firstAt: time(summary.minTimeNs),
    lastAt: time(summary.maxTimeNs),
    trust: none ? 'none' : reasons.length > 0 ? 'limited' : 'full',
    reasons,
  };
}

/** How far its stamps are behind its steady time for most of the capture. */
function shiftNs({ observation }: HopView): number {
  return observation === null ? 0 : usualShiftNs(observation.resumed, observation.firstNs, observation.lastNs);
}

const MOST_STEPS = 3;
/** Over a capture, what this is or less changes no verdict. */
const DRIFT_WORTH_SAYING_NS = 100e6;

/** Steps and drift of a hop's clock against the others, in words. */
function clockTrouble({ clock, index }: HopView, observation: HopObservation): string[] {
  if (clock === null) return [];
  const at = (timeNs: number) => stampOf(observation, timeNs)?.slice(11, 19) ?? '?';
  const reasons: string[] = [];
  for (const { fromNs, toNs, stepNs } of clock.relativeSteps.slice(0, MOST_STEPS))
    reasons.push(
      `its clock went ${stepNs > 0 ? 'forward' : 'back'} by ${seconds(Math.abs(stepNs))} against the other captures' between ${at(fromNs)} and ${at(toNs)}`,
    );
  if (index > 0 && clock.driftNs >= DRIFT_WORTH_SAYING_NS)
    reasons.push(`its clock drifted by ${seconds(clock.driftNs)} against the other captures'`);
  return reasons;
}

/** Where keys were given: the connections that they do not open, by reason. */
function undecrypted({ connections, hasKeys }: HopObservation): string[] {
  if (!hasKeys) return [];
  const encrypted = connections.filter((connection) => connection?.tls != null);
  const byReason = new Map<string, ObservedConnection[]>();
  for (const connection of encrypted) {
    const why = connection.tls?.unreadable;
    if (why != null) byReason.set(why, [...(byReason.get(why) ?? []), connection]);
  }
  return [...byReason].map(([why, closed]) => {
    const which = `${closed.length} of ${encrypted.length} TLS connections (from ${clientsOf(closed)})`;
    return why === NO_KEYS ? `the key log holds no keys for ${which}` : `${which} cannot be decrypted: ${why}`;
  });
}

function clientsOf(connections: readonly ObservedConnection[]): string {
  const named = connections.slice(0, MOST_NAMED).map((each) => endpoint(each.clientAddress, each.clientPort));
  const more = connections.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

export function describeConnection(path: Path, views: readonly HopView[]): ConnectionReport {
  const legs = path.legs.filter((leg): leg is Leg => leg !== null);
  const told = legs[0].connection;
  return {
    id: path.id,
    agent: path.agent,
    legs: legs.map((leg) => describeLeg(leg, views[leg.hop])),
    pings: describeAllPings(path, views, legs),
    messages: {
      fromServer: told.fromServer.counts.text + told.fromServer.counts.binary,
      fromAgent: told.fromClient.counts.text + told.fromClient.counts.binary,
    },
  };
}

function describeLeg({ connection, linkedBy }: Leg, view: HopView): LegReport {
  const observation = view.observation as HopObservation;
  const { tls } = connection;
  return {
    hop: view.name,
    client: endpoint(connection.clientAddress, connection.clientPort),
    server: endpoint(connection.serverAddress, connection.serverPort),
    openedAt: stampOf(observation, connection.openedNs),
    closedAt: stampOf(observation, connection.closedNs),
    closedBy: connection.closedBy,
    quietBeforeCloseMs: quietMs(view, connection),
    handshake: connection.handshake?.accepted ? 'seen' : 'missing',
    encrypted: tls !== null,
    decrypted: tls?.decrypted ?? false,
    tls: tls && { version: tls.version, cipherSuite: tls.cipherSuite, serverName: tls.serverName, alpn: tls.alpn },
    linkedBy,
  };
}

function quietMs({ observation }: HopView, connection: ObservedConnection): number | null {
  const quietNs = observation === null ? Number.NaN : quietBeforeCloseNs(observation, connection);
  return Number.isNaN(quietNs) ? null : milliseconds(quietNs);
}

function describeAllPings(path: Path, views: readonly HopView[], legs: readonly Leg[]): ConnectionReport['pings'] {
  const pings = describePings(legs[0].connection);
  const ends = pingsEndAt(path, views);
  if (ends < 0) return { ...pings, answeredBy: null, atLastHop: null };
  const last = legs[legs.length - 1];
  const atLastHop = { hop: views[last.hop].name, ...describePings(last.connection) };
  return { ...pings, answeredBy: views[ends].name, atLastHop };
}

function describePings({ pings }: ObservedConnection): PingReport {
  const sorted = [...pings.roundTripsNs].sort((a, b) => a - b);
  const at = (share: number) => milliseconds(sorted[Math.floor((sorted.length - 1) * share)]);
  return {
    sent: pings.sent,
    tcpAcked: Math.max(pings.tcpAcked, pings.answered),
    answered: pings.answered,
    rttMs: sorted.length === 0 ? null : { min: at(0), median: at(0.5), max: at(1) },
  };
}
