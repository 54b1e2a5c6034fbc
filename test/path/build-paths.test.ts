import { describe, expect, it } from 'vitest';
import { builtinProfile, Role, RoleTable } from '../../src/message/profile.js';
import { buildPaths } from '../../src/path/build-paths.js';
import type { Path } from '../../src/path/path.js';
import { Chain } from '../support/chain.js';
import { command, commandAck, frame, masked, ping } from '../support/frames.js';
import { type Observed, observe } from '../support/observe.js';
import { Talk, Tape } from '../support/tape.js';
import { SAMPLE_KEY, upgradeRequest, upgradeResponse, webSocket } from '../support/web-socket-talk.js';

const roles = new RoleTable(builtinProfile);

function build(...tapes: Tape[]) {
  const observed = tapes.map((tape) => observe(tape));
  const names = tapes.map((_, i) => `hop${i}`);
  const { paths, views } = buildPaths(
    names,
    observed.map(({ observation }) => observation),
  );
  return { paths, views, observed };
}

/** Ports of each leg's server, null where a path has no leg at a hop. */
const servers = (path: Path) => path.legs.map((leg) => leg?.connection.serverPort ?? null);
const clients = (path: Path) => path.legs.map((leg) => leg?.connection.clientPort ?? null);
const links = (path: Path) => path.legs.map((leg) => leg?.linkedBy);

/** For each command of a path: the hops at which it was seen. */
function seenAt(path: Path, observed: Observed[]): [string, number[]][] {
  const found: [string, number[]][] = [];
  for (let thread = 0; thread < path.fromServer.count; thread++) {
    const hops = observed.map((_, hop) => hop).filter((hop) => path.fromServer.row(thread, hop) >= 0);
    const { messages, strings } = observed[hops[0]].observation;
    const row = path.fromServer.row(thread, hops[0]);
    const isCommand = messages.type[row] >= 0 && roles.roleOf(strings.text(messages.type[row])) === Role.command;
    if (isCommand) found.push([strings.text(messages.id[row]), hops]);
  }
  return found;
}

function talkOver(chain: Chain, fromMs: number, ids: string[]): void {
  ids.forEach((id, i) => {
    chain.outward(fromMs + i * 100, frame(command(id)));
    chain.inward(fromMs + i * 100 + 40, masked(commandAck(id)));
  });
}

const KEYS = ['AAAAAAAAAAAAAAAAAAAAAA==', 'BBBBBBBBBBBBBBBBBBBBBA==', 'CCCCCCCCCCCCCCCCCCCCCA=='];

