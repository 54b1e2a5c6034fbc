/**
 * Ctrl-C while standard input or a pipe is read: in `tcpdump -w - | lasthop verdict origin=-` it reaches both, and is meant for tcpdump, which ends and
 * leaves a whole capture. In: main, with what it was called with. Out: the first interrupt is survived, the second ends the program as ever.
 */
import { statSync } from 'node:fs';
import type { ProcessFace } from './process-face.js';
import type { Messages } from './progress.js';

/** Undoes what it did when called. */
export function bePatient(argv: readonly string[], proc: ProcessFace, messages: Messages): () => void {
  const readsPipe = argv.some((word) => word === '-' || /^[^-].*=-$/.test(word) || isNamedPipe(word));
  if (!readsPipe || proc.once === undefined || proc.removeListener === undefined) return () => {};
  const onInterrupt = () =>
    messages.line('interrupted: reading what is left in the pipe (again to stop without a result)');
  proc.once('SIGINT', onInterrupt);
  return () => proc.removeListener?.('SIGINT', onInterrupt);
}

/** `FILE` or `hop=FILE`. */
function isNamedPipe(word: string): boolean {
  return !word.startsWith('-') && [word, word.slice(word.indexOf('=') + 1)].some((file) => isFifo(file));
}

function isFifo(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false })?.isFIFO() ?? false;
  } catch {
    return false; // whoever reads it says what is wrong with it
  }
}
