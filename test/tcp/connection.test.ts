import { describe, expect, it } from 'vitest';
import { octets } from '../support/octets.js';
import { play } from '../support/table-bench.js';
import { ACK, FIN, RST, SYN, Talk, Tape } from '../support/tape.js';

describe('opening', () => {
  it('is timed by the SYN, and tells the client', () => {
    const tape = new Tape();
    new Talk(tape).open(1000).send(1010, 'client', octets('hi'));
    const [connection] = play(tape).connections;
    expect(connection).toMatchObject({ clientDirection: 0, openedNs: 1e9, establishedNs: 1000.1e6, synRef: 1 });
    expect(connection.halves.map((half) => half.initialSequence)).toEqual([1000, 500_000]);
    expect([...connection.addressA.slice(3)]).toEqual([0x0a000009]);
  });

  it('is told by the SYN-ACK alone too', () => {
    const tape = new Tape();
    new Talk(tape).open(0).send(10, 'client', octets('hi'));
    const [connection] = play(tape.without(1)).connections;
    expect(connection.clientDirection).toBe(1); // the server's packet came first
    expect(connection.openedNs).toBeNaN();
    expect(connection.halves[1].next).toBe(2);
  });

  it('is not known where the capture starts later', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    talk.send(10, 'client', octets('before'));
    talk.send(20, 'client', octets('after'));
    const { connections, texts } = play(tape.between(15, 100));
    expect(connections[0]).toMatchObject({ clientDirection: null, openedNs: Number.NaN });
    expect(texts[0][0]).toBe('after');
  });

  it('is one, however often the SYN is sent', () => {
    const tape = new Tape();
    const talk = new Talk(tape);
    talk.segment(0, 'client', { flags: SYN, at: -1 });
    talk.segment(1000, 'client', { flags: SYN, at: -1 });
    talk.segment(3000, 'client', { flags: SYN, at: -1 });
    talk.segment(3001, 'server', { flags: SYN | ACK, at: -1 });
    talk.segment(3002, 'server', { flags: SYN | ACK, at: -1 });
    talk.send(3003, 'client', octets('hi'));
    const { connections, texts } = play(tape);
    expect(connections.length).toBe(1);
    expect(connections[0].openedNs).toBe(0);
    expect(texts[0]).toEqual(['hi', '']);
  });

  it('is one where the capture has the SYN-ACK before the SYN', () => {
    const tape = new Tape();
    const talk = new Talk(tape);
    talk.segment(0.1, 'server', { flags: SYN | ACK, at: -1 });
    talk.segment(0, 'client', { flags: SYN, at: -1 });
    talk.segment(0.2, 'client');
    talk.send(1, 'client', octets('hi'));
    const { connections } = play(tape);
    expect(connections.length).toBe(1);
    expect(connections[0].clientDirection).toBe(1);
    expect(connections[0].halves[1].initialSequence).toBe(1000);
  });

  it('takes data with the SYN for data (TCP Fast Open)', () => {
    const tape = new Tape();
    const talk = new Talk(tape);
    talk.segment(0, 'client', { flags: SYN, at: -1, data: octets('x') });
    expect(play(tape).texts[0][0]).toBe('x');
  });
});

