/** commands-not-sent, dispatch-stalled and handshake-stalled: what never became a message. */
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/delivery/verdict.js';
import type { Chain } from '../support/chain.js';
import { command, commandAck, frame, masked, ping } from '../support/frames.js';
import { Talk, type Tape } from '../support/tape.js';
import { tlsWire } from '../support/tls-wire.js';
import { upgradeRequest } from '../support/web-socket-talk.js';
import {
  agentOn,
  citedOf,
  diagnosed,
  dispatch,
  heartbeat,
  idsOf,
  judged,
  pinged,
  Timeline,
  tapesOf,
} from './diagnosis.js';

/** Three agents that Ping on to 40 s; each works at 2 s. */
class Fleet {
  private readonly made = tapesOf('origin');
  readonly time = new Timeline();
  private readonly chains = new Map<string, Chain>();

  constructor() {
    ['A', 'B', 'C'].forEach((name, i) => {
      this.joins(name, i * 10);
      this.works(name, 2000 + i * 50, `c-ok-${name}`);
    });
  }

  get tape(): Tape {
    return this.made.tapes[0];
  }

  joins(name: string, atMs: number): void {
    this.time.at(atMs, () => {
      this.chains.set(name, agentOn(this.made.tapes, name, atMs, { agent: name.charCodeAt(0) }));
    });
    this.time.every(2000, 3000 + atMs, 40_000, (ms) => pinged(this.of(name), ms));
  }

  of(name: string): Chain {
    return this.chains.get(name) as Chain;
  }

  works(name: string, atMs: number, id: string): void {
    this.time.at(atMs, () => {
      dispatch(this.tape, atMs, name, id);
      this.of(name).outward(atMs + 10, frame(command(id)));
      this.of(name).inward(atMs + 40, masked(commandAck(id)));
    });
  }

  asks(name: string, atMs: number, id: string, answer = 202): void {
    this.time.at(atMs, () => dispatch(this.tape, atMs, name, id, answer));
  }

  findings(): Promise<Finding[]> {
    this.time.play();
    return diagnosed(this.made.captures());
  }
}

describe('commands-not-sent', () => {
  it('is found for one agent while others get theirs', async () => {
    const fleet = new Fleet();
    fleet.asks('A', 5500, 'c-never');
    fleet.works('B', 6500, 'c-ok-later');
    const findings = await fleet.findings();
    expect(idsOf(findings)).toEqual(['commands-not-sent']);
    expect(findings[0]).toMatchObject({ agents: ['A'], commands: ['c-never'], severity: 'error' });
    expect(citedOf(findings[0], 'origin.pcap')).toHaveLength(2);
    expect(findings[0].summary).toContain('while other frames left');
  });

  it('is no more than a warning for an agent that is not connected, and nothing where the server refused', async () => {
    const fleet = new Fleet();
    fleet.asks('GONE', 5500, 'c-never');
    fleet.asks('GONE', 6500, 'c-refused', 409);
    const found = (await fleet.findings()).map(({ id, severity, commands }) => [id, severity, commands]);
    expect(found).toEqual([['commands-not-sent', 'warning', ['c-never']]]);
    // It may call itself something else on its WebSocket.
    expect((await fleet.findings())[0].summary).toContain('no WebSocket under that name was open');
  });

  it('is not found where the frame may have been missed', async () => {
    const fleet = new Fleet();
    fleet.asks('A', 5500, 'c-missed');
    fleet.time.at(5600, (ms) => {
      const before = fleet.tape.packets.length;
      fleet.of('A').outward(ms, frame(command('c-missed')));
      fleet.tape.packets.splice(before, 1);
    });
    expect(idsOf(await fleet.findings())).toEqual(['capture-untrusted']);
  });
});

describe('dispatch-stalled', () => {
  it('is found where from some moment no command leaves for anyone', async () => {
    const fleet = new Fleet();
    ['A', 'B', 'C'].forEach((agent, i) => {
      fleet.asks(agent, 5500 + i * 100, `c-stuck-${agent}`, 0);
    });
    const findings = await fleet.findings();
    expect(idsOf(findings)).toEqual(['dispatch-stalled']);
    expect(findings[0].agents).toEqual(['A', 'B', 'C']);
    expect(findings[0].summary).toContain('none of the requests was answered');
  });

  it('leaves open what holds up the connection that the others seem to wait for', async () => {
    const fleet = new Fleet();
    // Sent to A again and again, and never TCP-ACKed: from then on nobody gets a command.
    fleet.time.at(5000, () => {
      const [leg] = fleet.of('A').legs;
      const at = leg.sent('server');
      for (const ms of [0, 300, 900, 2100, 4500, 9300, 18_900])
        leg.segment(5000 + ms, 'server', { data: ping('lost'), at });
    });
    ['A', 'B', 'C'].forEach((agent, i) => {
      fleet.asks(agent, 5500 + i * 100, `c-stuck-${agent}`, 0);
    });
    fleet.time.play();
    const { findings, hypotheses } = await judged({ origin: fleet.tape });
    expect(idsOf(findings)).toContain('dispatch-stalled');
    const statusOf = (agent: string) =>
      hypotheses.find((each) => each.agent === agent && each.id === 'agent-command-path')?.status;
    expect(['A', 'B', 'C'].map(statusOf)).toEqual(['open', 'ruled-out', 'ruled-out']);
  });

  it('is not the only fault where one failed on its own before', async () => {
    const fleet = new Fleet();
    fleet.time.at(4000, (ms) => fleet.of('C').outward(ms, frame(command('c-ignored'))));
    ['A', 'B', 'C'].forEach((agent, i) => {
      fleet.asks(agent, 20_500 + i * 100, `c-stuck-${agent}`, 0);
    });
    fleet.time.play();
    const { findings, hypotheses } = await judged({ origin: fleet.tape });
    expect(idsOf(findings)).toContain('dispatch-stalled');
    expect(idsOf(findings)).toContain('agent-ignores-commands');
    const statuses = hypotheses.filter(({ id }) => id === 'independent-faults').map(({ status }) => status);
    expect(statuses).not.toContain('ruled-out');
  });

  it('is not found where one still gets a command afterwards', async () => {
    const fleet = new Fleet();
    fleet.asks('A', 5500, 'c-1', 0);
    fleet.asks('B', 5600, 'c-2', 0);
    fleet.works('C', 6500, 'c-ok-later');
    expect(idsOf(await fleet.findings())).toEqual(['commands-not-sent']);
  });
});

