/**
 * Times as the contract wants them: ISO 8601, UTC, with the capture's own digits. In: nanoseconds since an epoch in seconds.
 */

import { asStamped, type SetBack } from './steady-clock.js';

/** As the capture stamped it. */
export function stampOf(
  { resumed, epochSeconds, timeDigits }: { resumed: readonly SetBack[]; epochSeconds: number; timeDigits: 6 | 9 },
  timeNs: number,
  digits = timeDigits,
): string | null {
  return isoTime(resumed.length === 0 ? timeNs : asStamped(timeNs, resumed), epochSeconds, digits);
}

/** The last whole second that was asked for, as text: times come in clusters. */
let lastSecond = Number.NaN;
let lastText = '';

/** Null for NaN. `digits` is 6 or 9. */
export function isoTime(timeNs: number, epochSeconds: number, digits: 6 | 9): string | null {
  if (!Number.isFinite(timeNs)) return null;
  const seconds = Math.floor(timeNs / 1e9);
  const nanoseconds = Math.round(timeNs - seconds * 1e9);
  if (epochSeconds + seconds !== lastSecond) {
    const date = new Date((epochSeconds + seconds) * 1000);
    if (Number.isNaN(date.getTime())) return null;
    lastSecond = epochSeconds + seconds;
    lastText = date.toISOString().slice(0, 19);
  }
  // Decades from the epoch (a clock that began in 1970) a number does not hold every nanosecond: it is a little off either way.
  const whole = Math.abs(timeNs) > Number.MAX_SAFE_INTEGER ? Math.round : Math.floor;
  const fraction = digits === 9 ? nanoseconds : Math.min(whole(nanoseconds / 1000), 999_999);
  return `${lastText}.${String(fraction).padStart(digits, '0')}Z`;
}
