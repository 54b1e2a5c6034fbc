/** A host that ends TCP more than once, as docker-proxy before a container does: whose TCP ACK is the agent's. */

import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { Talk, type TalkShape, Tape } from '../support/tape.js';
import { hear } from '../support/verdict.js';
import { upgradeRequest, upgradeResponse } from '../support/web-socket-talk.js';

const AGENT = '203.0.113.7';
const INNER: TalkShape = {
  server: '10.0.0.1',
  serverPort: 8080,
  client: '10.0.2.1',
  clientPort: 40_001,
  clientIsn: 1,
};
const CONTAINER: TalkShape = {
  server: '172.17.0.2',
  serverPort: 443,
  client: '172.17.0.1',
  clientPort: 40_002,
  clientIsn: 2,
};
const PUBLISHED: TalkShape = { server: '10.0.2.1', serverPort: 443, client: AGENT, clientPort: 40_003, clientIsn: 3 };

/** From the server outward; what is last is the agent's. c-1 is answered, c-2 is never TCP-ACKed on the last one, c-3 is. */
function talk(tapes: Tape[], shapes: TalkShape[]): void {
  const talks = shapes.map((shape, i) => new Talk(tapes[i], shape));
  const last = talks.length - 1;
  talks.forEach((each, i) => {
    each.open((last - i) * 2);
    each.send((last - i) * 2 + 1, 'client', upgradeRequest());
    each.send(20 + i, 'server', upgradeResponse());
  });
  talks.forEach((each, i) => void each.send(1000 + i, 'server', frame(command('c-1')), 0.1));
  talks.forEach((each, i) => void each.send(1040 + last - i, 'client', masked(commandAck('c-1')), 0.1));
  talks.forEach((each, i) => {
    const data = frame(command('c-2'));
    if (i < last) each.send(2000 + i, 'server', data, 0.1);
    else
      for (const ms of [2000, 2300, 3000, 5000])
        each.segment(ms + i, 'server', { data, at: each.sent('server') - (ms > 2000 ? data.length : 0) });
  });
  for (const tape of new Set(tapes)) {
    new Talk(tape, { server: '10.0.0.9', client: '10.0.0.8' }).open(19_000);
    tape.packets.sort((a, b) => a.atMs - b.atMs);
  }
}

describe('a host that ends TCP more than once', () => {
  it('reaches the agent by the outermost of its connections', async () => {
    const tapes = [new Tape(), new Tape()];
    talk([tapes[0], tapes[1], tapes[1]], [INNER, CONTAINER, PUBLISHED]);
    const { of, verdict, warnings } = await hear({ nginx: tapes[0], npm: tapes[1] });
    expect(verdict.connections[0].legs[1]).toMatchObject({ hop: 'npm', client: `${AGENT}:40003` });
    expect(of('c-1')).toMatchObject({ outcome: 'delivered' });
    expect(of('c-2')).toMatchObject({ outcome: 'stalled', lostAt: 'npm->agent' });
    expect(warnings).toEqual([]);
  });

  it('is not the agent where the server stands on it, too', async () => {
    const tape = new Tape();
    const origin = { server: '127.0.0.1', serverPort: 3001, client: '127.0.0.1', clientPort: 40_000, clientIsn: 9 };
    talk([tape, tape], [origin, INNER]);
    const { of } = await hear({ origin: tape }, { path: ['origin'] });
    expect(of('c-2')).toMatchObject({
      outcome: 'inconclusive',
      reason:
        'it left origin and was TCP-ACKed by 10.0.0.1, which is not the agent, since a captured connection further out, which carries the same messages, ends there: a capture at 10.0.0.1 would settle it',
    });
  });
});