describe('handshake-stalled', () => {
  const asks = (untilMs: number) => {
    const { tapes, captures } = tapesOf('origin', 'npm');
    const fine = agentOn(tapes, 'FINE', 0, { agent: 1 });
    const numbers = tapes.map((tape, i) => {
      const talk = new Talk(tape, { clientPort: 60_000 + i, clientIsn: 77 + i, serverIsn: 99 + i }).open(3000);
      return talk.send(3001, 'client', upgradeRequest({ key: 'c3RhbGxlZCBoYW5kc2hha2U=' }));
    });
    heartbeat(fine, untilMs);
    return { captures, numbers };
  };

  it('is found at the innermost hop that the request came to, once', async () => {
    const { captures, numbers } = asks(15_000);
    const files = captures();
    const at = files['origin'].packets.length;
    expect(numbers[0]).toBeLessThan(at);
    const findings = await diagnosed(files);
    expect(idsOf(findings)).toEqual(['handshake-stalled']);
    expect(findings[0].summary).toContain('came to origin');
    expect(citedOf(findings[0], 'origin.pcap')).toHaveLength(1);
    expect(citedOf(findings[0], 'npm.pcap')).toEqual([]);
  });

  it('is not found in a capture that lost octets elsewhere: the answer, and all that came after it, may be among them', async () => {
    const files = asks(15_000).captures();
    const lossy = Object.fromEntries(
      Object.entries(files).map(([hop, tape]) => {
        const beat = tape.packets.findLastIndex(({ bytes }) => bytes.length > 60);
        expect(tape.packets[beat].atMs).toBeGreaterThan(14_000);
        return [hop, tape.without(beat + 1)];
      }),
    );
    expect(idsOf(await diagnosed(lossy))).not.toContain('handshake-stalled');
  });

  /** A connection on which only one side says something. */
  const oneSided = (from: 'client' | 'server', bytes: Uint8Array, answer?: Uint8Array) => {
    const { tapes, captures } = tapesOf('origin', 'npm');
    const fine = agentOn(tapes, 'FINE', 0, { agent: 1 });
    const talk = new Talk(tapes[1], { clientPort: 60_001, clientIsn: 78, serverPort: 443, serverIsn: 99 }).open(3000);
    talk.send(3001, from, bytes);
    if (answer !== undefined) talk.send(3500, from === 'client' ? 'server' : 'client', answer);
    heartbeat(fine, 15_000);
    return captures();
  };
  const clientHello = Uint8Array.of(0x16, 3, 1, 0, 4, 1, 0, 0, 0);
  const banner = new TextEncoder().encode('SSH-2.0-OpenSSH_9.2\r\n');

  it('is found for a TLS handshake and for a greeting that nobody takes up', async () => {
    const [tls, ...none] = await diagnosed(oneSided('client', clientHello));
    expect(none).toEqual([]);
    expect(tls).toMatchObject({ id: 'handshake-stalled', severity: 'warning' });
    expect(tls.summary).toContain('1 TLS handshake at npm was begun and never completed');
    for (const from of ['client', 'server'] as const) {
      const [ssh] = await diagnosed(oneSided(from, banner));
      expect(ssh.id).toBe('handshake-stalled');
      expect(ssh.evidence[0].text).toContain(`greeting of the ${from}`);
    }
  });

  it('is not found for a short TLS connection without keys, whose end of the handshake nobody saw', async () => {
    for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
      const { chunks } = await tlsWire({ version }, [
        ['client', 'GET / HTTP/1.1\r\n\r\n'],
        ['server', 'HTTP/1.1 200 OK\r\n\r\n'],
      ]);
      const { tapes, captures } = tapesOf('origin', 'npm');
      const fine = agentOn(tapes, 'FINE', 0, { agent: 1 });
      const talk = new Talk(tapes[1], { clientPort: 60_001, clientIsn: 78, serverPort: 443, serverIsn: 99 }).open(3000);
      for (const [i, { from, bytes }] of chunks.entries()) talk.send(3001 + i, from, bytes);
      heartbeat(fine, 15_000);
      expect(idsOf(await diagnosed(captures())), version).toEqual([]);
    }
  });

  it('is not found where the other side answers, or where one side goes on talking', async () => {
    expect(await diagnosed(oneSided('client', banner, banner))).toEqual([]);
    const log = new TextEncoder().encode(`EHLO ${'x'.repeat(600)}`);
    expect(await diagnosed(oneSided('client', log))).toEqual([]);
  });

  it('is not found where the capture ends at once', async () => {
    expect(idsOf(await diagnosed(asks(3500).captures()))).toEqual([]);
  });
});
