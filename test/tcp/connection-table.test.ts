import { describe, expect, it } from 'vitest';
import { octets } from '../support/octets.js';
import { play } from '../support/table-bench.js';
import { ACK, FIN, RST, SYN, Talk, type TalkShape, Tape } from '../support/tape.js';

describe('ConnectionTable', () => {
  it('brings both directions of a connection together', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    talk.send(1, 'client', octets('question'));
    talk.send(2, 'server', octets('answer'));
    const { connections, texts } = play(tape);
    expect(connections.length).toBe(1);
    expect(texts).toEqual([['question', 'answer']]);
  });

  it('tells apart connections that differ in one thing only', () => {
    const base = { client: '10.0.0.9', clientPort: 40000, server: '10.0.0.1', serverPort: 3001 };
    const variants: TalkShape[] = [
      base,
      { ...base, client: '10.0.0.8' },
      { ...base, clientPort: 40001 },
      { ...base, server: '10.0.0.2' },
      { ...base, serverPort: 3002 },
      // addresses or ports change places: their exclusive or and sum stay the same
      { ...base, client: base.server, server: base.client },
      { ...base, clientPort: base.serverPort, serverPort: base.clientPort },
    ];
    const tape = new Tape();
    variants.forEach((shape, i) => {
      new Talk(tape, shape).open(i).send(i + 0.5, 'client', octets(`talk ${i}`));
    });
    expect(play(tape).texts).toEqual(variants.map((_, i) => [`talk ${i}`, '']));
  });

  it('tells a host’s two connections to itself apart', () => {
    const tape = new Tape();
    const own = { client: '127.0.0.1', server: '127.0.0.1' };
    new Talk(tape, { ...own, clientPort: 3001, serverPort: 3002 }).open(0).send(1, 'client', octets('a'));
    new Talk(tape, { ...own, clientPort: 3003, serverPort: 3001 }).open(2).send(3, 'server', octets('b'));
    expect(play(tape).texts).toEqual([
      ['a', ''],
      ['', 'b'],
    ]);
  });

  it('takes a SYN that was captured after the octets behind it for the connection’s own', () => {
    const tape = new Tape();
    const talk = new Talk(tape);
    talk.segment(1, 'client', { data: octets('question') });
    talk.segment(1.1, 'client', { flags: SYN, at: -1, acked: 0 });
    talk.send(2, 'server', octets('answer'));
    expect(play(tape).texts).toEqual([['question', 'answer']]);
  });

  it('tells a later connection on the same four-tuple by where it stands, if its SYN was not captured', () => {
    const tape = new Tape();
    new Talk(tape).open(0).send(1, 'client', octets('first'));
    const later = new Talk(tape, { clientIsn: 900_000_000, serverIsn: 1_700_000_000 });
    later.send(5000, 'client', octets('second'));
    later.send(5001, 'server', octets('answer'));
    expect(play(tape).texts).toEqual([
      ['first', ''],
      ['second', 'answer'],
    ]);
  });

  describe('packets of the next connection on a four-tuple, captured before its SYN', () => {
    const NEXT = { clientIsn: 27_000_000, serverIsn: 27_100_000 };

    function reset(): Tape {
      const tape = new Tape();
      const first = new Talk(tape, { clientIsn: 7, serverIsn: 9 }).open(0);
      first.send(1, 'client', octets('first'));
      first.segment(2, 'client', { flags: RST | ACK });
      return tape;
    }

    it('are the SYN-ACK', () => {
      const tape = reset();
      const next = new Talk(tape, NEXT);
      next.segment(1000.1, 'server', { flags: SYN | ACK, at: -1 });
      next.segment(1000, 'client', { flags: SYN, at: -1, acked: 0 });
      next.send(1001, 'client', octets('second'));
      next.send(1002, 'server', octets('answer'));
      const { texts, connections } = play(tape);
      expect(texts).toEqual([
        ['first', ''],
        ['answer', 'second'],
      ]);
      expect(connections.flatMap(({ halves }) => halves.map(({ missedOctets }) => missedOctets))).toEqual([0, 0, 0, 0]);
    });

    it('are octets, and TCP ACKs', () => {
      const tape = reset();
      const next = new Talk(tape, NEXT);
      next.segment(1000.4, 'server', { acked: 6 });
      next.segment(1000.3, 'client', { data: octets('second') });
      next.segment(1000, 'client', { flags: SYN, at: -1, acked: 0 });
      next.segment(1000.1, 'server', { flags: SYN | ACK, at: -1, acked: 0 });
      next.send(1002, 'server', octets('answer'));
      const { texts, connections } = play(tape);
      expect(texts).toEqual([
        ['first', ''],
        ['answer', 'second'],
      ]);
      expect(connections.flatMap(({ halves }) => halves.map(({ missedOctets }) => missedOctets))).toEqual([0, 0, 0, 0]);
    });
  });

  it('misses no octet where the FIN, and what follows it, were captured before the last octets', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    talk.send(1, 'client', octets('one'));
    talk.segment(2.2, 'client', { flags: FIN | ACK, at: 6 });
    talk.segment(2.3, 'server', { flags: FIN | ACK, acked: 7 });
    talk.segment(2.4, 'client', { at: 7, acked: 1 });
    talk.segment(2.1, 'client', { data: octets('two'), at: 3 });
    const { texts, connections } = play(tape);
    expect(texts).toEqual([['onetwo', '']]);
    expect(connections[0].halves.map(({ missedOctets }) => missedOctets)).toEqual([0, 0]);
  });

  it('knows IPv6 addresses by all their words', () => {
    const tape = new Tape();
    const servers = ['2001:db8::1', '2001:db9::1', '2001:db8:0:1::1', '2001:db8::1:0:0:1', '2001:db8::2'];
    servers.forEach((server, i) => {
      new Talk(tape, { client: 'fe80::9', server }).open(i).send(i + 0.5, 'server', octets(server));
    });
    expect(play(tape).texts).toEqual(servers.map((server) => ['', server]));
  });

  it('grows to ten thousand connections and finds each again', () => {
    const tape = new Tape();
    const talks: Talk[] = [];
    for (let i = 0; i < 10_000; i++)
      talks.push(new Talk(tape, { client: `10.${i % 7}.${(i >> 8) & 0xff}.${i & 0xff}`, clientPort: 1024 + i }));
    for (const party of ['client', 'server'] as const)
      for (const [i, talk] of talks.entries()) talk.segment(i, party, { data: octets(`${party} ${i}`) });
    const { connections, texts, finished } = play(tape);
    expect(connections.length).toBe(10_000);
    expect(texts.filter(([a, b], i) => a !== `client ${i}` || b !== `server ${i}`)).toEqual([]);
    expect(new Set(finished).size).toBe(10_000);
  });
});
