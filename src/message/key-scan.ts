/**
 * Finds type and command ID in a JSON message by a depth-aware scan over its octets: no JSON.parse, no strings, nothing allocated.
 * In: hop/ with an unmasked payload. Out: positions in the same octets, in one reused struct. RFC 8259.
 * It reads objects down to the third level; what lies in arrays or deeper is skipped over. It never throws:
 * on octets that are no JSON it says how far it came.
 */

import { hashOctets } from '../bytes/hash.js';

/** What a key means; a code's number is its place in the preference where several are found. */
const Key = { none: 0, type: 1, container: 2, possibleTag: 4, arguments: 8, id: 16 } as const;

/** Names that wrap a message's content in adjacently tagged encodings: an `id` in there is the message's own. */
const CONTAINERS = ['payload', 'data', 'content', 'body', 'command', 'cmd', 'message', 'msg', 'value', 'c'];
/** A container, too, but what it holds may as well be what the command is about. */
const ARGUMENTS = 'params';

export class ScanResult {
  typeStart = 0;
  typeEnd = 0;
  idStart = 0;
  idEnd = 0;
  /** Higher is better; 0 for no ID. */
  idRank = 0;
  /** Preference of the key that gave the type; the first listed wins. */
  typeRank = 0;
  /** The type came from an external tag or a bare string. */
  external = false;
  /** A value that was taken holds a backslash: it must be decoded before use. */
  escaped = false;
  /** The ID stood among arguments: a better one may follow. */
  amongArguments = false;
  /** The scan stopped where it had all that messages of this type ever told, or at the end of the JSON text: more octets would change nothing. */
  settled = false;
  /** Where the JSON text ends; 0 where the scan did not come so far. */
  textEnd = 0;

  reset(): void {
    this.typeStart = this.typeEnd = this.idStart = this.idEnd = this.idRank = this.typeRank = this.textEnd = 0;
    this.external = this.escaped = this.amongArguments = this.settled = false;
  }
}

interface NamedKey {
  name: Uint8Array;
  code: number;
}

export class KeyScan {
  readonly result = new ScanResult();
  /** Someone sends several objects in one message: none is left before its end any more. */
  readsWhole = false;
  private readonly byLength: NamedKey[][] = [];
  private readonly typeKeys: number;
  private readonly idKeys: number;
  /** Per level: code of the key whose value is being read. */
  private readonly keyAt = new Int32Array(4);
  private readonly habits = new TypeHabits();
  /** Position of the last backslash in the string at hand, -1 for none. */
  private escapeAt = -1;
  /** Rank at which the scan of this message may stop. */
  private enough = Number.POSITIVE_INFINITY;

  constructor(typeKeys: readonly string[], idKeys: readonly string[]) {
    this.typeKeys = typeKeys.length;
    this.idKeys = idKeys.length;
    for (const name of CONTAINERS) this.add(name, Key.container);
    this.add(ARGUMENTS, Key.container | Key.arguments);
    typeKeys.forEach((name, i) => {
      this.add(name, Key.type | (i << 8));
    });
    idKeys.forEach((name, i) => {
      this.add(name, Key.id | (i << 8));
    });
  }

  private add(name: string, code: number): void {
    const bytes = new TextEncoder().encode(name);
    this.byLength[bytes.length] ??= [];
    this.byLength[bytes.length].unshift({ name: bytes, code });
  }

  /** Scans `bytes[start..end)`; the result is valid until the next call. */
  scan(bytes: Uint8Array, start: number, end: number): ScanResult {
    const result = this.result;
    result.reset();
    let p = start;
    while (p < end && bytes[p] <= 0x20) p++;
    if (p >= end) return result;
    if (bytes[p] === 0x22) {
      // serde writes a unit variant as a bare string
      const close = stringEnd(bytes, p + 1, end);
      if (close < end) {
        result.typeStart = p + 1;
        result.typeEnd = close;
        result.external = result.settled = true;
      }
      return result;
    }
    if (bytes[p] !== 0x7b) return result;
    this.enough = Number.POSITIVE_INFINITY;
    this.objects(bytes, p + 1, end);
    if (result.settled && result.typeEnd > 0 && this.enough === Number.POSITIVE_INFINITY)
      this.habits.learn(bytes, result.typeStart, result.typeEnd, result.idRank);
    // Cut off before the message's own ID, which whole ones of its type have further back.
    else if (!result.settled && result.idRank > 0 && (result.amongArguments || this.isBelowUsual(bytes)))
      result.idRank = 0;
    return result;
  }

