import { expect, it } from 'vitest';
import { citation, citedPackets, count, duration, moment, packetNumbers, timeRange } from '../../src/report/figures.js';

it('writes counts', () => expect([0, 999, 1000, 1234567].map(count)).toEqual(['0', '999', '1,000', '1,234,567']));

it('writes durations with the digits that matter', () => {
  expect([0, 0.0404, 1.204, 23.42, 412.7, 1234, 12_412.7, 90_000, 600_000, 7.3e6].map(duration)).toEqual([
    '0 ms',
    '0.04 ms',
    '1.2 ms',
    '23.4 ms',
    '413 ms',
    '1.23 s',
    '12.4 s',
    '90 s',
    '10 min',
    '2 h',
  ]);
});

it('writes times in UTC, the day once', () => {
  expect(moment('2025-11-03T09:00:00.123456789Z')).toBe('2025-11-03 09:00:00.123');
  expect(timeRange('2025-11-03T09:00:00.1Z', '2025-11-03T10:00:00Z', '–')).toBe('2025-11-03 09:00:00.1 – 10:00:00 UTC');
  expect(timeRange('2025-11-03T09:00:00Z', '2025-11-04T10:00:00Z', '–')).toBe(
    '2025-11-03 09:00:00 – 2025-11-04 10:00:00 UTC',
  );
  expect(timeRange(null, null, '–')).toBe('no packets');
});

it('writes packet numbers as ranges, and bounds them', () => {
  expect(packetNumbers([411, 412, 413, 420])).toBe('411-413,420');
  expect(packetNumbers([1, 3, 5, 7, 9, 11])).toBe('1,3,5,7,+2');
  expect(citation([{ file: 'a', data: [411], tcpAck: [412] }], '→')).toBe('#411→412');
  expect(
    citation(
      [
        { file: 'a', data: [411], tcpAck: [] },
        { file: 'b', data: [1], tcpAck: [2] },
      ],
      '→',
    ),
  ).toBe('#411 +1 file');
  expect(citedPackets({ file: 'a', data: [], tcpAck: [7] })).toBe('TCP ACK in #7');
});
