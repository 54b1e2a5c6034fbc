import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unmask } from '../../src/websocket/unmask.js';
import { hex, noise, octets } from '../support/octets.js';

/** RFC 6455 section 5.3, as it is written there. */
function naive(masked: Uint8Array, key: Uint8Array, phase: number): Uint8Array {
  return masked.map((octet, i) => octet ^ key[(phase + i) % 4]);
}

const number = (key: Uint8Array) => key[0] | (key[1] << 8) | (key[2] << 16) | (key[3] << 24);

describe('unmask', () => {
  it('reads the masked "Hello" of RFC 6455 section 5.7', () => {
    const key = hex('37 fa 21 3d');
    const into = new Uint8Array(5);
    unmask(hex('7f 9f 4d 51 58'), 0, 5, number(key), 0, into, 0);
    expect(into).toEqual(octets('Hello'));
  });

  it('is what the RFC’s loop makes, at every alignment, phase and length', () => {
    const key = hex('81 02 f3 7e');
    const source = noise(64);
    for (let start = 0; start < 8; start++)
      for (let length = 0; length <= 17; length++)
        for (let phase = 0; phase < 8; phase++)
          for (let at = 0; at < 4; at++) {
            const into = new Uint8Array(40).fill(0xee);
            unmask(source, start, start + length, number(key), phase, into, at);
            expect(into.subarray(at, at + length)).toEqual(naive(source.slice(start, start + length), key, phase));
            expect(into.subarray(at + length)).toEqual(new Uint8Array(40 - at - length).fill(0xee));
            expect(into.subarray(0, at)).toEqual(new Uint8Array(at).fill(0xee));
          }
  });

  it('is that in any buffer, and leaves the masked octets as they are', () => {
    const key = fc.uint8Array({ minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), key, fc.nat(9), fc.nat(5), (masked, octetsOfKey, phase, lead) => {
        const parent = new Uint8Array(masked.length + lead + 3);
        const view = parent.subarray(lead);
        view.set(masked, 1);
        const before = parent.slice();
        const into = new Uint8Array(masked.length);
        unmask(view, 1, 1 + masked.length, number(octetsOfKey), phase, into, 0);
        expect(into).toEqual(naive(masked, octetsOfKey, phase));
        expect(parent).toEqual(before);
      }),
    );
  });

  it('reads a message in pieces', () => {
    const key = hex('01 80 ff 10');
    const plain = octets('a longer message, cut into pieces of every size');
    const masked = naive(plain, key, 0);
    for (let size = 1; size < 12; size++) {
      const into = new Uint8Array(plain.length);
      for (let at = 0; at < masked.length; at += size)
        unmask(masked, at, Math.min(masked.length, at + size), number(key), at, into, at);
      expect(into).toEqual(plain);
    }
  });
});
