import { describe, expect, it } from 'vitest';
import { octets } from '../support/octets.js';
import { play } from '../support/table-bench.js';
import { ACK, FIN, RST, SYN, Talk, type TalkShape, Tape } from '../support/tape.js';

/** So many connections are opened after `afterMs` that the table looks which are over. */
function crowd(tape: Tape, afterMs: number): void {
  for (let i = 0; i < 2000; i++)
    new Talk(tape, { client: `10.7.${i >> 8}.${i & 0xff}` }).segment(afterMs, 'client', { flags: SYN, at: -1 });
}

function talked(tape: Tape, shape: TalkShape = {}): Talk {
  const talk = new Talk(tape, shape).open(0);
  talk.send(1, 'client', octets('question'));
  talk.send(2, 'server', octets('answer'));
  return talk;
}

function closed(talk: Talk, atMs: number): Talk {
  talk.segment(atMs, 'client', { flags: FIN | ACK });
  talk.segment(atMs + 0.1, 'server', { flags: FIN | ACK });
  talk.segment(atMs + 0.2, 'client');
  return talk;
}

describe('a connection that is over', () => {
  it('is finished before the capture ends', () => {
    const tape = new Tape();
    closed(talked(tape), 3);
    crowd(tape, 60_000);
    const { finished, texts } = play(tape);
    expect(finished[0]).toBe(0);
    expect(finished.length).toBe(2001);
    expect(texts[0]).toEqual(['question', 'answer']);
  });

  it('takes what is sent again, or captured again, for its own', () => {
    const tape = new Tape();
    const talk = closed(talked(tape), 3);
    crowd(tape, 60_000);
    talk.segment(60_001, 'client', { flags: SYN, at: -1, acked: 0 });
    talk.segment(60_002, 'client', { at: 0, data: octets('question') });
    talk.segment(60_003, 'server', { at: 0, data: octets('answer') });
    talk.segment(60_004, 'client', { flags: FIN | ACK, at: 8 });
    talk.segment(60_005, 'server', { flags: RST | ACK });
    const { connections, late, texts } = play(tape);
    expect(connections.length).toBe(2001);
    expect(late).toEqual([0, 0, 0, 0, 0]);
    expect(texts[0]).toEqual(['question', 'answer']);
  });

  it('makes room for the next one on the same four-tuple', () => {
    const tape = new Tape();
    closed(talked(tape), 3);
    crowd(tape, 60_000);
    const next = new Talk(tape, { clientIsn: 77_000, serverIsn: 88_000 }).open(60_001);
    next.send(60_002, 'client', octets('more'));
    const { connections, texts } = play(tape);
    expect(connections.length).toBe(2002);
    expect(texts[2001]).toEqual(['more', '']);
  });

  it.each([
    ['ahead', 3_000_000],
    ['far behind', 3_000_000_000],
  ])('makes room for one whose opening was not captured and that stands %s', (_, isn) => {
    const tape = new Tape();
    closed(talked(tape), 3);
    crowd(tape, 60_000);
    const next = new Talk(tape, { clientIsn: isn, serverIsn: isn });
    next.segment(60_002, 'client', { data: octets('more') });
    expect(play(tape).texts[2001]).toEqual(['more', '']);
  });

  it('is known again from either side and in a table that grew', () => {
    const tape = new Tape();
    const talks = Array.from({ length: 50 }, (_, i) => closed(talked(tape, { clientPort: 2000 + i * 613 }), 3));
    crowd(tape, 60_000);
    for (const talk of talks) {
      talk.segment(61_000, 'client');
      talk.segment(61_000, 'server');
    }
    const { connections, late } = play(tape);
    expect(connections.length).toBe(2050);
    expect(late.length).toBe(100);
    expect(new Set(late).size).toBe(50);
  });
});

describe('a connection that is not over', () => {
  const lives = (prepare: (tape: Tape) => Talk, crowdAtMs = 60_000) => {
    const tape = new Tape();
    const talk = prepare(tape);
    crowd(tape, crowdAtMs);
    talk.send(crowdAtMs + 1000, 'server', octets('!'));
    const { texts, late } = play(tape);
    expect(late).toEqual([]);
    expect(texts[0]).toEqual(['question', 'answer!']);
  };

  it('stays for hours of silence', () => lives((tape) => talked(tape), 36e6));

  it('stays while only one side has closed it', () =>
    lives((tape) => {
      const talk = talked(tape);
      talk.segment(3, 'client', { flags: FIN | ACK });
      talk.segment(4, 'server');
      return talk;
    }));

  it('stays for a while after a RST that may be nobody’s', () =>
    lives((tape) => {
      const talk = talked(tape);
      talk.segment(3, 'client', { flags: RST, acked: 0 });
      return talk;
    }));

  it('stays while its opening may yet be answered', () => {
    const tape = new Tape();
    const talk = new Talk(tape);
    talk.segment(0, 'client', { flags: SYN, at: -1, acked: 0 });
    crowd(tape, 120_000);
    talk.segment(121_000, 'server', { flags: SYN | ACK, at: -1 });
    talk.send(122_000, 'client', octets('question'));
    const { connections, texts } = play(tape);
    expect(texts[0]).toEqual(['question', '']);
    expect(connections[0].openedNs).toBe(0);
  });
});

describe('many short connections', () => {
  it('leave no more than a few of them in the table', () => {
    const tape = new Tape();
    for (let i = 0; i < 5000; i++) {
      const talk = new Talk(tape, { client: `10.8.${i >> 8}.${i & 0xff}` }).open(i * 10);
      talk.segment(i * 10 + 1, 'client', { data: octets(`${i}`) });
      closed(talk, i * 10 + 2);
    }
    const early: number[] = [];
    const { finished, texts } = play(tape, (index, atMs) => {
      if (atMs < 49_990) early.push(index);
    });
    expect(early.length).toBeGreaterThan(4000);
    expect(finished.length).toBe(5000);
    expect(texts.every(([a], i) => a === `${i}`)).toBe(true);
  });
});
