/**
 * Interns short octet strings (message types, IDs) without making JavaScript strings: one arena, one hash table of numbers.
 * In: hop/ with views into payloads. Out: small integers; text only when asked. Memory: the octets plus about 24 per entry.
 *
 * Strings are read, compared and kept as words of four octets, the last one filled up with zeros: an ID is as quickly found as it is hashed.
 */

import { copied } from '../bytes/columns.js';
import { hashEnd, hashStart, hashWord, lastWord, wordAt } from '../bytes/hash.js';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** What is kept of each string: hash, first word in the arena, octets. */
const HASH = 0;
const START = 1;
const LENGTH = 2;
const WIDTH = 3;

const RECENT = 2048;

export class ByteStringTable {
  private arena = new Int32Array(1024);
  private used = 0;
  private places = new Int32Array(256 * WIDTH);
  /** Number of the string plus one, and its hash, by turns: most others are told apart without looking elsewhere. */
  private slots = new Int32Array(1024);
  /** By the hash's low bits, the last one asked for: what answers a command names the ID that was just sent. */
  private readonly recent = new Int32Array(RECENT);
  /** The string at hand. */
  private words = new Int32Array(64);
  count = 0;

  intern(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length > this.words.length * 4) this.words = new Int32Array(length);
    const { words } = this;
    let h = hashStart(0, length);
    let n = 0;
    let p = start;
    for (; p <= end - 4; p += 4) {
      const word = wordAt(bytes, p);
      words[n++] = word;
      h = hashWord(h, word);
    }
    if (p < end) {
      words[n] = lastWord(bytes, p, end);
      h = hashWord(h, words[n++]);
    }
    return this.find(words, 0, length, hashEnd(h));
  }

  /** The number here of a string of another table. */
  internFrom(other: ByteStringTable, index: number): number {
    const { places } = other;
    const at = index * WIDTH;
    return this.find(other.arena, places[at + START], places[at + LENGTH], places[at + HASH]);
  }

  internText(text: string): number {
    const bytes = new TextEncoder().encode(text);
    return this.intern(bytes, 0, bytes.length);
  }

  /** 32 bits of the octets, the same in every table. */
  hashOf(index: number): number {
    return this.places[index * WIDTH + HASH];
  }

  text(index: number): string {
    const { arena, places } = this;
    const from = arena.byteOffset + places[index * WIDTH + START] * 4;
    return decoder.decode(new Uint8Array(arena.buffer, from, places[index * WIDTH + LENGTH]));
  }

  /** Number of the string of `length` octets that stands in `words` from `from` on; a new one where there was none. */
  private find(words: Int32Array, from: number, length: number, h: number): number {
    const { recent } = this;
    const lately = h & (RECENT - 1);
    const last = recent[lately] - 1;
    if (last >= 0 && this.hashOf(last) === h && this.equals(last, words, from, length)) return last;
    const index = this.search(words, from, length, h);
    recent[lately] = index + 1;
    return index;
  }

  private search(words: Int32Array, from: number, length: number, h: number): number {
    let { slots } = this;
    let mask = slots.length - 2;
    let at = (h << 1) & mask;
    for (;;) {
      const slot = slots[at];
      if (slot === 0) break;
      if (slots[at + 1] === h && this.equals(slot - 1, words, from, length)) return slot - 1;
      at = (at + 2) & mask;
    }
    if ((this.count + 1) * 4 > slots.length) {
      slots = this.enlarge();
      mask = slots.length - 2;
      at = (h << 1) & mask;
      while (slots[at] !== 0) at = (at + 2) & mask;
    }
    this.append(words, from, length, h);
    slots[at] = this.count;
    slots[at + 1] = h;
    return this.count - 1;
  }

  private equals(index: number, words: Int32Array, from: number, length: number): boolean {
    const { arena, places } = this;
    if (places[index * WIDTH + LENGTH] !== length) return false;
    const start = places[index * WIDTH + START];
    const count = (length + 3) >> 2;
    for (let i = 0; i < count; i++) if (arena[start + i] !== words[from + i]) return false;
    return true;
  }

  private append(words: Int32Array, from: number, length: number, h: number): void {
    const count = (length + 3) >> 2;
    if (this.used + count > this.arena.length)
      this.arena = copied(this.arena, new Int32Array(Math.max(this.arena.length * 2, this.used + count)));
    if (this.count * WIDTH === this.places.length)
      this.places = copied(this.places, new Int32Array(this.places.length * 2));
    const { arena, used } = this;
    for (let i = 0; i < count; i++) arena[used + i] = words[from + i];
    const at = this.count++ * WIDTH;
    this.places[at + HASH] = h;
    this.places[at + START] = used;
    this.places[at + LENGTH] = length;
    this.used += count;
  }

  private enlarge(): Int32Array<ArrayBuffer> {
    const slots = new Int32Array(this.slots.length * 2);
    const mask = slots.length - 2;
    for (let i = 0; i < this.count; i++) {
      const h = this.places[i * WIDTH + HASH];
      let at = (h << 1) & mask;
      while (slots[at] !== 0) at = (at + 2) & mask;
      slots[at] = i + 1;
      slots[at + 1] = h;
    }
    this.slots = slots;
    return slots;
  }
}
