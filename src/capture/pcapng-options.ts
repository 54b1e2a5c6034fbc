/**
 * Options of a pcapng block, read within bounds (draft-ietf-opsawg-pcapng, section 3.5).
 * In: the octets between a block's fixed part and its trailer. Out: code, position and length of one option after the other.
 */

const textDecoder = new TextDecoder('utf-8', { fatal: false });
/** Names and comments may be long; a report needs no more than this. */
const MAXIMUM_TEXT_OCTETS = 256;

export class OptionCursor {
  code = 0;
  /** First octet of the value, and its length without padding. */
  at = 0;
  length = 0;
  /** The option that claims more octets than the block has, null if all was well. */
  fault: { code: number; required: number; had: number } | null = null;

  private next = 0;
  private end = 0;
  private view!: DataView;
  private littleEndian = true;

  reset(view: DataView, littleEndian: boolean, start: number, end: number): void {
    this.view = view;
    this.littleEndian = littleEndian;
    this.next = start;
    this.end = end;
    this.fault = null;
  }

  /** Steps to the next option; false at opt_endofopt, at the end, or at one that does not fit. */
  advance(): boolean {
    if (this.end - this.next < 4) return false;
    this.code = this.view.getUint16(this.next, this.littleEndian);
    this.length = this.view.getUint16(this.next + 2, this.littleEndian);
    if (this.code === 0) return false;
    this.at = this.next + 4;
    const had = this.end - this.at;
    if (this.length > had) {
      this.fault = { code: this.code, required: this.length, had };
      return false;
    }
    this.next = this.at + ((this.length + 3) & ~3);
    return true;
  }

  uint32(): number {
    return this.view.getUint32(this.at, this.littleEndian);
  }

  /** A 64-bit counter. Above 2^53 it is only nearly right, which no real counter reaches. */
  counter64(): number {
    const first = this.view.getUint32(this.at, this.littleEndian);
    const second = this.view.getUint32(this.at + 4, this.littleEndian);
    return this.littleEndian ? second * 4294967296 + first : first * 4294967296 + second;
  }

  int64(): bigint {
    return this.view.getBigInt64(this.at, this.littleEndian);
  }

  text(): string {
    const length = Math.min(this.length, MAXIMUM_TEXT_OCTETS);
    const bytes = new Uint8Array(this.view.buffer, this.view.byteOffset + this.at, length);
    return textDecoder.decode(bytes).replace(/\0+$/, '');
  }
}
