/**
 * A 32-bit hash of octets, four at a time: cheap enough for every message. For tables and digests within one run; it is no checksum
 * and resists nobody. In: octets. Out: a signed 32-bit word whose low bits are as good as its high ones.
 */

/** Hash of `bytes[start..end)`, going on from `seed`: the hash of what stood before, or any word. */
export function hashOctets(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let h = hashStart(seed, end - start);
  let p = start;
  for (; p <= end - 4; p += 4) h = hashWord(h, wordAt(bytes, p));
  if (p < end) h = hashWord(h, lastWord(bytes, p, end));
  return hashEnd(h);
}

/** The parts of it, for whoever has the words at hand anyway. */
export function hashStart(seed: number, lengthOctets: number): number {
  return Math.imul(seed ^ Math.imul(lengthOctets, 0x9e3779b1), 0x85ebca6b);
}

export function hashWord(h: number, word: number): number {
  const mixed = Math.imul(h ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

export function hashEnd(h: number): number {
  const mixed = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}

/** Four octets, the first one lowest. */
export function wordAt(bytes: Uint8Array, p: number): number {
  return bytes[p] | (bytes[p + 1] << 8) | (bytes[p + 2] << 16) | (bytes[p + 3] << 24);
}

/** The one to three octets that are left over, with zeros behind them. */
export function lastWord(bytes: Uint8Array, p: number, end: number): number {
  let word = 0;
  for (let shift = 0; p < end; p++, shift += 8) word |= bytes[p] << shift;
  return word;
}
