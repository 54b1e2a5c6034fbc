/** Failing agents beside healthy ones, what changed in between, and where the time of delivered commands goes. */
import { describe, expect, it } from 'vitest';
import { HOPS, Scene } from '../delivery/scene.js';
import { command, commandAck, frame, masked } from '../support/frames.js';
import { agentOn, judged, pinged, tapesOf } from './diagnosis.js';

/** One that fails from its second connection on, two that work. */
function fleet(newClient = 'agent/2', newAddress = '203.0.113.7') {
  const { tapes, captures } = tapesOf('origin', 'npm');
  const works = (chain: ReturnType<typeof agentOn>, ms: number, id: string) => {
    chain.outward(ms, frame(command(id)));
    chain.inward(ms + 40, masked(commandAck(id)));
  };
  for (const [i, name] of ['WELL-1', 'WELL-2'].entries()) {
    const shape = { agent: i + 5, address: `203.0.113.${20 + i}`, request: ['User-Agent: agent/1'] };
    const chain = agentOn(tapes, name, i, shape);
    works(chain, 3000 + i, `${name}-a`);
    for (let ms = 4000; ms < 50_000; ms += 4000) pinged(chain, ms + i);
  }
  const old = agentOn(tapes, 'NVR', 10, { agent: 1, request: ['User-Agent: agent/1'] });
  works(old, 2000, 'c-good');
  for (const leg of old.legs) leg.segment(5000, 'client', { flags: 0x14 });
  const shape = { agent: 2, address: newAddress, request: [`User-Agent: ${newClient}`] };
  const fresh = agentOn(tapes, 'NVR', 20_000, shape);
  fresh.outward(21_000, frame(`{"type":"ConfigUpdate","rules":"${'x'.repeat(3000)}"}`));
  fresh.outward(23_000, frame(command('c-bad')));
  for (let ms = 24_000; ms < 50_000; ms += 3000) pinged(fresh, ms);
  return captures();
}

describe('agents side by side', () => {
  it('say how each fails or works, failing ones first', async () => {
    const { agents = [] } = await judged(fleet());
    expect(agents.map(({ agent, ways }) => [agent, ways])).toEqual([
      ['NVR', ['agent-ignores-commands']],
      ['WELL-1', ['delivered']],
      ['WELL-2', ['delivered']],
    ]);
    const [nvr] = agents;
    expect(nvr).toMatchObject({
      byOutcome: { delivered: 1, 'reached-agent': 1 },
      connections: ['c3', 'c4'],
      addresses: ['203.0.113.7'],
      clients: ['agent/1', 'agent/2'],
      lastDelivered: { id: 'c-good', connection: 'c3' },
      firstFailed: { id: 'c-bad', connection: 'c4' },
    });
    expect(nvr.pings.answered).toBe(nvr.pings.sent);
  });

  it('name what changed in between: pause, address, client version, configuration and its size', async () => {
    const { agents = [], findings } = await judged(fleet('agent/2', '203.0.113.99'));
    expect(agents[0].between.map(({ kind }) => kind)).toEqual(['reconnect', 'configuration']);
    expect(agents[0].between[0].text).toMatch(
      /^a reconnect at [\d:.]+ \(from 203\.0\.113\.99 instead of 203\.0\.113\.7, with client agent\/2 instead of agent\/1, after 15 s without a connection\)$/,
    );
    expect(agents[0].between[1].text).toMatch(/^a ConfigUpdate of 30\d\d octets at /);
    expect(findings.find(({ id }) => id === 'changed-after')?.summary).toContain('with client agent/2');
  });

  it('say what tells the failing from the working ones, and nothing where nothing does', async () => {
    const next = async (client: string) =>
      (await judged(fleet(client))).findings.find(({ id }) => id === 'agent-ignores-commands')?.next;
    expect(await next('agent/2')).toMatch(/^It runs agent\/2, and none of the 2 agents that work does/);
    expect(await next('agent/1')).toMatch(/^Network/);
  });

  it('have nothing in between where the first failure came before the last success', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-bad')));
    scene.works(8000, 'c-later');
    const { agents = [] } = await judged(scene.goOn(9000).captures);
    expect(agents[0].between).toEqual([]);
    expect(agents[0].firstFailed?.id).toBe('c-bad');
    expect(agents[0].lastDelivered?.id).toBe('c-later');
  });
});

describe('latency', () => {
  it('is measured only where it is asked for', async () => {
    expect((await judged(new Scene().goOn(2000).captures)).latency).toBeUndefined();
  });

  it('tells each stretch, on one clock', async () => {
    const scene = new Scene(HOPS, {}, [0, -3000, 60_000]);
    scene.works(3000, 'c-1');
    scene.works(4000, 'c-2');
    const { latency } = await judged(scene.goOn(5000).captures, { latency: true });
    expect(latency?.commands).toBe(3);
    const of = (stage: string) => latency?.stages.find((each) => each.stage === stage);
    expect(latency?.stages.map(({ stage }) => stage)).toEqual([
      'origin->nginx',
      'nginx->npm',
      'tcp-ack:origin',
      'tcp-ack:nginx',
      'tcp-ack:npm',
      'agent',
      'origin<-nginx',
      'nginx<-npm',
      'command-ack',
    ]);
    // Half a millisecond a hop, 40 ms to the CommandAck from when it left origin.
    expect(of('origin->nginx')?.ms.median).toBeCloseTo(0.5, 3);
    expect(of('origin->nginx')?.uncertaintyMs).toBeGreaterThan(0);
    expect(of('tcp-ack:npm')).toMatchObject({ count: 3, uncertaintyMs: 0, ms: { median: 0.2 } });
    expect(of('agent')?.ms.median).toBeCloseTo(39, 3);
    expect(of('command-ack')?.ms.max).toBeCloseTo(41, 3);
    expect(latency?.slowest).toHaveLength(3);
    expect(latency?.slowest[0]).toMatchObject({ agent: 'PST-SERVER', stage: 'agent' });
  });

  it('takes the attempt that was answered, and leaves out what was not', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-twice')));
    scene.works(17_000, 'c-twice');
    scene.chain.outward(18_000, frame(command('c-never')));
    const { latency } = await judged(scene.goOn(19_000).captures, { latency: true });
    expect(latency?.commands).toBe(2);
    expect(latency?.stages.find(({ stage }) => stage === 'command-ack')?.ms.max).toBeLessThan(50);
  });
});
