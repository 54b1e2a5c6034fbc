/** CSV, Markdown, HTML and JUnit: what they say, and that hostile captures cannot break out of them. */
import { describe, expect, it } from 'vitest';
import type { Finding, Verdict } from '../../src/delivery/verdict.js';
import { renderVerdict, VERDICT_FORMATS, type VerdictFormat } from '../../src/report/render.js';
import { command, connection, ignored, incident, verdict } from './verdicts.js';

async function text(format: VerdictFormat, of: Verdict, failedOnly = false): Promise<string> {
  const options = { width: 100, colour: false, unicode: true, all: false, failedOnly };
  return [...(await renderVerdict(format, of, options))].join('');
}

const EVIL = "</td><script>alert(1)</script>|`x`\n\"=cmd|'/c calc'!A1\x1b[2J";

function hostile(): Verdict {
  const one = command(EVIL, 'reached-agent', { agent: EVIL, reason: EVIL, lostAt: 'agent' });
  one.attempts[0].hops[0].packets[0].file = EVIL;
  return verdict([one], { connections: [connection('c1', EVIL)] });
}

it.each(VERDICT_FORMATS)('%s holds no control character but the line feed', async (format) => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is looked for
  expect(await text(format, hostile())).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
});

it.each(VERDICT_FORMATS)('%s leaves out what was delivered, if asked', async (format) => {
  const shown = await text(format, verdict([command('fine-1', 'delivered'), ignored('bad-1')]), true);
  expect(shown).toContain('bad-1');
  expect(shown).not.toContain('fine-1');
});

it.each(['table', 'markdown', 'html'] as const)('%s tells errors first, causes before consequences', async (format) => {
  const finding = (id: string, severity: Finding['severity']): Finding => {
    const none = { agents: [], connections: [], commands: [], evidence: [] };
    return { id, severity, grade: 'measured', summary: `summary of ${id}`, next: '', ...none };
  };
  const findings = [
    finding('one', 'info'),
    finding('two', 'error'),
    finding('three', 'warning'),
    finding('four', 'error'),
  ];
  const shown = await text(format, verdict([command('c-1', 'delivered')], { findings }));
  expect([...shown.matchAll(/summary of (\w+)/g)].map(([, id]) => id)).toEqual(['two', 'four', 'three', 'one']);
});

describe('CSV', () => {
  it('has one row for each attempt, and one for a command that was never sent', async () => {
    const never = command('c-2', 'never-sent', { attempts: [], lostAt: 'origin' });
    const lines = (await text('csv', verdict([ignored('c-1', 'A', 3), never]))).trimEnd().split('\n');
    expect(lines).toHaveLength(5);
    const heads = lines[0].split(',');
    expect(heads.slice(0, 4)).toEqual(['command', 'agent', 'outcome', 'lostAt']);
    expect(heads).toContain('nginx.tcpAckDelayMs');
    expect(lines[4].startsWith('c-2,HV-01,never-sent,origin,npm,')).toBe(true);
    expect(lines[4].split(',')).toHaveLength(heads.length);
  });

  it.each(['=1+1', '+1', '-2+3', '@SUM(A1)', '|calc', ' =1'])('does not let %j be a formula', async (id) => {
    const row = (await text('csv', verdict([command(id, 'delivered')]))).split('\n')[1];
    expect(row.replace(/^"/, '').startsWith("'")).toBe(true);
  });

  it('quotes what needs it', async () => {
    expect(await text('csv', verdict([command('a,"b"', 'delivered')]))).toContain('"a,""b""",HV-01,');
  });
});

describe('Markdown', () => {
  it('is a report: answer, captures, meaning with proof, failures, what was delivered', async () => {
    const shown = await text('markdown', incident());
    expect(shown).toContain('**5 commands: 2 delivered, 2 reached-agent, 1 inconclusive**');
    expect(shown.match(/^##? .*/gm)).toEqual([
      ...['# Delivery of commands', '## Captures', '## Proof'],
      ...['## Not delivered (2)', '## Inconclusive (1)', '## Delivered (2)'],
    ]);
    expect(shown).toContain(
      '| nginx | TCP-ACKed | 2025-11-03T09:00:00.123456Z | 0.113 ms | 0 | `nginx.pcap` packet 822, TCP ACK in 823 |',
    );
    expect(shown).toContain('- Pings on c7: 12 sent, 12 TCP-ACKed, 12 answered (median 24.1 ms)');
  });

  it('keeps every row of a table whole', async () => {
    const shown = await text('markdown', hostile());
    const row = shown.split('\n').find((line) => line.includes('reached-agent | at agent'));
    expect(row?.replaceAll('\\|', '').match(/\|/g)).toHaveLength(10);
    expect(shown).not.toMatch(/(?<!\\)<script/);
  });
});

describe('HTML', () => {
  it('is one file that loads nothing and runs nothing', async () => {
    const shown = await text('html', incident());
    expect(shown.startsWith('<!doctype html>')).toBe(true);
    expect(shown).toContain("default-src 'none'");
    expect(shown).not.toMatch(/<script|<link|<img|\bsrc=|https?:|url\(/);
    expect(shown.indexOf('Not delivered (2)')).toBeLessThan(shown.indexOf('Delivered (2)'));
  });

  it.each([incident(), hostile()])('closes every element that it opens', async (of) => {
    const open: string[] = [];
    for (const [, end, name] of (await text('html', of)).matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
      if (['meta', 'br'].includes(name)) continue;
      if (end === '') open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });
});

describe('JUnit', () => {
  it('has a case for each command; not delivered fails, inconclusive is an error', async () => {
    const shown = await text('junit', incident());
    expect(shown).toContain('<testsuites name="lasthop" tests="5" failures="2" errors="1">');
    expect(shown.match(/<testcase /g)).toHaveLength(5);
    expect(shown.match(/<failure type="reached-agent"/g)).toHaveLength(2);
    expect(shown.match(/<error type="inconclusive"/g)).toHaveLength(1);
    expect(shown).toContain(
      '<testcase classname="HV-01" name="0192f3a1-7c3e-7bd1-8f00-5d1b3c2a9e01" time="0.041200"/>',
    );
  });

  it('escapes', async () => {
    const shown = await text('junit', hostile());
    expect(shown).not.toContain('<script');
    expect(shown).toContain('&lt;script&gt;');
  });
});
