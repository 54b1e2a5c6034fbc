/** The terminal report, read as an operator would. Expected texts are written by hand and checked by eye. */
import { describe, expect, it } from 'vitest';
import type { CommandVerdict, Verdict } from '../../src/delivery/verdict.js';
import type { ReportOptions } from '../../src/report/style.js';
import { verdictTable } from '../../src/report/table.js';
import { columns } from '../../src/report/width.js';
import { attempt, capture, command, connection, hop, hopState, ignored, incident, verdict } from './verdicts.js';

const PLAIN: ReportOptions = { width: 80, colour: false, unicode: true, all: false, failedOnly: false };

function shown(of: Verdict, more: Partial<ReportOptions> = {}): string {
  return [...verdictTable(of, { ...PLAIN, ...more })].join('');
}

function section(text: string, from: string, lines: number): string {
  const all = text.split('\n');
  const start = all.findIndex((line) => line.startsWith(from));
  return `\n${all.slice(start, start + lines).join('\n')}\n`;
}

describe('the table at 80 columns', () => {
  const text = shown(incident());

  it('gives the answer in its first line', () => {
    expect(text.split('\n')[0]).toBe('5 commands: 2 delivered, 2 reached-agent, 1 inconclusive');
  });

  it('gives it in more lines where there is no room, and breaks between outcomes', () => {
    const byOutcome = { delivered: 13, 'ack-lost': 1, 'reached-agent': 1, stalled: 1, 'not-forwarded': 1 } as const;
    const many = { ...incident(), summary: { commands: 17, byOutcome } };
    expect(shown(many).split('\n').slice(0, 3)).toEqual([
      '17 commands: 13 delivered, 1 ack-lost, 1 reached-agent, 1 stalled,',
      '  1 not-forwarded',
      '',
    ]);
  });

  it('says of each hop what it covers, how far to trust it and how its clock stands', () => {
    expect(section(text, 'origin  ', 7)).toBe(`
origin  origin.pcap · 1,812 packets · 2025-11-03 09:00:00.001 – 09:14:59.998 UTC
        trust full · clock: reference
nginx   nginx.pcap · 1,812 packets · 2025-11-03 09:00:00.001 – 09:14:59.998 UTC
        trust full · clock: 1.2 ms ahead of origin ± 0.05 ms
npm     npm.pcap · 1,812 packets · 2025-11-03 09:00:00.001 – 09:14:59.998 UTC
        trust limited · clock: 12.5 ms behind origin ± 0.05 ms
        ! 23 packets dropped by the kernel
`);
  });

  it('takes the first hop that was captured for the reference of clocks', () => {
    const verdict = incident();
    const [origin, nginx, npm] = verdict.hops;
    const hops = [{ ...origin, captures: [], clockOffsetMs: null }, { ...nginx, clockOffsetMs: 0 }, npm];
    const lines = shown({ ...verdict, hops });
    expect(lines).toContain('origin  not captured: unobserved');
    expect(lines).toContain('clock: reference');
    expect(lines).toContain('clock: 12.5 ms behind nginx');
    expect(lines).not.toContain('clock: as');
  });

  it('lists failures first, then what is inconclusive, then what was delivered', () => {
    expect(section(text, 'Outcome', 15)).toBe(`
Outcome          Command     origin       nginx         npm           CommandAck
lost             agent       TCP ACK      TCP ACK       TCP ACK       attempts
────────────────────────────────────────────────────────────────────────────────
✗ reached-agent  0192f…aa10  ✓ TCP-ACKed  ✓ TCP-ACKed   ✓ TCP-ACKed   none
  at agent       PST-SERVER  0.04 ms      0.113 ms      23.4 ms       ×10
✗ reached-agent  0192f…bb21  ✓ TCP-ACKed  ✓ TCP-ACKed   ✓ TCP-ACKed   none
  at agent       PST-SERVER  0.04 ms      0.113 ms      23.4 ms       ×10

? inconclusive   0192f…2e1f  ✓ TCP-ACKed  … no TCP ACK  ? unobserved  none seen
                 WS-LAB-3    0.04 ms                                  ×1

✓ delivered      0192f…9e01  ✓ TCP-ACKed  ✓ TCP-ACKed   ✓ TCP-ACKed   41.2 ms
                 HV-01       0.04 ms      0.113 ms      23.4 ms       ×1
✓ delivered      0192f…ee42  ✓ TCP-ACKed  ✓ TCP-ACKed   ✓ TCP-ACKed   41.2 ms
                 WS-LAB-3    0.04 ms      0.113 ms      23.4 ms       ×1
`);
  });

  it('explains each way of failing once, with the proof, the Pings beside it and whole IDs', () => {
    expect(section(text, '✗ PST-SERVER', 12)).toBe(`
✗ PST-SERVER: 2 commands reached-agent, lost at agent
  Every byte left npm and was TCP-ACKed from the agent's end, and no CommandAck
  came back in time: the captured hops did their part, so look at the agent, or
  at what lies past the last capture.
  Because: TCP-ACKed from the agent, and no CommandAck within 10 s
  Proof (0192f3a1-9d40-7aa2-b1c4-77e0d2f4aa10, attempt 1 of 10 on c7, measured):
    origin  ✓ TCP-ACKed after 0.04 ms, origin.pcap #411, TCP ACK in #412
    nginx   ✓ TCP-ACKed after 0.113 ms, nginx.pcap #822, TCP ACK in #823
    npm     ✓ TCP-ACKed after 23.4 ms, npm.pcap #1203, TCP ACK in #1207
  Pings on c7: 12 sent, 12 TCP-ACKed, 12 answered (median 24.1 ms). Messages: 30
  from the server, 44 from the agent.
  Commands:
`);
    expect(text).toContain('    0192f3a1-9d40-7aa2-b1c4-77e0d2f4aa10  0192f3a3-44e1-7d9f-a2b0-13f7e8c9bb21\n');
  });

  it('is never wider than the terminal', () => {
    for (const width of [80, 100, 120, 140, 200]) {
      const widest = Math.max(...shown(incident(), { width }).split('\n').map(columns));
      expect(widest).toBeLessThanOrEqual(width);
    }
  });
});

