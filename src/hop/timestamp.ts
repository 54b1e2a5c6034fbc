/**
 * Times as the contract wants them: ISO 8601, UTC, with the capture's own digits. In: nanoseconds since an epoch in seconds.
 */

/** Null for NaN. `digits` is 6 or 9. */
export function isoTime(timeNs: number, epochSeconds: number, digits: 6 | 9): string | null {
  if (!Number.isFinite(timeNs)) return null;
  const seconds = Math.floor(timeNs / 1e9);
  const nanoseconds = Math.round(timeNs - seconds * 1e9);
  const date = new Date((epochSeconds + seconds) * 1000);
  if (Number.isNaN(date.getTime())) return null;
  const fraction = String(nanoseconds).padStart(9, '0').slice(0, digits);
  return `${date.toISOString().slice(0, 19)}.${fraction}Z`;
}
