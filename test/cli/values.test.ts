import { describe, expect, it } from 'vitest';
import { durationMs, momentMs } from '../../src/cli/values.js';

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['10', 10_000],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1h', 3_600_000],
  ])('%s', (text, ms) => expect(durationMs(text, '--x')).toBe(ms));

  it.each(['', '0', '-1s', '10x', '1e3', 'NaN', '99999h', '10 000'])('not %j', (text) => {
    expect(() => durationMs(text, '--x')).toThrow('--x');
  });
});

describe('moments', () => {
  it.each([
    ['2025-11-03', '2025-11-03T00:00:00Z'],
    ['2025-11-03T09:00', '2025-11-03T09:00:00Z'],
    ['2025-11-03 09:00:00.25', '2025-11-03T09:00:00.250Z'],
    ['2025-11-03T09:00:00Z', '2025-11-03T09:00:00Z'],
    ['2025-11-03T09:00:00+0200', '2025-11-03T07:00:00Z'],
    ['2025-11-03T09:00:00.123456789-03:30', '2025-11-03T12:30:00.123Z'],
  ])('%s', (text, same) => expect(momentMs(text, '--x')).toBe(Date.parse(same)));

  it.each(['', 'now', '10s', '2025-13-01', '2025-11-03T25:00:00Z', '03.11.2025', '1762160400'])('not %j', (text) => {
    expect(() => momentMs(text, '--x')).toThrow('--x');
  });
});
