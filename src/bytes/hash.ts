/**
 * A 32-bit hash of octets, four at a time: cheap enough for every message. For tables and digests within one run; it is no checksum
 * and resists nobody. In: octets. Out: a signed 32-bit word whose low bits are as good as its high ones.
 */

/** Hash of `bytes[start..end)`, going on from `seed`: the hash of what stood before, or any word. */
export function hashOctets(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let h = Math.imul(seed ^ Math.imul(end - start, 0x9e3779b1), 0x85ebca6b);
  let p = start;
  for (const last = end - 3; p < last; p += 4) {
    const word = bytes[p] | (bytes[p + 1] << 8) | (bytes[p + 2] << 16) | (bytes[p + 3] << 24);
    h = Math.imul(h ^ word, 0x9e3779b1);
    h ^= h >>> 15;
  }
  for (; p < end; p++) h = Math.imul(h ^ bytes[p], 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return h ^ (h >>> 13);
}
