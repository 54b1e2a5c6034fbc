/** How the connections of a command came and went, and when they could not move. In: a path's legs. Out: moments. */

import { seconds } from '../../delivery/coverage.js';
import { endpoint } from '../../hop/list.js';
import { commonNs, type Leg, type Path } from '../../path/path.js';
import type { Moment, Stretch, Telling } from './telling.js';

export function* connectionEvents(telling: Telling, path: Path, stretch: Stretch): Generator<Moment> {
  for (const leg of path.legs) if (leg !== null) yield* legEvents(telling, path, leg, stretch);
}

function* legEvents(telling: Telling, path: Path, { hop, connection }: Leg, stretch: Stretch): Generator<Moment> {
  const view = telling.court.views[hop];
  const client = endpoint(connection.clientAddress, connection.clientPort);
  const { handshake, fromServer, fromClient } = connection;
  if (!Number.isNaN(connection.openedNs)) {
    const agent = handshake?.userAgent == null ? '' : `, User-Agent ${handshake.userAgent}`;
    const upgraded = handshake?.accepted ? `, upgraded to WebSocket (101)${agent}` : '';
    const refs = [connection.openedRef, ...connection.handshakeRefs];
    yield telling.moment(
      hop,
      connection.openedNs,
      'opened',
      `TCP to ${view.name} opened by ${client}${upgraded}`,
      refs,
      {
        path,
        rank: 0,
      },
    );
  }
  if (connection.closedBy !== null) {
    const who = connection.closedFrom === null ? '' : ` by ${connection.closedFrom === 'server' ? view.name : client}`;
    yield telling.moment(
      hop,
      connection.closedNs,
      'closed',
      `TCP closed${who} (${connection.closedBy.toUpperCase()})`,
      [connection.closedRef],
      { path, rank: 8 },
    );
  }
  const within = (fromNs: number, toNs: number) =>
    commonNs(view, toNs) >= stretch.fromNs && commonNs(view, fromNs) <= stretch.toNs;
  for (const each of fromServer.blocked) {
    if (!within(each.fromNs, each.toNs)) continue;
    const lasted = each.toNs === Number.POSITIVE_INFINITY ? 'to the end' : `for ${seconds(each.toNs - each.fromNs)}`;
    const what =
      each.kind === 'unacked'
        ? 'what was sent from here on waits for its TCP ACK'
        : 'the receiver closed its TCP window';
    yield telling.moment(hop, each.fromNs, 'blocked', `${view.name}: ${what}, ${lasted}`, [each.ref, each.endRef], {
      path,
      rank: 4,
    });
  }
  for (const [half, sender] of [
    [fromServer, 'server'],
    [fromClient, 'agent'],
  ] as const)
    for (const gap of half.gaps)
      if (within(gap.fromNs, gap.toNs))
        yield telling.moment(
          hop,
          gap.fromNs,
          'gap',
          `${gap.to - gap.from} octets from the ${sender} are missing from the capture of ${view.name}`,
          [],
          { path, rank: 4 },
        );
}
