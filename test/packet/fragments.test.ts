import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketDecoder } from '../../src/packet/decode.js';
import { Decoded } from '../../src/packet/decode-result.js';
import { Segment } from '../../src/packet/segment.js';
import { ethernet, ipv4, ipv6Fragment, record, tcp } from './build-packet.js';

const payload = Array.from({ length: 100 }, (_, index) => index);
const whole = tcp({ payload });
type Piece = { offset: number; end: number };
const pieces: Piece[] = [
  { offset: 0, end: 8 },
  { offset: 8, end: 48 },
  { offset: 48, end: 104 },
  { offset: 104, end: whole.length },
];

function v4(piece: Piece, identification = 7, octets: readonly number[] = whole) {
  const fragment = { offset: piece.offset, more: piece.end < whole.length };
  return ethernet(ipv4(octets.slice(piece.offset, piece.end), { fragment, identification }));
}

function v6(piece: Piece, identification = 7) {
  return ethernet(
    ipv6Fragment(whole.slice(piece.offset, piece.end), piece.offset, piece.end < whole.length, identification),
    0x86dd,
  );
}

class Run {
  readonly decoder = new PacketDecoder();
  readonly segment = new Segment();
  private number = 0;

  add(frame: readonly number[], timeNs = 0, captured = frame.length): number {
    return this.decoder.decode(record(frame, { number: ++this.number, timeNs, captured }), this.segment);
  }

  get payload(): number[] {
    return [...this.segment.bytes.subarray(this.segment.payloadStart, this.segment.payloadEnd)];
  }

  get codes(): string[] {
    return this.decoder.issues.issues.map((issue) => issue.code);
  }
}

describe.each([
  ['IPv4', v4],
  ['IPv6', v6],
])('fragments of %s', (_, fragment) => {
  it('are put together in any order, with repetitions, and the packets named', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        fc.array(fc.nat(3), { maxLength: 4 }),
        (order, repeated) => {
          const run = new Run();
          const sequence = [...order.slice(0, 3), ...repeated.filter((index) => index !== order[3])];
          for (const index of sequence) expect(run.add(fragment(pieces[index]))).toBe(Decoded.fragmentPending);
          expect(run.add(fragment(pieces[order[3]]))).toBe(Decoded.tcp);
          expect(run.payload).toEqual(payload);
          expect(run.segment).toMatchObject({ sourcePort: 40112, payloadLength: 100 });
          expect(run.segment.fragmentPackets).toEqual([1, 2, 3, sequence.length + 1]);
          expect(run.codes).toEqual([]);
        },
      ),
    );
  });

  it('of several datagrams do not mix', () => {
    const run = new Run();
    for (const piece of pieces.slice(0, 3))
      for (const id of [1, 2]) expect(run.add(fragment(piece, id))).toBe(Decoded.fragmentPending);
    expect(run.add(fragment(pieces[3], 1))).toBe(Decoded.tcp);
    expect(run.add(fragment(pieces[3], 2))).toBe(Decoded.tcp);
    expect(run.decoder.counters.reassembledDatagrams).toBe(2);
  });

  it('that overlap drop the datagram, and say so', () => {
    const run = new Run();
    run.add(fragment(pieces[0]));
    run.add(fragment(pieces[1]));
    expect(run.add(fragment({ offset: 40, end: 104 }))).toBe(Decoded.malformed);
    expect(run.add(fragment(pieces[3]))).toBe(Decoded.fragmentPending);
    expect(run.codes).toEqual(['ip-fragment-overlap']);
    expect(run.decoder.counters.abandonedDatagrams).toBe(1);
  });

  it('that come too late begin anew', () => {
    const run = new Run();
    for (const piece of pieces.slice(0, 3)) run.add(fragment(piece));
    expect(run.add(fragment(pieces[3]), 31e9)).toBe(Decoded.fragmentPending);
    expect(run.decoder.counters.abandonedDatagrams).toBe(1);
  });

  it('cut by the snapshot length give no segment, and say so', () => {
    const run = new Run();
    run.add(fragment(pieces[0]));
    const frame = fragment(pieces[1]);
    expect(run.add(frame, 0, frame.length - 1)).toBe(Decoded.cut);
    expect(run.codes).toEqual(['ip-fragment-cut']);
  });
});

describe('fragments', () => {
  it('that differ in a repetition drop the datagram', () => {
    const run = new Run();
    run.add(v4(pieces[1]));
    expect(
      run.add(
        v4(
          pieces[1],
          7,
          whole.map((octet) => octet ^ 1),
        ),
      ),
    ).toBe(Decoded.malformed);
  });

  it('beyond the longest datagram are malformed', () => {
    const run = new Run();
    const frame = ethernet(ipv4(whole.slice(0, 80), { fragment: { offset: 65528, more: false } }));
    expect(run.add(frame)).toBe(Decoded.malformed);
    expect(run.codes).toEqual(['ip-fragment-too-long']);
  });

  it('of ever new datagrams cost bounded memory', () => {
    const run = new Run();
    for (let identification = 0; identification < 5000; identification++) run.add(v4(pieces[0], identification));
    expect(run.decoder.counters.abandonedDatagrams).toBe(5000 - 256);
    // The newest are still there.
    for (const piece of pieces.slice(1, 3)) run.add(v4(piece, 4999));
    expect(run.add(v4(pieces[3], 4999))).toBe(Decoded.tcp);
  });

  it('an atomic IPv6 fragment is a whole packet', () => {
    const run = new Run();
    expect(run.add(ethernet(ipv6Fragment(whole, 0, false), 0x86dd))).toBe(Decoded.tcp);
    expect(run.segment.fragmentPackets).toBeNull();
  });
});
