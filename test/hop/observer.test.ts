import { constants, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { command, commandAck, frame, masked, ping, pong } from '../support/frames.js';
import { observe, type Row } from '../support/observe.js';
import { hex, join, octets } from '../support/octets.js';
import { ACK, FIN, RST, Talk, Tape } from '../support/tape.js';
import { upgradeRequest, upgradeResponse, webSocket } from '../support/web-socket-talk.js';

const opcodes = (rows: { opcode: number }[]) => rows.map(({ opcode }) => opcode);
const ids = (rows: { id: string | null }[]) => rows.map(({ id }) => id);

describe('a WebSocket from its first packet', () => {
  const tape = new Tape();
  const talk = webSocket(tape, 0, { client: '192.0.2.9', clientPort: 5555, server: '10.0.0.1', serverPort: 3001 });
  const auth = talk.send(10, 'client', masked('{"type":"Authenticate","agent_id":"PST-SERVER"}'));
  const sent = talk.send(20, 'server', frame(command('c-1')));
  const acked = talk.send(30, 'client', masked(commandAck('c-1')));
  const beat = talk.send(40, 'server', ping('t1'));
  const answer = talk.send(45.5, 'client', pong('t1'));
  talk.segment(60, 'client', { data: masked(hex('03 e8'), { opcode: 8 }) });
  talk.segment(61, 'client', { flags: FIN | ACK });
  const { connections, fromServer, fromClient } = observe(tape);

  it('is described with its ends, its handshake and its closing', () => {
    expect(connections.length).toBe(1);
    expect(connections[0]).toMatchObject({
      clientAddress: '192.0.2.9',
      clientPort: 5555,
      serverAddress: '10.0.0.1',
      serverPort: 3001,
      rolesFrom: 'syn',
      initialSequence: { client: 1000, server: 500_000 },
      protocol: 'websocket',
      openedNs: 0,
      closedNs: 61e6,
      closedBy: 'fin',
      closedFrom: 'client',
      agentNames: ['PST-SERVER'],
      handshakeRefs: [4, 6],
    });
    expect(connections[0].handshake).toMatchObject({ path: '/ws', accepted: true, acceptMatches: true });
    expect(connections[0].fromServer.webSocketFrom).toBe(upgradeResponse().length);
    expect(connections[0].fromClient.webSocketFrom).toBe(upgradeRequest().length);
    expect(connections[0].fromClient.closeCode).toBe(1000);
  });

  it('has its messages with packets, times and TCP ACKs', () => {
    const from = upgradeResponse().length;
    expect(fromServer()[0]).toEqual({
      opcode: 1,
      type: 'Command',
      id: 'c-1',
      span: [from, from + frame(command('c-1')).length],
      length: command('c-1').length,
      flags: [],
      sentMs: 20,
      ackedMs: 20.3,
      data: [sent],
      ack: sent + 1,
      octetsSeen: frame(command('c-1')).length,
      retransmissions: 0,
    });
    expect(fromClient()).toMatchObject([
      { type: 'Authenticate', data: [auth], ack: auth + 1, flags: ['masked'] },
      { type: 'CommandAck', id: 'c-1', data: [acked], ack: acked + 1 },
      { opcode: 10, data: [answer] },
      { opcode: 8 },
    ]);
    expect(fromServer()[1]).toMatchObject({ opcode: 9, data: [beat], ack: beat + 1 });
  });

  it('has its Pings paired with their Pongs', () => {
    expect(connections[0].pings).toEqual({ sent: 1, tcpAcked: 1, answered: 1, roundTripsNs: [5.5e6] });
  });
});

describe('segments that hold more than one thing', () => {
  it('the 101 and the first frames', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    talk.send(1, 'client', upgradeRequest());
    const number = talk.send(
      2,
      'server',
      join(upgradeResponse(), ping(), frame(command('c-1')), frame(command('c-2'))),
    );
    const rows = observe(tape).fromServer();
    expect(rows.map(({ opcode, id, data }) => [opcode, id, data])).toEqual([
      [9, null, [number]],
      [1, 'c-1', [number]],
      [1, 'c-2', [number]],
    ]);
    expect(rows[2]).toMatchObject({ ack: number + 1, sentMs: 2, ackedMs: 2.3 });
  });

  it('the request and the first frames of the client, before the 101', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    const number = talk.send(1, 'client', join(upgradeRequest(), masked(commandAck('c-0'))));
    const later = talk.send(1.5, 'client', masked(commandAck('c-1')));
    talk.send(2, 'server', upgradeResponse());
    const rows = observe(tape).fromClient();
    expect(rows).toMatchObject([
      { id: 'c-0', data: [number], ack: number + 1, sentMs: 1 },
      { id: 'c-1', data: [later], ack: later + 1, sentMs: 1.5 },
    ]);
    expect(rows[0].span[0]).toBe(upgradeRequest().length);
  });

  it('one message in several segments, and the TCP ACK that covers all of it', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    const bytes = frame(command('c-1', `,"pad":"${'x'.repeat(300)}"`));
    const first = talk.send(10, 'server', bytes.subarray(0, 100));
    const second = talk.send(11, 'server', bytes.subarray(100, 101));
    const third = talk.send(12, 'server', bytes.subarray(101));
    expect(observe(tape).fromServer()).toMatchObject([
      { id: 'c-1', data: [first, second, third], ack: third + 1, sentMs: 10, ackedMs: 12.3, retransmissions: 0 },
    ]);
  });
});

