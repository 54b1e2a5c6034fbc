/** JSON and NDJSON: valid, in the contract's order, and made piece by piece. */
import { describe, expect, it } from 'vitest';
import type { CommandVerdict } from '../../src/delivery/verdict.js';
import { verdictJson, verdictNdjson } from '../../src/report/json.js';
import { command, incident, verdict } from './verdicts.js';

const ALL = { failedOnly: false };

describe('verdict JSON', () => {
  const text = [...verdictJson(incident(), ALL)].join('');
  const read = JSON.parse(text);

  it('has the fields of lasthop/verdict@1 in their order', () => {
    expect(Object.keys(read)).toEqual([
      'schema',
      'generator',
      'hops',
      'connections',
      'commands',
      'findings',
      'hypotheses',
      'summary',
    ]);
    const [first] = read.commands;
    expect(Object.keys(first).slice(0, 9)).toEqual([
      'id',
      'agent',
      'outcome',
      'lastHop',
      'lostAt',
      'grade',
      'late',
      'reason',
      'attempts',
    ]);
    const state = first.attempts[0].hops[0];
    expect(Object.keys(state)).toEqual([
      ...[
        'hop',
        'state',
        'grade',
        'reason',
        'sentAt',
        'tcpAckedAt',
        'tcpAckDelayMs',
        'bytes',
        'retransmissions',
        'packets',
      ],
    ]);
    expect(state.packets).toEqual([{ file: 'origin.pcap', data: [411], tcpAck: [412] }]);
    expect(Object.keys(read.connections[0])).toEqual(['id', 'agent', 'legs', 'pings', 'messages']);
    expect(Object.keys(read.hops[0].captures[0]).slice(0, 8)).toEqual([
      ...['file', 'format', 'linkTypes', 'packets', 'firstAt', 'lastAt', 'trust', 'reasons'],
    ]);
  });

  it('says the same as the verdict', () => {
    const of = incident();
    expect(read).toEqual(JSON.parse(JSON.stringify({ ...of, commands: [...of.commands] })));
  });

  it('puts each command on a line of its own, for grep and diff', () => {
    const lines = text.split('\n').filter((line) => line.includes('"attempts":['));
    expect(lines).toHaveLength(5);
    expect(JSON.parse(lines[1].replace(/,$/, '')).id).toBe('0192f3a1-9d40-7aa2-b1c4-77e0d2f4aa10');
  });

  it('lists in order of time, and only what failed if asked', () => {
    expect(read.commands.map((one: CommandVerdict) => one.outcome)[0]).toBe('delivered');
    const failed = JSON.parse([...verdictJson(incident(), { failedOnly: true })].join(''));
    expect(failed.commands.map((one: CommandVerdict) => one.outcome)).toEqual([
      'reached-agent',
      'reached-agent',
      'inconclusive',
    ]);
    expect(failed.summary.commands).toBe(5);
  });

  it('lets no field through that the contract does not name', () => {
    const leaky = { ...command('a', 'delivered'), payload: 'secret' };
    expect([...verdictJson(verdict([leaky]), ALL)].join('')).not.toContain('secret');
  });

  it('is safe to look at in a terminal, and means the same', () => {
    const id = 'a\u009b2J\u202e\x7f\u2028"\n';
    const hostile = [...verdictJson(verdict([command(id, 'delivered')]), ALL)].join('');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is looked for
    expect(hostile).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028]/);
    expect(JSON.parse(hostile).commands[0].id).toBe(id);
  });

  it('is valid without commands', () => {
    expect(JSON.parse([...verdictJson(verdict([]), ALL)].join('')).commands).toEqual([]);
  });
});

describe('many commands', () => {
  const total = 100_000;
  const lazy: Iterable<CommandVerdict> = {
    *[Symbol.iterator]() {
      for (let at = 0; at < total; at += 1) yield command(`cmd-${at}`, at % 100 === 0 ? 'stalled' : 'delivered');
    },
  };

  it('are written one after another in bounded memory', () => {
    const of = verdict(lazy);
    let longest = 0;
    let pieces = 0;
    let most = 0;
    const before = process.memoryUsage().heapUsed;
    for (const piece of verdictJson(of, ALL)) {
      longest = Math.max(longest, piece.length);
      pieces += 1;
      if (pieces % 5000 === 0) most = Math.max(most, process.memoryUsage().heapUsed - before);
    }
    expect(pieces).toBeGreaterThan(total);
    expect(longest).toBeLessThan(10_000);
    // The document is about 200 MB: holding it, or the commands, would show.
    expect(most).toBeLessThan(120 * 1024 * 1024);
  }, 60_000);

  it('are one JSON value a line in NDJSON', () => {
    const lines = [
      ...verdictNdjson(verdict(Array.from({ length: 100 }, (_, at) => command(`c-${at}`, 'delivered'))), ALL),
    ];
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(Array.from({ length: 100 }, (_, at) => `c-${at}`));
    expect(lines.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1)).toBe(true);
  });
});
