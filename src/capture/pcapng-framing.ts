/**
 * The frame of a pcapng file: sections and their byte order, block after block, lengths that agree, blocks that are passed over.
 * In: octets in any cut. Out: each block that is there whole to pcapng-reader.ts, which knows what is in it.
 * draft-ietf-opsawg-pcapng, sections 3.1 and 4.1.
 */

import { CaptureReader } from './capture-reader.js';
import { isPcapMagic } from './pcap-format.js';
import { Block, fixedOctets } from './pcapng-block.js';

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const BLOCK_HEADER_OCTETS = 8;
const BLOCK_TRAILER_OCTETS = 4;
const MINIMUM_BLOCK_OCTETS = BLOCK_HEADER_OCTETS + BLOCK_TRAILER_OCTETS;
/** Blocks that are held whole may not be larger: MAX_BLOCK_SIZE of Wireshark. */
export const MAXIMUM_BLOCK_OCTETS = 16 * 1024 * 1024;

export abstract class PcapngFraming extends CaptureReader {
  readonly format = 'pcapng';

  protected view: DataView = new DataView(new ArrayBuffer(0));
  protected littleEndian = true;
  private sectionSeen = false;
  /** Octets of a block that is passed over which are still to come, and what its trailer must say. */
  private passOverOctets = 0;
  private trailerExpected = 0;

  /** The block at `at`, whose octets before its trailer end at `bodyEnd`: at least the fixed ones of its type are there. */
  protected abstract readBody(type: number, at: number, bodyEnd: number): void;

  read(bytes: Uint8Array, start: number, end: number): number {
    if (this.view.buffer !== bytes.buffer || this.view.byteOffset !== bytes.byteOffset) {
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.record.bytes = bytes;
    let at = start;
    while (!this.stopped) {
      const next = this.readBlock(at, end);
      if (next < 0) break;
      this.offset += next - at;
      at = next;
    }
    return at;
  }

  finish(_bytes: Uint8Array, start: number, end: number): void {
    if (this.stopped || (start === end && this.passOverOctets === 0 && this.trailerExpected === 0)) return;
    this.issues.add(
      'pcapng-truncated-block',
      'The capture file ends within a block: it was cut, or the capturing program was stopped while it wrote. Everything before it is used.',
      {
        packet: this.packets + 1,
        offset: this.offset,
        required: this.passOverOctets + (this.trailerExpected > 0 ? BLOCK_TRAILER_OCTETS : 0) || this.neededOctets,
        had: end - start,
        field: end - start < BLOCK_HEADER_OCTETS && this.passOverOctets === 0 ? 'block header' : 'block total length',
      },
    );
  }

  /** Reads one block at `at` and returns the position after it, or -1 if it is not all there (or reading stops). */
  private readBlock(at: number, end: number): number {
    const had = end - at;
    if (this.passOverOctets > 0) {
      const passed = Math.min(this.passOverOctets, had);
      this.passOverOctets -= passed;
      this.neededOctets = 1;
      return passed === 0 ? -1 : at + passed;
    }
    if (this.trailerExpected > 0) {
      this.neededOctets = BLOCK_TRAILER_OCTETS;
      if (had < BLOCK_TRAILER_OCTETS) return -1;
      if (!this.checkTrailer(at, this.trailerExpected)) return -1;
      this.trailerExpected = 0;
      return at + BLOCK_TRAILER_OCTETS;
    }

    this.neededOctets = MINIMUM_BLOCK_OCTETS;
    if (had < MINIMUM_BLOCK_OCTETS) return -1;
    const view = this.view;
    const type = view.getUint32(at, this.littleEndian);
    // The type of a section header reads the same in both orders.
    if (type === Block.sectionHeader && !this.readByteOrder(at)) return -1;
    if (!this.sectionSeen && type !== Block.sectionHeader) {
      return this.stop('pcapng-no-section', 'The file does not start with a Section Header Block.', 0, 0, 'block type');
    }
    if (isPcapMagic(view.getUint32(at, true)) || isPcapMagic(view.getUint32(at, false))) {
      return this.stop(
        'pcapng-other-format',
        'A pcap file was appended to this pcapng file: only what stands before it is used. Pass them as two files.',
        0,
        0,
        'block type',
      );
    }
    const claimed = view.getUint32(at + 4, this.littleEndian);
    if (claimed < MINIMUM_BLOCK_OCTETS) {
      return this.stop(
        'pcapng-block-too-short',
        `A block claims a length of ${claimed} octets, less than any block has.`,
        MINIMUM_BLOCK_OCTETS,
        claimed,
        'block total length',
      );
    }
    // Blocks are padded to 32 bits; old writers left the padding out of the length.
    const length = claimed + (-claimed & 3);

    const fixed = fixedOctets(type);
    if (fixed === 0) {
      this.passOverOctets = length - MINIMUM_BLOCK_OCTETS;
      this.trailerExpected = claimed;
      return at + BLOCK_HEADER_OCTETS;
    }
    if (claimed < fixed + BLOCK_TRAILER_OCTETS) {
      return this.stop(
        'pcapng-block-too-short',
        'A block is shorter than its own fixed fields.',
        fixed + BLOCK_TRAILER_OCTETS,
        claimed,
        'block total length',
      );
    }
    if (length > MAXIMUM_BLOCK_OCTETS) {
      return this.stop(
        'pcapng-block-too-large',
        `A block claims ${claimed} octets, more than a block of its kind holds: the file is damaged here. Everything before it is used.`,
        claimed,
        MAXIMUM_BLOCK_OCTETS,
        'block total length',
      );
    }
    if (had < length) {
      this.neededOctets = length;
      return -1;
    }
    if (!this.checkTrailer(at + length - BLOCK_TRAILER_OCTETS, claimed)) return -1;
    const bodyEnd = at + length - BLOCK_TRAILER_OCTETS;

    this.sectionSeen = true;
    this.readBody(type, at, bodyEnd);
    return this.stopped ? -1 : at + length;
  }

  private readByteOrder(at: number): boolean {
    const littleEndian = this.view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC;
    if (!littleEndian && this.view.getUint32(at + 8, false) !== BYTE_ORDER_MAGIC) {
      this.stop(
        'pcapng-byte-order',
        'A section header has no byte-order magic: the file is damaged here.',
        0,
        0,
        'byte-order magic',
      );
      return false;
    }
    this.littleEndian = littleEndian;
    return true;
  }

  private checkTrailer(trailer: number, expected: number): boolean {
    const found = this.view.getUint32(trailer, this.littleEndian);
    if (found === expected) return true;
    this.stop(
      'pcapng-block-lengths-differ',
      `A block claims ${expected} octets at its start and ${found} at its end: the file is damaged here. Everything before it is used.`,
      expected,
      found,
      'block total length',
    );
    return false;
  }

  protected issue(code: string, text: string, required: number, had: number, field: string): void {
    this.issues.add(code, text, { packet: this.packets + 1, offset: this.offset, required, had, field });
  }

  protected stop(code: string, text: string, required: number, had: number, field: string): -1 {
    this.issue(code, text, required, had, field);
    this.stopped = true;
    return -1;
  }
}
