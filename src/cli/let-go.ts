/**
 * What a hop's connections were read with is garbage once the hop is read: by the ten thousand they are most of the memory, and V8 would let
 * it grow to twice as much before it looks. In: delivery/ says when a hop was read. Out: memory, where there is much to be had.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Below it is not worth the time, which grows with what lives. */
const WORTH_COLLECTING_OCTETS = 96 << 20;

export function letGo(): void {
  if (getHeapStatistics().used_heap_size < WORTH_COLLECTING_OCTETS) return;
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
}
