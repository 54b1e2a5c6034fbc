import { describe, expect, it } from 'vitest';
import type { Fate } from '../../src/tcp/losses.js';
import { HalfBench } from '../support/half.js';

/** What each packet that was listed brought, in words: `lost-before-capture 5-10 #3`. */
function told({ half }: HalfBench): string[] {
  return (half.losses?.list ?? []).map(({ fate, from, to, ref }) => `${fate} ${from}-${to} #${ref}`);
}

function count({ half }: HalfBench, fate: Fate) {
  return half.losses?.count(fate) ?? { packets: 0, octets: 0 };
}

/** 0-5 in order, 5-10 not there, 10-15 behind the hole at 20 ms, with timestamps and IDs if they are given. */
function holed(first: { tick?: number; id?: number } = {}, behind: { tick?: number; id?: number } = first): HalfBench {
  const bench = new HalfBench();
  bench.data(10, 0, 'aaaaa', first);
  bench.ack(11, 5);
  bench.data(20, 10, 'ccccc', behind);
  return bench;
}

describe('a hole that is filled', () => {
  it.each([
    ['later timestamp', { tick: 500 }, { tick: 501 }],
    ['later IP ID in the same tick', { tick: 500, id: 70 }, { tick: 500, id: 71 }],
    ['later IP ID, counted over 65535', { id: 0xfffe }, { id: 3 }],
  ])('by octets with a %s was lost before the capture', (_, behind, filler) => {
    const bench = holed(behind);
    const ref = bench.data(22, 5, 'bbbbb', filler);
    expect(told(bench)).toEqual([`lost-before-capture 5-10 #${ref}`]);
    expect(bench.half.retransmissions).toBe(1);
    expect(bench.seen.text).toBe('aaaaabbbbbccccc');
  });

  it.each([
    ['earlier timestamp', { tick: 501 }, { tick: 500 }],
    ['earlier IP ID in the same tick', { tick: 500, id: 71 }, { tick: 500, id: 70 }],
  ])('by octets with an %s was only overtaken', (_, behind, filler) => {
    const bench = holed(behind);
    const ref = bench.data(22, 5, 'bbbbb', filler);
    expect(told(bench)).toEqual([`out-of-order 5-10 #${ref}`]);
    expect(bench.half.retransmissions).toBe(0);
  });

  it('without any mark was lost before the capture if it came a second late, and is undecided else', () => {
    const soon = holed();
    soon.data(900, 5, 'bbbbb');
    expect(told(soon)).toEqual(['undecided 5-10 #4']);
    const late = holed();
    late.data(1021, 5, 'bbbbb');
    expect(told(late)).toEqual(['lost-before-capture 5-10 #4']);
  });

  it('is undecided where IDs are too far apart to count', () => {
    const bench = holed({ id: 100 });
    bench.data(22, 5, 'bbbbb', { id: 9000 });
    expect(told(bench)).toEqual(['undecided 5-10 #4']);
  });

  it('goes by IDs that are further apart where those behind the hole follow each other', () => {
    const bench = holed({ id: 100 });
    bench.data(21, 15, 'ddddd', { id: 101 });
    bench.data(22, 20, 'eeeee', { id: 102 });
    bench.data(23, 5, 'bbbbb', { id: 160 });
    expect(told(bench)).toEqual(['lost-before-capture 5-10 #6']);
  });

  it('counts what the packet repeats beside it as filled only once', () => {
    const bench = holed({ tick: 500 });
    bench.data(30, 3, 'aabbbbbcc', { tick: 510 });
    expect(count(bench, 'lost-before-capture')).toEqual({ packets: 1, octets: 5 });
    expect(count(bench, 'retransmitted-after-capture')).toEqual({ packets: 0, octets: 0 });
  });

  it('after its TCP ACK by octets that were sent again was not lost before the capture', () => {
    const bench = holed({ tick: 500 });
    bench.ack(21, 15);
    bench.data(30, 5, 'bbbbb', { tick: 510 });
    expect(told(bench)).toEqual(['retransmitted-after-ack 5-10 #5']);
  });
});

describe('octets that were captured before', () => {
  it('and come again before their TCP ACK were retransmitted after the capture', () => {
    const bench = new HalfBench();
    bench.data(10, 0, 'aaaaa', { tick: 500, mark: 1 });
    bench.data(230, 0, 'aaaaa', { tick: 720, mark: 3 });
    expect(told(bench)).toEqual(['retransmitted-after-capture 0-5 #2']);
    expect(bench.half.retransmissions).toBe(1);
  });

  it('and come again behind their TCP ACK, or a SACK, count apart, and their message hears of it', () => {
    const bench = new HalfBench();
    bench.data(10, 0, 'aaaaa', { tick: 500, mark: 1 });
    bench.ack(11, 5);
    bench.data(230, 0, 'aaaaa', { tick: 720, mark: 3 });
    expect(told(bench)).toEqual(['retransmitted-after-ack 0-5 #3']);
    expect(bench.seen.events.at(-1)).toBe('again 0-5');
    const sacked = holed({ tick: 500 });
    sacked.sack(21, 5, 10, 15);
    sacked.data(60, 10, 'ccccc', { tick: 540 });
    expect(told(sacked)).toEqual(['retransmitted-after-ack 10-15 #5']);
  });

  it('are no retransmission where one packet was captured twice, is an old one, or probes', () => {
    const bench = new HalfBench();
    bench.data(10, 0, 'aaaaa', { tick: 500, mark: 1 });
    bench.data(10.2, 0, 'aaaaa', { tick: 500, mark: 1 });
    bench.data(20, 5, 'bbbbb', { tick: 510, mark: 3 });
    bench.data(90, 0, 'aaaaa', { tick: 500, mark: 5 });
    bench.data(95, 9, 'b', { tick: 590, mark: 7 }); // keep-alive
    bench.data(200, 10, 'c', { tick: 690, mark: 9 }); // a probe of the closed window
    bench.data(400, 10, 'c', { tick: 890, mark: 11 });
    bench.data(600, 10, 'ccccc', { tick: 1090, mark: 13 });
    expect(told(bench)).toEqual([]);
    expect(bench.half).toMatchObject({ retransmissions: 0, duplicates: 2 });
  });

  it('are told apart from those of a hole that was given up: these were missed by the capture', () => {
    const bench = holed({ tick: 500 });
    bench.ack(21, 15);
    bench.bare(300, 15);
    expect(bench.half.gaps).toMatchObject([{ kind: 'missed', from: 5, to: 10 }]);
    bench.data(400, 5, 'bbbbb', { tick: 900 });
    expect(told(bench)).toEqual([]);
    expect(bench.half.retransmissions).toBe(1);
  });

  it('are counted beyond what is listed', () => {
    const bench = new HalfBench();
    bench.data(10, 0, 'aaaaa', { tick: 500 });
    for (let i = 0; i < 300; i++) bench.data(300 + i * 100, 0, 'aaaaa', { tick: 800 + i * 100, mark: 2 * i + 1 });
    expect(bench.half.losses?.list).toHaveLength(256);
    expect(count(bench, 'retransmitted-after-capture')).toEqual({ packets: 300, octets: 1500 });
  });
});
