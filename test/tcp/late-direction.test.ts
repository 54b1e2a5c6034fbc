import { describe, expect, it } from 'vitest';
import { HalfStream } from '../../src/tcp/half-stream.js';
import { PacketClock } from '../../src/tcp/packet-clock.js';

/** Both directions of one connection, as a capture shows them that delivers one of them late. */
class Pair {
  readonly clock = new PacketClock();
  readonly halves = [new HalfStream(0, this.clock), new HalfStream(1, this.clock)] as const;
  /** `0 Ping @5`: direction, octets, and the time that they are told with. */
  readonly told: string[] = [];

  constructor(seenFromSyn = true) {
    for (const half of this.halves) {
      half.peer = this.halves[half.direction ^ 1];
      half.consumer = {
        data: ({ direction }, bytes, start, end) => {
          const text = new TextDecoder().decode(bytes.subarray(start, end));
          this.told.push(`${direction} ${text} @${this.clock.timeNs / 1e6}`);
        },
        gap: ({ direction }, from, to, kind) => this.told.push(`${direction} gap ${from}-${to} ${kind}`),
        acked: () => {},
        sentAgain: () => {},
      };
      if (seenFromSyn) half.syn(999);
    }
  }

  /** A packet of a direction: its octets, where they stand, and up to which octet it TCP-ACKs the other direction. */
  packet(atMs: number, direction: 0 | 1, offset: number, text: string, acknowledged: number): void {
    this.clock.timeNs = atMs * 1e6;
    this.clock.ref++;
    const half = this.halves[direction];
    const other = this.halves[direction ^ 1];
    half.packets++;
    if (!half.started) half.start(1000 + offset);
    other.ack(1000 + acknowledged, 500, false);
    half.acknowledges = 1000 + acknowledged;
    const bytes = new TextEncoder().encode(text);
    if (text === '') half.bare(1000 + offset);
    else half.data(bytes, 0, bytes.length, bytes.length, 1000 + offset, 0);
    half.reviewHole();
    other.reviewHole();
  }
}

describe('octets that answer what is captured after them', () => {
  it('are told after it, with the time at which they were captured', () => {
    const pair = new Pair();
    pair.packet(1, 1, 0, 'Pong', 4);
    expect(pair.told).toEqual([]);
    pair.packet(5, 0, 0, 'Ping', 0);
    expect(pair.told).toEqual(['0 Ping @5', '1 Pong @1']);
    expect(pair.clock.timeNs).toBe(5e6);
  });

  it('are not taken for those of the packet at hand: whoever reads them at last asks the ledger when they left', () => {
    const pair = new Pair();
    pair.packet(1, 1, 0, 'Pong', 4);
    expect(pair.halves[1].freshFrom).toBe(Number.POSITIVE_INFINITY);
    pair.packet(2000, 1, 4, 'next', 4);
    expect(pair.told).toEqual(['1 Pong @1', '1 next @2000']);
    expect(pair.halves[1].ledger.firstSentNs(0)).toBe(1e6);
  });

  it('wait along a whole conversation', () => {
    const pair = new Pair();
    pair.packet(1, 1, 0, 'b', 1);
    pair.packet(2, 1, 1, 'd', 2);
    pair.packet(11, 0, 0, 'a', 0);
    pair.packet(12, 0, 1, 'c', 1);
    pair.packet(13, 0, 2, 'e', 2);
    expect(pair.told.map((each) => each[2])).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(pair.halves[1].wholeUntilNs).toBe(2e6);
  });

  it('do not wait for what a later packet answers', () => {
    const pair = new Pair();
    pair.packet(1, 1, 1, 'd', 1);
    pair.packet(2, 0, 0, 'c', 1);
    pair.packet(3, 1, 0, 'b', 0);
    expect(pair.told).toEqual(['1 b @3', '0 c @2', '1 d @1']);
  });

  it('are told without it where it does not come', () => {
    const pair = new Pair();
    pair.packet(0, 0, 0, 'a', 0);
    pair.packet(1, 1, 0, 'b', 3);
    pair.packet(900, 0, 3, '', 0);
    expect(pair.told).toEqual(['0 a @0']);
    pair.packet(1002, 1, 1, '', 3);
    expect(pair.told).toEqual(['0 a @0', '1 b @1']);
    pair.packet(1003, 1, 1, 'c', 3);
    expect(pair.told.at(-1)).toBe('1 c @1003');
  });

  it('wait for no direction that the capture never holds', () => {
    const pair = new Pair();
    for (let i = 0; i < 8; i++) pair.packet(i * 2000, 1, i, `${i}`, 10 * (i + 1));
    pair.packet(16_000, 1, 8, '8', 100);
    expect(pair.told).toHaveLength(9);
    expect(pair.told.at(-1)).toBe('1 8 @16000');
  });

  it('do not wait for a FIN', () => {
    const pair = new Pair();
    pair.packet(0, 0, 0, 'bye', 0);
    pair.halves[0].fin(1003);
    pair.packet(1, 1, 0, 'bye', 4);
    expect(pair.told.at(-1)).toBe('1 bye @1');
  });

  it('take no FIN that is captured after its TCP ACK for a lost octet', () => {
    const pair = new Pair();
    pair.packet(0, 0, 0, 'bye', 0);
    pair.packet(1, 0, 4, '', 0);
    pair.halves[0].fin(1003);
    pair.packet(2, 1, 0, '', 4);
    for (const half of pair.halves) half.finish();
    expect(pair.told).toEqual(['0 bye @0']);
    expect(pair.halves[0].gaps).toEqual([]);
  });

  it('are told at the end of the capture at the latest', () => {
    const pair = new Pair();
    pair.packet(1, 1, 0, 'Pong', 4);
    for (const half of pair.halves) half.finish();
    expect(pair.told).toContain('1 Pong @1');
  });
});

describe('a stream that is captured out of order from its beginning', () => {
  it('begins with its SYN, also where that comes behind its octets', () => {
    const pair = new Pair(false);
    pair.packet(0, 0, 4, 'more', 0);
    pair.packet(1, 0, 0, 'text', 0);
    expect(pair.told).toEqual([]);
    pair.halves[0].syn(999);
    pair.packet(2, 1, 0, '', 8);
    expect(pair.told).toEqual(['0 text @1', '0 more @0']);
    expect(pair.halves[0].baseSequence).toBe(1000);
    expect(pair.halves[0].acks.offset).toBe(8);
  });

  it('begins where its SYN says, if a TCP ACK of later octets came first', () => {
    const pair = new Pair(false);
    pair.packet(0, 1, 0, '', 4);
    pair.halves[0].syn(999);
    pair.packet(1, 0, 0, 'text', 0);
    expect(pair.told).toEqual(['0 text @1']);
    expect(pair.halves[0].acks.offset).toBe(4);
    expect(pair.halves[0].ledger.range(0, 4).octetsSeen).toBe(4);
  });

  it('begins with the first octets that came, where nothing earlier follows', () => {
    const pair = new Pair(false);
    pair.packet(0, 0, 4, 'more', 0);
    pair.packet(25, 1, 0, '', 8);
    expect(pair.told).toEqual(['0 more @0']);
    expect(pair.halves[0].baseSequence).toBe(1004);
  });
});
