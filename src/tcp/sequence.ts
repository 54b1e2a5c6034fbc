/**
 * Sequence number arithmetic: its one home (RFC 9293, section 3.4). In: tcp/. Out: signed distances.
 */

/** How far `a` lies after `b` modulo 2^32, from -2^31 to 2^31 - 1. */
export function distance(a: number, b: number): number {
  return (a - b) | 0;
}