describe('what was sent again', () => {
  it('is counted, and the first time holds', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    const bytes = frame(command('c-1'));
    const at = talk.sent('server');
    const numbers = [10, 210, 610].map((ms) => talk.segment(ms, 'server', { data: bytes, at }));
    const ack = talk.segment(650, 'client');
    expect(observe(tape).fromServer()).toMatchObject([
      { data: numbers, retransmissions: 2, sentMs: 10, ackedMs: 650, ack, octetsSeen: bytes.length },
    ]);
  });

  it('and never TCP-ACKed has no TCP ACK', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    const acked = talk.sent('server');
    const at = talk.sent('server');
    talk.segment(10, 'server', { data: frame(command('c-1')), at });
    talk.segment(210, 'server', { data: frame(command('c-1')), at });
    talk.segment(500, 'client', { acked });
    const [row] = observe(tape).fromServer();
    expect(row).toMatchObject({ id: 'c-1', retransmissions: 1, ack: 0 });
    expect(row.ackedMs).toBeNaN();
  });

  it('a SACK covers a message behind a hole', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    const from = talk.sent('server');
    talk.segment(10, 'server', { data: frame(command('c-1')) });
    const middle = talk.sent('server');
    talk.segment(11, 'server', { data: frame(command('c-2')) });
    const sack = talk.segment(12, 'client', { acked: from, sack: [middle, talk.sent('server')] });
    const [first, second] = observe(tape).fromServer();
    expect(first.ackedMs).toBeNaN();
    expect(second).toMatchObject({ ackedMs: 12, ack: sack });
  });
});

describe('fragmented messages', () => {
  const text = command('c-1');

  it('are one, also with a Ping between the fragments', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    const from = talk.sent('server');
    const one = talk.send(10, 'server', frame(text.slice(0, 5), { fin: false }));
    const two = talk.send(11, 'server', ping('between'));
    const three = talk.send(12, 'server', frame(text.slice(5, 9), { opcode: 0, fin: false }));
    const four = talk.send(13, 'server', frame(text.slice(9), { opcode: 0 }));
    const { fromServer, connections } = observe(tape);
    const [message, control] = fromServer();
    expect(message).toMatchObject({
      opcode: 1,
      type: 'Command',
      id: 'c-1',
      flags: ['fragmented'],
      sentMs: 10,
      ack: four + 1,
      length: text.length,
    });
    expect(message.span).toEqual([from, talk.sent('server')]);
    for (const number of [one, three, four]) expect(message.data).toContain(number);
    expect(control).toMatchObject({ opcode: 9, data: [two], ack: two + 1 });
    expect(connections[0].fromServer.counts).toMatchObject({ text: 1, ping: 1 });
  });

  it('of which octets are missing have no ID that was put together over the hole', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    const long = command('c-1234567');
    const from = long.indexOf('c-1234567');
    talk.send(10, 'server', frame(long.slice(0, from), { fin: false }));
    const cut = frame(long.slice(from, from + 4), { opcode: 0, fin: false });
    talk.segment(11, 'server', { data: cut, captured: cut.length - 1 });
    talk.send(12, 'server', frame(long.slice(from + 4), { opcode: 0 }));
    expect(observe(tape).fromServer()).toMatchObject([{ type: 'Command', id: null }]);
  });

  it('of which the last fragment never came are partial', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    talk.send(10, 'server', frame(text.slice(0, 5), { fin: false }));
    expect(observe(tape).fromServer()).toMatchObject([{ flags: ['partial'], octetsSeen: 7 }]);
  });
});

describe('a write that stopped half way', () => {
  it('is a partial message with the octets that left', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    const bytes = frame(command('c-1', `,"pad":"${'x'.repeat(300)}"`));
    talk.send(10, 'server', bytes.subarray(0, 150));
    talk.send(9000, 'client', masked('{"type":"Heartbeat"}'));
    const [row] = observe(tape).fromServer();
    expect(row).toMatchObject({ flags: ['partial'], octetsSeen: 150, sentMs: 10, type: 'Command', id: 'c-1' });
    expect(row.span[1] - row.span[0]).toBe(bytes.length);
  });
});