describe('a four-tuple that is used again', () => {
  it('is a new connection where the SYN has another sequence number', () => {
    const tape = new Tape();
    new Talk(tape, { clientIsn: 1000 }).open(0).send(1, 'client', octets('one'));
    new Talk(tape, { clientIsn: 9000, serverIsn: 77 }).open(60_000).send(60_001, 'client', octets('two'));
    const { connections, texts, finished } = play(tape);
    expect(texts).toEqual([
      ['one', ''],
      ['two', ''],
    ]);
    expect(finished).toEqual([0, 1]);
    expect(connections.map(({ openedNs }) => openedNs)).toEqual([0, 60e9]);
  });

  it('is a new connection where the old one’s SYN was not captured', () => {
    const tape = new Tape();
    new Talk(tape, { clientIsn: 1000 }).send(1, 'client', octets('one'));
    new Talk(tape, { clientIsn: 9000 }).open(60_000);
    expect(play(tape).connections.length).toBe(2);
  });

  it('is not confused by the TCP ACK of the old connection that a server in TIME-WAIT may answer with', () => {
    const tape = new Tape();
    const old = new Talk(tape, { clientIsn: 1000 }).open(0);
    old.send(1, 'client', octets('one'));
    old.segment(2, 'server', { flags: FIN | ACK });
    old.segment(3, 'client', { flags: FIN | ACK });
    const talk = new Talk(tape, { clientIsn: 2_000_000_000, serverIsn: 700_000_000 });
    talk.segment(900, 'client', { flags: SYN, at: -1 });
    // The old one's number after its FIN, of both sides; and the RST that it is answered with.
    const last = 500_000 + 2;
    talk.segment(901, 'server', { at: last - 700_000_001, acked: 1005 - 2_000_000_001 });
    talk.segment(902, 'client', { flags: RST, at: 1005 - 2_000_000_001 });
    talk.segment(910, 'client', { flags: SYN, at: -1 });
    talk.segment(911, 'server', { flags: SYN | ACK, at: -1, acked: 0 });
    talk.send(912, 'client', octets('two'));
    talk.send(913, 'server', octets('three'));
    const { connections, texts } = play(tape);
    expect(texts).toEqual([
      ['one', ''],
      ['two', 'three'],
    ]);
    expect(connections[1]).toMatchObject({ closedBy: null, openedNs: 900e6, establishedNs: 911e6 });
    expect(connections[1].halves.map(({ missedOctets, initialSequence }) => [missedOctets, initialSequence])).toEqual([
      [0, 2_000_000_000],
      [0, 700_000_000],
    ]);
  });

  it('is a new connection where the capture holds what the server sends only', () => {
    const tape = new Tape();
    for (const i of [0, 1, 2, 3]) {
      const talk = new Talk(tape, { clientIsn: 1000 + i * 27_000_000, serverIsn: 500_000 + i * 26_000_000 });
      const atMs = i * 1700;
      talk.segment(atMs, 'server', { flags: SYN | ACK, at: -1, acked: 0 });
      // Sent again: the same one.
      talk.segment(atMs + 1, 'server', { flags: SYN | ACK, at: -1, acked: 0 });
      talk.segment(atMs + 2, 'server', { data: octets(`${i}-a`), acked: 100 });
      talk.segment(atMs + 3, 'server', { data: octets(`${i}-b`), at: 3, acked: 200 });
    }
    const said = (texts: string[][]) => texts.map((each) => each.join(''));
    expect(said(play(tape).texts)).toEqual(['0-a0-b', '1-a1-b', '2-a2-b', '3-a3-b']);
    // And where it begins in the midst of the first.
    expect(said(play(tape.between(3, 10_000)).texts)).toEqual(['0-b', '1-a1-b', '2-a2-b', '3-a3-b']);
  });

  it('is the same one where the SYN is answered again from another number', () => {
    const tape = new Tape();
    const talk = new Talk(tape);
    talk.segment(0, 'server', { flags: SYN | ACK, at: -1, acked: 0 });
    talk.segment(1, 'server', { flags: SYN | ACK, at: 4_000_000, acked: 0 });
    expect(play(tape).connections.length).toBe(1);
  });

  it('is a new connection where its SYN-ACK is captured before its SYN', () => {
    const tape = new Tape();
    const old = new Talk(tape, { clientIsn: 1000, serverIsn: 5_000_000 }).open(0);
    old.send(1, 'client', octets('one'));
    old.segment(2, 'client', { flags: RST });
    const talk = new Talk(tape, { clientIsn: 27_000_000, serverIsn: 32_000_000 });
    talk.segment(900.1, 'server', { flags: SYN | ACK, at: -1, acked: 0 });
    talk.segment(900.2, 'client', { at: 0, acked: 0 });
    talk.segment(900, 'client', { flags: SYN, at: -1 });
    talk.send(901, 'client', octets('two'));
    talk.send(902, 'server', octets('three'));
    const { connections, texts } = play(tape);
    expect(texts).toEqual([
      ['one', ''],
      // The server's packet came first.
      ['three', 'two'],
    ]);
    expect(connections.map(({ closedBy, clientDirection }) => [closedBy, clientDirection])).toEqual([
      ['rst', 0],
      [null, 1],
    ]);
    for (const { halves } of connections) expect(halves.map(({ missedOctets }) => missedOctets)).toEqual([0, 0]);
  });

  it('is a new connection behind a RST where even its octets are captured before its SYN', () => {
    const tape = new Tape();
    const old = new Talk(tape, { clientIsn: 1000, serverIsn: 5_000_000 }).open(0);
    old.send(1, 'client', octets('one'));
    old.segment(2, 'client', { flags: RST | ACK });
    const talk = new Talk(tape, { clientIsn: 27_000_000, serverIsn: 32_000_000 });
    talk.segment(900.4, 'server', { at: 0, acked: 3 });
    talk.segment(900.3, 'client', { at: 0, acked: 0, data: octets('two') });
    talk.segment(900, 'client', { flags: SYN, at: -1 });
    talk.segment(900.1, 'server', { flags: SYN | ACK, at: -1, acked: 0 });
    talk.segment(900.2, 'client', { at: 0, acked: 0 });
    talk.segment(901, 'server', { at: 0, acked: 3, data: octets('three') });
    const { connections, texts } = play(tape);
    expect(texts[1]).toEqual(['three', 'two']);
    for (const { halves } of connections) expect(halves.map(({ missedOctets }) => missedOctets)).toEqual([0, 0]);
  });

  it('is not closed by a RST of the old connection that is captured behind its SYN', () => {
    const tape = new Tape();
    new Talk(tape, { clientIsn: 1000, serverIsn: 5_000_000 }).open(0).send(1, 'client', octets('one'));
    const talk = new Talk(tape, { clientIsn: 27_000_000, serverIsn: 32_000_000 }).open(900);
    talk.segment(902, 'client', { flags: RST, at: 1004 - 27_000_001 });
    talk.send(903, 'client', octets('two'));
    const { connections, texts } = play(tape);
    expect(texts[1]).toEqual(['two', '']);
    expect(connections[1].closedBy).toBe(null);
  });

  it('may be opened by the other side', () => {
    const tape = new Tape();
    new Talk(tape).open(0).send(1, 'client', octets('one'));
    new Talk(tape, {
      client: '10.0.0.1',
      clientPort: 3001,
      server: '10.0.0.9',
      serverPort: 40112,
      clientIsn: 42,
    }).open(90_000);
    const { connections } = play(tape);
    expect(connections.map(({ portA }) => portA)).toEqual([40112, 3001]);
  });
});

