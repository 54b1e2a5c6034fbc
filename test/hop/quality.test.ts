import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { CaptureQuality } from '../../src/hop/capture-quality.js';
import { captureQuality } from '../../src/hop/quality.js';
import { qualityReport } from '../../src/report/quality.js';
import { concat, enhancedPacket, interfaceDescription, sectionHeader, statistics } from '../capture/build-capture.js';
import { command, commandAck, frame, masked, ping, pong } from '../support/frames.js';
import { RST, Talk, Tape } from '../support/tape.js';
import { upgradeRequest, upgradeResponse, webSocket } from '../support/web-socket-talk.js';

const directory = mkdtempSync(join(tmpdir(), 'lasthop-quality-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function qualityOf(tape: Tape, secondReader = false): Promise<CaptureQuality> {
  const file = join(directory, 'capture.pcap');
  writeFileSync(file, tape.file());
  return captureQuality(file, { secondReader });
}

/** Packets 8 to 15: a command, its CommandAck, a Ping and its Pong, each with its TCP ACK. */
function talkOn(tape: Tape): void {
  const talk = webSocket(tape, 0);
  talk.send(1000, 'server', frame(command('c-1')));
  talk.send(1040, 'client', masked(commandAck('c-1')));
  talk.send(2000, 'server', ping('1'));
  talk.send(2001, 'client', pong('1'));
}

function text(quality: CaptureQuality): string {
  const options = { width: 120, colour: false, unicode: true, all: false, failedOnly: false };
  return [...qualityReport('table', [quality], options, '1')].join('');
}

function oneLine(quality: CaptureQuality): string {
  return text(quality).replace(/\s+/g, ' ');
}

describe('the quality of a capture', () => {
  it('that is whole is full, and the second reader agrees', async () => {
    const tape = new Tape();
    talkOn(tape);
    const quality = await qualityOf(tape, true);
    expect(quality).toMatchObject({
      trust: 'full',
      reasons: [],
      packets: tape.packets.length,
      missedOctets: 0,
      secondReader: { agrees: true, compared: tape.packets.length },
    });
    expect(quality.connections).toMatchObject([
      { protocol: 'websocket', opening: 'seen', directions: 'both', whole: true, holes: [] },
    ]);
    expect(text(quality)).toContain('trust full');
  });

  it('says by how much evidence frames were found where the opening was not captured', async () => {
    const tape = new Tape();
    talkOn(tape);
    expect((await qualityOf(tape)).connections[0].foundByBits).toBeNull();
    const { connections } = await qualityOf(tape.between(900, 1e6));
    // A chain is believed from 24 bits on where it starts with a segment.
    expect(connections[0].foundByBits).toBeGreaterThanOrEqual(24);
    expect(connections[0].opening).toBe('missing');
    const late = await qualityOf(tape.between(900, 1e6));
    // It limits nothing of what is in the capture.
    expect(late).toMatchObject({ trust: 'full', reasons: [] });
    expect(late.notes.join()).toMatch(/^1 WebSocket opened before the capture.*in mid-stream by \d+ bits/);
  });

  it('lacks nothing of packets that only RSTs answer: they are of no connection', async () => {
    const tape = new Tape();
    talkOn(tape);
    const escaped = new Talk(tape, { client: '192.168.1.9', clientPort: 41_715, serverPort: 3001 });
    for (const [i, at] of [0, 900, 4000].entries()) {
      escaped.segment(2100 + i, 'client', { data: masked(commandAck(`c-${i}`)), at, acked: 1000 * i });
      escaped.segment(2100.1 + i, 'server', { flags: RST, at: 1000 * i });
    }
    const quality = await qualityOf(tape);
    expect(quality).toMatchObject({ trust: 'full', reasons: [], missedOctets: 0 });
    expect(quality.connections.map(({ holes }) => holes)).toEqual([[], []]);
  });

  it('with a hole says where it is, and how large', async () => {
    const tape = new Tape();
    talkOn(tape);
    const hole = tape.packets.findIndex(({ atMs }) => atMs === 1000) + 1;
    const quality = await qualityOf(tape.without(hole));
    const octets = frame(command('c-1')).length;
    expect(quality.trust).toBe('limited');
    expect(quality.missedOctets).toBe(octets);
    expect(quality.reasons).toEqual([
      `missed-by-capture: ${octets} octets in 1 hole of 1 connection were TCP-ACKed by their receivers and are not in it, 22:13:20.002 to 22:13:22.001`,
    ]);
    // The TCP ACK of the packet that is not there any more has its number.
    expect(quality.losses).toEqual([{ fate: 'missed-by-capture', connections: 1, count: 1, octets, packets: [hole] }]);
    expect(quality.blindTimes).toEqual([{ fromAt: null, toAt: null }]);
    expect(quality.connections[0].whole).toBe(false);
    expect(quality.connections[0].holes).toMatchObject([
      { sender: 'server', kind: 'missed', octets, toAt: expect.stringContaining('22:13:22') },
      { sender: 'server', kind: 'unread', octets: 3 }, // a Ping alone is no certain frame
    ]);
    expect(text(quality)).toContain(`from the server: ${octets} octets missed-by-capture`);
  });

  it('with packets cut by the snapshot length names them', async () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    talk.segment(1000, 'server', { data: frame(command('c-1')), captured: 20 });
    talk.segment(1001, 'client');
    const quality = await qualityOf(tape);
    expect(quality).toMatchObject({ trust: 'limited', cutPackets: 1, cutOctets: frame(command('c-1')).length - 20 });
    expect(quality.connections[0].holes[0]).toMatchObject({ kind: 'cut', sender: 'server' });
    // Ethernet, IPv4, TCP, and what was kept of the payload.
    expect(quality.reasons.join()).toContain(
      `1 packet cut by the snapshot length, to ${14 + 20 + 20 + 20} octets or less`,
    );
  });

  it('of which the capturing host dropped packets says how many, by its own statistics', async () => {
    const tape = new Tape();
    talkOn(tape);
    const file = join(directory, 'drops.pcapng');
    const blocks = (drops: bigint) => [
      sectionHeader(),
      interfaceDescription(),
      ...tape.packets.map(({ atMs, bytes }) => {
        const time = BigInt(1_700_000_000_000_000) + BigInt(Math.round(atMs * 1e3));
        return enhancedPacket({ ticks: time, data: bytes });
      }),
      statistics(0, { 4: 1000n, 5: drops }),
    ];
    writeFileSync(file, concat(...blocks(17n)));
    const quality = await captureQuality(file, {});
    expect(quality).toMatchObject({ trust: 'limited', droppedPackets: 17 });
    expect(quality.reasons.join()).toContain('dropped 17 packets: use tcpdump -B 65536');
    writeFileSync(file, concat(...blocks(0n)));
    const sound = await captureQuality(file, {});
    expect(sound).toMatchObject({ trust: 'full', droppedPackets: 0, reasons: [] });
    expect(text(sound)).toContain('no packets dropped, by its own statistics');
  });

  it('counts a connection once that is captured before and after its addresses are translated', async () => {
    const tape = new Tape();
    const outside = new Talk(tape, { server: '10.71.1.1', serverPort: 80, client: '10.71.2.2' });
    const inside = new Talk(tape, { server: '10.71.0.1', serverPort: 8080, client: '10.71.2.2' });
    const stranger = new Talk(tape, { server: '10.71.1.1', serverPort: 80, client: '10.71.2.3', clientIsn: 77 });
    for (const [i, talk] of [outside, inside, stranger].entries()) {
      talk.open(i / 100);
      talk.send(10 + i / 100, 'client', upgradeRequest());
      talk.send(20 + i / 100, 'server', upgradeResponse());
      for (let s = 1; s < 8; s++) talk.send(s * 1000 + i / 100, 'server', frame(command(`c-${s}`)));
    }
    tape.packets.sort((a, b) => a.atMs - b.atMs);
    const quality = await qualityOf(tape);
    expect(quality.connections.map(({ sameAs }) => sameAs)).toEqual([null, 0, null]);
    expect(oneLine(quality)).toContain(
      '2 TCP connections (1 of them captured twice, before and after its addresses were translated), 2 of them whole ',
    );
    expect(oneLine(quality)).toContain('whole on every connection: what is not in it did not pass here ');
    const late = await qualityOf(tape.between(500, 10_000));
    expect(late.notes.join()).toContain('2 WebSockets opened before the capture');
    expect(oneLine(late)).toContain('0 of them whole, and 2 more from their first packet captured on ');
    expect(oneLine(late)).toContain('whole on every connection from its first packet captured on');
  });

  it('with one direction only says whose packets are there', async () => {
    const tape = new Tape();
    talkOn(tape);
    const fromServer = new Tape();
    fromServer.packets.push(...tape.packets.filter(({ bytes }) => Buffer.from(bytes).readUInt16BE(34) === 3001));
    const quality = await qualityOf(fromServer);
    expect(quality.connections[0]).toMatchObject({ directions: 'server', whole: false });
    expect(quality.reasons.join('; ')).toContain('one direction only');
  });

  it('whose clock was set back says when, and by how much', async () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    talk.send(10_000, 'server', ping('1'));
    talk.send(4000, 'server', ping('2'));
    const quality = await qualityOf(tape);
    // From the first Ping's TCP ACK, 0.3 ms after it.
    expect(quality.clockSetBacks).toMatchObject([{ backMs: 6000.3 }]);
    expect(quality.reasons.join()).toMatch(/its clock was set back by 6.0 s at 22:13:30/);
  });

  it('that was put together in the wrong order says so once for each place', async () => {
    const tape = new Tape();
    const talks = [0, 1, 2].map((i) => webSocket(tape, i, { clientPort: 41_000 + i }));
    for (let i = 0; i < 30; i++)
      for (const talk of talks) talk.send(1000 + i * 500, 'server', frame(command(`c-${i}`)));
    const wrong = new Tape();
    wrong.packets.push(
      ...tape.packets.filter(({ atMs }) => atMs >= 8000),
      ...tape.packets.filter(({ atMs }) => atMs < 8000),
    );
    const quality = await qualityOf(wrong);
    expect(quality.clockSetBacks).toHaveLength(1);
    expect(quality.trust).toBe('limited');
  });

  it('of which a part was captured twice, in another file, counts copies and no retransmissions', async () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0);
    for (let i = 0; i < 40; i++) {
      talk.segment(1000 + i * 100, 'server', { data: frame(command(`c-${i}`)), timestamp: 5000 + i * 100 });
      talk.segment(1001 + i * 100, 'client');
    }
    const again = new Tape();
    again.packets.push(...tape.packets, ...tape.packets.filter(({ atMs }) => atMs >= 1000 && atMs < 4000));
    const quality = await qualityOf(again);
    expect(quality).toMatchObject({ duplicates: 30, backwardsTimestamps: 1 });
    expect(quality.connections[0]).toMatchObject({ retransmissions: 0, whole: true });
  });

  it('fits a terminal of 80 columns', async () => {
    const tape = new Tape();
    const talk = webSocket(tape, 0, { client: '2001:db8:1:2:3:4:5:6', server: '2001:db8:1:2:3:4:5:7' });
    talk.segment(1000, 'server', { data: frame(command('c-1')), captured: 20 });
    talk.segment(1001, 'client');
    const options = { width: 80, colour: false, unicode: true, all: true, failedOnly: false };
    const lines = [...qualityReport('table', [await qualityOf(tape)], options, '1')].join('').split('\n');
    expect(lines.filter((line) => line.length > 80 && !line.includes(directory))).toEqual([]);
    expect(lines.some((line) => line.includes('cut by the snapshot length'))).toBe(true);
  });

  it('without a WebSocket, and without a packet', async () => {
    const tape = new Tape();
    new Talk(tape).open(0);
    expect((await qualityOf(tape)).reasons).toEqual(['it holds no WebSocket']);
    expect(await qualityOf(new Tape())).toMatchObject({ trust: 'none', reasons: ['it holds no packets'] });
  });

  it('is one object of the schema in JSON', async () => {
    const tape = new Tape();
    talkOn(tape);
    const quality = await qualityOf(tape);
    const options = { width: 80, colour: false, unicode: true, all: false, failedOnly: false };
    const json = JSON.parse([...qualityReport('json', [quality], options, '1.2.3')].join(''));
    expect(json).toEqual({
      schema: 'lasthop/quality@1',
      generator: { name: 'lasthop', version: '1.2.3' },
      captures: [quality],
    });
  });
});
