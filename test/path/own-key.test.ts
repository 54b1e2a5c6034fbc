import { describe, expect, it } from 'vitest';
import { buildPaths } from '../../src/path/build-paths.js';
import type { Path } from '../../src/path/path.js';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { observe } from '../support/observe.js';
import { type Talk, Tape } from '../support/tape.js';
import { webSocket } from '../support/web-socket-talk.js';

const GATEWAY = '10.0.0.9';
const key = (letter: string) => `${letter.repeat(21)}A==`;

interface Agent {
  n: number;
  /** Inner legs at server and proxy, with one key; the outer leg at the gateway, with another. */
  inner: Talk[];
  outer: Talk;
}

interface Shape {
  /** What X-Forwarded-For says on the inner legs. */
  forwarded?: string;
  outerAtMs?: number;
  tapes?: { inner?: Tape[]; outer?: Tape };
}

class Lab {
  readonly server = new Tape();
  readonly proxy = new Tape();
  readonly gateway = new Tape();

  agent(n: number, atMs: number, { forwarded, outerAtMs = atMs, tapes = {} }: Shape = {}): Agent {
    const request = forwarded === undefined ? [] : [`X-Forwarded-For: ${forwarded}`];
    const inner = (tapes.inner ?? [this.server, this.proxy]).map((tape, i) =>
      webSocket(
        tape,
        atMs + 5,
        {
          server: `10.0.0.${i + 1}`,
          serverPort: 3001 + i,
          client: i === 0 ? '10.0.0.2' : GATEWAY,
          clientPort: 40_000 + n,
          clientIsn: n * 0x1000_0000 + 1000 + i,
        },
        { key: key('abcdefgh'[n]), request },
      ),
    );
    const shape = { server: GATEWAY, serverPort: 443, client: `203.0.113.${n}`, clientPort: 50_000 + n };
    const talk = { ...shape, clientIsn: n * 0x1000_0000 };
    return { n, inner, outer: webSocket(tapes.outer ?? this.gateway, outerAtMs, talk, { key: key('ABCDEFGH'[n]) }) };
  }

  paths(): Path[] {
    const observations = [this.server, this.proxy, this.gateway].map((tape) => observe(tape).observation);
    return buildPaths(['server', 'proxy', 'gw'], observations).paths;
  }
}

const all = ({ inner, outer }: Agent) => [...inner, outer];

/** From the agent; the gateway masks anew, the proxy copies. */
function says({ inner, outer }: Agent, atMs: number, text: string, innerMs = atMs + 1): void {
  outer.send(atMs, 'client', masked(text));
  const copied = masked(text);
  for (const leg of inner) leg.send(innerMs, 'client', copied);
}

const auth = (name: string) => `{"type":"Auth","payload":{"agent":"${name}","token":"0123456789abcdef"}}`;
const ends = (paths: Path[]) => paths.map((path) => path.legs.map((leg) => leg?.connection.clientPort ?? null));