describe('permessage-deflate (RFC 7692)', () => {
  /** Messages of one direction, as a sender with or without context takeover makes them. */
  function compressed(messages: string[], takeover: boolean): Uint8Array[] {
    let sent = new Uint8Array(0);
    return messages.map((message) => {
      const dictionary = takeover && sent.length > 0 ? { dictionary: sent } : {};
      const bytes = deflateRawSync(octets(message), { finishFlush: constants.Z_SYNC_FLUSH, ...dictionary });
      sent = join(sent, octets(message)).slice(-32768);
      return Uint8Array.from(bytes.subarray(0, -4));
    });
  }

  const messages = ['c-1', 'c-2', 'c-3', 'c-4'].map((id) => command(id));

  it.each([
    ['with context takeover', 'permessage-deflate', true],
    ['without', 'permessage-deflate; server_no_context_takeover; client_no_context_takeover', false],
  ])('%s', (_, extension, takeover) => {
    const tape = new Tape();
    const response = [`Sec-WebSocket-Extensions: ${extension}`];
    const talk = webSocket(tape, 0, {}, { response });
    compressed(messages, takeover).forEach((bytes, i) => {
      talk.send(10 + i, 'server', frame(bytes, { rsv1: true }));
    });
    compressed(['c-1', 'c-2'].map(commandAck), takeover).forEach((bytes, i) => {
      talk.send(20 + i, 'client', masked(bytes, { rsv1: true }));
    });
    const { fromServer, fromClient } = observe(tape);
    expect(ids(fromServer())).toEqual(['c-1', 'c-2', 'c-3', 'c-4']);
    expect(ids(fromClient())).toEqual(['c-1', 'c-2']);
    expect(fromServer()[1]).toMatchObject({ flags: ['compressed'], length: messages[1].length });
  });

  it('fragmented, with a Ping between, and followed by an uncompressed message', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0, {}, { response: ['Sec-WebSocket-Extensions: permessage-deflate'] });
    const [one, two] = compressed(messages, true);
    talk.send(10, 'server', frame(one.subarray(0, 4), { rsv1: true, fin: false }));
    talk.send(11, 'server', ping());
    talk.send(12, 'server', frame(one.subarray(4), { opcode: 0 }));
    talk.send(13, 'server', frame(command('plain')));
    talk.send(14, 'server', frame(two, { rsv1: true }));
    expect(ids(observe(tape).fromServer())).toEqual(['c-1', null, 'plain', 'c-2']);
  });

  it('is unreadable after a message that the capture lost, until one stands by itself', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0, {}, { response: ['Sec-WebSocket-Extensions: permessage-deflate'] });
    const [one, two, three] = compressed(messages, true);
    talk.send(10, 'server', frame(one, { rsv1: true }));
    const lost = talk.send(11, 'server', frame(two, { rsv1: true }));
    talk.send(12, 'server', frame(three, { rsv1: true }));
    talk.send(500, 'server', ping('xxxx'));
    talk.send(900, 'server', frame(compressed([command('c-9')], true)[0], { rsv1: true }));
    talk.send(1000, 'server', frame(command('c-10')));
    const rows = observe(tape.without(lost)).fromServer();
    expect(ids(rows).filter((id) => id !== null)).toEqual(['c-1', 'c-9', 'c-10']);
    expect(ids(rows)).not.toContain('c-3');
  });
});