  private isBelowUsual(bytes: Uint8Array): boolean {
    const { typeStart, typeEnd, idRank } = this.result;
    return typeEnd > 0 && idRank < this.habits.usualRank(bytes, typeStart, typeEnd);
  }

  /**
   * Messages of this type are built alike: once enough of them were read whole, others need not be. Of `quiet` ones nothing but the
   * type is wanted.
   */
  familiar(bytes: Uint8Array, start: number, end: number, quiet: boolean): void {
    this.habits.become(bytes, start, end, quiet ? Habit.quiet : Habit.familiar);
  }

  private objects(bytes: Uint8Array, start: number, end: number): void {
    const { result, keyAt } = this;
    let depth = 1;
    let keys = 0;
    let externalStart = -1;
    let externalEnd = -1;
    let p = start;
    let expectKey = true;
    while (p < end) {
      const c = bytes[p];
      if (c === 0x22) {
        this.escapeAt = -1;
        const close = this.closing(bytes, p + 1, end);
        // Cut off in there: what stands around it still tells the type.
        if (close >= end && depth > 1) break;
        if (close >= end) return;
        if (expectKey) {
          keyAt[depth] = this.codeOf(bytes, p + 1, close);
          if (depth === 1 && keys++ === 0) {
            externalStart = p + 1;
            externalEnd = close;
          }
          expectKey = false;
        } else {
          this.value(bytes, p + 1, close, depth);
          if (result.idRank >= this.enough) {
            result.settled = true;
            return;
          }
        }
        p = close + 1;
      } else if (c === 0x7b) {
        if (depth === 3) {
          p = skipNested(bytes, p, end);
          continue;
        }
        if (depth === 1 && keys === 1 && result.typeEnd === 0) {
          keyAt[1] |= Key.possibleTag;
        }
        depth++;
        keyAt[depth] = 0;
        expectKey = true;
        p++;
      } else if (c === 0x5b) p = skipNested(bytes, p, end);
      else if (c === 0x7d) {
        if (--depth === 0) {
          result.settled = true;
          result.textEnd = p + 1;
          if (result.typeEnd === 0 && keys === 1) {
            result.typeStart = externalStart;
            result.typeEnd = externalEnd;
            result.external = true;
          }
          return;
        }
        expectKey = false;
        p++;
      } else if (c === 0x2c) {
        expectKey = true;
        p++;
      } else if ((c >= 0x30 && c <= 0x39) || c === 0x2d) {
        const from = p;
        while (p < end && isOfNumber(bytes[p])) p++;
        if ((keyAt[depth] & 0xff) === Key.id) {
          this.value(bytes, from, p, depth);
          if (result.idRank >= this.enough) {
            result.settled = true;
            return;
          }
        }
      } else p++;
    }
    if (result.typeEnd === 0 && keys === 1 && externalStart >= 0) {
      result.typeStart = externalStart;
      result.typeEnd = externalEnd;
      result.external = true;
    }
  }

  /** Where a string ends; notes an escape in it, since a value with one must be decoded before use. */
  private closing(bytes: Uint8Array, start: number, end: number): number {
    let p = start;
    while (p < end) {
      const c = bytes[p];
      if (c === 0x22) return p;
      if (c === 0x5c) this.escapeAt = p++;
      p++;
    }
    return end;
  }

  /** A string or number value at a level from 1 to 3. */
  private value(bytes: Uint8Array, start: number, end: number, depth: number): void {
    const code = this.keyAt[depth];
    const kind = code & 0xff;
    const { result } = this;
    if (kind === Key.type) {
      const rank = this.typeKeys - (code >> 8);
      if (depth !== 1 || rank <= result.typeRank) return;
      result.typeStart = start;
      result.typeEnd = end;
      result.typeRank = rank;
      this.enough = this.readsWhole ? Number.POSITIVE_INFINITY : this.habits.enoughFor(bytes, start, end);
    } else if (kind === Key.id) {
      const rank = this.idRank(code >> 8, depth);
      if (rank <= result.idRank || end === start) return;
      result.idStart = start;
      result.idEnd = end;
      result.idRank = rank;
      result.amongArguments = depth > 1 && (this.keyAt[1] & Key.arguments) !== 0;
    } else return;
    if (this.escapeAt >= start && this.escapeAt < end) result.escaped = true;
  }