describe('a gateway that writes a key of its own before hops that pass theirs', () => {
  it('is linked by what passes it at a steady pace, though it drops commands', () => {
    const lab = new Lab();
    const agents = [1, 2].map((n) => lab.agent(n, n * 100, { forwarded: `203.0.113.${n}` }));
    for (const [i, agent] of agents.entries()) {
      says(agent, 400 + i * 10, auth(`A-${agent.n}`));
      for (let n = 0; n < 8; n++) {
        const at = 1000 + n * 500 + i * 37;
        // To the second agent only the first command passes.
        for (const leg of i === 1 && n > 0 ? agent.inner : all(agent))
          leg.send(at, 'server', frame(command(`c-${i}${n}`)));
        if (i === 0 || n === 0) says(agent, at + 40, commandAck(`c-${i}${n}`));
      }
    }
    expect(ends(lab.paths())).toEqual([
      [40_001, 40_001, 50_001],
      [40_002, 40_002, 50_002],
    ]);
  });

  it('is linked by what is said at the beginning, though the capture holds both its legs and no command passes', () => {
    const lab = new Lab();
    // The gateway's capture holds the inner leg as well: each message stands in it twice, on connections to two servers.
    const agents = [1, 2].map((n) => lab.agent(n, n * 100, { tapes: { inner: [lab.server, lab.gateway] } }));
    for (const [i, agent] of agents.entries()) {
      says(agent, 400 + i * 10, auth(`A-${agent.n}`));
      for (const leg of all(agent))
        leg.send(420 + i * 10, 'server', frame(`{"type":"AuthAck","session":"${'s'.repeat(30)}${i}"}`));
      for (let n = 0; n < 8; n++) {
        for (const leg of agent.inner) leg.send(1000 + n * 500 + i * 37, 'server', frame(command(`c-${i}${n}`)));
      }
    }
    const observations = [lab.server, lab.gateway].map((tape) => observe(tape).observation);
    expect(ends(buildPaths(['server', 'gw'], observations).paths)).toEqual([
      [40_001, 50_001],
      [40_002, 50_002],
    ]);
  });

  const heartbeat = '{"type":"Heartbeat"}';

  it('is linked where all that passes is an authentication and Heartbeats, which are alike for all, by their step', () => {
    const lab = new Lab();
    const agents = [1, 2].map((n) => lab.agent(n, n * 100, { forwarded: `203.0.113.${n}` }));
    for (const [i, agent] of agents.entries()) {
      says(agent, 400 + i * 10, auth(`A-${agent.n}`));
      for (let n = 0; n < 8; n++) {
        says(agent, 1500 + n * 1000 + i * 600, heartbeat);
        if (n === 4) for (const leg of agent.inner) leg.send(6200, 'server', frame(command(`c-${i}`)));
      }
    }
    expect(ends(lab.paths())).toEqual([
      [40_001, 40_001, 50_001],
      [40_002, 40_002, 50_002],
    ]);
  });

  it('is linked in mid-connection where each command is offered twice, and no answer passes', () => {
    const lab = new Lab();
    const agents = [1, 2].map((n) => lab.agent(n, n * 100));
    for (let n = 0; n < 8; n++)
      for (const [i, agent] of agents.entries()) {
        says(agent, 1500 + n * 1000 + i * 600, heartbeat);
        for (const leg of all(agent)) leg.send(1600 + n * 1000 + i * 600, 'server', frame(command(`c-${i}${n >> 1}`)));
        agent.outer.send(1640 + n * 1000 + i * 600, 'client', masked(commandAck(`c-${i}${n >> 1}`)));
      }
    const late = (tape: Tape) => tape.between(1000, 60_000);
    // Two captures show the outer leg, and share all that is said on it: four times as much as the inner one has.
    const observations = [lab.server, lab.gateway, lab.gateway].map((tape) => observe(late(tape)).observation);
    expect(ends(buildPaths(['server', 'gw', 'gw too'], observations).paths).map((each) => each.slice(0, 2))).toEqual([
      [40_001, 50_001],
      [40_002, 50_002],
    ]);
  });

  it('is not linked where the Heartbeats are out of step, as on the connection that the agent made next', () => {
    const lab = new Lab();
    const agent = lab.agent(1, 0);
    says(agent, 400, auth('A-1'));
    for (let n = 0; n < 8; n++) {
      agent.outer.send(1500 + n * 1000, 'client', masked(heartbeat));
      const copied = masked(heartbeat);
      for (const leg of agent.inner) leg.send(1950 + n * 1000, 'client', copied);
    }
    expect(ends(lab.paths())).toContainEqual([null, null, 50_001]);
  });

  it('is linked on all interfaces, where the client has another address before NAT', () => {
    const lab = new Lab();
    const agent = lab.agent(1, 0, { forwarded: '198.51.100.7' });
    const other = lab.agent(2, 50, { forwarded: '198.51.100.8' });
    // The same TCP connection at the gateway, as it came in there and as it goes on.
    const asItCame = { server: GATEWAY, serverPort: 443, client: '198.51.100.7', clientPort: 50_001 };
    const before = webSocket(lab.gateway, 0, { ...asItCame, clientIsn: 0x1000_0000 }, { key: key('B') });
    for (const [i, each] of [agent, other].entries()) {
      says(each, 400 + i, auth(`A-${each.n}`));
      for (let n = 0; n < 4; n++) says(each, 1000 + n * 500 + i * 37, commandAck(`c-${i}${n}`));
    }
    before.send(400, 'client', masked(auth('A-1')));
    for (let n = 0; n < 4; n++) before.send(1000 + n * 500, 'client', masked(commandAck(`c-0${n}`)));
    expect(ends(lab.paths())).toContainEqual([40_001, 40_001, 50_001]);
  });

  it('is linked for a short time too, where another path has told that its clock is far off', () => {
    const lab = new Lab();
    const [long, short] = [1, 2].map((n) => lab.agent(n, n * 100, { outerAtMs: 20_000 + n * 100 }));
    says(long, 20_600, auth('A-1'), 601);
    says(short, 20_700, auth('A-2'), 701);
    for (let n = 0; n < 10; n++) {
      const legs = n < 2 ? [long, short] : [long];
      for (const [i, { inner, outer }] of legs.entries()) {
        for (const leg of inner) leg.send(1000 + n * 4000 + i, 'server', frame(command(`c-${i}${n}`)));
        outer.send(21_001 + n * 4000 + i, 'server', frame(command(`c-${i}${n}`)));
      }
    }
    expect(ends(lab.paths())).toEqual([
      [40_001, 40_001, 50_001],
      [40_002, 40_002, 50_002],
    ]);
  });

  it('is linked though its clock is far off, where the messages agree on that for long', () => {
    const lab = new Lab();
    const agent = lab.agent(1, 0, { outerAtMs: 20_000 });
    says(agent, 20_400, auth('A-1'), 401);
    for (let n = 0; n < 10; n++) {
      for (const leg of agent.inner) leg.send(1000 + n * 4000, 'server', frame(command(`c-${n}`)));
      agent.outer.send(21_001 + n * 4000, 'server', frame(command(`c-${n}`)));
    }
    expect(ends(lab.paths())).toEqual([[40_001, 40_001, 50_001]]);
  });

  it('is not linked where X-Forwarded-For names another client of it', () => {
    const lab = new Lab();
    const agent = lab.agent(1, 0, { forwarded: '203.0.113.2' });
    lab.agent(2, 100, { tapes: { inner: [] } });
    says(agent, 400, auth('A-1'));
    for (const id of ['c-1', 'c-2']) for (const leg of all(agent)) leg.send(1000, 'server', frame(command(id)));
    expect(ends(lab.paths())).toEqual([
      [null, null, 50_001],
      [40_001, 40_001, null],
      [null, null, 50_002],
    ]);
  });

  it('is not linked to another agent that gets the same commands', () => {
    const lab = new Lab();
    const [one, two] = [lab.agent(1, 0, { tapes: { outer: new Tape() } }), lab.agent(2, 100, { tapes: { inner: [] } })];
    says(one, 400, auth('A-1'));
    says(two, 400, auth('A-2'));
    for (let n = 0; n < 5; n++) {
      for (const leg of [...one.inner, two.outer]) leg.send(1000 + n * 500, 'server', frame(command(`c-${n}`)));
      for (const agent of [one, two]) says(agent, 1040 + n * 500, commandAck(`c-${n}`));
    }
    expect(ends(lab.paths())).toEqual([
      [40_001, 40_001, null],
      [null, null, 50_002],
    ]);
  });

  it('is not linked to the connection before, from which commands are offered again', () => {
    const lab = new Lab();
    const before = lab.agent(1, 0, { tapes: { outer: new Tape() } });
    const after = lab.agent(2, 20_000, { tapes: { inner: [] } });
    says(before, 400, auth('A-1'));
    says(after, 20_400, auth('A-1'));
    for (let n = 0; n < 5; n++) {
      for (const leg of before.inner) leg.send(1000 + n * 500, 'server', frame(command(`c-${n}`)));
      after.outer.send(21_000 + n, 'server', frame(command(`c-${n}`)));
    }
    // Half-open: the server goes on.
    for (let n = 5; n < 50; n++)
      for (const leg of before.inner) leg.send(1000 + n * 500, 'server', frame(command(`d-${n}`)));
    expect(ends(lab.paths())).toEqual([
      [40_001, 40_001, null],
      [null, null, 50_002],
    ]);
  });

  it('is not linked where two of its connections could be the one', () => {
    const lab = new Lab();
    const one = lab.agent(1, 0);
    const two = lab.agent(2, 2000, { tapes: { inner: [] } });
    says(one, 400, auth('A-1'));
    says(two, 2400, auth('A-1'));
    for (const id of ['c-1', 'c-2']) {
      for (const leg of all(one)) leg.send(3000, 'server', frame(command(id)));
      two.outer.send(4500, 'server', frame(command(id)));
    }
    expect(ends(lab.paths())).toEqual([
      [null, null, 50_001],
      [40_001, 40_001, null],
      [null, null, 50_002],
    ]);
  });

  it('is not linked where another connection shows that it passes keys', () => {
    const lab = new Lab();
    const agent = lab.agent(1, 0);
    webSocket(
      lab.proxy,
      50,
      { server: '10.0.0.2', serverPort: 3002, client: GATEWAY, clientIsn: 5 },
      { key: key('z') },
    );
    webSocket(lab.gateway, 49, { server: GATEWAY, serverPort: 443, clientIsn: 6 }, { key: key('z') });
    says(agent, 400, auth('A-1'));
    for (const id of ['c-1', 'c-2']) for (const leg of all(agent)) leg.send(1000, 'server', frame(command(id)));
    expect(ends(lab.paths())).toContainEqual([null, null, 50_001]);
  });
});