describe('the table at 140 columns', () => {
  it('has whole IDs, TCP ACK delays and packet numbers', () => {
    expect(section(shown(incident(), { width: 140 }), 'Outcome', 5)).toBe(`
Outcome          Command                               origin            nginx              npm                 CommandAck
lost             agent                                 TCP ACK           TCP ACK            TCP ACK             attempts
───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
✗ reached-agent  0192f3a1-9d40-7aa2-b1c4-77e0d2f4aa10  ✓ TCP-ACKed       ✓ TCP-ACKed        ✓ TCP-ACKed         none
  at agent       PST-SERVER                            0.04 ms #411→412  0.113 ms #822→823  23.4 ms #1203→1207  10 attempts
`);
  });

  it('needs one line a command where there is room', () => {
    const one = shown(verdict([ignored('cmd-1')], { hops: [hop('origin')] }), { width: 140 });
    expect(section(one, 'Outcome', 3)).toBe(`
Outcome          Lost      Command  Agent       origin                        CommandAck  Attempts
─────────────────────────────────────────────────────────────────────────────────────────────────────
✗ reached-agent  at agent  cmd-1    PST-SERVER  ✓ TCP-ACKed 0.04 ms #411→412  none        10 attempts
`);
  });
});

describe('every outcome', () => {
  const at = (outcome: CommandVerdict['outcome'], lostAt: string, hops = [hopState('origin')]) => ({
    lostAt,
    attempts: [attempt(1, outcome, { lostAt, hops })],
  });
  const text = shown(
    verdict([
      command('cmd-1', 'stalled', {
        ...at('stalled', 'npm->agent', [hopState('origin'), hopState('nginx'), hopState('npm', 'sent-unacked')]),
      }),
      command('cmd-2', 'stalled', {
        ...at('stalled', 'nginx', [
          hopState('origin', 'tcp-acked', { bytes: 4096 }),
          hopState('nginx', 'partial', { bytes: 512 }),
          hopState('npm', 'absent'),
        ]),
      }),
      command('cmd-3', 'not-forwarded', {
        ...at('not-forwarded', 'nginx', [hopState('origin'), hopState('nginx', 'absent'), hopState('npm', 'absent')]),
      }),
      command('cmd-4', 'never-sent', {
        lostAt: 'origin',
        lastHop: null,
        attempts: [],
        dispatch: {
          hop: 'origin',
          askedAt: '2025-11-03T09:00:00.100000Z',
          answeredAt: null,
          status: null,
          file: 'origin.pcap',
          packets: [77],
        },
      }),
      command('cmd-5', 'ack-lost', { lostAt: 'npm->nginx' }),
      command('cmd-6', 'delivered', { late: true }),
    ]),
  );

  it('says in its row where the command was lost', () => {
    expect(section(text, '✗ stalled', 13)).toBe(`
✗ stalled        cmd-1    ✓ TCP-ACKed  ✓ TCP-ACKed  … no TCP ACK  none
  on npm->agent  HV-01    0.04 ms      0.04 ms                    ×1
✗ stalled        cmd-2    ✓ TCP-ACKed  ◐ partial    ✗ absent      none
  at nginx       HV-01    0.04 ms      512/4096 B                 ×1
✗ not-forwarded  cmd-3    ✓ TCP-ACKed  ✗ absent     ✗ absent      none
  at nginx       HV-01    0.04 ms                                 ×1
✗ never-sent     cmd-4    –            –            –             none
  at origin      HV-01                                            ×0
✗ ack-lost       cmd-5    ✓ TCP-ACKed  ✓ TCP-ACKed  ✓ TCP-ACKed   lost
  on npm->nginx  HV-01    0.04 ms      0.113 ms     23.4 ms       ×1

✓ delivered      cmd-6    ✓ TCP-ACKed  ✓ TCP-ACKed  ✓ TCP-ACKed   late 12.4 s
                 HV-01    0.04 ms      0.113 ms     23.4 ms       ×1
`);
  });

  it('says in a sentence where to look', () => {
    expect(text).toContain('It left npm and was not wholly TCP-ACKed by the agent: look at the leg');
    expect(text).toContain("nginx wrote only a part of it: look at that hop's write path.");
    expect(text).toContain('It arrived at nginx, which TCP-ACKed it and never sent it on: look at nginx.');
    expect(text).toContain('It was asked for, and no Text frame with it ever left origin');
    expect(text).toContain('Asked for over HTTP at 2025-11-03T09:00:00.100000Z (origin.pcap #77), never');
    expect(text).toContain('The CommandAck came, but only after the deadline');
  });
});

