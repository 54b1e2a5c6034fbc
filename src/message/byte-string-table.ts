/**
 * Interns short octet strings (message types, IDs) without making JavaScript strings: one arena, one hash table of numbers.
 * In: hop/ with views into payloads. Out: small integers; text only when asked. Memory: the octets plus about 24 per entry.
 */

import { hashOctets } from '../bytes/hash.js';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class ByteStringTable {
  private arena = new Uint8Array(4096);
  private used = 0;
  private slots = new Int32Array(512);
  /** Hash and start in the arena by turns: a look-up then touches few lines of memory. */
  private places = new Int32Array(512);
  count = 0;

  intern(bytes: Uint8Array, start: number, end: number): number {
    return this.internHashed(bytes, start, end, hashOctets(bytes, start, end, 0));
  }

  private internHashed(bytes: Uint8Array, start: number, end: number, h: number): number {
    let mask = this.slots.length - 1;
    let at = h & mask;
    for (;;) {
      const slot = this.slots[at];
      if (slot === 0) break;
      if (this.places[2 * slot - 2] === h && this.equals(slot - 1, bytes, start, end)) return slot - 1;
      at = (at + 1) & mask;
    }
    if ((this.count + 1) * 2 > this.slots.length) {
      this.enlarge();
      mask = this.slots.length - 1;
      at = h & mask;
      while (this.slots[at] !== 0) at = (at + 1) & mask;
    }
    this.append(bytes, start, end, h);
    this.slots[at] = this.count;
    return this.count - 1;
  }

  /** The number here of a string of another table. */
  internFrom(other: ByteStringTable, index: number): number {
    return this.internHashed(other.arena, other.startOf(index), other.endOf(index), other.hashOf(index));
  }

  internText(text: string): number {
    const bytes = new TextEncoder().encode(text);
    return this.intern(bytes, 0, bytes.length);
  }

  /** 32 bits of the octets, the same in every table. */
  hashOf(index: number): number {
    return this.places[2 * index];
  }

  text(index: number): string {
    return decoder.decode(this.arena.subarray(this.startOf(index), this.endOf(index)));
  }

  private endOf(index: number): number {
    return index + 1 < this.count ? this.places[2 * index + 3] : this.used;
  }

  private startOf(index: number): number {
    return this.places[2 * index + 1];
  }

  private equals(index: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.startOf(index);
    const length = end - start;
    if (this.endOf(index) - from !== length) return false;
    for (let i = 0; i < length; i++) if (this.arena[from + i] !== bytes[start + i]) return false;
    return true;
  }

  private append(bytes: Uint8Array, start: number, end: number, h: number): void {
    const length = end - start;
    if (this.used + length > this.arena.length) {
      const arena = new Uint8Array(Math.max(this.arena.length * 2, this.used + length));
      arena.set(this.arena);
      this.arena = arena;
    }
    if (2 * this.count === this.places.length) {
      const places = new Int32Array(4 * this.count);
      places.set(this.places);
      this.places = places;
    }
    for (let i = 0; i < length; i++) this.arena[this.used + i] = bytes[start + i];
    this.places[2 * this.count] = h;
    this.places[2 * this.count + 1] = this.used;
    this.used += length;
    this.count++;
  }

  private enlarge(): void {
    this.slots = new Int32Array(this.slots.length * 2);
    const mask = this.slots.length - 1;
    for (let i = 0; i < this.count; i++) {
      let at = this.places[2 * i] & mask;
      while (this.slots[at] !== 0) at = (at + 1) & mask;
      this.slots[at] = i + 1;
    }
  }
}
