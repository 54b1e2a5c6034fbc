/** Octets for tests: from text and hexadecimal, put together, and cut into pieces in every way. */

export const octets = (text: string): Uint8Array => new TextEncoder().encode(text);

/** `f2 48 cd` or `0xf2 0x48`, as RFCs print them. */
export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/0x|\s/g, ''), 'hex'));

export const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

/** The pieces that the lengths make, repeated until nothing is left. */
export function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = Math.max(1, lengths[turn % lengths.length]);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

/** The same octets in the middle of a larger buffer, whose other octets would show if they were read. */
export function embedded(bytes: Uint8Array, lead: number): { bytes: Uint8Array; start: number; end: number } {
  const buffer = new Uint8Array(lead + bytes.length + 9).fill(0xee);
  buffer.set(bytes, lead);
  return { bytes: buffer, start: lead, end: lead + bytes.length };
}

/** Repeatable octets that look like nothing. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state >>> 11;
  }
  return bytes;
}
