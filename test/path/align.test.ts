import { describe, expect, it } from 'vitest';
import { type AlignSide, align, anchors, settledAnchors } from '../../src/path/align.js';
import { HopClock } from '../../src/path/hop-clock.js';
import { command, frame, ping } from '../support/frames.js';
import { observe } from '../support/observe.js';
import { Tape } from '../support/tape.js';
import { webSocket } from '../support/web-socket-talk.js';

/** Messages that the server sent on one leg: [time, frame]. */
function side(
  sent: [number, Uint8Array][],
  response: string[] = [],
  clockNs: number | null = 0,
  lost: number[] = [],
): AlignSide {
  const tape = new Tape();
  const talk = webSocket(tape, 0, {}, { response });
  const numbers = sent.map(([ms, bytes]) => talk.send(ms, 'server', bytes));
  const { observation, connections } = observe(tape.without(...lost.map((i) => numbers[i])));
  return {
    half: connections[0].fromServer,
    messages: observation.messages,
    strings: observation.strings,
    clock: clockNs === null ? null : HopClock.constant(clockNs, 0),
    endNs: observation.lastNs,
  };
}

const text = (id: string) => frame(command(id));
const matched = (inner: AlignSide, outer: AlignSide) => {
  const found = align(inner, outer, true);
  return { mode: found.mode, inner: [...found.inner] };
};

describe('align by offsets', () => {
  it('matches what was copied octet by octet, though a proxy changed the 101', () => {
    const messages: [number, Uint8Array][] = [
      [100, text('a')],
      [200, ping()],
      [300, ping()],
      [400, text('b')],
      [500, text('a')],
    ];
    const outer = side(
      messages.map(([ms, bytes]) => [ms + 1, bytes]),
      ['Server: nginx', 'X-More: header'],
    );
    expect(matched(side(messages), outer)).toEqual({ mode: 'offsets', inner: [0, 1, 2, 3, 4] });
  });

  it('matches equal contents by their places where the outer leg ends earlier', () => {
    const inner = side([100, 200, 300].map((ms) => [ms, text('a')]));
    const outer = side([100, 200].map((ms) => [ms + 1, text('a')]));
    expect(matched(inner, outer)).toEqual({ mode: 'offsets', inner: [0, 1] });
  });
});

describe('settledAnchors', () => {
  const sent: [number, Uint8Array][] = ['a', 'twice', 'twice', 'b', 'c', 'd'].map((id, i) => [
    100 + i * 1000,
    text(id),
  ]);
  const later = sent.map(([ms, bytes]): [number, Uint8Array] => [ms + 1, bytes]);

  it('are not two copies of a message of which each capture lost the other one', () => {
    const [inner, outer] = [side(sent, [], 0, [2]), side(later, ['Server: nginx'], 0, [1])];
    expect(anchors(inner, outer)).toHaveLength(5);
    const times = settledAnchors(inner, outer).map(([i, o]) =>
      [inner, outer].map(({ half, messages }, k) => messages.sentNs[half.rows[[i, o][k]]] / 1e6),
    );
    expect(times).toEqual([0, 3, 4, 5].map((i) => [sent[i][0], later[i][0]]));
  });

  it('are all where no two stand at one distance', () => {
    const grown = ['a', 'b', 'c'].map((id, i): [number, Uint8Array] => [
      100 + i * 1000,
      frame(command(id), { lengthOctets: 8 }),
    ]);
    const plain = ['a', 'b', 'c'].map((id, i): [number, Uint8Array] => [99 + i * 1000, text(id)]);
    const [inner, outer] = [side(plain), side(grown)];
    expect(settledAnchors(inner, outer)).toEqual(anchors(inner, outer));
    expect(anchors(inner, outer)).toHaveLength(3);
  });
});

describe('several messages in one frame', () => {
  const three = ['a', 'b', 'c'].map((id) => command(id));
  const batch = frame(`[${three}]`);

  it('are matched one by one where the frame was copied', () => {
    const inner = side([
      [100, batch],
      [200, text('d')],
    ]);
    expect(
      matched(
        inner,
        side(
          [
            [101, batch],
            [201, text('d')],
          ],
          ['X-More: header'],
        ),
      ),
    ).toEqual({ mode: 'offsets', inner: [0, 1, 2, 3] });
  });

  it('are matched with the frames that they came in, or went out in', () => {
    const alone = side([...three.map((each, i): [number, Uint8Array] => [100 + i, frame(each)]), [200, text('d')]]);
    const together = side([
      [110, batch],
      [210, text('d')],
    ]);
    expect(matched(alone, together).inner).toEqual([0, 1, 2, 3]);
    expect(
      matched(
        together,
        side([...three.map((each, i): [number, Uint8Array] => [120 + i, frame(each)]), [220, text('d')]]),
      ).inner,
    ).toEqual([0, 1, 2, 3]);
  });
});

