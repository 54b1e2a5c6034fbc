/**
 * Values that may be command IDs in messages whose type no profile knows: kept so that delivery/ can see whether one comes back.
 * In: message-reader.ts. Out: columns of the observation. Bounded, and a key whose values keep repeating is dropped early.
 */

import type { ByteStringTable } from '../message/byte-string-table.js';
import type { CandidateColumns } from './observation.js';

const MAX_CANDIDATES = 200_000;
const MAX_KEYS = 512;
const MAX_MESSAGE = 16 << 10;
const TRIAL = 32;

interface KeyUse {
  seen: number;
  fresh: number;
}

export class CandidateLog implements CandidateColumns {
  count = 0;
  row = new Int32Array(64);
  key = new Int32Array(64);
  value = new Int32Array(64);
  private readonly uses = new Map<number, KeyUse>();
  private readonly decoder = new TextDecoder();

  constructor(private readonly strings: ByteStringTable) {}

  offer(row: number, type: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.count >= MAX_CANDIDATES || end - start > MAX_MESSAGE || bytes[start] !== 0x7b) return;
    let message: unknown;
    try {
      message = JSON.parse(this.decoder.decode(bytes.subarray(start, end)));
    } catch {
      return;
    }
    this.collect(row, type, message as Record<string, unknown>, '', 1);
  }

  private collect(row: number, type: number, object: Record<string, unknown>, path: string, depth: number): void {
    for (const [name, value] of Object.entries(object)) {
      if (typeof value === 'object' && value !== null && !Array.isArray(value) && depth < 3)
        this.collect(row, type, value as Record<string, unknown>, `${path}${name}.`, depth + 1);
      else if (isIdLike(value)) this.add(row, type, path + name, String(value));
    }
  }

  private add(row: number, type: number, path: string, value: string): void {
    const key = this.strings.internText(`${type}:${path}`);
    let use = this.uses.get(key);
    if (use === undefined) {
      if (this.uses.size >= MAX_KEYS) return;
      use = { seen: 0, fresh: 0 };
      this.uses.set(key, use);
    }
    if (use.seen > TRIAL && use.fresh * 4 < use.seen) return;
    const before = this.strings.count;
    const interned = this.strings.internText(value);
    use.seen++;
    if (this.strings.count > before) use.fresh++;
    if (this.count === this.row.length) this.grow();
    this.row[this.count] = row;
    this.key[this.count] = key;
    this.value[this.count++] = interned;
  }

  private grow(): void {
    for (const column of ['row', 'key', 'value'] as const) {
      const larger = new Int32Array(this.count * 2);
      larger.set(this[column]);
      this[column] = larger;
    }
  }
}

function isIdLike(value: unknown): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0;
  return typeof value === 'string' && value.length >= 1 && value.length <= 128 && !/\s/.test(value);
}
