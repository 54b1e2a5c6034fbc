import { describe, expect, it } from 'vitest';
import { AckHistory } from '../../src/tcp/ack-history.js';
import { PacketClock } from '../../src/tcp/packet-clock.js';

/** Told at a time, by a packet. */
class ToldAcks {
  private readonly clock = new PacketClock();
  private readonly acks = new AckHistory(this.clock);

  advance(offset: number, timeNs: number, ref: number): void {
    Object.assign(this.clock, { timeNs, ref });
    this.acks.advance(offset);
  }

  sack(start: number, end: number, timeNs: number, ref: number): boolean {
    Object.assign(this.clock, { timeNs, ref });
    return this.acks.sack(start, end);
  }

  cover(start: number, end: number) {
    return this.acks.cover(start, end);
  }

  get hasSacked() {
    return this.acks.hasSacked;
  }

  get sackedOctets() {
    return this.acks.sackedOctets;
  }
}

describe('cumulative TCP ACKs', () => {
  it('cover nothing before the first one', () => expect(new ToldAcks().cover(0, 1)).toBeNull());

  it('cover a range with the first ACK at or beyond its end', () => {
    const acks = new ToldAcks();
    acks.advance(100, 10, 1);
    acks.advance(200, 20, 2);
    acks.advance(300, 30, 3);
    expect(acks.cover(0, 100)).toEqual({ timeNs: 10, ref: 1 });
    expect(acks.cover(50, 101)).toEqual({ timeNs: 20, ref: 2 });
    expect(acks.cover(200, 300)).toEqual({ timeNs: 30, ref: 3 });
    expect(acks.cover(200, 301)).toBeNull();
  });

  it('asked late, name no ACK earlier than the one that was first', () => {
    const acks = new ToldAcks();
    for (let i = 1; i <= 200; i++) acks.advance(i * 10, i, i);
    expect(acks.cover(1900, 1990)).toEqual({ timeNs: 199, ref: 199 });
    const late = acks.cover(0, 10);
    expect(late?.timeNs).toBeGreaterThanOrEqual(1);
    expect(late?.timeNs).toBeLessThanOrEqual(200);
  });
});

describe('SACK (RFC 2018)', () => {
  it('covers a range behind a hole', () => {
    const acks = new ToldAcks();
    acks.advance(100, 10, 1);
    expect(acks.sack(200, 300, 20, 2)).toBe(true);
    expect(acks.cover(200, 300)).toEqual({ timeNs: 20, ref: 2 });
    expect(acks.cover(210, 250)).toEqual({ timeNs: 20, ref: 2 });
    expect(acks.cover(199, 300)).toBeNull();
    expect(acks.cover(200, 301)).toBeNull();
  });

  it('covers a range by blocks that grow: with the packet that completed it', () => {
    const acks = new ToldAcks();
    acks.advance(100, 10, 1);
    acks.sack(200, 300, 20, 2);
    acks.sack(200, 400, 30, 3);
    expect(acks.cover(200, 300)).toEqual({ timeNs: 20, ref: 2 });
    expect(acks.cover(250, 400)).toEqual({ timeNs: 30, ref: 3 });
  });

  it('covers together with the cumulative ACK', () => {
    const acks = new ToldAcks();
    acks.advance(250, 10, 1);
    acks.sack(250, 300, 20, 2);
    expect(acks.cover(200, 300)).toEqual({ timeNs: 20, ref: 2 });
  });

  it('covers only once the cumulative ACK has come to the block', () => {
    const acks = new ToldAcks();
    acks.advance(100, 10, 1);
    acks.sack(250, 300, 20, 2);
    acks.advance(250, 30, 3);
    expect(acks.cover(200, 300)).toEqual({ timeNs: 30, ref: 3 });
  });

  it('says nothing new when it repeats itself', () => {
    const acks = new ToldAcks();
    acks.advance(100, 10, 1);
    acks.sack(200, 300, 20, 2);
    expect(acks.sack(200, 300, 30, 3)).toBe(false);
    expect(acks.sack(220, 280, 30, 3)).toBe(false);
    expect(acks.cover(200, 300)?.ref).toBe(2);
  });

  it('takes no D-SACK for news (RFC 2883: at or below the cumulative ACK)', () => {
    const acks = new ToldAcks();
    acks.advance(300, 10, 1);
    expect(acks.sack(100, 200, 20, 2)).toBe(false);
    expect(acks.hasSacked).toBe(false);
    expect(acks.cover(100, 200)?.ref).toBe(1);
  });

  it('refuses blocks that are none', () => {
    const acks = new ToldAcks();
    acks.advance(0, 10, 1);
    expect(acks.sack(200, 200, 20, 2)).toBe(false);
    expect(acks.sack(200, 100, 20, 2)).toBe(false);
  });

  it('forgets blocks that the cumulative ACK has passed', () => {
    const acks = new ToldAcks();
    acks.advance(100, 10, 1);
    acks.sack(200, 300, 20, 2);
    acks.advance(300, 30, 3);
    expect(acks.hasSacked).toBe(false);
  });

  it('is bounded', () => {
    const acks = new ToldAcks();
    acks.advance(0, 10, 1);
    let news = 0;
    for (let i = 1; i <= 5000; i++) if (acks.sack(i * 20, i * 20 + 10, i, i)) news++;
    expect(news).toBeLessThanOrEqual(1024);
    expect(acks.cover(20, 30)).toEqual({ timeNs: 1, ref: 1 });
  });
});
