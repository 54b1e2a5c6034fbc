/** middlebox-acks, reply-address-mismatch, protocol-desync and capture-untrusted: what the wire itself shows. */
import { describe, expect, it } from 'vitest';
import { Scene } from '../delivery/scene.js';
import { command, frame, masked, ping, pong } from '../support/frames.js';
import { ACK, RST, SYN, Talk } from '../support/tape.js';
import { agentOn, citedOf, diagnosed, hypotheses, idsOf, pinged, tapesOf } from './diagnosis.js';

describe('middlebox-acks', () => {
  const withPongsAfter = (pongMs: number) => {
    const { tapes, captures } = tapesOf('origin', 'npm');
    const chain = agentOn(tapes, 'BRANCH', 0, {});
    for (let ms = 1000; ms < 20_000; ms += 2000) pinged(chain, ms, pongMs);
    return captures();
  };

  it('is found, and only inferred, where TCP ACKs are quick and every Pong is slow', async () => {
    const findings = await diagnosed(withPongsAfter(250));
    expect(findings.map(({ id, grade, severity }) => [id, grade, severity])).toEqual([
      ['middlebox-acks', 'inferred', 'warning'],
    ]);
  });

  it('is not found where Pings read alike, and one Pong was not captured', async () => {
    const { tapes, captures } = tapesOf('origin', 'npm');
    const chain = agentOn(tapes, 'BRANCH', 0, {});
    const lost: number[][] = [];
    for (let ms = 1000; ms < 20_000; ms += 2000) {
      chain.outward(ms, ping());
      const pongs = chain.inward(ms + 4, pong());
      if (ms === 1000) lost.push(...pongs.map((number) => [number, number + 1]));
    }
    const holed = Object.fromEntries(
      Object.entries(captures()).map(([hop, tape], i) => [hop, tape.without(...lost[i])]),
    );
    expect(idsOf(await diagnosed(holed))).not.toContain('middlebox-acks');
  });

  it('is not found where Pongs are about as quick as TCP ACKs', async () => {
    expect(await diagnosed(withPongsAfter(4))).toEqual([]);
  });
});

describe('reply-address-mismatch', () => {
  const answeredFrom = (server: string) => {
    const scene = new Scene(['fw']).goOn(2000);
    const [tape] = scene.tapes;
    const agent = { client: '203.0.113.99', clientPort: 41_000, clientIsn: 4000, serverIsn: 9000, serverPort: 443 };
    const asks = new Talk(tape, { ...agent, server: '198.51.100.1' });
    const answers = new Talk(tape, { ...agent, server });
    asks.segment(3000, 'client', { flags: SYN, at: -1 });
    answers.segment(3001, 'server', { flags: SYN | ACK, at: -1 });
    asks.segment(4000, 'client', { flags: SYN, at: -1 });
    answers.segment(4001, 'server', { flags: SYN | ACK, at: -1 });
    tape.packets.sort((a, b) => a.atMs - b.atMs);
    return scene.captures;
  };

  it('is found where the SYN-ACK comes from another address', async () => {
    const findings = await diagnosed(answeredFrom('198.51.100.2'));
    expect(idsOf(findings)).toEqual(['reply-address-mismatch']);
    expect(findings[0].summary).toContain('to 198.51.100.1:443 from 203.0.113.99 is answered from 198.51.100.2:443');
    expect(citedOf(findings[0], 'fw.pcap')).toHaveLength(2);
  });

  it('is found where the client resets what it never asked for, and not where it says more', async () => {
    const reset = (more: boolean) => {
      const captures = answeredFrom('198.51.100.2');
      const agent = { client: '203.0.113.99', clientPort: 41_000, clientIsn: 4000, serverIsn: 9000, serverPort: 443 };
      const answers = new Talk(captures['fw'], { ...agent, server: '198.51.100.2' });
      answers.segment(3002, 'client', more ? { flags: ACK, at: 0 } : { flags: RST, at: 0 });
      captures['fw'].packets.sort((a, b) => a.atMs - b.atMs);
      return captures;
    };
    const [finding, ...none] = await diagnosed(reset(false));
    expect(none).toEqual([]);
    expect(finding).toMatchObject({ id: 'reply-address-mismatch', agents: [] });
    expect(finding.summary).toContain('and the client resets them');
    expect(idsOf(await diagnosed(reset(true)))).toEqual([]);
  });

  it('is not found where it comes from the same one', async () => {
    expect(idsOf(await diagnosed(answeredFrom('198.51.100.1')))).toEqual([]);
  });
});

