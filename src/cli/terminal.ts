/**
 * What is known of the terminal: width, colour, encoding. In: the process's face and --color/--no-color. Out: report options.
 */
import type { OutputStream, ProcessFace } from './process-face.js';

/** A file or a pipe has no width: wide enough for packet numbers, narrow enough for an incident report. */
const WIDTH_OF_FILES = 120;

export function terminalWidth(proc: ProcessFace, toFile: boolean): number {
  if (!toFile && proc.stdout.isTTY && (proc.stdout.columns ?? 0) > 0) return proc.stdout.columns ?? WIDTH_OF_FILES;
  const set = Number(proc.env['COLUMNS']);
  return Number.isInteger(set) && set >= 40 && set <= 1000 ? set : WIDTH_OF_FILES;
}

/** An option wins over the environment; NO_COLOR wins over FORCE_COLOR (no-color.org; force-color.org). */
export function colourWanted(
  stream: OutputStream,
  env: ProcessFace['env'],
  option: boolean | undefined,
  toFile: boolean,
): boolean {
  if (option !== undefined) return option;
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  const force = env['FORCE_COLOR'];
  if (force !== undefined) return force !== '0' && force !== 'false';
  return !toFile && stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** As the C library decides it: LC_ALL before LC_CTYPE before LANG. Nothing set at all is common in containers, which speak UTF-8. */
export function utf8(proc: ProcessFace): boolean {
  const { env } = proc;
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((one) => one !== undefined && one !== '');
  return locale === undefined || proc.platform === 'win32' || /utf-?8/i.test(locale);
}
