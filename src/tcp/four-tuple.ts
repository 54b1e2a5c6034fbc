/** Addresses and ports of a connection as a hash: alike for both directions. In: connection-table.ts, past-connections.ts. */

/** Symmetrical by what it is given: the exclusive or of the addresses' words, and of the ports, and the ports' sum. */
export function hash(w0: number, w1: number, w2: number, w3: number, portsXor: number, portsSum: number): number {
  let h = Math.imul(w0 ^ Math.imul(w1, 0x9e3779b1) ^ Math.imul(w2, 0x85ebca6b), 0xc2b2ae35) ^ w3;
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ portsXor ^ (portsSum << 13), 0x297a2d39);
  return h ^ (h >>> 16);
}

export function hashOf(a: Int32Array, b: Int32Array, portA: number, portB: number): number {
  return hash(a[0] ^ b[0], a[1] ^ b[1], a[2] ^ b[2], a[3] ^ b[3], portA ^ portB, portA + portB);
}
