import { beforeAll, describe, expect, it } from 'vitest';
import { Observer } from '../../src/hop/observer.js';
import { RecordMap } from '../../src/hop/record-map.js';
import { autoProfile } from '../../src/message/profile.js';
import { KeyLog } from '../../src/tls/key-log.js';
import { command, commandAck, frame, masked, ping, pong } from '../support/frames.js';
import { observe } from '../support/observe.js';
import { join, octets } from '../support/octets.js';
import { Talk, Tape } from '../support/tape.js';
import { tlsWire, type WireChunk } from '../support/tls-wire.js';
import { upgradeRequest, upgradeResponse } from '../support/web-socket-talk.js';

const LARGE = command('large', `,"script":"${'x'.repeat(40_000)}"`);
const SCRIPT: ['client' | 'server', Uint8Array][] = [
  ['client', upgradeRequest({ path: '/agents/PC-7/connect' })],
  ['server', upgradeResponse()],
  ['server', frame(command('one'))],
  ['client', masked(commandAck('one'))],
  ['server', join(frame(command('two')), ping('p1'), frame(command('three')))],
  ['client', pong('p1')],
  ['server', frame(LARGE)],
  ['server', frame(command('last'))],
];

let chunks: WireChunk[] = [];
let keyLog = '';

beforeAll(async () => {
  const wire = await tlsWire({ version: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' }, SCRIPT);
  keyLog = wire.keyLog;
  chunks = wire.chunks;
});

function keys(): KeyLog {
  const log = new KeyLog();
  log.add(octets(keyLog));
  return log;
}

interface Sent {
  packet: number;
  from: 'client' | 'server';
  length: number;
}

/** Each chunk as one segment and its TCP ACK; `shape` may send one differently. */
function tapeOf(shape: (talk: Talk, chunk: WireChunk, i: number, ms: number) => boolean = () => false) {
  const tape = new Tape();
  const talk = new Talk(tape).open(0);
  const sent: Sent[] = [];
  chunks.forEach((chunk, i) => {
    const ms = 10 + 10 * i;
    const packet = tape.packets.length + 1;
    if (!shape(talk, chunk, i, ms)) talk.send(ms, chunk.from, chunk.bytes);
    sent.push({ packet, from: chunk.from, length: chunk.bytes.length });
  });
  return { tape, sent };
}

const largest = () => chunks.reduce((best, { bytes }, i) => (bytes.length > chunks[best].bytes.length ? i : best), 0);

describe('an encrypted connection with its keys', () => {
  it('is read like a plain one', () => {
    const { tape } = tapeOf();
    const seen = observe(tape, autoProfile, keys());
    expect(seen.connections[0]).toMatchObject({
      protocol: 'websocket',
      handshake: { path: '/agents/PC-7/connect', status: 101 },
      tls: { version: '1.3', decrypted: true, serverName: 'rmm.example.net', unreadable: null },
      pings: { sent: 1, answered: 1, tcpAcked: 1 },
    });
    expect(seen.fromServer().map(({ id }) => id)).toEqual(['one', 'two', null, 'three', 'large', 'last']);
    expect(seen.fromClient().map(({ id }) => id)).toEqual(['one', null]);
    for (const row of [...seen.fromServer(), ...seen.fromClient()]) {
      expect(row.flags.filter((flag) => flag !== 'masked')).toEqual([]);
      expect(row.octetsSeen).toBe(row.span[1] - row.span[0]);
    }
    const blind = new Observer(autoProfile);
    tape.play(blind);
    expect(blind.finish()[0]).toMatchObject({
      protocol: 'tls',
      tls: { decrypted: false, serverName: 'rmm.example.net' },
    });
  });

  it('names the packets of the records that carry a message, and their TCP ACKs', () => {
    const { tape, sent } = tapeOf();
    const rows = observe(tape, autoProfile, keys()).fromServer();
    const of = (id: string) => rows.find((row) => row.id === id)!;
    // One record, hence one packet, for three frames.
    expect(of('two').data).toEqual(of('three').data);
    expect(of('two').data).toHaveLength(1);
    const server = sent.filter(({ from }) => from === 'server').map(({ packet }) => packet);
    const between = (id: string, other: string) =>
      server.filter((packet) => packet > of(id).data.at(-1)! && packet < of(other).data[0]);
    expect(of('large').data).toEqual(between('three', 'last'));
    expect(of('large').data.length).toBeGreaterThan(1);
    expect(of('large').ack).toBe(of('large').data.at(-1)! + 1);
    for (const { data, ack } of rows) expect(data.every((packet) => packet < ack)).toBe(true);
  });

  it('names them too for what the client sent where the 101 was lost', async () => {
    const answers = ['a', 'b', 'c'].map((id) => masked(commandAck(id)));
    const wire = await tlsWire({ version: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' }, [
      ...SCRIPT.slice(0, 2),
      ...answers.flatMap((answer, i): typeof SCRIPT => [
        ['server', frame(command('abc'[i]))],
        ['client', answer],
      ]),
    ]);
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    const packets = wire.chunks.map(({ bytes, from }, i) => talk.send(10 + 10 * i, from, bytes));
    // RFC 8446 section 5.2: header, content type and tag.
    const carrier = (plain: Uint8Array) =>
      packets[wire.chunks.findIndex(({ bytes }) => bytes.length === plain.length + 5 + 1 + 16)];
    const lost = carrier(upgradeResponse());
    const first = carrier(answers[0]);
    const log = new KeyLog();
    log.add(octets(wire.keyLog));
    const seen = observe(tape.without(lost), autoProfile, log);
    expect(seen.connections[0]).toMatchObject({ protocol: 'websocket', handshake: { accepted: false } });
    // Each command, its TCP ACK, the answer, its TCP ACK; one packet is not there any more.
    expect(seen.fromClient().map(({ id, data, ack }) => [id, data, ack])).toEqual([
      ['a', [first - 1], first],
      ['b', [first + 3], first + 4],
      ['c', [first + 7], first + 8],
    ]);
  });

  it('holds a message for TCP-ACKed only when all of its record is', () => {
    const i = largest();
    const { tape, sent } = tapeOf((talk, { from, bytes }, n, ms) => {
      if (n !== i) return false;
      talk.segment(ms, from, { data: bytes.subarray(0, 900) });
      talk.segment(ms + 1, 'client');
      talk.segment(ms + 2, from, { data: bytes.subarray(900, bytes.length - 1) });
      talk.segment(ms + 3, 'client');
      talk.segment(ms + 4, from, { data: bytes.subarray(bytes.length - 1) });
      talk.segment(ms + 5, 'client');
      return true;
    });
    const large = observe(tape, autoProfile, keys())
      .fromServer()
      .find(({ id }) => id === 'large')!;
    const first = sent[i].packet;
    expect(large.data).toEqual(expect.arrayContaining([first, first + 2, first + 4]));
    expect(large.ack).toBeGreaterThanOrEqual(first + 5);
    expect(large.retransmissions).toBe(0);
  });

  it('counts retransmissions by the record', () => {
    const i =
      chunks.length - 1 - [...chunks].reverse().findIndex(({ from, bytes }) => from === 'server' && bytes.length > 60);
    const { tape, sent } = tapeOf((talk, { from, bytes }, n, ms) => {
      if (n !== i) return false;
      const offset = talk.sent(from);
      talk.segment(ms, from, { data: bytes });
      talk.segment(ms + 300, from, { data: bytes, at: offset });
      talk.segment(ms + 301, 'client');
      return true;
    });
    const row = observe(tape, autoProfile, keys()).fromServer().at(-1)!;
    expect(row).toMatchObject({ id: 'last', retransmissions: 1, data: [sent[i].packet, sent[i].packet + 1] });
  });

  it('says how much of a message left, where its write stopped within a record', () => {
    const i = largest();
    const tape = new Tape();
    const talk = new Talk(tape).open(0);
    chunks.slice(0, i + 1).forEach(({ from, bytes }, n) => {
      talk.send(10 + 10 * n, from, n === i ? bytes.subarray(0, 5_000) : bytes);
    });
    const row = observe(tape, autoProfile, keys()).fromServer().at(-1)!;
    expect(row.flags).toContain('partial');
    expect(row.ack).toBe(0);
    const whole = frame(LARGE).length;
    expect(row.span[1] - row.span[0]).toBe(whole);
    const all = observe(tapeOf().tape, autoProfile, keys()).fromServer();
    const from = all.find(({ id }) => id === 'large')!.data[0];
    const octetsFrom = (n: number, end: number) =>
      chunks.slice(n, end).flatMap((chunk) => (chunk.from === 'server' ? [chunk.bytes] : []));
    const first = tapeOf().sent.findIndex(({ packet }) => packet === from);
    const left = join(...octetsFrom(first, i), chunks[i].bytes.subarray(0, 5_000));
    // Of each record all but header, tag and content type (RFC 8446 section 5.2).
    let plain = 0;
    for (let at = 0; at + 5 < left.length; ) {
      const length = (left[at + 3] << 8) | left[at + 4];
      plain += Math.min(length - 17, left.length - at - 5);
      at += 5 + length;
    }
    expect(plain).toBeLessThan(whole);
    expect(row.octetsSeen).toBe(plain);
  });

  it('goes on behind a hole, with the right offsets', () => {
    const { tape } = tapeOf();
    const whole = observe(tape, autoProfile, keys()).fromServer();
    const two = whole.find(({ id }) => id === 'two')!;
    const holed = observe(tape.without(two.data[0]), autoProfile, keys());
    const rows = holed.fromServer();
    expect(rows.map(({ id }) => id)).toEqual(['one', 'large', 'last']);
    expect(rows.map(({ span }) => span)).toEqual(
      whole.filter(({ id }) => id !== null && !['two', 'three'].includes(id)).map(({ span }) => span),
    );
    expect(holed.connections[0].fromServer.gaps).toHaveLength(1);
  });

  it.each([
    ['every', /^CLIENT_TRAFFIC.*\n/gm],
    ['the traffic', /^(CLIENT_(HANDSHAKE_)?TRAFFIC|SERVER_HANDSHAKE).*\n/gm],
  ])("is blind where the client's records stay closed, for want of %s secret", (_which, lines) => {
    const { tape, sent } = tapeOf();
    const log = new KeyLog();
    const random = keyLog.match(/^CLIENT_TRAFFIC_SECRET_0 (\S+)/m)?.[1];
    log.add(octets(`${keyLog.replace(lines, '')}CLIENT_TRAFFIC_SECRET_0 ${random} ${'0'.repeat(64)}\n`));
    const [connection] = observe(tape, autoProfile, log).connections;
    expect(connection.fromServer.counts.text).toBeGreaterThan(3);
    expect(connection.fromClient.counts.text).toBe(0);
    const own = sent.filter(({ from, length }) => from === 'client' && length > 0);
    const { blind } = connection.fromClient;
    // ClientHello, Finished, the Upgrade request: from the first that may carry data to the last that came.
    const [, finished, request] = own;
    expect(blind).toHaveLength(1);
    expect([finished.packet, request.packet]).toContain(blind[0].ref);
    expect(blind[0].toNs).toBeGreaterThanOrEqual(connection.fromClient.lastOctetsNs);
    expect(blind[0].why).toMatch(/decrypted|do not open/);
  });

  it('is found in mid-connection, from within a record on', () => {
    const { tape, sent } = tapeOf();
    const i = largest();
    const late = new Tape();
    late.packets.push(...tape.packets.slice(sent[i].packet - 1));
    const seen = observe(late, autoProfile, keys());
    expect(seen.connections[0].tls).toMatchObject({ decrypted: true, handshake: 'missing' });
    expect(seen.fromServer().at(-1)).toMatchObject({ id: 'last' });
  });
});

describe('RecordMap', () => {
  it('answers with whole records', () => {
    const map = new RecordMap();
    map.add(0, 100, 500, 622);
    map.add(100, 300, 700, 922);
    expect([map.startOf(0), map.startOf(99), map.startOf(100), map.startOf(300)]).toEqual([500, 500, 700, Infinity]);
    expect([map.endOf(1), map.endOf(100), map.endOf(101), map.endOf(301)]).toEqual([622, 622, 922, Infinity]);
    expect(map.endOfKnown(900)).toBe(922);
    expect([map.coveredBy(499), map.coveredBy(622), map.coveredBy(921), map.coveredBy(922)]).toEqual([
      0, 100, 100, 300,
    ]);
  });

  it('drops what is neither needed nor waiting for its TCP ACK', () => {
    const map = new RecordMap();
    for (let i = 0; i < 1000; i++) map.add(i * 10, i * 10 + 10, i * 32, i * 32 + 32);
    map.prune(5000, 4000 * 3.2);
    expect(map.startOf(4000)).toBe(400 * 32);
    expect(map.startOf(3000)).toBe(400 * 32);
    expect(map.startOf(9999)).toBe(999 * 32);
  });
});