describe('legs of one WebSocket', () => {
  it('are found by Sec-WebSocket-Key', () => {
    const tapes = [new Tape(), new Tape(), new Tape()];
    KEYS.forEach((key, i) => {
      talkOver(new Chain(tapes, { key, agent: i + 1 }).open(i * 1000), i * 1000 + 100, [`c-${i}`]);
    });
    const { paths } = build(...tapes);
    expect(paths.map(({ id }) => id)).toEqual(['c1', 'c2', 'c3']);
    expect(paths.map(clients)).toEqual([1, 2, 3].map((n) => [40_000, 40_001, 40_002].map((port) => port + n * 10)));
    expect(paths.map(links)).toEqual(Array(3).fill(Array(3).fill('sec-websocket-key')));
  });

  it('are found where one capture is much shorter than the others', () => {
    const tapes = [new Tape(), new Tape(), new Tape()];
    const chains = KEYS.map((key, i) => new Chain(tapes, { key, agent: i + 1 }).open(i * 100));
    const all = Array.from({ length: 30 }, (_, n) => n);
    chains.forEach((chain, i) => {
      talkOver(
        chain,
        1000 + i * 7,
        all.map((n) => `c-${i}-${n}`),
      );
    });
    const { paths } = build(tapes[0], tapes[1], tapes[2].between(3450, 1e9));
    expect(paths.map((path) => path.legs.filter((leg) => leg !== null).length)).toEqual([3, 3, 3]);
    expect(paths.map((path) => path.legs[2]?.connection.clientPort)).toEqual([40_012, 40_022, 40_032]);
  });

  it('are found by the bytes where the captures start later', () => {
    const tapes = [new Tape(), new Tape()];
    const chains = KEYS.map((key, i) => new Chain(tapes, { key, agent: i + 1 }).open(i * 50));
    chains.forEach((chain, i) => {
      talkOver(chain, 1000 + i * 1000, [`a-${i}`, `b-${i}`, `d-${i}`]);
    });
    const { paths } = build(...tapes.map((tape) => tape.between(900, 1e9)));
    expect(paths.map(clients)).toEqual([1, 2, 3].map((n) => [40_000 + n * 10, 40_001 + n * 10]));
    expect(paths.map(links)).toEqual(Array(3).fill(['bytes', 'bytes']));
  });

  it('are found by the bytes where a proxy writes a key of its own', () => {
    const tapes = [new Tape(), new Tape()];
    const outer = webSocket(tapes[1], 0, { server: '10.0.0.5', serverPort: 443, clientIsn: 22 }, { key: KEYS[0] });
    const inner = webSocket(tapes[0], 5, { client: '10.0.0.5', clientIsn: 11 }, { key: KEYS[1] });
    for (const [i, id] of ['c-1', 'c-2', 'c-3'].entries()) {
      inner.send(1000 + i * 100, 'server', frame(command(id)));
      outer.send(1001 + i * 100, 'server', frame(command(id)));
      const ack = masked(commandAck(id));
      outer.send(1040 + i * 100, 'client', ack);
      inner.send(1041 + i * 100, 'client', ack);
    }
    const { paths } = build(...tapes);
    expect(paths.length).toBe(1);
    expect(links(paths[0])).toEqual(['bytes', 'bytes']);
  });

  it('are found where a proxy opens a WebSocket of its own, both sides of which its capture holds', () => {
    const [inside, proxy] = [new Tape(), new Tape()];
    const shape = { client: '10.0.0.5', server: '10.0.0.1', clientIsn: 11, serverIsn: 12 };
    const inner = [inside, proxy].map((tape) => webSocket(tape, 5, shape, { key: KEYS[1] }));
    const outer = webSocket(proxy, 0, { server: '10.0.0.5', serverPort: 443, clientIsn: 22 }, { key: KEYS[0] });
    for (const [i, id] of ['c-1', 'c-2', 'c-3'].entries()) {
      for (const leg of inner) leg.send(1000 + i * 100, 'server', frame(command(id)));
      outer.send(1001 + i * 100, 'server', frame(command(id)));
      // Many messages that the inner connection shares with itself alone.
      for (let n = 0; n < 4; n++) {
        const beat = masked(`{"n":${i}${n}}`);
        for (const leg of inner) leg.send(1010 + i * 100 + n * 10, 'client', beat);
      }
    }
    const { paths } = build(inside, proxy);
    expect(paths.map(servers)).toEqual([[3001, 443]]);
  });

  it('are found by what is said where one of several proxies masks anew, and no opening was captured', () => {
    const tapes = [new Tape(), new Tape(), new Tape()];
    for (const agent of [1, 2]) {
      const legs = new Chain(tapes, { agent }).legs;
      for (let n = 0; n < 6; n++) {
        const id = `c-${agent}-${n}`;
        const at = 1000 + agent * 37 + n * 500;
        legs.forEach((leg, i) => void leg.send(at + i, 'server', frame(command(id))));
        const ack = masked(commandAck(id));
        const beat = masked(`{"t":${n}${agent}}`);
        legs[2].send(at + 40, 'client', ack);
        legs[1].send(at + 41, 'client', ack);
        legs[0].send(at + 42, 'client', masked(commandAck(id)));
        for (const i of [2, 1]) legs[i].send(at + 60 + 3 - i, 'client', beat);
        legs[0].send(at + 63, 'client', masked(`{"t":${n}${agent}}`));
      }
    }
    const { paths } = build(...tapes);
    expect(paths.map(clients)).toEqual([1, 2].map((n) => [0, 1, 2].map((leg) => 40_000 + n * 10 + leg)));
  });

  it('are found by the TCP sequence numbers where NAT stands between two captures of one connection', () => {
    const inside = new Tape();
    const outside = new Tape();
    const isn = { clientIsn: 42, serverIsn: 4242 };
    // Nothing was said that would tell, and the handshake came before the capture.
    for (const [tape, server] of [
      [inside, '172.17.0.2'],
      [outside, '198.51.100.1'],
    ] as const) {
      const talk = new Talk(tape, { ...isn, server }).open(0);
      talk.send(1, 'client', upgradeRequest());
      talk.send(2, 'server', upgradeResponse());
    }
    const { paths } = build(inside, outside);
    expect(paths.length).toBe(1);
  });

  it('of a client that always sends the same key are not confused', () => {
    const tapes = [new Tape(), new Tape()];
    const reconnects = [0, 100_000, 200_000].map((ms, i) => {
      const chain = new Chain(tapes, { key: SAMPLE_KEY, agent: i + 1 }).open(ms);
      talkOver(chain, ms + 1000, [`a-${i}`, `b-${i}`, `d-${i}`]);
      return chain;
    });
    const { paths } = build(...tapes);
    expect(reconnects.length).toBe(3);
    expect(paths.map(clients)).toEqual([1, 2, 3].map((n) => [40_000 + n * 10, 40_001 + n * 10]));
  });

  it('of two clients that send the same key at the same time are not confused', () => {
    const tapes = [new Tape(), new Tape()];
    const chains = [1, 2].map((agent) => new Chain(tapes, { key: SAMPLE_KEY, agent }).open(agent * 1000));
    for (const i of [0, 1]) talkOver(chains[i], 10_000 + i * 1000, [`a-${i}`, `b-${i}`, `d-${i}`]);
    const { paths, observed } = build(...tapes);
    expect(paths.map(clients)).toEqual([
      [40_010, 40_011],
      [40_020, 40_021],
    ]);
    expect(paths.map((path) => seenAt(path, observed).length)).toEqual([3, 3]);
  });
});

