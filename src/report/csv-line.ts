/**
 * One line of CSV (RFC 4180, but with LF, which line tools expect). In: values. Out: csv.ts and the lists.
 * A spreadsheet runs a cell that starts like a formula, and IDs come from captures: such text gets an apostrophe.
 */
import { printable } from './printable.js';

export type CsvValue = string | number | boolean | null | undefined;

export function csvLine(values: CsvValue[]): string {
  return `${values.map(csvCell).join(',')}\n`;
}

function csvCell(value: CsvValue): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const safe = printable(value, true, 32_000);
  const guarded = /^\s*[=+\-@|%]/.test(safe) ? `'${safe}` : safe;
  return /[",;\s]|^$/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
