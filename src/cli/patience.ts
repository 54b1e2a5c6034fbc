/**
 * Ctrl-C while standard input is read: in `tcpdump -w - | lasthop verdict origin=-` it reaches both, and is meant for tcpdump, which ends and
 * leaves a whole capture. In: main, with what it was called with. Out: the first interrupt is survived, the second ends the program as ever.
 */
import type { ProcessFace } from './process-face.js';
import type { Messages } from './progress.js';

/** Undoes what it did when called. */
export function bePatient(argv: readonly string[], proc: ProcessFace, messages: Messages): () => void {
  const readsStandardInput = argv.some((word) => word === '-' || /^[^-].*=-$/.test(word));
  if (!readsStandardInput || proc.once === undefined || proc.removeListener === undefined) return () => {};
  const onInterrupt = () =>
    messages.line('interrupted: reading what is left on standard input (again to stop without a result)');
  proc.once('SIGINT', onInterrupt);
  return () => proc.removeListener?.('SIGINT', onInterrupt);
}