describe('captures that are not whole', () => {
  it('that start in the middle are read from the first certain frame, by what is masked', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    talk.send(10, 'server', frame(command('c-1')));
    talk.send(20, 'server', frame(command('c-2')));
    talk.send(30, 'client', masked(commandAck('c-2')));
    const { connections, fromServer, fromClient } = observe(tape.between(15, 100));
    expect(connections[0]).toMatchObject({ protocol: 'websocket', rolesFrom: 'masking', handshake: null });
    expect(connections[0].clientPort).toBe(40112);
    expect([ids(fromServer()), ids(fromClient())]).toEqual([['c-2'], ['c-2']]);
  });

  it('that start between the request and the 101 are read all the same', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    talk.send(20, 'server', frame(command('c-1')));
    talk.send(30, 'client', masked(commandAck('c-1')));
    talk.send(40, 'server', frame(command('c-2')));
    const { connections, fromServer, fromClient } = observe(tape.between(1.9, 100));
    expect(connections[0].protocol).toBe('websocket');
    expect([ids(fromServer()), ids(fromClient())]).toEqual([['c-1', 'c-2'], ['c-1']]);
  });

  it('that lost the request are read all the same', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    talk.send(400, 'server', frame(command('c-1')));
    talk.send(500, 'client', masked(commandAck('c-1')));
    talk.send(900, 'client', masked(commandAck('c-2')));
    const { connections, fromServer, fromClient } = observe(tape.without(4));
    expect(connections[0].protocol).toBe('websocket');
    expect(ids(fromServer())).toEqual(['c-1']);
    expect(ids(fromClient())).toEqual(['c-1', 'c-2']);
  });

  it('that have the 101 before the request know the handshake all the same', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    talk.segment(6, 'server', { data: join(upgradeResponse(), frame(command('c-1'))), acked: upgradeRequest().length });
    talk.segment(6.1, 'client', { data: join(upgradeRequest(), masked(commandAck('c-1'))), acked: 0 });
    const { connections, fromServer, fromClient } = observe(tape);
    expect(connections[0]).toMatchObject({ protocol: 'websocket', handshakeRefs: [5, 4] });
    expect(connections[0].handshake).toMatchObject({ path: '/ws', accepted: true });
    expect(connections[0].fromClient.webSocketFrom).toBe(upgradeRequest().length);
    expect([ids(fromServer()), ids(fromClient())]).toEqual([['c-1'], ['c-1']]);
  });

  it('that lost the 101 are read all the same', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    talk.send(400, 'server', frame(command('c-1')));
    talk.send(500, 'client', masked(commandAck('c-1')));
    talk.send(900, 'server', frame(command('c-2')));
    talk.send(1500, 'server', frame(command('c-3')));
    const { fromServer, fromClient } = observe(tape.without(6));
    expect([ids(fromServer()), ids(fromClient())]).toEqual([['c-1', 'c-2', 'c-3'], ['c-1']]);
  });

  it('that lost the 101 and one of the messages behind it leave the others where they stood', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    const at: number[] = [];
    for (let i = 0; i < 6; i++) {
      talk.send(400 * i + 400, 'server', frame(command(`c-${i}`)));
      at.push(talk.send(400 * i + 500, 'client', masked(commandAck(`c-${i}`))));
    }
    const { fromClient } = observe(tape.without(6, at[1]));
    const moved = (i: number) => at[i] - (i === 0 ? 1 : 2);
    expect(fromClient().map(({ id, data, ack }) => [id, data, ack])).toEqual(
      [0, 2, 3, 4, 5].map((i) => [`c-${i}`, [moved(i)], moved(i) + 1]),
    );
    const head = upgradeRequest().length;
    const length = masked(commandAck('c-0')).length;
    expect(fromClient().map(({ span }) => span[0])).toEqual([0, 2, 3, 4, 5].map((i) => head + i * length));
  });

  it('say which message was only partly captured', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    const bytes = frame(command('c-1', `,"pad":"${'x'.repeat(300)}"`));
    talk.segment(10, 'server', { data: bytes.subarray(0, 100) });
    const lost = talk.segment(10.1, 'server', { data: bytes.subarray(100, 200) });
    talk.segment(10.2, 'server', { data: bytes.subarray(200) });
    talk.segment(11, 'client');
    talk.segment(500, 'client');
    const { fromServer, connections } = observe(tape.without(lost));
    expect(fromServer()).toMatchObject([{ flags: ['damaged'], octetsSeen: bytes.length - 100 }]);
    expect(connections[0].fromServer.missedOctets).toBe(100);
  });

  it('say that a packet was cut', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    talk.segment(10, 'server', { data: frame(command('c-1')), captured: 20 });
    talk.segment(11, 'client');
    const { connections, fromServer } = observe(tape);
    expect(connections[0].fromServer).toMatchObject({ missedOctets: 0, gaps: [{ kind: 'cut' }] });
    expect(fromServer()[0].flags).toContain('damaged');
  });

  it('takes no ID from a number of which only the first digits are there', () => {
    const text = frame('{"type":"Command","id":700142,"cmd":"hostname"}');
    const cutAt = (captured: number) => {
      const tape = new Tape();
      const talk = webSocket(tape, 0);
      talk.segment(10, 'server', { data: text, captured });
      talk.segment(11, 'client');
      return observe(tape).fromServer()[0];
    };
    const digits = Buffer.from(text).indexOf('700142');
    expect(cutAt(digits + 4)).toMatchObject({ type: 'Command', id: null });
    expect(cutAt(digits + 6)).toMatchObject({ type: 'Command', id: null });
    expect(cutAt(digits + 7)).toMatchObject({ type: 'Command', id: '700142' });
  });
});

