/** The order of the hops: what proves it, what contradicts it, and that nothing is made up where nothing tells. */

import { describe, expect, it } from 'vitest';
import { buildPaths } from '../../src/path/build-paths.js';
import { Chain } from '../support/chain.js';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { observe } from '../support/observe.js';
import { octets } from '../support/octets.js';
import { Talk, type TalkShape, Tape } from '../support/tape.js';
import { upgradeRequest, upgradeResponse } from '../support/web-socket-talk.js';

const KEY = 'AAAAAAAAAAAAAAAAAAAAAA==';

/** Without the orders left open: other-orders.test.ts. */
function orderOf(...tapes: Tape[]) {
  const { misordered, unproven } = buildPaths(
    tapes.map((_, i) => `hop${i}`),
    tapes.map((tape) => observe(tape).observation),
  ).order;
  return { misordered, unproven };
}

/** One WebSocket over legs given server outward, each with the X-Forwarded-For that its request carries; `said` exchanges. */
function talk(tapes: Tape[], legs: (TalkShape & { forwarded?: string })[], said: number, handshake = true): Talk[] {
  const talks = legs.map((shape, i) => new Talk(tapes[i], { clientIsn: i * 7 + 1, serverIsn: i * 9 + 1, ...shape }));
  const last = legs.length - 1;
  if (handshake)
    talks.forEach((each, i) => {
      const request = legs[i].forwarded === undefined ? [] : [`X-Forwarded-For: ${legs[i].forwarded}`];
      each.open((last - i) * 2);
      each.send((last - i) * 2 + 1, 'client', upgradeRequest({ key: KEY, request }));
      each.send(20 + i, 'server', upgradeResponse({ key: KEY }));
    });
  for (let n = 0; n < said; n++) {
    const bytes = frame(command(`c-${n}`));
    const ack = masked(commandAck(`c-${n}`));
    talks.forEach((each, i) => void each.send(1000 + n * 500 + i * 0.5, 'server', bytes, 0.1));
    talks.forEach((each, i) => void each.send(1040 + n * 500 + (last - i) * 0.5, 'client', ack, 0.1));
  }
  return talks;
}

const LOOPBACK = { client: '127.0.0.1', server: '127.0.0.1' };
/** Nothing but loopback, as where each hop is a process of one host and was captured apart. */
const SILENT = [3001, 8080, 443].map((serverPort, i) => ({ ...LOOPBACK, serverPort, clientPort: 40_000 + i }));

const PERMUTED: [number[], string][] = [
  [[1, 0, 2], 'the first two'],
  [[0, 2, 1], 'the last two'],
  [[2, 1, 0], 'the ends'],
  [[1, 2, 0], 'all'],
];

describe('the order of three hops, two of them changed over', () => {
  describe.each(PERMUTED)('%j: %s', (order) => {
    const changed = (tapes: Tape[]) => orderOf(...order.map((i) => tapes[i]));

    it('is contradicted by the addresses, a single exchange being enough', () => {
      const tapes = [new Tape(), new Tape(), new Tape()];
      const chain = new Chain(tapes, { key: KEY }).open(0);
      chain.outward(1000, frame(command('c-1')));
      chain.inward(1040, masked(commandAck('c-1')));
      expect(orderOf(...tapes)).toEqual({ misordered: null, unproven: [] });
      expect(changed(tapes).misordered).not.toBeNull();
    });

    it('is contradicted by X-Forwarded-For, where addresses say nothing', () => {
      const tapes = [new Tape(), new Tape(), new Tape()];
      const outer = { ...SILENT[2], client: '203.0.113.7' };
      talk(
        tapes,
        [
          { ...SILENT[0], forwarded: '203.0.113.7, 198.51.100.1' },
          { ...SILENT[1], forwarded: '203.0.113.7' },
          { ...outer, server: '10.9.9.9' },
        ],
        1,
      );
      expect(orderOf(...tapes)).toEqual({ misordered: null, unproven: [] });
      expect(changed(tapes).misordered).not.toBeNull();
    });

    it('is contradicted by the times of many messages, where nothing else tells', () => {
      const tapes = [new Tape(), new Tape(-3_600_000), new Tape(5000)];
      talk(tapes, SILENT, 12, false);
      expect(orderOf(...tapes)).toEqual({ misordered: null, unproven: [] });
      expect(changed(tapes).misordered).not.toBeNull();
    });
  });
});

describe('the order of two hops', () => {
  it('is proven by a connection that the outer one has from its client’s side, though its own leg is encrypted', () => {
    const [inner, outer] = [new Tape(), new Tape()];
    const shape = { client: '10.0.1.1', server: '10.0.0.1', clientIsn: 5, serverIsn: 6 };
    for (const [n, agent] of ['203.0.113.7', '203.0.113.8'].entries())
      new Talk(outer, { client: agent, server: '10.0.1.1', serverPort: 443, clientIsn: 77 + n })
        .open(0)
        .send(1, 'client', octets('\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00'));
    for (const tape of [inner, outer]) talk([tape], [shape], 2);
    expect(orderOf(inner, outer)).toEqual({ misordered: null, unproven: [] });
    expect(orderOf(outer, inner).misordered).toEqual([0, 1]);
  });

  it('is not proven where there is nothing but a few messages of equal moments', () => {
    const tapes = [new Tape(), new Tape()];
    const talks = SILENT.slice(0, 2).map((shape, i) => new Talk(tapes[i], { ...shape, clientIsn: i }));
    for (const n of [1, 2, 3]) for (const each of talks) each.send(1000 * n, 'server', frame(command(`c-${n}`)));
    for (const order of [orderOf(...tapes), orderOf(...tapes.reverse())])
      expect(order).toEqual({ misordered: null, unproven: [{ inner: 0, outer: 1, doubtful: false }] });
  });

  it('is doubtful where the times of a few messages speak against it', () => {
    const tapes = [new Tape(), new Tape()];
    talk(tapes, SILENT.slice(0, 2), 4, false);
    expect(orderOf(...tapes)).toEqual({ misordered: null, unproven: [] });
    const { misordered, unproven } = orderOf(tapes[1], tapes[0]);
    expect(misordered).toBeNull();
    expect(unproven).toEqual([{ inner: 0, outer: 1, doubtful: true }]);
  });

  it('is not contradicted by messages whose times are not known', () => {
    const tapes = [new Tape(), new Tape()];
    const talks = SILENT.slice(0, 2).map((shape, i) => new Talk(tapes[i], { ...shape, clientIsn: i }));
    for (let n = 0; n < 12; n++)
      for (const each of talks) {
        each.send(1000 * n, 'server', frame(command(`c-${n}`)));
        each.send(1000 * n + 40, 'client', masked(commandAck(`c-${n}`), { mask: [n, 2, 3, 4] }));
      }
    const observed = tapes.map((tape) => observe(tape).observation);
    for (const row of observed[1].connections[0].fromClient.rows) observed[1].messages.sentNs[row] = Number.NaN;
    expect(buildPaths(['a', 'b'], observed).order.misordered).toBeNull();
  });

  it('is not contradicted by clocks that drift apart', () => {
    for (const drift of [-300e-6, 300e-6]) {
      const tapes = [new Tape(), new Tape()];
      talk(tapes, SILENT.slice(0, 2), 30, false);
      for (const packet of tapes[1].packets) packet.atMs *= 1 + drift;
      expect(orderOf(...tapes).misordered).toBeNull();
    }
  });
});