describe('connections that have nothing to do with each other', () => {
  it('stay apart though both get the same broadcasts', () => {
    const tape = new Tape();
    const talks = [1, 2].map((n) => webSocket(tape, n, { clientPort: 40_000 + n, clientIsn: n }, { key: KEYS[n] }));
    for (const round of [1, 2, 3])
      for (const talk of talks)
        talk.send(round * 1000, 'server', frame(`{"type":"ConfigUpdate","round":${round},"pad":"${'x'.repeat(80)}"}`));
    talks.forEach((talk, i) => void talk.send(5000, 'server', frame(command(`c-${i}`))));
    const { paths, observed } = build(tape);
    expect(paths.map(clients)).toEqual([[40_001], [40_002]]);
    expect(paths.map((path) => seenAt(path, observed).map(([id]) => id))).toEqual([['c-0'], ['c-1']]);
    expect(paths.map(links)).toEqual([['only'], ['only']]);
  });

  it('stay apart though a command is offered again on the later one', () => {
    const tape = new Tape();
    const talks = [1, 2].map((n) => webSocket(tape, n, { clientPort: 40_000 + n, clientIsn: n }, { key: KEYS[n] }));
    for (const [i, talk] of talks.entries())
      for (const id of ['c-1', 'c-2', 'c-3']) talk.send(3000 + i * 20_000, 'server', frame(command(id)));
    expect(build(tape).paths.length).toBe(2);
  });
});

