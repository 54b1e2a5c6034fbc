import { describe, expect, it } from 'vitest';
import { HalfBench } from '../support/half.js';

const tenth = 100; // milliseconds

describe('octets in order', () => {
  it('come as they are sent', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'hello ');
    bench.data(1, 6, 'world');
    expect(bench.seen.streamed).toEqual(['data 0 hello ', 'data 6 world']);
    expect(bench.half).toMatchObject({ next: 11, highest: 11, retransmissions: 0, duplicates: 0, missedOctets: 0 });
  });

  it('come in order where the capture has them out of order', () => {
    const bench = new HalfBench();
    bench.data(0, 6, 'world');
    expect(bench.seen.streamed).toEqual([]);
    bench.data(1, 11, '!');
    bench.data(2, 0, 'hello ');
    expect(bench.seen.text).toBe('hello world!');
    expect(bench.half.gaps).toEqual([]);
  });

  it('come once where segments overlap', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'abcdef');
    bench.data(1, 4, 'efghij');
    bench.data(2, 2, 'cdefghijkl');
    expect(bench.seen.text).toBe('abcdefghijkl');
  });

  it('come once where held segments overlap and repeat each other', () => {
    const bench = new HalfBench();
    bench.data(0, 4, 'efgh');
    bench.data(1, 4, 'ef');
    bench.data(2, 4, 'efgh');
    bench.data(3, 6, 'ghij');
    bench.data(4, 0, 'abcd');
    expect(bench.seen.text).toBe('abcdefghij');
  });

  it('come once where they are sent again, which is counted', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'hello');
    bench.data(2 * tenth, 0, 'hello');
    expect(bench.seen.streamed).toEqual(['data 0 hello']);
    expect(bench.half.retransmissions).toBe(1);
  });

  it.each([
    ['2^32', 0xfffffffa],
    ['2^31', 0x7ffffffa],
  ])('go on over the wrap of the sequence number at %s', (_, isn) => {
    const bench = new HalfBench(isn);
    bench.data(0, 0, 'abcd');
    bench.data(1, 8, 'ijkl');
    bench.data(2, 4, 'efgh');
    bench.ack(3, 12);
    expect(bench.seen.text).toBe('abcdefghijkl');
    expect(bench.half.acks.offset).toBe(12);
  });

  it('keep counting beyond 2^32 octets', () => {
    const bench = new HalfBench(0);
    const step = 2 ** 30;
    bench.half.followed = false;
    for (let i = 0; i < 9; i++) {
      bench.data(i, i * step, 'x', { wireLength: step });
      bench.ack(i, (i + 1) * step);
    }
    expect(bench.half.next).toBe(9 * step);
    expect(bench.half.acks.offset).toBe(9 * step);
  });

  it('start at the first packet where the SYN was not captured', () => {
    const bench = new HalfBench();
    bench.half.started = false;
    bench.half.initialSequence = -1;
    bench.half.start(bench.sequence(5000));
    bench.data(0, 5000, 'mid');
    bench.bare(21, 5003);
    expect(bench.seen.streamed).toEqual(['data 0 mid']);
    expect(bench.half.baseSequence).toBe(bench.sequence(5000));
  });
});

describe('keep-alives and zero-window probes (RFC 9293, section 3.8.4 and 3.8.6.1)', () => {
  it.each([
    ['without data', (bench: HalfBench) => bench.bare(3e4, 4)],
    ['with one old octet', (bench: HalfBench) => bench.data(3e4, 4, '\0')],
  ])('%s are no data and no retransmission', (_, keepAlive) => {
    const bench = new HalfBench();
    bench.data(0, 0, 'hello');
    bench.ack(1, 5);
    keepAlive(bench);
    bench.ack(3e4 + 1, 5);
    expect(bench.seen.streamed).toEqual(['data 0 hello']);
    expect(bench.half).toMatchObject({ next: 5, retransmissions: 0, gaps: [] });
    expect(bench.half.wholeUntilNs).toBe(3e4 * 1e6);
  });

  it('a keep-alive before any data is none either', () => {
    const bench = new HalfBench();
    bench.data(0, -1, '\0');
    bench.data(1, 0, 'a');
    expect(bench.seen.streamed).toEqual(['data 0 a']);
  });

  it('a keep-alive of one octet is told from the first octet of new data', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'hello');
    bench.data(1, 5, 'x');
    expect(bench.seen.text).toBe('hellox');
  });
});

