/** Spans that could not be read: from when to when they are blind, for whoever asks whether something was absent then. */

import { expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { observe } from '../support/observe.js';
import { octets } from '../support/octets.js';
import { Talk, Tape } from '../support/tape.js';
import { upgradeRequest, upgradeResponse } from '../support/web-socket-talk.js';

it('begin when their first octets left, also where the ledger has forgotten them', () => {
  const tape = new Tape();
  const talk = new Talk(tape).open(0);
  talk.send(1, 'client', upgradeRequest());
  const response = talk.send(2, 'server', upgradeResponse());
  // No frames: compressed ones look no better while their handshake is not known.
  for (let i = 0; i < 60; i++) talk.send(1000 + i * 100, 'client', octets(`${i}`.padEnd(40, '\x00\x7f\xf3')));
  for (let i = 0; i < 8; i++) talk.send(9000 + i * 100, 'server', frame(command(`c-${i}`)));
  for (let i = 0; i < 8; i++) talk.send(10_000 + i * 100, 'client', masked(commandAck(`c-${i}`)));
  const { connections, fromClient } = observe(tape.without(response));
  expect(fromClient().map(({ id }) => id)).toEqual(Array.from({ length: 8 }, (_, i) => `c-${i}`));
  const { blind } = connections[0].fromClient;
  expect(blind.length).toBeGreaterThan(0);
  expect(Math.min(...blind.map(({ fromNs }) => fromNs / 1e6))).toBeLessThanOrEqual(1000);
});

it('frames that wait for a 101 which never comes whole keep their times and packets', () => {
  const tape = new Tape();
  const talk = new Talk(tape).open(0);
  talk.send(1, 'client', upgradeRequest());
  talk.segment(2, 'server', { data: upgradeResponse(), captured: 40 });
  const sent = Array.from({ length: 30 }, (_, i) => talk.send(1000 + i * 100, 'client', masked(commandAck(`c-${i}`))));
  const rows = observe(tape).fromClient();
  expect(rows.map(({ sentMs }) => sentMs)).toEqual(sent.map((_, i) => 1000 + i * 100));
  expect(rows.map(({ data }) => data)).toEqual(sent.map((packet) => [packet]));
});
