import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/websocket/frame.js';
import { FrameReader } from '../../src/websocket/frame-reader.js';
import { type FrameShape, frame } from '../support/frames.js';
import { cut, embedded, hex, join, noise, octets } from '../support/octets.js';

interface Seen {
  opcode: number;
  fin: boolean;
  rsv1: boolean;
  masked: boolean;
  payloadLength: number;
  span: [number, number];
  damaged: boolean;
  partial: boolean;
  payload: string;
}

function seenOf(frame: Frame): Seen {
  const { opcode, fin, rsv1, masked, payloadLength, damaged, partial, maskingKey } = frame;
  const payload = frame.bytes.slice(frame.payloadStart, frame.payloadEnd);
  if (masked) for (let i = 0; i < payload.length; i++) payload[i] ^= maskingKey >>> ((i % 4) * 8);
  return {
    opcode,
    fin,
    rsv1,
    masked,
    payloadLength,
    span: [frame.startOffset, frame.endOffset],
    damaged,
    partial,
    payload: Buffer.from(payload).toString('latin1'),
  };
}

class Bench {
  readonly frames: Seen[] = [];
  readonly reader = new FrameReader({ frame: (frame) => void this.frames.push(seenOf(frame)) });
  offset = 0;
  turn = 0;

  feed(bytes: Uint8Array, lengths: readonly number[] = [bytes.length || 1]): this {
    for (const piece of cut(bytes, lengths)) {
      const { bytes: buffer, start, end } = embedded(piece, this.turn++ % 5);
      this.reader.read(buffer, start, end, this.offset);
      this.offset += piece.length;
    }
    return this;
  }

  gap(length: number): boolean {
    this.offset += length;
    return this.reader.gap(this.offset - length, this.offset);
  }
}

const read = (bytes: Uint8Array, lengths?: readonly number[]) => new Bench().feed(bytes, lengths).frames;

describe('the examples of RFC 6455 section 5.7', () => {
  const hello = {
    opcode: 1,
    fin: true,
    rsv1: false,
    damaged: false,
    partial: false,
    payloadLength: 5,
    payload: 'Hello',
  };

  it.each([
    ['an unmasked text message', '81 05 48 65 6c 6c 6f', [{ ...hello, masked: false, span: [0, 7] }]],
    ['a masked one', '81 85 37 fa 21 3d 7f 9f 4d 51 58', [{ ...hello, masked: true, span: [0, 11] }]],
    [
      'a fragmented one',
      '01 03 48 65 6c 80 02 6c 6f',
      [
        { ...hello, masked: false, fin: false, payloadLength: 3, payload: 'Hel', span: [0, 5] },
        { ...hello, masked: false, opcode: 0, payloadLength: 2, payload: 'lo', span: [5, 9] },
      ],
    ],
    [
      'a Ping and its Pong',
      '89 05 48 65 6c 6c 6f 8a 85 37 fa 21 3d 7f 9f 4d 51 58',
      [
        { ...hello, opcode: 9, masked: false, span: [0, 7] },
        { ...hello, opcode: 10, masked: true, span: [7, 18] },
      ],
    ],
  ])('%s', (_, text, expected) => {
    expect(read(hex(text))).toEqual(expected);
    expect(read(hex(text), [1])).toEqual(expected);
  });

  it('256 octets: length 0x0100 in two', () => {
    const [seen] = read(join(hex('82 7e 01 00'), noise(256)));
    expect(seen).toMatchObject({ opcode: 2, payloadLength: 256, span: [0, 260] });
  });

  it('64 KiB: length 0x10000 in eight', () => {
    const [seen] = read(join(hex('82 7f 00 00 00 00 00 01 00 00'), noise(65536)));
    expect(seen).toMatchObject({ opcode: 2, payloadLength: 65536, span: [0, 65546] });
  });
});

describe('every length form', () => {
  const cases = [0, 1, 125, 126, 127, 65535, 65536, 70_000].flatMap((length) =>
    [undefined, [1, 2, 3, 4], [0, 0, 0, 0]].map((mask): [number, FrameShape] => [length, mask ? { mask } : {}]),
  );
  it.each(cases)('%i octets, %j', (length, shape) => {
    const payload = noise(length, length + 1);
    const bytes = join(frame(payload, { opcode: 2, ...shape }), frame('after', shape));
    const frames = read(bytes);
    expect(frames.map(({ payloadLength, masked }) => [payloadLength, masked])).toEqual([
      [length, shape.mask !== undefined],
      [5, shape.mask !== undefined],
    ]);
    expect(frames[0].payload).toBe(Buffer.from(payload).toString('latin1'));
    expect(frames[1].payload).toBe('after');
    expect(frames[1].span[1]).toBe(bytes.length);
    expect(read(bytes, [1000])).toEqual(frames);
    expect(read(bytes, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 997])).toEqual(frames);
  });

  it('reads lengths that are not in the fewest octets: they are the sender’s fault, not a reason to lose a frame', () => {
    expect(read(frame('x', { lengthOctets: 2 }))[0]).toMatchObject({ payload: 'x', span: [0, 5] });
    expect(read(frame('x', { lengthOctets: 8 }))[0]).toMatchObject({ payload: 'x', span: [0, 11] });
  });
});

