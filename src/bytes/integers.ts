/**
 * Integers at offsets of an octet array, for code that reads a few fields and has no DataView at hand. Callers have
 * checked the length. Network byte order (RFC 1700) unless the name says otherwise.
 */

export function uint16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] << 8) | bytes[offset + 1];
}

export function uint32(bytes: Uint8Array, offset: number): number {
  return int32(bytes, offset) >>> 0;
}

/** Signed: stays a small integer on the hot path and is all that comparing and hashing need. */
export function int32(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3];
}

export function uint32LittleEndian(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset + 3] << 24) | (bytes[offset + 2] << 16) | (bytes[offset + 1] << 8) | bytes[offset]) >>> 0;
}

export function uint16LittleEndian(bytes: Uint8Array, offset: number): number {
  return (bytes[offset + 1] << 8) | bytes[offset];
}