describe('a refused Upgrade', () => {
  it('is told, and the HTTP goes on', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    talk.send(1, 'client', upgradeRequest());
    talk.send(2, 'server', octets('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nno!'));
    talk.send(3, 'client', upgradeRequest({ path: '/again' }));
    talk.send(4, 'server', upgradeResponse());
    talk.send(5, 'server', frame(command('c-1')));
    const { connections, fromServer } = observe(tape);
    expect(connections[0]).toMatchObject({ protocol: 'websocket', handshake: { path: '/again', status: 101 } });
    expect(ids(fromServer())).toEqual(['c-1']);
  });

  it('is all there is, where the connection ends with it', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    talk.send(1, 'client', upgradeRequest());
    talk.send(2, 'server', octets('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'));
    talk.segment(3, 'server', { flags: RST });
    expect(observe(tape).connections[0]).toMatchObject({
      protocol: 'upgrade-refused',
      handshake: { status: 403, accepted: false },
      closedBy: 'rst',
    });
  });
});

describe('a PROXY protocol header before the request', () => {
  const version2 = hex('0d0a0d0a000d0a515549540a 21 11 000c c0000209 0a000001 15b3 01bb');

  it.each([
    ['version 1', octets('PROXY TCP4 192.0.2.9 10.0.0.1 5555 443\r\n')],
    ['version 2', version2],
  ])('%s is passed over', (_, header) => {
    for (const together of [true, false]) {
      const tape = new Tape();
      const talk = new Talk(tape).open(0);
      if (together) talk.send(1, 'client', join(header, upgradeRequest()));
      else {
        talk.send(1, 'client', header);
        talk.send(1.5, 'client', upgradeRequest());
      }
      talk.send(2, 'server', join(upgradeResponse(), frame(command('c-1'))));
      const { connections, fromServer } = observe(tape);
      expect(connections[0]).toMatchObject({ protocol: 'websocket', handshake: { acceptMatches: true } });
      expect(connections[0].fromClient.webSocketFrom).toBe(header.length + upgradeRequest().length);
      expect(ids(fromServer())).toEqual(['c-1']);
    }
  });
});

describe('a WebSocket through a proxy that carries any connection', () => {
  const connect = octets('CONNECT ws.example.net:80 HTTP/1.1\r\nHost: ws.example.net:80\r\n\r\n');
  const established = octets('HTTP/1.1 200 Connection established\r\nVia: 1.1 squid\r\n\r\n');
  // RFC 1928 with a name, then with user name and password (RFC 1929) and IPv4.
  const socks: [string, Uint8Array[], Uint8Array[]][] = [
    [
      'SOCKS without authentication',
      [hex('05 01 00'), join(hex('05 01 00 03 0e'), octets('ws.example.net'), hex('00 50'))],
      [hex('05 00'), hex('05 00 00 01 0a 00 00 01 d4 31')],
    ],
    [
      'SOCKS with a password',
      [
        hex('05 02 00 02'),
        join(hex('01 03'), octets('bob'), hex('02'), octets('pw')),
        hex('05 01 00 01 0a 00 00 09 00 50'),
      ],
      [hex('05 02'), hex('01 00'), hex('05 00 00 04 20010db8000000000000000000000001 d4 31')],
    ],
  ];

  it.each<[string, Uint8Array[], Uint8Array[]]>([['CONNECT', [connect], [established]], ...socks])(
    '%s is passed over, however it is cut',
    (_, asked, answered) => {
      for (const most of [1500, 9]) {
        const tape = new Tape();
        const talk = new Talk(tape).open(0);
        let at = 1;
        const cut = (from: 'client' | 'server', bytes: Uint8Array) => {
          for (let i = 0; i < bytes.length; i += most) talk.send(at++, from, bytes.subarray(i, i + most));
        };
        asked.forEach((each, i) => {
          cut('client', each);
          cut('server', answered[i]);
        });
        cut('client', upgradeRequest());
        cut('server', join(upgradeResponse(), frame(command('c-1'))));
        cut('client', masked(commandAck('c-1')));
        const { connections, fromServer, fromClient } = observe(tape);
        expect(connections[0]).toMatchObject({ protocol: 'websocket', handshake: { acceptMatches: true } });
        expect(connections[0].fromClient.webSocketFrom).toBe(join(...asked, upgradeRequest()).length);
        expect(ids(fromServer())).toEqual(['c-1']);
        expect(ids(fromClient())).toEqual(['c-1']);
      }
    },
  );

  it('CONNECT may be refused, and asked for again', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    talk.send(1, 'client', connect);
    talk.send(2, 'server', octets('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno'));
    talk.send(3, 'client', connect);
    talk.send(4, 'server', established);
    talk.send(5, 'client', upgradeRequest());
    talk.send(6, 'server', join(upgradeResponse(), frame(command('c-1'))));
    const { connections, fromServer } = observe(tape);
    expect(connections[0]).toMatchObject({ protocol: 'websocket', handshake: { acceptMatches: true } });
    expect(ids(fromServer())).toEqual(['c-1']);
  });
});