describe('many hops', () => {
  it('puts the path into one cell', () => {
    const names = ['server', 'edge-proxy', 'origin-nginx', 'npm', 'pfsense', 'gateway', 'switch-7'];
    const states = names.map((name, index) => hopState(name, index < 5 ? 'tcp-acked' : 'absent'));
    const one = command('0192f3a1-7c3e-7bd1-8f00-5d1b3c2a9e01', 'not-forwarded', {
      lostAt: 'gateway',
      attempts: [attempt(1, 'not-forwarded', { lostAt: 'gateway', hops: states })],
    });
    const two = ignored('0192f3a1-7c3e-7bd1-8f00-5d1b3c2a9e02');
    for (const other of two.attempts) other.hops = names.map((name) => hopState(name));
    expect(section(shown(verdict([one, two], { hops: names.map((name) => hop(name)) })), 'Outcome', 7)).toBe(`
Outcome          Command     Path                                     CommandAck
lost             agent                                                attempts
────────────────────────────────────────────────────────────────────────────────
✗ not-forwarded  0192f…9e01  server✓ edge-proxy✓ origin-nginx✓ npm✓   none
  at gateway     HV-01       pfsense✓ gateway✗ switch-7✗              ×1
✗ reached-agent  0192f…9e02  server✓ edge-proxy✓ origin-nginx✓ npm✓   none
  at agent       PST-SERVER  pfsense✓ gateway✓ switch-7✓ agent✗       ×10
`);
  });
});