describe('the order of legs', () => {
  const inner = { server: '127.0.0.1', serverPort: 3001, client: '127.0.0.1', clientPort: 40_112, clientIsn: 11 };
  const outer = { server: '10.0.0.5', serverPort: 443, client: '203.0.113.7', clientPort: 5555, clientIsn: 22 };

  /** A proxy on the server's host: its outer and its inner connection. */
  function both(tape: Tape, ...more: Tape[]): void {
    const opened = (ms: number, shape: object, tapes: Tape[]) => tapes.map((each) => new Talk(each, shape).open(ms));
    const outerLegs = opened(0, outer, [tape, ...more]);
    const innerLegs = opened(1, inner, [tape]);
    const pass = (ms: number, from: 'server' | 'client', bytes: Uint8Array) => {
      const order = from === 'server' ? [innerLegs, outerLegs] : [outerLegs, innerLegs];
      order.forEach((legs, i) => {
        for (const leg of legs) leg.send(ms + i, from, bytes);
      });
    };
    pass(10, 'client', upgradeRequest());
    pass(20, 'server', upgradeResponse());
    for (const [i, id] of ['c-1', 'c-2'].entries()) {
      pass(1000 + i * 100, 'server', frame(command(id)));
      pass(1040 + i * 100, 'client', masked(commandAck(id)));
    }
  }

  it('in one capture of a host that runs server and proxy: each hop has the one at its place', () => {
    const tape = new Tape();
    both(tape);
    const { paths } = build(tape, tape);
    expect(paths.map(servers)).toEqual([[3001, 443]]);
  });

  it('is by time of messages where the handshake was not captured', () => {
    const tape = new Tape();
    both(tape);
    const later = tape.between(900, 1e9);
    expect(build(later, later).paths.map(servers)).toEqual([[3001, 443]]);
  });

  it('a hop given alone has the innermost', () => {
    const tape = new Tape();
    both(tape);
    expect(build(tape).paths.map(servers)).toEqual([[3001]]);
  });

  it('a hop’s inner connection is not taken for its leg', () => {
    const origin = new Tape();
    const nginx = new Tape();
    // nginx's capture holds its own leg and its connection to the server, on another host.
    const far = { server: '10.0.0.1', serverPort: 3001, client: '10.0.0.5', clientPort: 40_112, clientIsn: 11 };
    const outside = new Talk(nginx, outer).open(0);
    const inside = [nginx, origin].map((tape) => new Talk(tape, far).open(1));
    const pass = (ms: number, from: 'server' | 'client', bytes: Uint8Array) => {
      if (from === 'client') outside.send(ms, from, bytes);
      for (const leg of inside) leg.send(ms + 1, from, bytes);
      if (from === 'server') outside.send(ms + 2, from, bytes);
    };
    pass(10, 'client', upgradeRequest());
    pass(20, 'server', upgradeResponse());
    for (const id of ['c-1', 'c-2']) pass(1000, 'server', frame(command(id)));
    const { paths } = build(origin, nginx);
    expect(paths.map(servers)).toEqual([[3001, 443]]);
    expect(build(nginx).paths.map(servers)).toEqual([[443]]);
  });
});

describe('messages followed over the hops', () => {
  function chainOf(...fill: ((chain: Chain) => void)[]): Tape[] {
    const tapes = [new Tape(), new Tape()];
    const chain = new Chain(tapes).open(0);
    for (const [i, id] of ['m-1', 'm-2'].entries()) chain.outward(500 + i * 50, frame(command(id)));
    chain.inward(700, masked(commandAck('m-1')));
    for (const part of fill) part(chain);
    return tapes;
  }
  const followed = (tapes: Tape[]) => {
    const { paths, observed } = build(...tapes);
    expect(paths.length).toBe(1);
    return seenAt(paths[0], observed).filter(([id]) => !id.startsWith('m-'));
  };

  it('keep together where everything passes', () => {
    expect(followed(chainOf((chain) => void chain.outward(1000, frame(command('c-1')))))).toEqual([['c-1', [0, 1]]]);
  });

  it('keep together where re-offers have the same content', () => {
    const tapes = chainOf((chain) => {
      for (const ms of [1000, 2000, 3000]) chain.outward(ms, frame(command('c-1')));
    });
    expect(followed(tapes)).toEqual(Array(3).fill(['c-1', [0, 1]]));
  });

  it('are told apart where a hop drops one of several equal ones', () => {
    const tapes = chainOf(
      (chain) => void chain.outward(1000, frame(command('c-1')), 1),
      (chain) => void chain.outward(20_000, frame(command('c-1'))),
      (chain) => void chain.outward(40_000, frame(command('c-2'))),
    );
    expect(followed(tapes)).toEqual([
      ['c-1', [0]],
      ['c-1', [0, 1]],
      ['c-2', [0, 1]],
    ]);
  });

  it('keep together between repeated empty Pings', () => {
    const tapes = chainOf((chain) => {
      for (let i = 0; i < 20; i++) {
        chain.outward(1000 + i * 100, ping());
        if (i % 5 === 2) chain.outward(1050 + i * 100, frame(command(`c-${i}`)), i === 7 ? 1 : 2);
      }
    });
    expect(followed(tapes)).toEqual([
      ['c-2', [0, 1]],
      ['c-7', [0]],
      ['c-12', [0, 1]],
      ['c-17', [0, 1]],
    ]);
  });

  it('keep together where a fragmented one has a Ping between its fragments', () => {
    const text = command('c-1');
    const tapes = chainOf((chain) => {
      chain.outward(1000, frame(text.slice(0, 7), { fin: false }));
      chain.outward(1010, ping('between'));
      chain.outward(1020, frame(text.slice(7), { opcode: 0 }));
      chain.outward(1500, frame(command('c-2')));
    });
    expect(followed(tapes)).toEqual([
      ['c-1', [0, 1]],
      ['c-2', [0, 1]],
    ]);
  });

  it('keep together where a proxy frames them anew', () => {
    const tapes = [new Tape(), new Tape()];
    const chain = new Chain(tapes).open(0);
    const [inner, outer] = chain.legs;
    for (const [i, id] of ['c-1', 'c-2', 'c-3'].entries()) {
      const text = command(id);
      inner.send(1000 + i * 100, 'server', frame(text.slice(0, 9), { fin: false }));
      inner.send(1001 + i * 100, 'server', frame(text.slice(9), { opcode: 0 }));
      outer.send(1002 + i * 100, 'server', frame(text));
    }
    chain.inward(2000, masked(commandAck('c-1')));
    expect(followed(tapes)).toEqual([1, 2, 3].map((n) => [`c-${n}`, [0, 1]]));
  });

  it('keep together where the outer capture starts later', () => {
    const [inner, outer] = chainOf((chain) => {
      for (let i = 0; i < 6; i++) chain.outward(1000 + i * 1000, frame(command(`c-${i}`)));
    });
    const { paths, observed } = build(inner, outer.between(2900, 1e9));
    expect(paths.length).toBe(1);
    expect(seenAt(paths[0], observed).filter(([id]) => id.startsWith('c-'))).toEqual([
      ['c-0', [0]],
      ['c-1', [0]],
      ['c-2', [0, 1]],
      ['c-3', [0, 1]],
      ['c-4', [0, 1]],
      ['c-5', [0, 1]],
    ]);
  });
});