describe('JSON in Binary messages', () => {
  it('is read as it is in Text; what is no JSON is told of by when it went by', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    talk.send(10, 'server', frame(command('c-1'), { opcode: 2 }));
    talk.send(20, 'client', masked(commandAck('c-1'), { opcode: 2 }));
    talk.send(30, 'server', frame(hex('0a 03 63 2d 32'), { opcode: 2 }));
    talk.send(40, 'server', frame('42["Command",{"id":"c-2"}]'));
    const { connections, fromServer, fromClient } = observe(tape);
    expect(fromServer()[0]).toMatchObject({ opcode: 2, type: 'Command', id: 'c-1' });
    expect(fromClient()).toMatchObject([{ opcode: 2, type: 'CommandAck', id: 'c-1' }]);
    expect(connections[0].fromServer.counts).toMatchObject({ text: 1, binary: 2 });
    expect(connections[0].fromServer.opaque).toEqual({ fromNs: 30e6, toNs: 40e6 });
    expect(connections[0].fromClient.opaque).toBeNull();
  });
});

describe('several messages in one', () => {
  const objects = (...of: string[]) => of.map((id) => command(id));

  it.each([
    ['a JSON array', `[${objects('c-1', 'c-2', 'c-3').join(',')}]`],
    ['a JSON array with white space', ` [\n  ${objects('c-1', 'c-2', 'c-3').join(',\n  ')}\n]\n`],
    ['JSON lines', `${objects('c-1', 'c-2', 'c-3').join('\n')}\n`],
  ])('%s: a row for each, with the packets and the TCP ACK of the whole', (_, payload) => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    const sent = talk.send(10, 'server', frame(payload));
    talk.send(
      20,
      'client',
      masked(
        objects('c-1', 'c-2')
          .map((each) => each.replace('"Command"', '"CommandAck"'))
          .join('\n')
          .padEnd(700),
      ),
    );
    talk.send(30, 'server', frame(command('c-4')));
    const { connections, fromServer, fromClient } = observe(tape);
    expect(ids(fromServer())).toEqual(['c-1', 'c-2', 'c-3', 'c-4']);
    expect(
      fromServer()
        .slice(0, 3)
        .map(({ data, ackedMs }) => [data, ackedMs]),
    ).toEqual(Array(3).fill([[sent], 10.3]));
    expect(fromClient().map(({ type, id }) => [type, id])).toEqual([
      ['CommandAck', 'c-1'],
      ['CommandAck', 'c-2'],
    ]);
    expect(connections[0].fromServer.counts).toMatchObject({ text: 2 });
    expect(connections[0].fromServer.opaque).toBeNull();
  });

  it('has the digest that each message has alone', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    talk.send(10, 'server', frame(`[${objects('c-1', 'c-2')}]`));
    for (const each of objects('c-1', 'c-2')) talk.send(20, 'server', frame(each));
    const { digest } = observe(tape).observation.messages;
    expect([digest[0], digest[1]]).toEqual([digest[2], digest[3]]);
    expect(digest[0]).not.toBe(digest[1]);
  });

  it('has it with white space around it, too', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    for (const each of [command('c-1'), `${command('c-1')}\n`, ` [${command('c-1')}]`])
      talk.send(10, 'server', frame(each));
    const { digest } = observe(tape).observation.messages;
    expect(new Set(digest.slice(0, 3)).size).toBe(1);
  });

  it('is not seen in an array of anything else: that is one message in an encoding that is not read', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    talk.send(10, 'server', frame('["1","2","room","Command",{"id":"c-1"}]'));
    const { connections, fromServer } = observe(tape);
    expect(ids(fromServer())).toEqual([null]);
    expect(connections[0].fromServer.opaque).toEqual({ fromNs: 10e6, toNs: 10e6 });
  });

  it('is read as far as it goes where only a part of it left', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    talk.send(10, 'server', frame(`[${objects('c-1', 'c-2')}]`).subarray(0, -20));
    expect(fromServerOf(tape)).toEqual([
      ['c-1', ['partial']],
      [null, ['partial']],
      [null, ['partial', 'rest']],
    ]);
  });
  const fromServerOf = (tape: Tape) =>
    observe(tape)
      .fromServer()
      .map(({ id, flags }) => [id, flags]);
});

describe('what is no WebSocket', () => {
  it.each([
    ['tls', hex('16 03 01 00 05 01 00 00 01 00')],
    ['other', octets('SSH-2.0-OpenSSH_9.6\r\n')],
  ])('%s', (protocol, bytes) => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    talk.send(1, 'client', bytes);
    expect(observe(tape).connections[0].protocol).toBe(protocol);
  });

  it('none: a connection without a word', () => {
    const tape = new Tape();
    new Talk(tape).open(0);
    expect(observe(tape).connections[0].protocol).toBe('none');
  });
});