describe('holes', () => {
  it('that the receiver TCP-ACKed are the capture’s fault after the wait', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'hello');
    bench.data(1, 10, 'world');
    bench.ack(2, 15);
    bench.bare(200, 15);
    expect(bench.seen.streamed).toEqual(['data 0 hello']);
    bench.bare(300, 15);
    expect(bench.seen.streamed).toEqual(['data 0 hello', 'gap 5-10 missed', 'data 10 world']);
    expect(bench.half.missedOctets).toBe(5);
    expect(bench.half.gaps).toMatchObject([{ kind: 'missed', from: 5, to: 10 }]);
  });

  it('wait as long as the receiver has not TCP-ACKed them', () => {
    const bench = new HalfBench();
    bench.data(0, 5, 'world');
    for (let s = 1; s < 20; s++) bench.bare(s * 1000, 10);
    expect(bench.seen.streamed).toEqual([]);
    bench.data(20_000, 0, 'hello');
    expect(bench.seen.text).toBe('helloworld');
    expect(bench.half.missedOctets).toBe(0);
  });

  it('stay closed for octets captured after their TCP ACK', () => {
    const bench = new HalfBench();
    bench.ack(0, 5);
    bench.data(1, 5, 'world');
    bench.ack(2, 10);
    bench.data(3, 0, 'hello');
    bench.bare(5000, 10);
    expect(bench.seen.text).toBe('helloworld');
    expect(bench.half.gaps).toEqual([]);
  });

  it('wait also where the timestamps of two capture queues run against each other', () => {
    const bench = new HalfBench();
    bench.data(10, 5, 'world');
    bench.ack(11, 10);
    bench.bare(10.9, 10);
    bench.data(10.95, 0, 'hello');
    expect(bench.seen.text).toBe('helloworld');
    expect(bench.half.missedOctets).toBe(0);
  });

  it('that nobody TCP-ACKed stay open to the end', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'hello');
    bench.data(1, 10, 'world');
    bench.half.finish();
    expect(bench.seen.streamed).toEqual(['data 0 hello', 'gap 5-10 never-acked', 'data 10 world']);
    expect(bench.half.missedOctets).toBe(0);
  });

  it('at the end are known from the TCP ACK alone', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'hello');
    bench.ack(1, 12);
    bench.half.finish();
    expect(bench.seen.streamed).toEqual(['data 0 hello', 'gap 5-12 missed']);
  });

  it('at the end are known from a later packet without data', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'hello');
    bench.bare(1, 12);
    bench.half.finish();
    expect(bench.seen.streamed).toEqual(['data 0 hello', 'gap 5-12 never-acked']);
  });

  it('of several kinds are each named', () => {
    const bench = new HalfBench();
    bench.data(0, 2, 'c');
    bench.data(1, 4, 'e');
    bench.ack(2, 3);
    bench.half.finish();
    expect(bench.seen.streamed).toEqual(['gap 0-2 missed', 'data 2 c', 'gap 3-4 never-acked', 'data 4 e']);
  });

  it('are given up when too much is held', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'a');
    for (let i = 0; i < 5000; i++) bench.data(1, 10 + i, 'x');
    expect(bench.seen.streamed.slice(0, 3)).toEqual(['data 0 a', 'gap 1-10 never-acked', 'data 10 x']);
  });
});

describe('cut packets', () => {
  it('leave a gap of their own kind', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'hel', { wireLength: 5 });
    bench.data(1, 5, 'world');
    expect(bench.seen.streamed).toEqual(['data 0 hel', 'gap 3-5 cut', 'data 5 world']);
    expect(bench.half).toMatchObject({ cutOctets: 2, missedOctets: 0 });
  });

  it('without any payload leave only the gap', () => {
    const bench = new HalfBench();
    bench.data(0, 0, '', { wireLength: 5 });
    expect(bench.seen.streamed).toEqual(['gap 0-5 cut']);
  });

  it('out of order leave it too', () => {
    const bench = new HalfBench();
    bench.data(0, 5, 'wor', { wireLength: 5 });
    bench.data(1, 0, 'hello');
    expect(bench.seen.streamed).toEqual(['data 0 hello', 'data 5 wor', 'gap 8-10 cut']);
  });

  it('are told as sent by the ledger', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'hel', { wireLength: 5 });
    expect(bench.half.ledger.range(0, 5).octetsSeen).toBe(5);
  });
});

describe('FIN', () => {
  it('is one in the TCP ACK and no missed octet', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'bye');
    bench.half.fin(bench.sequence(3));
    bench.ack(1, 4);
    bench.bare(2, 4);
    bench.half.finish();
    expect(bench.seen.streamed).toEqual(['data 0 bye']);
    expect(bench.half).toMatchObject({ finOffset: 3, missedOctets: 0 });
  });

  it('that was not captured is no missed octet', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'bye');
    bench.ack(1, 4);
    bench.half.finish();
    expect(bench.half.gaps).toEqual([]);
  });

  it('does not hide octets before it that were missed', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'bye');
    bench.half.fin(bench.sequence(8));
    bench.ack(1, 9);
    bench.half.finish();
    expect(bench.seen.streamed).toEqual(['data 0 bye', 'gap 3-8 missed']);
  });
});