describe('however the octets are cut', () => {
  const shape = fc.record({
    opcode: fc.constantFrom(0, 1, 2, 8, 9, 10),
    masked: fc.boolean(),
    length: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constantFrom(125, 126, 300)),
    fin: fc.boolean(),
  });

  it('the frames are the same', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(shape, { minLength: 1, maxLength: 12 }), cuts, (shapes, lengths) => {
        const bytes = join(
          ...shapes.map(({ opcode, masked, length, fin }, i) =>
            opcode >= 8
              ? frame(noise(Math.min(length, 125), i + 1), { opcode, ...(masked ? { mask: [9, 8, 7, i] } : {}) })
              : frame(noise(length, i + 1), { opcode, fin, ...(masked ? { mask: [9, 8, 7, i] } : {}) }),
          ),
        );
        const whole = read(bytes);
        expect(whole.length).toBe(shapes.length);
        expect(read(bytes, lengths)).toEqual(whole);
        expect(read(bytes, [1])).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  it('never writes into what it is given', () => {
    const bytes = join(frame('masked', { mask: [1, 2, 3, 4] }), frame('plain'));
    const before = bytes.slice();
    new FrameReader({ frame() {} }).read(bytes, 0, bytes.length, 0);
    expect(bytes).toEqual(before);
  });
});

describe('octets that cannot be a frame', () => {
  it.each([
    ['RSV2', 'a1 00', 'reserved bits'],
    ['RSV3', '91 00', 'reserved bits'],
    ['a reserved opcode', '83 00', 'opcode 3'],
    ['a reserved control opcode', '8b 00', 'opcode 11'],
    ['a fragmented Ping', '09 00', 'fragmented'],
    ['a Ping of 126 octets', '89 7e 00 7e', '125 octets'],
    ['RSV1 on a Ping', 'c9 00', 'RSV1'],
    ['RSV1 on a continuation', 'c0 00', 'RSV1'],
    ['a length of 2^63', '82 7f 80 00 00 00 00 00 00 00', '2^53'],
  ])('%s', (_, text, why) => {
    for (const lengths of [[64], [1]]) {
      const bench = new Bench().feed(frame('before'));
      bench.feed(hex(text), lengths);
      expect(bench.frames.length).toBe(1);
      expect(bench.reader.fault).toContain(why);
      expect(bench.reader.frame.startOffset).toBe(8);
    }
  });

  it('RSV1 on text, where no extension allows it', () => {
    const bench = new Bench();
    bench.reader.rsv1Allowed = false;
    bench.feed(frame('x', { rsv1: true }));
    expect(bench.reader.fault).toContain('RSV1');
    expect(read(frame('x', { rsv1: true }))[0]).toMatchObject({ rsv1: true });
  });

  it('never make it throw, and it never reads beyond them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const { span, payload, payloadLength } of read(bytes, [7])) {
          expect(span[1]).toBeLessThanOrEqual(bytes.length);
          expect(payload.length).toBe(payloadLength);
        }
      }),
    );
  });
});

describe('a gap', () => {
  const first = frame('0123456789');

  it('inside a payload damages that frame only', () => {
    const bench = new Bench().feed(first.subarray(0, 5));
    expect(bench.gap(4)).toBe(true);
    bench.feed(join(first.subarray(9), frame('next')));
    expect(bench.frames).toMatchObject([
      { damaged: true, payload: '012', payloadLength: 10, span: [0, 12] },
      { damaged: false, payload: 'next', span: [12, 18] },
    ]);
  });

  it('to the payload’s very end keeps the boundary', () => {
    const bench = new Bench().feed(first.subarray(0, 5));
    expect(bench.gap(7)).toBe(true);
    bench.feed(frame('next'));
    expect(bench.frames.map(({ damaged, payload }) => [damaged, payload])).toEqual([
      [true, '012'],
      [false, 'next'],
    ]);
  });

  it('beyond the payload loses the boundary', () => {
    const bench = new Bench().feed(first.subarray(0, 5));
    expect(bench.gap(8)).toBe(false);
    expect(bench.frames).toMatchObject([{ damaged: true, payload: '012' }]);
  });

  it('between frames or in a header loses the boundary', () => {
    expect(new Bench().feed(first).gap(1)).toBe(false);
    expect(new Bench().feed(frame(noise(200)).subarray(0, 3)).gap(1)).toBe(false);
  });
});

describe('the end of the stream', () => {
  it('inside a payload gives the frame as partial, with what came of it', () => {
    const bench = new Bench().feed(frame('0123456789', { mask: [1, 2, 3, 4] }).subarray(0, 10), [3]);
    bench.reader.finish();
    expect(bench.frames).toMatchObject([{ partial: true, payload: '0123', payloadLength: 10, span: [0, 16] }]);
  });

  it('inside a header gives nothing', () => {
    const bench = new Bench().feed(frame(noise(300)).subarray(0, 3));
    bench.reader.finish();
    expect(bench.frames).toEqual([]);
    expect(bench.reader.midFrame).toBe(true);
  });

  it('at a boundary gives nothing', () => {
    const bench = new Bench().feed(frame('x'));
    bench.reader.finish();
    expect(bench.frames.length).toBe(1);
    expect(bench.reader.boundary).toBe(3);
  });
});

describe('memory', () => {
  it('is not taken because a header claims it', () => {
    const bench = new Bench().feed(join(hex('82 7f 00 0f ff ff ff ff ff ff'), octets('little')), [3]);
    bench.reader.finish();
    expect(bench.frames).toMatchObject([{ partial: true, payload: 'little', payloadLength: 2 ** 52 - 1 }]);
  });

  it('keeps no more than 4 MiB of a payload, and finds the next frame behind it', () => {
    const long = frame(new Uint8Array(5 << 20), { opcode: 2 });
    const bench = new Bench().feed(join(long, frame('next')), [1 << 16]);
    expect(bench.frames[0]).toMatchObject({ payloadLength: 5 << 20, span: [0, long.length] });
    expect(bench.frames[0].payload.length).toBe(4 << 20);
    expect(bench.frames[1].payload).toBe('next');
  });
});