describe('closing', () => {
  it('by FIN is told with time, packet and side', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    talk.send(1, 'client', octets('hi'));
    const fin = talk.segment(50, 'server', { flags: FIN | ACK });
    talk.segment(51, 'client', { flags: FIN | ACK });
    talk.segment(52, 'server');
    const [connection] = play(tape).connections;
    expect(connection).toMatchObject({ closedBy: 'fin', closedFrom: 1, closedNs: 50e6, closedRef: fin });
    expect(connection.halves.map(({ missedOctets, gaps }) => [missedOctets, gaps])).toEqual([
      [0, []],
      [0, []],
    ]);
  });

  it('by RST is told', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    talk.segment(50, 'client', { flags: RST | ACK });
    expect(play(tape).connections[0]).toMatchObject({ closedBy: 'rst', closedFrom: 0, closedNs: 50e6, resetNs: 50e6 });
  });

  it('by a refusal is told: RST with sequence number 0 and no data in it', () => {
    const tape = new Tape();
    const talk = new Talk(tape);
    talk.segment(0, 'client', { flags: SYN, at: -1 });
    talk.segment(1, 'server', { flags: RST | ACK, at: -500_001 });
    const { connections, recorders } = play(tape);
    expect(connections[0]).toMatchObject({ closedBy: 'rst', closedFrom: 1, clientDirection: 0 });
    expect(recorders[0]).toBeUndefined();
  });

  it('keeps octets that come with the FIN', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    talk.segment(50, 'server', { flags: FIN | ACK, data: octets('bye') });
    talk.segment(51, 'client');
    const { texts, connections } = play(tape);
    expect(texts[0][1]).toBe('bye');
    expect(connections[0].halves[1].gaps).toEqual([]);
  });

  it('takes the zero window of a RST for no closed window', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    talk.segment(50, 'client', { flags: RST | ACK, window: 0 });
    expect(play(tape).connections[0].halves[1].blocked).toEqual([]);
  });
});

describe('SACK', () => {
  it('covers the other direction’s octets', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    const lost = talk.segment(10, 'server', { data: octets('lost.') });
    talk.segment(11, 'server', { data: octets('there') });
    const sack = talk.segment(12, 'client', { acked: 0, sack: [5, 10] });
    const [connection] = play(tape).connections;
    expect(connection.halves[1].acks.cover(5, 10)).toEqual({ timeNs: 12e6, ref: sack });
    expect(connection.halves[1].acks.cover(0, 5)).toBeNull();
    expect(lost).toBe(4);
  });
});