describe('protocol-desync', () => {
  const garbage = Uint8Array.from({ length: 400 }, (_, i) => 0x70 | (i & 7));

  it('is found where no frame can start after whole frames', async () => {
    const scene = new Scene();
    const [atOrigin] = scene.chain.outward(3000, garbage);
    const findings = await diagnosed(scene.captures);
    expect(idsOf(findings)).toEqual(['protocol-desync']);
    expect(findings[0]).toMatchObject({ agents: ['PST-SERVER'], connections: ['c1'] });
    expect(citedOf(findings[0], 'origin.pcap')).toEqual([atOrigin]);
  });

  /** Whole on the legs before, garbage from this one on. */
  function spoiltAt(hop: number, sender: 'server' | 'client') {
    const scene = new Scene();
    pinged(scene.chain, 2000);
    const inOrder = sender === 'server' ? scene.chain.legs : scene.chain.legs.toReversed();
    inOrder.forEach((leg, i) => {
      const good = sender === 'server' ? frame(command('c-bad')) : masked('{"type":"Heartbeat"}');
      leg.send(
        3000 + i,
        sender,
        scene.chain.legs.indexOf(leg) === hop || i > inOrder.indexOf(scene.chain.legs[hop]) ? garbage : good,
      );
    });
    return scene;
  }

  it('names the hop that wrote it, by which side it came from', async () => {
    const [outward] = await diagnosed(spoiltAt(1, 'server').captures);
    expect(outward.summary).toContain("though they were on origin's leg: nginx, or something between");
    const [inward] = await diagnosed(spoiltAt(1, 'client').captures);
    expect(inward.summary).toContain("though they were on npm's leg: npm, or something between");
  });

  it('names all that it may have been, where the captures between are not whole', async () => {
    const scene = spoiltAt(1, 'server');
    const [, nginx] = scene.tapes;
    const early = nginx.packets.findIndex(({ atMs }) => atMs > 1000 && atMs < 1001) + 1;
    const captures = { ...scene.captures, nginx: nginx.without(early) };
    const desync = (await diagnosed(captures)).find(({ id }) => id === 'protocol-desync');
    expect(desync?.summary).toContain("though they were on origin's leg: nginx, or npm, or something between");
    const found = await hypotheses(captures);
    for (const hop of ['nginx', 'npm'])
      expect(found.get(`proxy-forwarding:${hop}`)).toMatchObject({
        status: 'open',
        because: expect.stringContaining('which of nginx and npm'),
      });
    const inner = await hypotheses({ nginx: scene.tapes[1], npm: scene.tapes[2] });
    expect(inner.get('proxy-forwarding:npm')).not.toMatchObject({
      status: 'ruled-out',
      because: expect.stringContaining('seen leaving'),
    });
  });

  it('is not found where the capture lost what was before it, or began in the middle', async () => {
    const scene = new Scene();
    scene.chain.outward(2500, frame(command('c-lost', `,"x":"${'y'.repeat(900)}"`)));
    const [tape] = scene.tapes;
    const lost = tape.packets.length - 1;
    scene.chain.outward(3000, garbage);
    scene.goOn(4000);
    expect(idsOf(await diagnosed({ origin: tape.without(lost) }))).not.toContain('protocol-desync');
    expect(idsOf(await diagnosed({ origin: tape.between(900, 1e6) }))).not.toContain('protocol-desync');
  });
});

describe('capture-untrusted', () => {
  it('is found at the hop whose capture lost octets, and names no hop for the loss', async () => {
    const scene = new Scene();
    const [, atNginx] = scene.chain.outward(5000, frame(command('c-lost')));
    scene.goOn(6000);
    const [, nginx] = scene.tapes;
    const findings = await diagnosed({ ...scene.captures, nginx: nginx.without(atNginx) });
    expect(idsOf(findings)).toContain('capture-untrusted');
    expect(idsOf(findings).filter((id) => id.startsWith('hop-'))).toEqual([]);
    expect(findings.find(({ id }) => id === 'capture-untrusted')?.summary).toContain('The capture of nginx');
  });

  it('is found where a capture ends before the deadline', async () => {
    const scene = new Scene();
    scene.chain.outward(5000, frame(command('c-late')));
    scene.goOn(6000, 9000);
    const finding = (await diagnosed(scene.captures)).find(({ id }) => id === 'capture-untrusted');
    expect(finding).toMatchObject({ severity: 'warning', commands: ['c-late'] });
  });
});
