/** No packet comes back on a connection: what is sent again and again was not TCP-ACKed, what is not may well have been. */

import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { Talk, type TalkShape, Tape } from '../support/tape.js';
import { hear, ruling } from '../support/verdict.js';
import { upgradeRequest, upgradeResponse } from '../support/web-socket-talk.js';

const INNER: TalkShape = {
  server: '10.0.0.1',
  serverPort: 3001,
  client: '10.0.2.1',
  clientPort: 40_001,
  clientIsn: 1,
};
const OUTER: TalkShape = {
  server: '10.0.2.1',
  serverPort: 443,
  client: '203.0.113.7',
  clientPort: 40_002,
  clientIsn: 2,
};

/** Of one agent's connection web's capture holds nothing before it is gone: c-1 leaves it again and again, at these times; c-2 and what follows wait behind it. */
async function heard(againMs: number[]) {
  const [srv, web, gone] = [new Tape(), new Tape(), new Tape()];
  const other = { clientPort: 50_001, clientIsn: 8 };
  const key = 'AAAAAAAAAAAAAAAAAAAAAA==';
  const [inner, outer] = [new Talk(srv, INNER), new Talk(gone, OUTER)];
  const live = [new Talk(srv, { ...INNER, ...other }), new Talk(web, { ...OUTER, ...other, client: '203.0.113.8' })];
  for (const [a, b, ms, shape] of [
    [inner, outer, 0, {}],
    [live[0], live[1], 50, { key }],
  ] as const) {
    b.open(ms);
    a.open(ms + 2);
    for (const each of [b, a]) each.send(ms + 10, 'client', upgradeRequest(shape));
    for (const each of [a, b]) each.send(ms + 20, 'server', upgradeResponse(shape));
  }
  for (let ms = 1000; ms < 40_000; ms += 1000) {
    live.forEach((each, i) => void each.send(ms + i * 0.1, 'server', frame(command(`live-${ms}`)), 0.05));
    live.forEach((each, i) => void each.send(ms + 41 - i, 'client', masked(commandAck(`live-${ms}`)), 0.05));
  }
  const data = frame(command('c-1'));
  inner.send(10_200, 'server', data, 0.1);
  outer.segment(10_200.1, 'server', { data });
  for (const ms of againMs) outer.segment(ms, 'server', { data, at: outer.sent('server') - data.length });
  inner.send(12_200, 'server', frame(command('c-2')), 0.1);
  web.packets.push(...gone.between(9000, 60_000).packets);
  for (const tape of [srv, web]) tape.packets.sort((a, b) => a.atMs - b.atMs);
  return hear({ srv, web }, { ackTimeoutMs: 5000 });
}

describe('a connection on which no packet comes back', () => {
  it('is stalled where what was sent first is sent again and again, beyond the deadline', async () => {
    const { of } = await heard([10_400, 10_800, 11_600, 13_200, 16_400, 22_800]);
    expect(ruling(of('c-1'))).toBe('stalled web web->agent');
    expect(of('c-1').attempts[0].hops[1]).toMatchObject({ state: 'sent-unacked', retransmissions: 6 });
    expect(ruling(of('c-2'))).toBe('stalled srv web->agent');
  });

  it('is not known from before the deadline', async () => {
    const { of } = await heard([10_400, 10_800, 11_600, 13_200]);
    expect([of('c-1').outcome, of('c-2').outcome]).toEqual(['inconclusive', 'inconclusive']);
    expect(of('c-1').reason).toContain('one direction only');
  });

  it('is not known where little was sent again', async () => {
    const { of } = await heard([10_400, 22_800]);
    expect([of('c-1').outcome, of('c-2').outcome]).toEqual(['inconclusive', 'inconclusive']);
  });
});