describe('copies of one packet', () => {
  it('with the same timestamp option are no retransmissions', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'hello', { mark: 7 });
    bench.data(0.05, 0, 'hello', { mark: 7 });
    bench.data(220, 0, 'hello', { mark: 227 });
    expect(bench.half).toMatchObject({ duplicates: 1, retransmissions: 1 });
    expect(bench.half.ledger.range(0, 5).refs).toEqual([1, 3]);
  });
});

describe('blocked', () => {
  it('is a direction whose octets are not TCP-ACKed for a second and more', () => {
    const bench = new HalfBench();
    const sent = bench.data(1000, 0, 'hello');
    bench.data(1300, 0, 'hello');
    const acked = bench.ack(4000, 5);
    expect(bench.half.blocked).toEqual([{ kind: 'unacked', fromNs: 1e9, toNs: 4e9, ref: sent, endRef: acked }]);
  });

  it('is none whose octets were never sent again: the capture missed the TCP ACK', () => {
    const bench = new HalfBench();
    bench.data(1000, 0, 'hello');
    bench.ack(4000, 5);
    bench.data(5000, 5, 'world');
    bench.clock.timeNs = 9e9;
    bench.half.finish();
    expect(bench.half.blocked).toEqual([]);
  });

  it('ends with its TCP ACK on a clock that is behind the epoch, too', () => {
    const bench = new HalfBench();
    bench.data(-5000, 0, 'hello');
    bench.ack(-4999, 5);
    bench.half.finish();
    expect(bench.half.blocked).toEqual([]);
  });

  it('is counted anew from the octets that a partial TCP ACK leaves', () => {
    const bench = new HalfBench();
    bench.data(1000, 0, 'hello');
    const second = bench.data(1500, 5, 'world');
    bench.ack(1600, 5);
    bench.half.finish();
    expect(bench.half.blocked).toEqual([
      { kind: 'unacked', fromNs: 1.5e9, toNs: Number.POSITIVE_INFINITY, ref: second, endRef: 0 },
    ]);
  });

  it('is not one whose TCP ACK was captured before its data', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'a');
    bench.ack(1, 1);
    bench.ack(1000, 6);
    bench.data(1000.1, 1, 'hello');
    bench.data(60_000, 6, 'world');
    bench.ack(60_001, 11);
    bench.half.finish();
    expect(bench.half.blocked).toEqual([]);
  });

  it('is a direction while the receiver’s window is closed', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'hello');
    const closed = bench.ack(10, 5, 0);
    bench.ack(5000, 5, 0);
    const opened = bench.ack(9000, 5, 100);
    expect(bench.half.blocked).toEqual([
      { kind: 'window-closed', fromNs: 10e6, toNs: 9e9, ref: closed, endRef: opened },
    ]);
  });

  it('is none that was TCP-ACKed at once', () => {
    const bench = new HalfBench();
    for (let s = 0; s < 60; s++) {
      bench.data(s * 1000, s * 5, 'hello');
      bench.ack(s * 1000 + 40, s * 5 + 5);
    }
    bench.half.finish();
    expect(bench.half.blocked).toEqual([]);
  });
});

describe('TCP ACKs', () => {
  it('and SACKs are told to the consumer once each', () => {
    const bench = new HalfBench();
    bench.data(0, 0, 'hello');
    bench.data(0, 10, 'world');
    bench.ack(1, 5);
    bench.ack(2, 5);
    bench.sack(3, 5, 10, 15);
    bench.sack(4, 5, 10, 15);
    bench.ack(5, 3);
    expect(bench.seen.events.filter((event) => event.startsWith('acked'))).toEqual(['acked 5', 'acked 5']);
    expect(bench.half.acks.cover(10, 15)).toEqual({ timeNs: 3e6, ref: 5 });
  });
});

describe('a direction that nobody follows', () => {
  it('is counted, and nothing of it is kept', () => {
    const bench = new HalfBench();
    bench.half.followed = false;
    for (let i = 0; i < 100; i++) bench.data(i, i * 5, 'hello');
    bench.half.finish();
    expect(bench.seen.events).toEqual([]);
    expect(bench.half.next).toBe(500);
    expect(bench.half.ledger.range(0, 500).octetsSeen).toBe(0);
  });
});