describe('Pings', () => {
  it('are paired by payload, and those of both sides apart', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    for (const [i, payload] of ['a', 'b', 'c'].entries()) talk.send(1000 * i + 1000, 'server', ping(payload));
    talk.send(4000, 'client', pong('c'));
    talk.send(5000, 'client', masked('mine', { opcode: 9 }));
    talk.send(5010, 'server', frame('mine', { opcode: 10 }));
    talk.send(6000, 'client', pong('never asked'));
    expect(observe(tape).connections[0].pings).toEqual({ sent: 3, tcpAcked: 3, answered: 1, roundTripsNs: [1e9] });
  });

  it('with equal payloads are answered in order', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    for (const second of [1, 2, 3]) {
      talk.send(second * 1000, 'server', ping());
      if (second < 3) talk.send(second * 1000 + 7, 'client', pong());
    }
    expect(observe(tape).connections[0].pings).toMatchObject({ sent: 3, answered: 2, roundTripsNs: [7e6, 7e6] });
  });
});

describe('empty Pings, all alike', () => {
  it('keep their round trips after a Pong that the capture missed', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    let missed = 0;
    for (const second of [1, 2, 3, 4, 5]) {
      talk.send(second * 1000, 'server', ping());
      const number = talk.send(second * 1000 + 7, 'client', pong());
      if (second === 3) missed = number;
    }
    expect(observe(tape.without(missed)).connections[0].pings).toMatchObject({
      sent: 5,
      answered: 4,
      roundTripsNs: [7e6, 7e6, 7e6, 7e6],
    });
  });

  it('are answered in order where several wait at once', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    for (const ms of [1000, 2000, 2001, 2002]) talk.send(ms, 'server', ping());
    for (const ms of [1004, 2004, 2005, 2006]) talk.send(ms, 'client', pong());
    tape.packets.sort((a, b) => a.atMs - b.atMs);
    const { pings } = observe(tape).connections[0];
    expect(pings).toMatchObject({ answered: 4, roundTripsNs: [4e6, 4e6, 4e6, 4e6] });
  });

  it('keep them where the capture begins with one, which is certain only when another follows', () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    for (const second of [1, 2, 3, 4]) {
      talk.send(second * 1000, 'server', ping());
      talk.send(second * 1000 + 7, 'client', pong());
    }
    const { pings } = observe(tape.between(900, 60_000)).connections[0];
    expect(pings.sent).toBe(4);
    expect(pings.roundTripsNs.every((trip) => trip === 7e6)).toBe(true);
  });
});