describe('what a hop writes anew', () => {
  const anew = (id: string) => frame(command(id).replaceAll(',', ', '));

  it('is matched by type and ID where no content is left', () => {
    const inner = side([
      [100, text('a')],
      [200, ping('p1')],
      [300, text('b')],
    ]);
    const outer = side([
      [110, anew('a')],
      [201, ping('p1')],
      [310, anew('b')],
    ]);
    expect(matched(inner, outer).inner).toEqual([0, 1, 2]);
    // A Ping of two octets is alike everywhere.
    expect(anchors(inner, outer)).toEqual([
      [0, 0],
      [2, 2],
    ]);
  });

  it('is matched with the copy that was there just before it, and with no older one', () => {
    const inner = side([
      [100, text('a')],
      [400, text('b')],
      [1100, text('a')],
    ]);
    const late = side([
      [401, text('b')],
      [1110, anew('a')],
    ]);
    expect(matched(inner, late).inner).toEqual([1, 2]);
    const dropped = side([
      [401, text('b')],
      [900, anew('a')],
    ]);
    expect(matched(inner, dropped).inner).toEqual([1, -1]);
  });

  it('is not guessed at where the clocks are not known and some content is the same', () => {
    const inner = side(
      [
        [100, text('a')],
        [400, text('b')],
      ],
      [],
      null,
    );
    const outer = side(
      [
        [110, anew('a')],
        [401, text('b')],
      ],
      [],
      null,
    );
    expect(matched(inner, outer).inner).toEqual([-1, 1]);
  });
});

it('Text that goes on as Binary is the same message', () => {
  const inner = side([
    [100, text('a')],
    [200, text('b')],
  ]);
  const outer = side([
    [101, frame(command('a'), { opcode: 2 })],
    [201, frame(command('b'), { opcode: 2 })],
  ]);
  expect(matched(inner, outer).inner).toEqual([0, 1]);
});

describe('align by votes', () => {
  it('tells copies apart where every content occurs twice, one copy is missing, and no beginning was captured', () => {
    const offers: [number, Uint8Array][] = ['a', 'b', 'c', 'd'].flatMap((id, i): [number, Uint8Array][] => [
      [100 + i * 1000, text(id)],
      [400 + i * 1000, text(id)],
    ]);
    const inner = side(offers.filter((_, i) => i !== 3));
    const outer = side(offers.map(([ms, bytes]): [number, Uint8Array] => [ms + 1, bytes]));
    for (const { half } of [inner, outer]) half.webSocketFrom = Number.NaN;
    // As a hole would have it: what follows the copy that is missing keeps its place in the stream.
    const octets = text('b').length;
    inner.half.rows.forEach((row, i) => {
      if (i < 3) return;
      inner.messages.startOffset[row] += octets;
      inner.messages.endOffset[row] += octets;
    });
    expect(matched(inner, outer)).toEqual({ mode: 'offsets', inner: [0, 1, 2, -1, 3, 4, 5, 6] });
  });
});

