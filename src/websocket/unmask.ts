/**
 * Client-to-server unmasking, word by word into another buffer: capture buffers are evidence and are never written into.
 * In: masked payload octets. Out: plain ones. RFC 6455 section 5.3.
 */

/** A DataView costs more than the octets of a short message: the last two are kept. */
class CachedView {
  private view: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));
  private other: DataView<ArrayBufferLike> = this.view;

  /** Frames come from the read buffer and from the one in which those that span packets are put together, by turns. */
  of(bytes: Uint8Array): DataView<ArrayBufferLike> {
    if (this.view.buffer === bytes.buffer) return this.view;
    const { other } = this;
    this.other = this.view;
    this.view = other.buffer === bytes.buffer ? other : new DataView(bytes.buffer);
    return this.view;
  }
}

const sources = new CachedView();
const targets = new CachedView();

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
  const source = sources.of(bytes);
  const target = targets.of(into);
  let from = bytes.byteOffset + start;
  let to = into.byteOffset + at;
  const words = (end - start) >> 2;
  for (let i = 0; i < words; i++, from += 4, to += 4) target.setInt32(to, source.getInt32(from, true) ^ turned, true);
  for (let p = start + (words << 2), i = 0; p < end; p++, i += 8) into[at + p - start] = bytes[p] ^ (turned >>> i);
}