describe('the dispatch of commands over HTTP', () => {
  function dispatched(target: string, body: string, response: string | null, method = 'POST') {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    const head = `${method} ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
    const asked = talk.send(10, 'client', octets(head + body));
    const answered = response === null ? 0 : talk.send(30, 'server', octets(response));
    return { found: observe(tape).observation.dispatches, asked, answered };
  }
  const created = (body: string) => `HTTP/1.1 201 Created\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

  it('is told with the ID that the response gives', () => {
    const { found, asked, answered } = dispatched(
      '/api/agents/PST-SERVER/command',
      '{"cmd":"hostname"}',
      created('{"id":"c-1"}'),
    );
    expect(found).toMatchObject([
      {
        agent: 'PST-SERVER',
        id: 'c-1',
        status: 201,
        askedNs: 10e6,
        askedRef: asked,
        answeredNs: 30e6,
        answeredRef: answered,
      },
    ]);
  });

  it('is told with the ID of the request', () => {
    const { found } = dispatched('/api/agents/a%20b/command', '{"id":"c-2","cmd":"x"}', created('{"ok":true}'));
    expect(found).toMatchObject([{ agent: 'a b', id: 'c-2' }]);
  });

  it('is not told with the ID of something in its parameters', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    const body = '{"command":"restart","params":{"id":"svc-17"}}';
    const head = `POST /api/agents/PST/command HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
    talk.send(1, 'client', octets(head + body));
    expect(observe(tape).observation.dispatches).toMatchObject([{ id: null, status: 0 }]);
  });

  it('answered before it was asked, in the order of the capture, has its answer', () => {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    const head = 'POST /api/agents/PST/command HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';
    const body = '{"id":"c-9"}';
    const answer = `HTTP/1.1 202 Accepted\r\nContent-Length: ${body.length}\r\n\r\n`;
    talk.segment(1, 'server', { data: octets(answer), acked: head.length });
    talk.segment(1.2, 'client', { data: octets(head), acked: 0 });
    talk.segment(1.3, 'server', { data: octets(body), acked: head.length });
    expect(observe(tape).observation.dispatches).toMatchObject([{ id: 'c-9', status: 202, answeredRef: 6 }]);
  });

  it('is told with the server’s ID where both give one', () => {
    const { found } = dispatched('/api/agents/7/command', '{"id":"mine"}', created('{"command_id":"c-3"}'));
    expect(found).toMatchObject([{ id: 'c-3' }]);
  });

  it('never answered is told with status 0', () => {
    const { found } = dispatched('/api/agents/7/command', '{"id":"c-4"}', null);
    expect(found).toMatchObject([{ id: 'c-4', status: 0, answeredNs: Number.NaN, answeredRef: 0 }]);
  });

  it('is no other request', () => {
    expect(dispatched('/api/agents/7/command', '', created('{"id":"c-5"}'), 'GET').found).toEqual([]);
    expect(dispatched('/api/agents/7/notes', '{"id":"c-6"}', created('{}')).found).toEqual([]);
  });
});

describe('agent names', () => {
  const named = (first: string, path = '/ws', request: string[] = []) => {
    const tape = new Tape();
    webSocket(tape, 0, {}, { path, request }).send(10, 'client', masked(first));
    return observe(tape).connections[0].agentNames[0] ?? null;
  };

  it.each([
    [
      'of the authentication',
      '{"type":"Auth","payload":{"hostname":"PST-SERVER","token":"t"}}',
      '/ws',
      [],
      'PST-SERVER',
    ],
    ['of the header', '{"type":"Heartbeat"}', '/ws', ['X-Agent-Name: LAB-2'], 'LAB-2'],
    ['of the query', '{"type":"Heartbeat"}', '/ws?agent_id=LAB-3', [], 'LAB-3'],
    ['of the path', '{"type":"Heartbeat"}', '/ws/LAB-4', [], 'LAB-4'],
    ['of any message', '{"type":"Heartbeat","agent_id":"LAB-5"}', '/ws', [], 'LAB-5'],
    [
      'rather the name than the number',
      '{"type":"Auth","agent_id":"6f1c2c1e-0b5a-4b5e-9c0e-0e8d5a1b2c3d","hostname":"H"}',
      '/ws',
      [],
      'H',
    ],
    ['none', '{"type":"Heartbeat"}', '/ws', [], null],
  ])('%s', (_, first, path, request, expected) => expect(named(first, path, request)).toBe(expected));
});

describe('however the segments are cut', () => {
  const server = join(
    upgradeResponse({ response: ['Sec-WebSocket-Extensions: permessage-deflate'] }),
    frame(command('c-1')),
    frame(command('c-2').slice(0, 9), { fin: false }),
    ping('p'),
    frame(command('c-2').slice(9), { opcode: 0 }),
    frame(hex('f2 48 cd c9 c9 07 00'), { rsv1: true }),
    frame(hex('f2 00 11 00 00'), { rsv1: true }),
    frame(command('c-3', `,"pad":"${'x'.repeat(400)}"`)),
  );
  const client = join(
    masked('{"type":"Auth","agent":"A"}'),
    pong('p'),
    masked(commandAck('c-1')),
    masked(commandAck('c-3')),
  );

  function messagesOf(requestCuts: number[], serverCuts: number[], clientCuts: number[]) {
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    let ms = 1;
    const feed = (party: 'client' | 'server', bytes: Uint8Array, cuts: number[]) => {
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const length = cuts[turn % cuts.length];
        ms += 0.01;
        talk.send(ms, party, bytes.subarray(at, at + length), 0.005);
        at += length;
      }
    };
    feed('client', upgradeRequest(), requestCuts);
    feed('server', server, serverCuts);
    feed('client', client, clientCuts);
    const { fromServer, fromClient, connections } = observe(tape);
    const bare = (row: Row) => ({ ...row, sentMs: 0, ackedMs: 0, data: [], ack: 0 });
    return {
      rows: [fromServer().map(bare), fromClient().map(bare)],
      names: connections[0].agentNames,
      accepted: connections[0].handshake?.acceptMatches,
      from: [connections[0].fromServer.webSocketFrom, connections[0].fromClient.webSocketFrom],
      pings: connections[0].pings.answered,
    };
  }
  const whole = messagesOf([4096], [65536], [65536]);

  it('the messages are the same', () => {
    expect(opcodes(whole.rows[0])).toEqual([1, 1, 9, 1, 1, 1]);
    expect(whole).toMatchObject({ names: ['A'], pings: 1, accepted: true });
    const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(cuts, cuts, cuts, (a, b, c) => {
        expect(messagesOf(a, b, c)).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  it('the messages are the same octet by octet', () => expect(messagesOf([1], [1], [1])).toEqual(whole));
});
