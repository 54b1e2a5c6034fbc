/**
 * The hypotheses of one failing agent, scene by scene: each line says what every one of them must be, so that what must not be
 * claimed is held as well as what must.
 */
import { describe, expect, it } from 'vitest';
import { Scene } from '../../delivery/scene.js';
import { command, commandAck, frame, masked, ping, pong } from '../../support/frames.js';
import type { Tape } from '../../support/tape.js';
import { agentOn, dispatch, heartbeat, hypotheses, judged, pinged, Timeline, tapesOf } from '../diagnosis.js';

const S = 'supported';
const R = 'ruled-out';
const O = 'open';

const IDS = [
  'origin-write-path',
  'proxy-forwarding:nginx',
  'proxy-forwarding:npm',
  'network-path',
  'path-mtu',
  'return-path-nat',
  'middlebox',
  'agent-receive-loop',
  'agent-command-path',
  'stale-connection',
  'split-connection',
  'protocol-desync',
  'independent-faults',
];

async function statuses(tapes: Record<string, Tape>, agent = 'PST-SERVER'): Promise<string[]> {
  const found = await hypotheses(tapes, agent);
  expect([...found.keys()]).toEqual(IDS);
  return IDS.map((id) => found.get(id)?.status ?? '');
}

const BACK_OFF_MS = [0, 220, 660, 1500, 3200, 6500, 13_000];

/** npm sends a command to the agent again and again in vain; returns what had been sent before it. */
function dead(scene: Scene, bytes = frame(command('c-bad'))): number {
  scene.chain.outward(5000, bytes, 2);
  const leg = scene.chain.legs[2];
  const at = leg.sent('server');
  for (const ms of BACK_OFF_MS) leg.segment(5002 + ms, 'server', { data: bytes, at });
  return at;
}

describe('what each hypothesis is', () => {
  //                             origin nginx npm network mtu nat box loop command stale split desync faults
  it('agent ignores commands and answers Pings', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')));
    scene.goOn(6000);
    expect(await statuses(scene.captures)).toEqual([R, R, R, R, R, R, O, R, S, R, R, R, R]);
  });

  it('agent may have answered: its octets are missing at npm, which may have kept the CommandAck', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')));
    // It went no further, so no other capture tells what it was.
    const [, , lost] = scene.chain.inward(5100, masked(commandAck('c-bad')), 2);
    scene.goOn(6000);
    const { npm, ...inner } = scene.captures;
    expect(await statuses({ ...inner, npm: npm.without(lost) })).toEqual([R, R, O, O, O, R, O, R, O, R, R, R, O]);
  });

  it('agent ignores a command, and another one never came to npm: where that ended, nginx was not captured any more', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')));
    scene.goOn(6000);
    scene.chain.outward(40_000, frame(command('c-lost')), 2);
    scene.chain.outward(60_000, ping('late'));
    scene.chain.inward(60_030, pong('late'));
    const { nginx, ...others } = scene.captures;
    const found = await statuses({ origin: others.origin, nginx: nginx.between(0, 38_000), npm: others.npm });
    expect(found).toEqual([R, O, O, O, O, R, O, R, S, O, R, R, O]);
  });

  it('agent ignores a command, and its connection is dead later: commands may have been lost there', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')));
    scene.goOn(6000, 20_000);
    const [, , leg] = scene.chain.legs;
    const at = leg.sent('server');
    for (const ms of BACK_OFF_MS) leg.segment(22_000 + ms, 'server', { data: ping('lost'), at });
    const found = await hypotheses(scene.captures);
    expect(found.get('agent-command-path')?.status).toBe(S);
    expect(found.get('network-path')?.status).toBe(O);
    expect(found.get('network-path')?.because).toContain('peer-unreachable');
  });

  it('a hop keeps one command, and whether another one was answered is not known', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')), 1);
    scene.goOn(6000);
    scene.chain.outward(40_000, frame(command('c-last')));
    const found = await hypotheses(scene.captures);
    expect(found.get('proxy-forwarding:nginx')?.status).toBe(S);
    expect(found.get('agent-command-path')?.status).toBe(O);
    expect(found.get('agent-command-path')?.because).toContain('1 attempt more left npm');
    expect(found.get('agent-receive-loop')?.status).toBe(R);
  });

  it('agent ignores commands, and there are no Pings: alive by Heartbeats only', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')));
    for (let ms = 6000; ms < 30_000; ms += 2000) heartbeat(scene.chain, ms);
    expect(await statuses(scene.captures)).toEqual([R, R, R, R, R, R, O, O, O, R, R, O, R]);
  });

  it('Pings after the command are TCP-ACKed and not answered, while Heartbeats arrive', async () => {
    const scene = new Scene();
    pinged(scene.chain, 3000);
    scene.chain.outward(5000, frame(command('c-bad')));
    for (const ms of [7000, 12_000, 17_000, 30_000]) {
      scene.chain.outward(ms, ping(String(ms)));
      heartbeat(scene.chain, ms + 500);
    }
    expect(await statuses(scene.captures)).toEqual([R, R, R, R, R, R, O, S, O, R, R, O, R]);
  });

  it('the process is silent: TCP ACKs only', async () => {
    const scene = new Scene();
    pinged(scene.chain, 3000);
    scene.chain.outward(5000, frame(command('c-bad')));
    for (const ms of [7000, 12_000, 17_000, 30_000]) scene.chain.outward(ms, ping(String(ms)));
    expect(await statuses(scene.captures)).toEqual([R, R, R, R, R, R, O, S, O, R, O, O, R]);
  });

  it('a hop passes Pings and no commands', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')), 1);
    scene.goOn(6000);
    expect(await statuses(scene.captures)).toEqual([R, S, R, R, R, R, R, R, R, R, R, R, R]);
  });

  it('a hop keeps the CommandAck back', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')));
    scene.chain.inward(5040, masked(commandAck('c-bad')), 1);
    scene.goOn(6000);
    expect(await statuses(scene.captures)).toEqual([R, S, R, R, R, R, R, R, R, R, R, R, R]);
  });

  it('the agent is black-holed past the last hop', async () => {
    const scene = new Scene();
    dead(scene);
    for (let ms = 7000; ms < 30_000; ms += 5000) scene.chain.outward(ms, ping(String(ms)), 2);
    expect(await statuses(scene.captures)).toEqual([R, R, R, S, R, O, O, O, O, O, O, R, R]);
  });

  it('half-open: the return path is left open, not accused', async () => {
    const scene = new Scene();
    const acked = dead(scene);
    const leg = scene.chain.legs[2];
    const beat = masked('{"type":"Heartbeat","at":1}');
    const at = leg.sent('client');
    for (const ms of [8000, 8300, 9000]) leg.segment(ms, 'client', { data: beat, at, acked });
    const found = await hypotheses(scene.captures);
    expect(found.get('network-path')).toMatchObject({ status: S });
    expect(found.get('network-path')?.because).toContain('packets of the other end still arrive');
    expect(found.get('return-path-nat')).toMatchObject({ status: O });
    expect(found.get('return-path-nat')?.because).toContain('WAN sides');
  });

  it('never sent, though asked for over HTTP', async () => {
    const scene = new Scene();
    dispatch(scene.tapes[0], 5000, 'PST-SERVER', 'c-bad');
    scene.goOn(6000);
    for (const tape of scene.tapes) tape.packets.sort((a, b) => a.atMs - b.atMs);
    expect(await statuses(scene.captures)).toEqual([S, R, R, R, R, R, R, R, R, O, O, R, R]);
  });
});

