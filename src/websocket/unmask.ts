/**
 * Client-to-server unmasking, word by word into another buffer: capture buffers are evidence and are never written into.
 * In: masked payload octets. Out: plain ones. RFC 6455 section 5.3.
 */

/** A DataView costs more than the octets of a short message: the last two are kept. Asking an array for its buffer costs as much. */
class CachedView {
  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(this.bytes.buffer);
  private otherBytes = this.bytes;
  private other = this.view;

  /** Frames come from the read buffer and from the one in which those that span packets are put together, by turns. */
  of(bytes: Uint8Array): DataView {
    if (this.bytes === bytes) return this.view;
    const { bytes: lastBytes, view: lastView } = this;
    this.view = this.otherBytes === bytes ? this.other : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.bytes = bytes;
    this.otherBytes = lastBytes;
    this.other = lastView;
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
  let from = start;
  let to = at;
  const words = (end - start) >> 2;
  for (let i = 0; i < words; i++, from += 4, to += 4) target.setInt32(to, source.getInt32(from, true) ^ turned, true);
  for (let p = start + (words << 2), i = 0; p < end; p++, i += 8) into[at + p - start] = bytes[p] ^ (turned >>> i);
}