  /**
   * A specific key (`command_id`) beats the general last one (`id`) at any level; then the outer level beats the inner;
   * an ID in an object that is no container of the message (`"agent":{"id":…}`) comes last.
   */
  private idRank(place: number, depth: number): number {
    const preference = this.idKeys - place;
    if (depth === 1) return (preference << 4) + 7;
    const outer = this.keyAt[1];
    const inContainer = (outer & 0x0f & Key.container) !== 0;
    const contained =
      (inContainer || (outer & Key.possibleTag) !== 0) && (depth === 2 || (this.keyAt[2] & 0x0f & Key.container) !== 0);
    if (contained) return (preference << 4) + 8 - depth - (inContainer ? 0 : 4);
    return depth === 2 ? preference : 0;
  }

  private codeOf(bytes: Uint8Array, start: number, end: number): number {
    const candidates = this.byLength[end - start];
    if (candidates === undefined) return Key.none;
    const first = bytes[start];
    for (let place = 0; place < candidates.length; place++) {
      const { name, code } = candidates[place];
      if (name[0] !== first) continue;
      let i = 1;
      while (i < name.length && name[i] === bytes[start + i]) i++;
      if (i >= name.length) return code;
    }
    return Key.none;
  }
}

/** Octets of a JSON number (RFC 8259 section 6). */
function isOfNumber(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || c === 0x2e || c === 0x2d || c === 0x2b || c === 0x65 || c === 0x45;
}

/** Messages of a type that are read to their end before the scan of others may stop early, and every so many later. */
const LEARNED_FROM = 64;

/** How a type's messages may be read: to their end, up to the ID where one always stands, or no further than the type. */
const Habit = { unknown: 0, familiar: 1, quiet: 2 } as const;

/**
 * Where the ID of each familiar type stands: messages of one type are built alike, so once many were read to their end, the next may
 * stop at the ID. Every 64th is still read whole, so that a better key further back is found. Unfamiliar types are always read whole:
 * one name may stand for many kinds of messages.
 */
class TypeHabits {
  private readonly hashes = new Int32Array(256);
  private readonly seen = new Uint32Array(256);
  private readonly ranks = new Int32Array(256);
  private readonly habits = new Uint8Array(256);

  enoughFor(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashOctets(bytes, start, end, 0);
    const slot = hash & 0xff;
    if (this.hashes[slot] !== hash) return Number.POSITIVE_INFINITY;
    if (this.habits[slot] === Habit.quiet) return 0;
    if (this.habits[slot] !== Habit.familiar || this.ranks[slot] === 0 || this.seen[slot] < LEARNED_FROM)
      return Number.POSITIVE_INFINITY;
    return (++this.seen[slot] & (LEARNED_FROM - 1)) === 0 ? Number.POSITIVE_INFINITY : this.ranks[slot];
  }

  learn(bytes: Uint8Array, start: number, end: number, rank: number): void {
    const slot = this.slotOf(hashOctets(bytes, start, end, 0));
    this.seen[slot]++;
    if (rank > this.ranks[slot]) this.ranks[slot] = rank;
  }

  /** The best rank that an ID had in whole messages of this type; 0 where none was read. */
  usualRank(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashOctets(bytes, start, end, 0);
    return this.hashes[hash & 0xff] === hash ? this.ranks[hash & 0xff] : 0;
  }

  become(bytes: Uint8Array, start: number, end: number, habit: number): void {
    this.habits[this.slotOf(hashOctets(bytes, start, end, 0))] = habit;
  }

  private slotOf(hash: number): number {
    const slot = hash & 0xff;
    if (this.hashes[slot] !== hash) {
      this.hashes[slot] = hash;
      this.seen[slot] = this.ranks[slot] = this.habits[slot] = 0;
    }
    return slot;
  }
}

/** Position of the closing quotation mark, or `end`. */
function stringEnd(bytes: Uint8Array, start: number, end: number): number {
  let p = start;
  while (p < end) {
    const c = bytes[p];
    if (c === 0x22) return p;
    p += c === 0x5c ? 2 : 1;
  }
  return end;
}

/** Position after the object or array that opens at `start`, or `end`. */
export function skipNested(bytes: Uint8Array, start: number, end: number): number {
  let depth = 0;
  let p = start;
  while (p < end) {
    const c = bytes[p];
    if (c === 0x22) p = stringEnd(bytes, p + 1, end);
    else if (c === 0x7b || c === 0x5b) depth++;
    else if (c === 0x7d || c === 0x5d) {
      if (--depth === 0) return p + 1;
    }
    p++;
  }
  return end;
}