describe('what must not be claimed', () => {
  it('nothing, where nothing failed', async () => {
    expect((await judged(new Scene().goOn(2000).captures)).hypotheses).toEqual([]);
  });

  it('nothing, of an agent that works and whose last command the captures cut off', async () => {
    const scene = new Scene().goOn(2000);
    scene.chain.outward(32_000, frame(command('c-last')));
    expect((await judged(scene.captures)).hypotheses).toEqual([]);
  });

  it('of a path that goes on past the last capture only that the captured part did its work', async () => {
    const scene = new Scene(['origin', 'nginx'], { outermost: ['X-Forwarded-For: 198.51.100.77'] });
    scene.chain.outward(5000, frame(command('c-bad')));
    scene.goOn(6000);
    for (const { id, status } of (await judged(scene.captures)).hypotheses)
      expect([id, status]).toEqual([id, /origin-write|forwarding|receive-loop|stale|split|desync/.test(id) ? R : O]);
  });

  it('no path MTU and no network fault where large commands are TCP-ACKed', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(JSON.stringify({ type: 'Command', id: 'c-large', script: 'x'.repeat(1200) })));
    scene.goOn(6000);
    const found = await hypotheses(scene.captures);
    expect(found.get('path-mtu')).toMatchObject({ status: R });
    expect(found.get('path-mtu')?.because).toMatch(/messages of 12\d\d octets/);
  });

  it('no middlebox where another command on the same connection was delivered in between', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')));
    scene.works(6000, 'c-good');
    scene.goOn(7000);
    expect((await hypotheses(scene.captures)).get('middlebox')).toMatchObject({ status: R });
  });

  it('no fault of the agent where its connection was closed just after the command', async () => {
    const scene = new Scene();
    pinged(scene.chain, 4000);
    scene.chain.outward(5000, frame(command('c-bad')));
    scene.chain.legs.forEach((leg, i) => {
      leg.segment(5300 + i, 'server', { flags: 0x14 });
    });
    for (let ms = 6000; ms < 30_000; ms += 5000)
      scene.chain.legs.forEach((leg) => {
        leg.segment(ms, 'client', { flags: 0x14 });
      });
    const found = await hypotheses(scene.captures);
    for (const id of ['agent-receive-loop', 'agent-command-path', 'middlebox', 'split-connection'])
      expect(found.get(id)?.status ?? O).toBe(O);
  });

  it('no stale connection where the failure survives a reconnect, and one where it does not', async () => {
    const twoConnections = (second: (chain: ReturnType<typeof agentOn>, ms: number) => void) => {
      const { tapes, captures } = tapesOf('origin', 'nginx', 'npm');
      const old = agentOn(tapes, 'NVR', 0, { agent: 1 });
      old.outward(2000, frame(command('c-1')));
      for (let ms = 3000; ms < 20_000; ms += 3000) pinged(old, ms);
      for (const leg of old.legs) leg.segment(20_000, 'client', { flags: 0x14 });
      const fresh = agentOn(tapes, 'NVR', 21_000, { agent: 2 });
      second(fresh, 23_000);
      for (let ms = 24_000; ms < 45_000; ms += 3000) pinged(fresh, ms);
      return captures();
    };
    const survives = await hypotheses(
      twoConnections((chain, ms) => chain.outward(ms, frame(command('c-2')))),
      'NVR',
    );
    expect(survives.get('stale-connection')).toMatchObject({ status: R });
    expect(survives.get('stale-connection')?.because).toContain('c1 and c2');
    const healed = await hypotheses(
      twoConnections((chain, ms) => {
        chain.outward(ms, frame(command('c-2')));
        chain.inward(ms + 40, masked(commandAck('c-2')));
      }),
      'NVR',
    );
    // Alive at both ends all the time: neither ruled out nor blamed on the socket.
    expect(healed.get('stale-connection')).toMatchObject({ status: O });
  });
});

