/**
 * Client-to-server unmasking, word by word into another buffer: capture buffers are evidence and are never written into.
 * In: masked payload octets. Out: plain ones. RFC 6455 section 5.3.
 */

let viewed: ArrayBufferLike | null = null;
let view: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));

/**
 * Copies `bytes[start..end)` to `into[at..]` and removes the mask. `phase` is the position of the first octet within the
 * frame's payload: the key repeats every four octets.
 */
export function unmask(
  bytes: Uint8Array,
  start: number,
  end: number,
  key: number,
  phase: number,
  into: Uint8Array,
  at: number,
): void {
  const turn = (phase & 3) << 3;
  const turned = turn === 0 ? key : (key >>> turn) | (key << (32 - turn));
  if (bytes.buffer !== viewed) {
    viewed = bytes.buffer;
    view = new DataView(viewed);
  }
  const base = bytes.byteOffset;
  let p = start;
  for (const last = end - 3; p < last; p += 4, at += 4) {
    const word = view.getInt32(base + p, true) ^ turned;
    into[at] = word;
    into[at + 1] = word >>> 8;
    into[at + 2] = word >>> 16;
    into[at + 3] = word >>> 24;
  }
  for (let i = 0; p < end; p++, i += 8) into[at++] = bytes[p] ^ (turned >>> i);
}
