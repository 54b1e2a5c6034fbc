/** Several hops on one host, or in one file: which leg is whose. */

import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { Talk, type TalkShape, Tape } from '../support/tape.js';
import { hear } from '../support/verdict.js';
import { upgradeRequest, upgradeResponse } from '../support/web-socket-talk.js';

const AGENT = '203.0.113.7';

function leg(n: number, server: string, client: string): TalkShape {
  return { server, serverPort: 3000 + n, client, clientPort: 40_000 + n, clientIsn: n + 1 };
}

/** One WebSocket over legs, server outward, each on a tape; c-1 passes and is answered. */
function talk(legs: [Tape, TalkShape][]): void {
  const last = legs.length - 1;
  const talks = legs.map(([tape, shape]) => new Talk(tape, shape));
  talks.forEach((each, i) => {
    each.open((last - i) * 2);
    each.send((last - i) * 2 + 1, 'client', upgradeRequest());
    each.send(20 + i, 'server', upgradeResponse());
  });
  talks.forEach((each, i) => void each.send(1000 + i, 'server', frame(command('c-1')), 0.1));
  talks.forEach((each, i) => void each.send(1040 + last - i, 'client', masked(commandAck('c-1')), 0.1));
  for (const ms of [2000, 3000])
    talks.forEach((each, i) => void each.send(ms + last - i, 'client', masked(`{"type":"Heartbeat","at":${ms}}`)));
  for (const tape of new Set(legs.map(([each]) => each))) tape.packets.sort((a, b) => a.atMs - b.atMs);
}

async function legsOf(tapes: Record<string, Tape>, path?: string[]) {
  const { verdict, warnings, of, commands } = await hear(tapes, path === undefined ? {} : { path });
  const legs = verdict.connections.map((each) => Object.fromEntries(each.legs.map(({ hop, server }) => [hop, server])));
  return { legs, warnings, of, commands };
}

describe('a host that runs several hops, of which one was given', () => {
  it('has each hop’s leg at its place in the path', async () => {
    const host = new Tape();
    talk([
      [host, leg(1, '127.0.0.1', '127.0.0.1')],
      [host, leg(2, '127.0.0.1', '127.0.0.1')],
      [host, leg(3, '10.0.0.1', '10.0.2.1')],
    ]);
    const path = ['rust', 'ngx', 'hap', 'edge'];
    expect((await legsOf({ rust: host }, path)).legs).toEqual([{ rust: '127.0.0.1:3001' }]);
    expect((await legsOf({ ngx: host }, path)).legs).toEqual([{ ngx: '127.0.0.1:3002' }]);
    expect((await legsOf({ hap: host }, path)).legs).toEqual([{ hap: '10.0.0.1:3003' }]);
    expect((await legsOf({ hap: host }, ['rust', 'ngx', 'hap'])).legs).toEqual([{ hap: '10.0.0.1:3003' }]);
  });

  it('has no leg of a hop further in where its own way inward is seen', async () => {
    const host = new Tape();
    talk([
      [host, leg(1, '10.0.0.9', '10.0.0.1')],
      [host, leg(2, '10.0.0.1', '10.0.0.1')],
      [host, leg(3, '10.0.0.1', AGENT)],
    ]);
    const path = ['srv', 'mid', 'web'];
    expect((await legsOf({ mid: host }, path)).legs).toEqual([{ mid: '10.0.0.1:3002' }]);
    expect((await legsOf({ web: host }, path)).legs).toEqual([{ web: '10.0.0.1:3003' }]);
  });

  it('goes by the usual servers where only one of the connections could be linked', async () => {
    const host = new Tape();
    const whole = (n: number): [Tape, TalkShape][] => [
      [host, { ...leg(1, '127.0.0.1', '127.0.0.1'), clientPort: 41_000 + n, clientIsn: 100 + n }],
      [host, { ...leg(2, '10.0.0.1', '10.0.2.1'), clientPort: 42_000 + n, clientIsn: 200 + n }],
    ];
    talk(whole(1));
    const alone = new Talk(host, { ...leg(1, '127.0.0.1', '127.0.0.1'), clientPort: 43_000, clientIsn: 300 });
    alone.open(5000);
    alone.send(5001, 'client', upgradeRequest({ key: 'AAAAAAAAAAAAAAAAAAAAAA==' }));
    alone.send(5002, 'server', upgradeResponse({ key: 'AAAAAAAAAAAAAAAAAAAAAA==' }));
    alone.send(6000, 'server', frame(command('c-9')), 0.1);
    const { legs, commands } = await legsOf({ mid: host }, ['srv', 'mid', 'web']);
    expect(legs).toEqual([{ mid: '10.0.0.1:3002' }]);
    expect(commands.map(({ id }) => id)).toEqual(['c-1']);
  });

  it('has none where nothing tells which it is, and says so', async () => {
    const [first, host] = [new Tape(), new Tape()];
    talk([
      [first, leg(1, '10.0.0.9', '10.0.0.1')],
      [host, leg(2, '10.0.0.1', '10.0.0.1')],
      [host, leg(3, '10.0.0.1', '10.0.2.1')],
    ]);
    const { legs, warnings, of } = await legsOf({ a: first, c: host }, ['a', 'b', 'c', 'd']);
    expect(legs).toEqual([{ a: '10.0.0.9:3001' }]);
    expect(warnings).toContain(
      "c's capture holds several connections of one path, and nothing shows which of them is c's and which are those of b, d: give each hop's own capture",
    );
    expect(of('c-1').attempts[0].hops[2]).toMatchObject({
      state: 'unobserved',
      reason: "c: the capture holds several connections of this path, and which of them is c's is not told",
    });
    // Of a path that ends there, the last one can only be its own.
    expect((await legsOf({ a: first, c: host }, ['a', 'b', 'c'])).legs).toEqual([
      { a: '10.0.0.9:3001', c: '10.0.0.1:3003' },
    ]);
  });
});

describe('one file given for two hops', () => {
  const ORIGIN = leg(1, '127.0.0.1', '127.0.0.1');
  const NGINX = leg(2, '10.0.0.1', '10.0.0.2');
  const NPM = leg(3, '10.0.1.1', AGENT);

  it('has the leg of each, by their order', async () => {
    const [first, both] = [new Tape(), new Tape()];
    talk([
      [first, ORIGIN],
      [both, NGINX],
      [both, NPM],
    ]);
    const { legs, warnings } = await legsOf({ origin: first, nginx: both, npm: both });
    expect(legs).toEqual([{ origin: '127.0.0.1:3001', nginx: '10.0.0.1:3002', npm: '10.0.1.1:3003' }]);
    expect(warnings.filter((text) => text.includes('not captured'))).toEqual([]);
  });
});