describe('align by content', () => {
  it('matches where the same messages are framed anew, though they begin at the same places', () => {
    const long = command('b', `,"script":"${'x'.repeat(300)}"`);
    const parts = [frame(long.slice(0, 100), { fin: false }), frame(long.slice(100), { opcode: 0 })];
    const inner = side([
      [100, text('a')],
      [200, Buffer.concat(parts)],
      [300, text('c')],
    ]);
    const outer = side([
      [101, text('a')],
      [201, frame(long)],
      [301, text('c').subarray(0, text('c').length - 1)],
    ]);
    expect(matched(inner, outer).inner).toEqual([0, 1, 2]);
  });

  it('leaves out what a hop dropped', () => {
    const inner = side([
      [100, text('a')],
      [200, text('b')],
      [300, text('c')],
    ]);
    const outer = side([
      [101, text('a')],
      [301, text('c')],
    ]);
    expect(matched(inner, outer)).toEqual({ mode: 'content', inner: [0, 2] });
  });

  it('leaves out what a hop added', () => {
    const inner = side([
      [100, text('a')],
      [200, text('b')],
    ]);
    const outer = side([
      [101, text('a')],
      [150, ping('of its own')],
      [201, text('b')],
    ]);
    expect(matched(inner, outer)).toEqual({ mode: 'content', inner: [0, -1, 1] });
  });

  it('matches the message that a stream ends in by its type and ID', () => {
    const part = (id: string) => text(id).subarray(0, text(id).length - 1);
    const inner = side([
      [100, text('a')],
      [150, ping('lost')],
      [200, text('b')],
      [300, text('c')],
    ]);
    const outer = (last: Uint8Array) =>
      side([
        [101, text('a')],
        [201, last],
      ]);
    expect(matched(inner, outer(part('b'))).inner).toEqual([0, 2]);
    // Not yet sent by then, or not named at all.
    expect(matched(inner, outer(part('c'))).inner).toEqual([0, -1]);
    expect(matched(inner, outer(text('b').subarray(0, 12))).inner).toEqual([0, -1]);
  });

  it('takes the re-offer that was just sent, not the one that was dropped', () => {
    const inner = side([
      [100, text('x')],
      [1000, text('a')],
      [20_000, text('a')],
      [21_000, text('y')],
    ]);
    const outer = side([
      [101, text('x')],
      [20_001, text('a')],
      [21_001, text('y')],
    ]);
    expect(matched(inner, outer)).toEqual({ mode: 'content', inner: [0, 2, 3] });
  });

  it('takes none that was sent only afterwards', () => {
    const inner = side([
      [100, text('x')],
      [1000, text('a')],
      [20_000, text('a')],
      [21_000, text('y')],
    ]);
    const outer = side([
      [101, text('x')],
      [1001, text('a')],
      [21_001, text('y')],
    ]);
    expect(matched(inner, outer)).toEqual({ mode: 'content', inner: [0, 1, 3] });
  });

  it('reckons with clocks that differ', () => {
    const inner = side([
      [100, text('x')],
      [1000, text('a')],
      [20_000, text('a')],
      [21_000, text('y')],
    ]);
    const outer = side(
      [
        [50_101, text('x')],
        [51_001, text('a')],
        [71_001, text('y')],
      ],
      [],
      50_000e6,
    );
    expect(matched(inner, outer)).toEqual({ mode: 'content', inner: [0, 1, 3] });
  });
});

describe('align where a hop writes frames of its own', () => {
  const inTwo = (id: string) => {
    const octets = Buffer.from(command(id));
    const parts = [frame(octets.subarray(0, 20), { fin: false }), frame(octets.subarray(20), { opcode: 0 })];
    return Buffer.concat(parts);
  };

  it('goes by content, though the first message stands where it should in both streams', () => {
    const copies: [number, string][] = [
      [100, 'auth'],
      [200, 'a'],
      [300, 'b'],
      [2200, 'a'],
      [2300, 'b'],
    ];
    const inner = side(copies.map(([ms, id]) => [ms, text(id)]));
    const outer = side(copies.map(([ms, id], n) => [ms + 1, n === 0 ? text(id) : inTwo(id)]));
    expect(matched(inner, outer).inner).toEqual([0, 1, 2, 3, 4]);
  });

  it('takes the copies that are at one time, where one capture lost the first and the other one the last', () => {
    const inner = side([
      [50, text('x')],
      [100, text('y')],
      [150, text('z')],
      // A Ping, lost here the first time.
      [2000, text('a')],
      [4000, ping('p')],
      [4100, text('a')],
    ]);
    const outer = side([
      [51, inTwo('x')],
      [101, inTwo('y')],
      [151, inTwo('z')],
      [300, ping('p')],
      [2001, inTwo('a')],
      [4101, inTwo('a')],
    ]);
    expect(matched(inner, outer).inner).toEqual([0, 1, 2, -1, 3, 5]);
  });

  it('takes the copies that are at one time where nothing occurs once, and none from a capture that was over by then', () => {
    const inner = side([
      [100, text('a')],
      [2000, text('a')],
      [4000, text('a')],
    ]);
    const outer = side([100, 4001, 6001].map((ms) => [ms, inTwo('a')]));
    for (const { half } of [inner, outer]) half.webSocketFrom = Number.NaN;
    expect(matched(inner, outer).inner).toEqual([0, 2, -1]);
  });
});

describe('anchors', () => {
  it('are contents that occur once on each side, in the order of both', () => {
    const inner = side([
      [1, text('a')],
      [2, text('b')],
      [3, text('b')],
      [4, text('c')],
      [5, text('d')],
    ]);
    const outer = side([
      [1, text('c')],
      [2, text('a')],
      [3, text('b')],
      [4, text('d')],
    ]);
    const found = anchors(inner, outer);
    expect(found.at(-1)).toEqual([4, 3]);
    expect(found.every(([i, o], at) => at === 0 || (i > found[at - 1][0] && o > found[at - 1][1]))).toBe(true);
    expect(found.some(([i]) => i === 1 || i === 2)).toBe(false);
    expect(found.length).toBe(2);
  });
});
