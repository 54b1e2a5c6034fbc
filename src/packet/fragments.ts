/**
 * Puts fragmented IP datagrams together (RFC 791, section 3.2; RFC 8200, section 4.5), in bounded memory.
 * In: fragments from decode.ts. Out: the datagram's payload when its last missing piece is there.
 *
 * Overlaps: an exact repetition of a fragment (a packet captured twice) is passed over; any other overlap drops the whole
 * datagram, as RFC 5722 has it for IPv6 and as Linux does for IPv4 as well. Nothing is ever guessed.
 */

import { insideUdp } from './tunnel.js';

const UDP = 17;
/** IPv4, TCP, IPv6, GRE, EtherIP, MPLS. */
const OTHER_CARRIERS: ReadonlySet<number> = new Set([4, 6, 41, 47, 97, 137]);
/** ipfrag_time of Linux; RFC 8200 has 60 s, and no datagram of interest takes longer than this. */
const TIMEOUT_NS = 30e9;
const MAXIMUM_PENDING_DATAGRAMS = 256;
const MAXIMUM_PENDING_OCTETS = 8 * 1024 * 1024;
const MAXIMUM_DATAGRAM_OCTETS = 65535;

export const Fragment = { pending: 0, complete: 1, overlap: 2, tooLong: 3, cut: 4 } as const;

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly packet: number;
  readonly bytes: Uint8Array;
}

interface Datagram {
  readonly firstTimeNs: number;
  /** Sorted by start, without overlaps. */
  readonly pieces: Piece[];
  /** Known with the fragment that has no more behind it. */
  length: number;
  octets: number;
  nextHeader: number;
  /** Broken by an overlap or a cut: swallows what still comes, until it is too old. */
  dropped: boolean;
}

export class FragmentStore {
  /** Filled when `add` returns `complete`. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Protocol of the datagram's payload: the first fragment's word counts (RFC 8200, section 4.5). */
  nextHeader = 0;
  packets: number[] = [];
  /** Datagrams that were given up. */
  abandoned = 0;
  /** Of those, the ones that TCP or a tunnel began and of which other fragments never came. */
  private unfinished = 0;

  /** In order of arrival, which is the order in which they time out. */
  private readonly pending = new Map<string, Datagram>();
  private pendingOctets = 0;

  /**
   * Takes one fragment: `bytes[start..end)` of the datagram's payload from `offset` on; `missingOctets` of it were not captured.
   * Returns a value of Fragment.
   */
  add(
    key: string,
    bytes: Uint8Array,
    start: number,
    end: number,
    missingOctets: number,
    offset: number,
    more: boolean,
    nextHeader: number,
    packet: number,
    timeNs: number,
  ): number {
    this.expire(timeNs);
    let datagram = this.pending.get(key);
    if (datagram === undefined) {
      datagram = { firstTimeNs: timeNs, pieces: [], length: -1, octets: 0, nextHeader: -1, dropped: false };
      this.pending.set(key, datagram);
    }
    if (datagram.dropped) return Fragment.pending;
    const stop = offset + (end - start);
    if (missingOctets > 0) return this.drop(datagram, Fragment.cut);
    if (stop > MAXIMUM_DATAGRAM_OCTETS) return this.drop(datagram, Fragment.tooLong);
    if (!more) {
      if (datagram.length >= 0 && datagram.length !== stop) return this.drop(datagram, Fragment.overlap);
      datagram.length = stop;
    }
    if (offset === 0) datagram.nextHeader = nextHeader;

    const place = insertionPoint(datagram.pieces, offset);
    const before = datagram.pieces[place - 1];
    const after = datagram.pieces[place];
    if (after !== undefined && isSame(after, offset, stop, bytes, start)) return Fragment.pending;
    const overlaps = (before !== undefined && before.end > offset) || (after !== undefined && after.start < stop);
    const beyondEnd =
      datagram.length >= 0 && (stop > datagram.length || (datagram.pieces.at(-1)?.end ?? 0) > datagram.length);
    if (overlaps || beyondEnd) return this.drop(datagram, Fragment.overlap);
    // A piece of no octets fills nothing and would only cost memory.
    if (stop > offset) {
      datagram.pieces.splice(place, 0, { start: offset, end: stop, packet, bytes: bytes.slice(start, end) });
      datagram.octets += stop - offset;
      this.pendingOctets += stop - offset;
    }
    if (datagram.octets !== datagram.length || datagram.nextHeader < 0) {
      this.makeRoom();
      return Fragment.pending;
    }
    this.assemble(datagram);
    this.forget(key, datagram);
    return Fragment.complete;
  }

  private assemble(datagram: Datagram): void {
    const whole = new Uint8Array(datagram.length);
    for (const piece of datagram.pieces) whole.set(piece.bytes, piece.start);
    this.bytes = whole;
    this.nextHeader = datagram.nextHeader;
    this.packets = datagram.pieces.map((piece) => piece.packet).sort((a, b) => a - b);
  }

  private drop(datagram: Datagram, reason: number): number {
    this.abandoned++;
    this.pendingOctets -= datagram.octets;
    datagram.dropped = true;
    datagram.pieces.length = 0;
    datagram.octets = 0;
    return reason;
  }

  private forget(key: string, datagram: Datagram): void {
    this.pendingOctets -= datagram.octets;
    this.pending.delete(key);
  }

  private expire(timeNs: number): void {
    for (const [key, datagram] of this.pending) {
      if (timeNs - datagram.firstTimeNs < TIMEOUT_NS) return;
      this.giveUp(key, datagram);
    }
  }

  private giveUp(key: string, datagram: Datagram): void {
    if (!datagram.dropped) this.abandoned++;
    if (mayCarryTcp(datagram)) this.unfinished++;
    this.forget(key, datagram);
  }

  /** At the end of a capture: datagrams of which fragments are missing, where TCP may have been in them. */
  get incomplete(): number {
    let waiting = 0;
    for (const datagram of this.pending.values()) if (mayCarryTcp(datagram)) waiting++;
    return this.unfinished + waiting;
  }

  private makeRoom(): void {
    for (const [key, datagram] of this.pending) {
      if (this.pending.size <= MAXIMUM_PENDING_DATAGRAMS && this.pendingOctets <= MAXIMUM_PENDING_OCTETS) return;
      this.giveUp(key, datagram);
    }
  }
}

/** Its first fragment is there and says so: TCP, or a tunnel. */
function mayCarryTcp({ nextHeader, pieces }: Datagram): boolean {
  const [first] = pieces;
  if (first === undefined || first.start !== 0) return false;
  if (nextHeader !== UDP) return OTHER_CARRIERS.has(nextHeader);
  return insideUdp(first.bytes, 0, first.bytes.length) !== null;
}

function insertionPoint(pieces: readonly Piece[], offset: number): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pieces[middle].start < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isSame(piece: Piece, start: number, end: number, bytes: Uint8Array, at: number): boolean {
  if (piece.start !== start || piece.end !== end) return false;
  for (let index = 0; index < piece.bytes.length; index++) if (piece.bytes[index] !== bytes[at + index]) return false;
  return true;
}