describe('the order of the hops', () => {
  const talkedOver = (skews: number[]) => {
    const tapes = skews.map((skew) => new Tape(skew));
    const ids = Array.from({ length: 12 }, (_, i) => `c-${i}`);
    talkOver(new Chain(tapes).open(0), 1000, ids);
    return tapes;
  };
  const order = (tapes: Tape[]) =>
    buildPaths(
      tapes.map((_, i) => `hop${i}`),
      tapes.map((tape) => observe(tape).observation),
    ).order.misordered;

  it('is the one given, whatever the clocks say', () => {
    for (const skews of [
      [0, 0, 0],
      [0, 3_600_000, -5000],
    ])
      expect(order(talkedOver(skews))).toBeNull();
  });

  it('is contradicted by messages that go outward too early, and inward too late', () => {
    for (const skews of [
      [0, 0],
      [0, -7_200_000],
    ]) {
      const [inner, outer] = talkedOver(skews);
      expect(order([outer, inner])).toEqual([0, 1]);
    }
  });
});

describe('clocks', () => {
  it('of a hop without messages in both directions are not known', () => {
    const tapes = [new Tape(), new Tape(5000)];
    const chain = new Chain(tapes).open(0);
    chain.outward(1000, frame(command('c-1')));
    const { views } = build(...tapes);
    expect(views[0].clock).toMatchObject({ offsetNs: 0, uncertaintyNs: 0, steady: true });
    expect(views[1].clock).toBeNull();
  });

  it('are bounded by messages in both directions', () => {
    const tapes = [new Tape(), new Tape(5000), new Tape(-7000)];
    const chain = new Chain(tapes).open(0);
    talkOver(chain, 1000, ['c-1', 'c-2', 'c-3']);
    const { views } = build(...tapes);
    for (const [hop, ahead] of [
      [1, 5e9],
      [2, -7e9],
    ]) {
      const clock = views[hop].clock as { offsetNs: number; uncertaintyNs: number };
      expect(Math.abs(clock.offsetNs - ahead)).toBeLessThanOrEqual(clock.uncertaintyNs);
      expect(clock.uncertaintyNs).toBeLessThanOrEqual(2e6);
    }
  });
});
