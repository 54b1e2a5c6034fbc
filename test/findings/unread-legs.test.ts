/** What TCP tells of a leg that is encrypted and was not read: no key is needed to see that nothing comes back. */
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/delivery/verdict.js';
import type { Chain } from '../support/chain.js';
import { command, frame } from '../support/frames.js';
import { Talk, type Tape } from '../support/tape.js';
import { agentOn, citedOf, diagnosed, heartbeat, idsOf, pinged, tapesOf } from './diagnosis.js';

const SITE = '203.0.113.7';
const BACK_OFF_MS = [0, 220, 660, 1500, 3200, 6500, 13_000];
const FAILS_AT = 10_000;
const END = 40_000;

/** RFC 8446 section 5.2: application data of so many octets, contents that say nothing. */
function record(octets: number, seed = octets): Uint8Array {
  const fragment = octets + 17;
  const header = [23, 3, 3, fragment >> 8, fragment & 0xff];
  return Uint8Array.from(
    { length: 5 + fragment },
    (_, i) => header[i] ?? (Math.imul(seed + i, 0x9e3779b1) >>> 13) & 255,
  );
}

/** Agents behind origin and nginx, in plain; what npm has of them is TLS without keys. */
class Site {
  private readonly made = tapesOf('origin', 'nginx', 'npm');
  readonly npm: Tape = this.made.tapes[2];

  /** Logs in, lives until `untilMs`, and is sent a command that never comes back. */
  agent(name: string, number: number, untilMs: number, fails = true): this {
    const shape = { agent: number, outermost: [`X-Forwarded-For: ${SITE}`] };
    const chain: Chain = agentOn(this.made.tapes.slice(0, 2), name, 100 + number * 50, shape);
    for (let ms = 2000 + number; ms < untilMs; ms += 2000) {
      pinged(chain, ms);
      heartbeat(chain, ms + 700);
    }
    if (fails) chain.outward(FAILS_AT + number, frame(command(`c-${name}`)));
    return this;
  }

  /** A connection to npm's TLS port that opens just before an agent's inner one, and has said something both ways. */
  tls(clientPort = 50_001, openMs = 90): Talk {
    const talk = new Talk(this.npm, { client: SITE, clientPort, server: '10.0.2.1', serverPort: 443 }).open(openMs);
    talk.send(openMs + 5, 'client', record(180));
    talk.send(openMs + 9, 'server', record(129));
    talk.send(9000, 'client', record(61));
    return talk;
  }

  findings(): Promise<Finding[]> {
    // The capture is known to go on.
    const other = new Talk(this.npm, {
      client: '198.51.100.4',
      clientPort: 51_000,
      server: '10.0.2.1',
      serverPort: 80,
    });
    for (let ms = 100; ms < END; ms += 1000) other.segment(ms, 'client');
    return diagnosed(this.made.captures());
  }

  numbersOf(packets: readonly { atMs: number }[]): number[] {
    return packets.map((packet) => this.npm.packets.indexOf(packet as (typeof this.npm.packets)[number]) + 1);
  }
}

/** The server's record is sent again and again. Returns the packets, to be numbered when the tape is in order. */
function unheard(site: Site, talk: Talk, octets = 90): { atMs: number }[] {
  const at = talk.sent('server');
  return BACK_OFF_MS.map((ms) => {
    talk.segment(FAILS_AT + 2 + ms, 'server', { data: record(octets), at });
    return site.npm.packets.at(-1) as { atMs: number };
  });
}

const unread = (findings: Finding[]) => findings.filter(({ summary }) => summary.includes('TLS'));

describe('a TLS leg without keys on which nothing comes back', () => {
  it('is the agent’s whose address is forwarded further in', async () => {
    const site = new Site().agent('A-1', 1, FAILS_AT);
    const sent = unheard(site, site.tls());
    const [finding, ...more] = unread(await site.findings());
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      id: 'peer-unreachable',
      severity: 'error',
      grade: 'inferred',
      agents: ['A-1'],
      commands: ['c-A-1'],
    });
    expect(finding.summary).toContain(`${SITE}:50001`);
    expect(citedOf(finding, 'npm.pcap')).toEqual(site.numbersOf(sent));
  });

  it('is nobody’s for certain where two agents of that address fall silent', async () => {
    const site = new Site().agent('A-1', 1, FAILS_AT).agent('A-2', 2, FAILS_AT);
    unheard(site, site.tls());
    const [finding] = unread(await site.findings());
    expect(finding).toMatchObject({ id: 'peer-unreachable', severity: 'warning', grade: 'measured', agents: [] });
    expect(finding.summary).toContain('cannot be read without its keys');
  });

  it('is that of the one which falls silent at that time', async () => {
    const site = new Site().agent('A-1', 1, END).agent('A-2', 2, FAILS_AT);
    unheard(site, site.tls());
    const [finding] = unread(await site.findings());
    expect(finding).toMatchObject({ agents: ['A-2'], commands: ['c-A-2'] });
  });

  it('is a note where it can be no failing agent’s: browsers vanish all day', async () => {
    const site = new Site().agent('A-1', 1, END, false);
    unheard(site, site.tls());
    const [finding] = unread(await site.findings());
    expect(finding).toMatchObject({ id: 'peer-unreachable', severity: 'info', agents: [], commands: [] });
  });

  it('is none where a retransmission gets through at last', async () => {
    const site = new Site().agent('A-1', 1, FAILS_AT);
    const talk = site.tls();
    unheard(site, talk);
    talk.segment(FAILS_AT + 13_100, 'client');
    expect(unread(await site.findings())).toEqual([]);
  });

  it('is none where the client goes on sending: its TCP ACKs may have been missed', async () => {
    const site = new Site().agent('A-1', 1, FAILS_AT);
    const talk = site.tls();
    const at = talk.sent('server');
    unheard(site, talk);
    for (const ms of [12_000, 15_000, 20_000]) talk.segment(ms, 'client', { data: record(61, ms), acked: at });
    expect(unread(await site.findings())).toEqual([]);
  });

  it('is a closed window where the client says so, and npm goes on probing', async () => {
    const site = new Site().agent('A-1', 1, FAILS_AT);
    const talk = site.tls();
    talk.segment(FAILS_AT, 'client', { window: 0 });
    for (const ms of [300, 900, 2100, 4500, 9300]) {
      talk.segment(FAILS_AT + ms, 'server', { at: talk.sent('server') - 1 });
      talk.segment(FAILS_AT + ms + 20, 'client', { window: 0 });
    }
    const [finding] = unread(await site.findings());
    expect(finding).toMatchObject({ id: 'receiver-window-closed', severity: 'error', agents: ['A-1'] });
  });

  it('is no closed window where nothing waits for it', async () => {
    const site = new Site().agent('A-1', 1, FAILS_AT);
    site.tls().segment(FAILS_AT, 'client', { window: 0 });
    expect(idsOf(unread(await site.findings()))).toEqual([]);
  });

  it('loses large segments only where a small one behind them is SACKed', async () => {
    const site = new Site().agent('A-1', 1, FAILS_AT);
    const talk = site.tls();
    const from = talk.sent('server');
    unheard(site, talk, 1300);
    const end = talk.sent('server');
    talk.segment(FAILS_AT + 10, 'server', { data: record(20) });
    talk.segment(FAILS_AT + 40, 'client', { acked: from, sack: [end, talk.sent('server')] });
    const [finding] = unread(await site.findings());
    expect(finding).toMatchObject({ id: 'large-frames-lost', severity: 'error', agents: ['A-1'] });
    expect(finding.summary).toContain('path MTU');
  });
});
