/**
 * Values of options: durations, moments, numbers. In: text from argv or a configuration file. Out: numbers for the engine.
 */
import { UsageError } from '../evidence/usage-error.js';

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, '': 1000 };
const LONGEST_MS = 7 * 24 * 3_600_000;

/** `500ms`, `10s`, `2m`, `1h`; a bare number is seconds. */
export function durationMs(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?) ?(ms|s|m|min|h|)$/.exec(text.trim());
  const ms = match ? Number(match[1]) * UNIT_MS[match[2]] : Number.NaN;
  if (!(ms > 0)) throw new UsageError(`${option} '${text}': expected a duration such as 500ms, 10s or 2m`);
  if (ms > LONGEST_MS) throw new UsageError(`${option} '${text}': longer than 7 days`);
  return ms;
}

const ISO = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

/** ISO 8601, UTC unless it names an offset: captures of several hosts are compared, so local time would mislead. */
export function momentMs(text: string, option: string): number {
  const trimmed = text.trim();
  if (ISO.test(trimmed)) {
    const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(trimmed.slice(10));
    const iso = trimmed.replace(' ', 'T').replace(/([+-]\d\d)(\d\d)$/, '$1:$2');
    const ms = Date.parse(trimmed.length === 10 || zoned ? iso : `${iso}Z`);
    if (Number.isFinite(ms)) return ms;
  }
  throw new UsageError(
    `${option} '${text}': expected a time such as 2025-11-03T09:00:00Z (UTC unless it names an offset)`,
  );
}

export function wholeNumber(text: string, option: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${option} '${text}': expected a whole number from ${least} to ${most}`);
}
