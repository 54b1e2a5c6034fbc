import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameStream } from '../../src/websocket/frame-stream.js';
import { command, frame, ping } from '../support/frames.js';
import { cut, hex, join, noise, octets } from '../support/octets.js';

class Bench {
  /** `0-7 1 Hello` for frames, `lost 0-9` for spans that could not be read. */
  readonly events: string[] = [];
  readonly stream = new FrameStream(
    {
      frame: (seen) => {
        const payload = Buffer.from(seen.bytes.slice(seen.payloadStart, seen.payloadEnd)).toString('latin1');
        const state = `${seen.damaged ? ' damaged' : ''}${seen.partial ? ' partial' : ''}`;
        this.events.push(`${seen.startOffset}-${seen.endOffset} ${seen.opcode} ${payload}${state}`);
      },
      undecoded: (from, to, why) => void this.events.push(`lost ${from}-${to} ${why}`),
    },
    { masked: null },
  );
  offset = 0;

  feed(...pieces: Uint8Array[]): this {
    for (const piece of pieces) {
      this.stream.read(piece, 0, piece.length, this.offset);
      this.offset += piece.length;
    }
    return this;
  }

  gap(length: number): this {
    this.stream.gap(this.offset, this.offset + length);
    this.offset += length;
    return this;
  }

  get frames(): string[] {
    return this.events.filter((event) => !event.startsWith('lost'));
  }

  get lost(): [number, number][] {
    return this.events
      .filter((event) => event.startsWith('lost'))
      .map((event) => event.split(' ')[1].split('-').map(Number) as [number, number]);
  }
}

const text = (id: string) => frame(command(id));
const is = (id: string) => expect.stringContaining(`"id":"${id}"`);

describe('packets that were cut, before a boundary is known', () => {
  it('are judged together, and what was cut off stays missing', () => {
    const bench = new Bench();
    const compressed = () => frame(noise(100), { rsv1: true, mask: [1, 2, 3, 4] });
    for (let i = 0; i < 3; i++) bench.feed(compressed().subarray(0, 30)).gap(106 - 30);
    bench.stream.finish();
    expect(bench.frames.map((event) => event.split(' ')[0])).toEqual(['0-106', '106-212', '212-318']);
    expect(bench.frames.every((event) => event.endsWith('damaged'))).toBe(true);
    expect(bench.lost).toEqual([]);
  });

  it('are given up octet by octet where no frames come of it', () => {
    const bench = new Bench();
    for (let i = 0; i < 5; i++) bench.feed(octets('no frames here')).gap(40);
    bench.gap(10_000).feed(octets('nor here'));
    bench.stream.finish();
    expect(bench.frames).toEqual([]);
    const all = bench.lost.sort((a, b) => a[0] - b[0]);
    expect([all[0][0], all.at(-1)?.[1]]).toEqual([0, bench.offset]);
    for (let i = 1; i < all.length; i++) expect(all[i][0]).toBe(all[i - 1][1]);
  });
});

describe('a stream whose start is known', () => {
  it('is read frame by frame', () => {
    const bench = new Bench();
    bench.stream.startAt(0);
    bench.feed(frame('Hello'), ping('x'));
    bench.stream.finish();
    expect(bench.events).toEqual(['0-7 1 Hello', '7-10 9 x']);
  });

  it('is read the same after a gap inside a payload', () => {
    const bench = new Bench();
    bench.stream.startAt(0);
    const long = text('c-1');
    bench
      .feed(long.subarray(0, 10))
      .gap(long.length - 10)
      .feed(text('c-2'));
    expect(bench.frames).toEqual([expect.stringContaining('damaged'), is('c-2')]);
    expect(bench.lost).toEqual([]);
  });

  it('names the span that stood between a gap and the next boundary that is certain', () => {
    const bench = new Bench();
    bench.stream.startAt(0);
    const lost = text('c-1');
    bench.feed(text('c-0')).gap(lost.length).feed(text('c-2'), text('c-3'));
    expect(bench.frames).toEqual([is('c-0'), is('c-2'), is('c-3')]);
    const from = text('c-0').length;
    expect(bench.lost).toEqual([[from, from + lost.length]]);
  });

  it('goes on after octets that are no frame, and says which could not be read', () => {
    const bench = new Bench();
    bench.stream.startAt(0);
    bench.feed(text('c-0'), hex('ff ff ff ff'), octets('garbage'), text('c-1'), text('c-2'), text('c-3'));
    const from = text('c-0').length;
    expect(bench.frames).toEqual([is('c-0'), is('c-1'), is('c-2'), is('c-3')]);
    expect(bench.events.find((event) => event.startsWith('lost'))).toContain('no WebSocket frame can start here');
    expect(bench.lost[0][0]).toBe(from);
    expect(bench.lost.at(-1)?.[1]).toBe(from + 11);
  });
});

describe('a stream that is met in the middle', () => {
  function met(...pieces: Uint8Array[]): Bench {
    const bench = new Bench();
    bench.stream.search(0, 'met');
    bench.feed(...pieces);
    bench.stream.finish();
    return bench;
  }

  it('is read from the first frame that is certain', () => {
    const rest = text('c-0').subarray(20);
    const bench = met(rest, text('c-1'), text('c-2'));
    expect(bench.frames).toEqual([is('c-1'), is('c-2')]);
    expect(bench.lost).toEqual([[0, rest.length]]);
  });

  it('is not read where nothing is certain', () => {
    const bench = met(noise(700), noise(300, 5));
    expect(bench.events).toEqual(['lost 0-1000 met']);
  });

  it('keeps a lone Ping back, and reads it with the frames behind it', () => {
    const bench = met(ping(), text('c-1'));
    expect(bench.events).toEqual(['0-2 9 ', is('c-1')]);
  });

  it('gives frames and lost spans that lie one behind the other, whatever comes', () => {
    const piece = fc.oneof(
      fc.integer({ min: 1, max: 60 }).map((n) => noise(n, n)),
      fc.constantFrom(text('c-1'), text('c-2'), ping(), frame('', { opcode: 10 })),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (pieces, cuts) => {
          const bench = met(...(pieces.length === 0 ? [] : cut(join(...pieces), cuts)));
          let reached = 0;
          for (const event of bench.events) {
            const [from, to] = event.replace('lost ', '').split(' ')[0].split('-').map(Number);
            expect(from).toBeGreaterThanOrEqual(reached);
            reached = event.endsWith('partial') ? bench.offset : to;
          }
          expect(reached).toBeLessThanOrEqual(bench.offset);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('takes bounded memory, and still finds its way back', () => {
    const bench = new Bench();
    bench.stream.search(0, 'met');
    for (let i = 0; i < 30; i++) bench.feed(noise(20_000, i + 1));
    expect(bench.stream.searched).toBeLessThanOrEqual(200_000);
    bench.feed(text('c-1'), text('c-2'), text('c-3'));
    bench.stream.finish();
    expect(bench.frames).toEqual([is('c-1'), is('c-2'), is('c-3')]);
    expect(bench.lost[0][0]).toBe(0);
    expect(bench.lost.at(-1)?.[1]).toBe(600_000);
  });
});
