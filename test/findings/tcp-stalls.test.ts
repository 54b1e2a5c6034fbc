/** peer-unreachable, large-frames-lost and receiver-window-closed: TCP to the agent that does not move, and why. */
import { describe, expect, it } from 'vitest';
import { Scene } from '../delivery/scene.js';
import { ethernet, ipv4, tcp, u16 } from '../packet/build-packet.js';
import { command, frame, masked, ping } from '../support/frames.js';
import { citedOf, diagnosed, hypotheses, idsOf } from './diagnosis.js';

const BACK_OFF_MS = [0, 220, 660, 1500, 3200, 6500, 13_000];

/** A command arrives at npm, which sends it to the agent again and again in vain. */
function dead(bytes = frame(command('c-bad'))): { scene: Scene; sent: number[]; at: number } {
  const scene = new Scene();
  scene.chain.outward(5000, bytes, 2);
  const leg = scene.chain.legs[2];
  const at = leg.sent('server');
  const sent = BACK_OFF_MS.map((ms) => leg.segment(5002 + ms, 'server', { data: bytes, at }));
  return { scene, sent, at };
}

/** The inner legs live on. */
function pingInside(scene: Scene, untilMs = 30_000): void {
  for (let ms = 7000; ms < untilMs; ms += 5000) scene.chain.outward(ms, ping(String(ms)), 2);
}

describe('peer-unreachable', () => {
  it('is found where all is sent again and never TCP-ACKed', async () => {
    const { scene, sent } = dead();
    pingInside(scene);
    const findings = await diagnosed(scene.captures);
    expect(idsOf(findings)).toEqual(['peer-unreachable']);
    expect(findings[0]).toMatchObject({ agents: ['PST-SERVER'], commands: ['c-bad'] });
    expect(citedOf(findings[0], 'npm.pcap')).toEqual(sent);
    expect(findings[0].summary).toContain('black-holed');
  });

  it('says half-open where the agent goes on sending', async () => {
    const { scene, at } = dead();
    const leg = scene.chain.legs[2];
    const beat = masked('{"type":"Heartbeat","at":1}');
    const from = leg.sent('client');
    for (const ms of [8000, 8300, 9000]) leg.segment(ms, 'client', { data: beat, at: from, acked: at });
    const findings = await diagnosed(scene.captures);
    expect(idsOf(findings)).toEqual(['peer-unreachable']);
    expect(findings[0].summary).toContain('half-open');
  });

  it('is not found where a retransmission gets through at last', async () => {
    const { scene } = dead();
    scene.chain.legs[2].segment(18_100, 'client');
    scene.goOn(20_000);
    expect(idsOf(await diagnosed(scene.captures))).not.toContain('peer-unreachable');
  });

  it('is not found where the capture holds one direction only', async () => {
    const { scene } = dead();
    const [, , npm] = scene.tapes;
    const fromAgent = npm.packets.flatMap(({ bytes }, i) => (bytes[26] === 203 ? [i + 1] : []));
    expect(fromAgent.length).toBeGreaterThan(3);
    expect(idsOf(await diagnosed({ ...scene.captures, npm: npm.without(...fromAgent) }))).not.toContain(
      'peer-unreachable',
    );
  });
});

describe('large-frames-lost', () => {
  it('is found where what is behind the large segment is SACKed', async () => {
    const { scene, sent, at } = dead(frame(command('c-bad', `,"script":"${'x'.repeat(1300)}"`)));
    const leg = scene.chain.legs[2];
    const end = leg.sent('server');
    leg.segment(5010, 'server', { data: ping('small') });
    leg.segment(5040, 'client', { acked: at, sack: [end, leg.sent('server')] });
    const findings = await diagnosed(scene.captures);
    expect(idsOf(findings)).toEqual(['large-frames-lost']);
    expect(findings[0].commands).toEqual(['c-bad']);
    expect(citedOf(findings[0], 'npm.pcap')).toEqual(sent);
  });
});

describe('large-frames-lost by ICMP', () => {
  const large = frame(command('c-bad').replace('}', `,"script":"${'x'.repeat(1300)}"}`));

  /** "Fragmentation needed" about a packet of npm's leg, quoting as much as RFC 792 promises. */
  function told(scene: Scene, clientPort: number): number {
    const quoted = ipv4(
      tcp({ sourcePort: 3003, destinationPort: clientPort, payload: new Array<number>(1380).fill(1) }),
      {
        source: [10, 0, 2, 1],
        destination: [203, 0, 113, 7],
      },
    ).slice(0, 28);
    const icmp = ipv4([3, 4, 0, 0, 0, 0, ...u16(1280), ...quoted], { protocol: 1, source: [198, 51, 100, 1] });
    const number = scene.tapes[2].add(5300, Uint8Array.from(ethernet(icmp)));
    scene.tapes[2].packets.sort((a, b) => a.atMs - b.atMs);
    return number;
  }

  it('is found without a SACK where a router says so, and cites it', async () => {
    const { scene } = dead(large);
    pingInside(scene);
    told(scene, 40_012);
    const [finding, ...more] = await diagnosed(scene.captures);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ id: 'large-frames-lost', commands: ['c-bad'] });
    expect(finding.summary).toContain('ICMP says that they are too big (next-hop MTU 1280)');
    const icmp = finding.evidence.find(({ text }) => text.startsWith('ICMP'));
    expect(icmp?.packets).toHaveLength(1);
    expect((await hypotheses(scene.captures)).get('path-mtu')).toMatchObject({ status: 'supported' });
  });

  it('is not found where the message is about another connection, or the packets are small', async () => {
    const other = dead(large).scene;
    pingInside(other);
    told(other, 40_099);
    expect(idsOf(await diagnosed(other.captures))).toEqual(['peer-unreachable']);
    const small = dead().scene;
    pingInside(small);
    told(small, 40_012);
    expect(idsOf(await diagnosed(small.captures))).toEqual(['peer-unreachable']);
  });
});

describe('receiver-window-closed', () => {
  function closed(openAgainMs: number | null): Scene {
    const scene = new Scene();
    const leg = scene.chain.legs[2];
    scene.chain.outward(4000, frame(command('c-full')));
    leg.segment(4001, 'client', { window: 0 });
    scene.chain.outward(5000, frame(command('c-bad')), 2);
    for (const ms of [5200, 5600, 6400, 8000, 11_200, 17_600]) {
      leg.segment(ms, 'server', { at: leg.sent('server') - 1 });
      leg.segment(ms + 0.3, 'client', { window: 0 });
    }
    if (openAgainMs !== null) leg.segment(openAgainMs, 'client', { window: 500 });
    pingInside(scene);
    return scene;
  }

  it('is found with what waits for it', async () => {
    const scene = closed(null);
    const findings = await diagnosed(scene.captures);
    expect(idsOf(findings)).toEqual(['receiver-window-closed']);
    expect(findings[0]).toMatchObject({ severity: 'error', agents: ['PST-SERVER'] });
    expect(findings[0].commands).toContain('c-bad');
  });

  it('is no finding for a moment, or where nothing waits', async () => {
    const scene = new Scene();
    scene.chain.legs[2].segment(4001, 'client', { window: 0 });
    scene.chain.legs[2].segment(4900, 'client', { window: 500 });
    scene.chain.legs[2].segment(6001, 'client', { window: 0 });
    scene.chain.legs[2].segment(9001, 'client', { window: 500 });
    expect(idsOf(await diagnosed(scene.goOn(10_000).captures))).toEqual([]);
  });
});