describe('thousands of commands', () => {
  const lazy: Iterable<CommandVerdict> = {
    *[Symbol.iterator]() {
      for (let at = 0; at < 5000; at += 1)
        yield at % 5 === 0 ? ignored(`cmd-${at}`, 'PST-SERVER', 2) : command(`cmd-${at}`, 'delivered');
    },
  };

  it('shows failures up to a limit and condenses what was delivered', () => {
    const text = shown(verdict(lazy));
    expect(text.match(/^✗ reached-agent/gm)).toHaveLength(200);
    expect(text.match(/^✓ delivered/gm)).toHaveLength(12);
    expect(text).toContain('+ 800 more failed (--all lists them)');
    expect(text).toContain('+ 3,988 more delivered (--all lists them)');
    expect(text).toContain('✗ PST-SERVER: 1,000 commands reached-agent, lost at agent');
    expect(text).toContain('+ 988 more\n');
    expect(text.trimEnd().endsWith('5,000 commands: 4,000 delivered, 1,000 reached-agent')).toBe(true);
  });

  it('lists them all with --all, piece by piece', () => {
    let longest = 0;
    let rows = 0;
    for (const piece of verdictTable(verdict(lazy), { ...PLAIN, all: true })) {
      longest = Math.max(longest, piece.length);
      rows += piece.match(/^[✗✓] (reached-agent|delivered)/gm)?.length ?? 0;
    }
    expect(rows).toBe(5000);
    expect(longest).toBeLessThan(200_000);
  });

  it('lists only failures with --failed', () => {
    const text = shown(verdict(lazy), { failedOnly: true });
    expect(text).not.toContain('✓ delivered ');
    expect(text).toContain('✗ reached-agent');
  });
});

describe('what may not happen', () => {
  it('never shows two commands under one shortened ID', () => {
    const ids = Array.from(
      { length: 300 },
      (_, at) => `aaaaaaaaaaaaaaaa-${String(at * 7919).padStart(12, '0')}-bbbbbbbbbbbbbbbb`,
    );
    const text = shown(verdict(ids.map((id) => command(id, 'stalled', { lostAt: 'origin' }))));
    const cells = [...text.matchAll(/^✗ stalled +(\S+)/gm)].map((match) => match[1]);
    expect(cells).toHaveLength(200);
    expect(new Set(cells).size).toBe(200);
  });

  it('prints nothing of a capture that a terminal would act upon', () => {
    const evil = '\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u009b31m\nroot';
    const one = command(evil, 'reached-agent', { agent: evil, reason: evil, lostAt: 'agent' });
    one.attempts[0].hops[0].packets[0].file = evil;
    one.attempts[0].hops[1].reason = evil;
    const of = verdict([one], {
      hops: [
        hop('origin', { captures: [capture(evil, { reasons: [evil], trust: 'none' })] }),
        hop('nginx'),
        hop('npm'),
      ],
      connections: [connection('c1', evil)],
      findings: [
        {
          id: evil,
          severity: 'error',
          grade: 'measured',
          agents: [evil],
          connections: [],
          commands: [],
          summary: evil,
          evidence: [{ file: evil, packets: [1], text: evil }],
          next: evil,
        },
      ],
      hypotheses: [{ id: evil, agent: evil, status: 'open', because: evil }],
    });
    const text = shown(of, { width: 160 });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is looked for
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
    expect(text).toContain('\\x1b]0;owned');
  });

  it('is readable without colour, and colour adds only colour', () => {
    const coloured = shown(incident(), { colour: true });
    expect(coloured).toContain('\x1b[31m✗ reached-agent\x1b[39m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colour codes are what is taken away
    expect(coloured.replace(/\x1b\[\d+m/g, '')).toBe(shown(incident()));
  });

  it('keeps to ASCII where the terminal is not UTF-8', () => {
    const text = shown(verdict([ignored('müller-1')]), { unicode: false });
    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
    expect(text).toContain('x reached-agent  m\\xfcller-1');
  });

  it('does not fail on a verdict without commands', () => {
    expect(shown(verdict([]))).toContain('No commands: on 2 WebSocket connections no message was recognised as one');
    expect(shown(verdict([command('a', 'delivered')]), { failedOnly: true })).toContain('Every command was delivered.');
  });
});
