/**
 * Octets of one direction that wait until it is known how to read them: a stream's first ones, or what a client sent before the answer
 * to its Upgrade was captured. In: side.ts, in order, and the word where some are missing. Out: the same again, once it is known.
 */

const MAX_HELD = 256 << 10;
const NOTHING = new Uint8Array(0);

export interface HeldReader {
  octets(bytes: Uint8Array, offset: number): void;
  /** [from, to) is missing; `exact`: the stream goes on at `to` for certain. */
  lost(from: number, to: number, exact: boolean): void;
}

interface Part {
  /** None where octets before `offset` are missing. */
  bytes: Uint8Array;
  offset: number;
  exact: boolean;
}

export class HeldOctets {
  private readonly parts: Part[] = [];
  private octets = 0;

  constructor(
    /** Offset of the first octet. */
    readonly from: number,
  ) {}

  takes(octets: number): boolean {
    return this.octets + octets <= MAX_HELD;
  }

  /** `bytes[start..end)` at `offset` are copied; what is too much to keep counts as missing. */
  add(bytes: Uint8Array, start: number, end: number, offset: number): void {
    if (!this.takes(end - start)) {
      this.gap(offset + (end - start), true);
      return;
    }
    this.parts.push({ bytes: bytes.slice(start, end), offset, exact: true });
    this.octets += end - start;
  }

  /** Octets before `to` are missing. */
  gap(to: number, exact: boolean): void {
    const last = this.parts.at(-1);
    if (last !== undefined && last.bytes.length === 0) {
      last.offset = to;
      last.exact &&= exact;
    } else this.parts.push({ bytes: NOTHING, offset: to, exact });
  }

  replay(reader: HeldReader): void {
    let next = this.from;
    for (const { bytes, offset, exact } of this.parts) {
      if (bytes.length > 0) reader.octets(bytes, offset);
      else reader.lost(next, offset, exact);
      next = offset + bytes.length;
    }
  }

  /** All of it, none of which is missing, and `bytes[start..end)` behind it. */
  followedBy(bytes: Uint8Array, start: number, end: number): Uint8Array {
    return Uint8Array.from(Buffer.concat([...this.parts.map((part) => part.bytes), bytes.subarray(start, end)]));
  }
}