it('no stale connection where what failed was cut off by its end, and npm was not captured then', async () => {
  const { tapes, captures } = tapesOf('origin', 'npm');
  const old = agentOn(tapes, 'NVR', 0, { agent: 1 });
  const [, lost] = old.outward(2000, frame(command('c-1')));
  for (const leg of old.legs) leg.segment(2300, 'server', { flags: 0x14 });
  const fresh = agentOn(tapes, 'NVR', 5000, { agent: 2 });
  fresh.outward(8000, frame(command('c-2')));
  fresh.inward(8040, masked(commandAck('c-2')));
  for (let ms = 9000; ms < 30_000; ms += 3000) pinged(fresh, ms);
  const { origin, npm } = captures();
  // The TCP ACK as well.
  const found = await hypotheses({ origin, npm: npm.without(lost, lost + 1) }, 'NVR');
  expect(found.get('stale-connection')).toMatchObject({ status: O });
});

describe('several agents', () => {
  function two(second: 'alike' | 'black-holed') {
    const { tapes, captures } = tapesOf('origin', 'nginx', 'npm');
    const a = agentOn(tapes, 'A', 0, { agent: 1 });
    const b = agentOn(tapes, 'B', 10, { agent: 2, address: '203.0.113.8' });
    const time = new Timeline().every(3000, 2000, 40_000, (ms) => {
      pinged(a, ms);
      if (second === 'alike') pinged(b, ms + 100);
    });
    const bytes = frame(command('b-bad'));
    time.at(5000, (ms) => a.outward(ms, frame(command('a-bad'))));
    if (second === 'alike') time.at(5100, (ms) => b.outward(ms, bytes));
    else {
      let at = 0;
      time.at(5100, (ms) => {
        b.outward(ms, bytes, 2);
        at = b.legs[2].sent('server');
      });
      for (const later of BACK_OFF_MS)
        time.at(5101 + later, (ms) => b.legs[2].segment(ms, 'server', { data: bytes, at }));
    }
    time.play();
    return captures();
  }

  it('fail in one way', async () => {
    const found = await hypotheses(two('alike'), 'B');
    expect(found.get('independent-faults')).toMatchObject({ status: R });
    expect(found.get('independent-faults')?.because).toContain('both that fail (A and B)');
  });

  it('fail in different ways', async () => {
    const found = await hypotheses(two('black-holed'), 'B');
    expect(found.get('independent-faults')).toMatchObject({ status: S });
    expect(found.get('agent-command-path')).toMatchObject({ status: O });
    const other = await hypotheses(two('black-holed'), 'A');
    expect(other.get('agent-command-path')).toMatchObject({ status: S });
    expect(other.get('network-path')).toMatchObject({ status: R });
  });

  it('are told apart by messages on a rival connection', async () => {
    const { tapes, captures } = tapesOf('origin', 'nginx', 'npm');
    const old = agentOn(tapes, 'TWIN', 0, { agent: 1 });
    const fresh = agentOn(tapes, 'TWIN', 2000, { agent: 2 });
    const time = new Timeline().every(3000, 3000, 40_000, (ms) => {
      heartbeat(fresh, ms);
      pinged(old, ms + 100);
      heartbeat(old, ms + 200);
    });
    time.at(5000, (ms) => old.outward(ms, frame(command('c-bad'))));
    time.play();
    expect((await hypotheses(captures(), 'TWIN')).get('split-connection')).toMatchObject({ status: O });
  });
});

it('names a packet or a count in every measurement', async () => {
  const scene = new Scene();
  scene.chain.outward(5000, frame(command('c-bad')));
  scene.chain.inward(5500, pong('stray'));
  for (const { because } of (await hypotheses(scene.goOn(6000).captures)).values()) {
    expect(because).toMatch(/#\d|\d octets|\d+ Ping|only|c1/);
    expect(because.length).toBeLessThan(260);
    expect(because).not.toMatch(/undefined|NaN|Infinity|\(\)/);
  }
});
