/**
 * The one buffer between a source of octets and a sans-IO reader: filled at its end, consumed at its front,
 * compacted when the reader is done with what it could use, grown only up to a bound.
 * In: whoever reads a file or stream. Out: `(bytes, start, end)` for a reader.
 *
 *      0        start              end            bytes.length
 *      | consumed | not yet consumed | free: the source writes here |
 */

export class RefillBuffer {
  bytes: Uint8Array;
  start = 0;
  end = 0;

  constructor(
    capacityOctets: number,
    private readonly maximumOctets: number,
  ) {
    this.bytes = new Uint8Array(capacityOctets);
  }

  /** Octets that the source may write at `end`. */
  get freeOctets(): number {
    return this.bytes.length - this.end;
  }

  /**
   * Moves what is not consumed to the front and makes room towards `neededOctets` in all, counted from `start`.
   * It at most doubles at a time, as octets really arrive, so that a size which only a header claims costs no memory.
   * False if the need is beyond the bound.
   */
  compact(neededOctets: number): boolean {
    const rest = this.end - this.start;
    if (neededOctets > this.maximumOctets) return false;
    if (neededOctets > this.bytes.length && rest === this.bytes.length) {
      const grown = new Uint8Array(Math.min(this.maximumOctets, this.bytes.length * 2));
      grown.set(this.bytes.subarray(this.start, this.end));
      this.bytes = grown;
    } else if (this.start > 0) {
      this.bytes.copyWithin(0, this.start, this.end);
    }
    this.start = 0;
    this.end = rest;
    return true;
  }
}
