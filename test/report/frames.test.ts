import { describe, expect, it } from 'vitest';
import type { ConnectionSummary, FrameEvent } from '../../src/hop/frame-event.js';
import { connectionList } from '../../src/report/connections.js';
import { frameWriter } from '../../src/report/frames.js';
import { LIST_FORMATS, type ListFormat } from '../../src/report/list-format.js';

const OPTIONS = { width: 80, colour: false, unicode: true, all: false, failedOnly: false };

function frame(more: Partial<FrameEvent> = {}): FrameEvent {
  return {
    file: 'npm.pcap',
    packet: 411,
    firstPacket: 411,
    at: '2025-11-03T09:00:00.123456Z',
    connection: 0,
    source: '10.0.0.5:443',
    destination: '203.0.113.9:51514',
    from: 'server',
    opcode: 'text',
    fin: true,
    rsv1: false,
    masked: false,
    partial: false,
    length: 1234,
    startOffset: 129,
    endOffset: 1367,
    type: 'Command',
    id: '0192f3a1-9d40-7aa2-b1c4-77e0d2f4aa10',
    closeCode: null,
    payload: null,
    ...more,
  };
}

function text(format: ListFormat, frames: FrameEvent[], width = 80): string {
  const writer = frameWriter(format, { ...OPTIONS, width }, '0.1.0');
  return writer.head() + frames.map((one) => writer.frame(one)).join('') + writer.foot();
}

describe('frames', () => {
  it('are one line each at 80 columns', () => {
    const frames = [
      frame(),
      frame({ packet: 414, firstPacket: 412, from: 'client', masked: true, rsv1: true, type: 'CommandAck' }),
      frame({ packet: 420, firstPacket: 420, opcode: 'close', type: null, id: null, closeCode: 1006, length: 2 }),
    ];
    expect(`\n${text('table', frames)}`).toBe(`
     Packet Time (UTC)   Conn From/to  Opcode Flags  Octets Type, ID
npm.pcap  2025-11-03
        411 09:00:00.123    0 server → text   F--     1,234 Command 0192f3…4aa10
    412-414 09:00:00.123    0 → server text   FZM     1,234 CommandAck 0192f3…4aa10
        420 09:00:00.123    0 server → close  F--         2 code 1006
`);
  });

  it('show addresses where there is room', () => {
    expect(text('table', [frame()], 140)).toContain('10.0.0.5:443 → 203.0.113.9:51514');
  });

  it('are valid JSON of the schema lasthop/frames@1', () => {
    expect(JSON.parse(text('json', [])).frames).toEqual([]);
    const read = JSON.parse(text('json', [frame(), frame({ packet: 5 })]));
    expect(read.schema).toBe('lasthop/frames@1');
    expect(read.frames).toEqual([frame(), frame({ packet: 5 })]);
    expect(
      text('ndjson', [frame()])
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([frame()]);
  });

  it.each(LIST_FORMATS)('print nothing as %s that a terminal would act upon', (format) => {
    const evil = '\x1b[2J\u009b\u202e|=1';
    const shown = text(format, [frame({ file: evil, type: evil, id: evil, payload: evil })]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is looked for
    expect(shown).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  });
});

describe('connections', () => {
  const side = { text: 5, binary: 0, ping: 4, pong: 0, close: 1, octets: 8072, missedOctets: 0, foundByBits: null };
  const one: ConnectionSummary = {
    connection: 0,
    client: '203.0.113.9:51514',
    server: '10.0.0.5:443',
    protocol: 'websocket',
    tlsVersion: null,
    cipherSuite: null,
    serverName: null,
    alpn: null,
    decrypted: null,
    unreadable: null,
    resumed: null,
    renegotiations: null,
    clientRandom: null,
    agent: 'PST-SERVER',
    openedAt: '2025-11-03T09:00:00.000000Z',
    closedAt: null,
    closedBy: null,
    handshake: 'seen',
    path: '/ws',
    extensions: null,
    firstAt: '2025-11-03T09:00:00.000000Z',
    lastAt: '2025-11-03T09:05:00.000000Z',
    packets: 43,
    fromServer: side,
    fromClient: { ...side, ping: 0, pong: 4 },
    pingsAnswered: 4,
    retransmissions: 2,
    closeCode: null,
  };

  it('are two lines each', () => {
    expect(`\n${[...connectionList('table', [one], OPTIONS, '0.1.0')].join('')}`).toBe(`
1 TCP connection, times in UTC from 2025-11-03

Conn  Client             Protocol    First     Text out  Pings     Resent
      → server           agent       last      in        answered  closed
───────────────────────────────────────────────────────────────────────────
0     203.0.113.9:51514  websocket   09:00:00  5         4         2
      10.0.0.5:443       PST-SERVER  09:05:00  5         4         open
`);
  });

  it('end with what the encrypted ones said, those that say the same in one line', () => {
    const tls: ConnectionSummary = {
      ...one,
      tlsVersion: '1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      serverName: 'rmm.example.net',
      alpn: 'http/1.1',
      decrypted: true,
      resumed: false,
      renegotiations: 0,
      clientRandom: 'ab'.repeat(32),
    };
    const closed = { ...tls, decrypted: false, alpn: null, unreadable: 'the key log holds no keys for it' };
    const list = [
      tls,
      { ...tls, connection: 1 },
      one,
      ...[3, 4, 5, 6].map((connection) => ({ ...closed, connection, clientRandom: `${connection}${'0'.repeat(63)}` })),
      { ...tls, connection: 7, tlsVersion: '1.2', alpn: null, serverName: null, resumed: true, renegotiations: 2 },
      {
        ...closed,
        connection: 8,
        tlsVersion: null,
        cipherSuite: null,
        serverName: 'evil\u001b[2J',
        clientRandom: null,
      },
      { ...closed, connection: 9, unreadable: null },
    ];
    const text = [...connectionList('table', list, { ...OPTIONS, width: 200 }, '0.1.0')].join('');
    expect(text.slice(text.indexOf('\nTLS\n') + 1)).toBe(`TLS
0-1: TLS 1.3, TLS_AES_128_GCM_SHA256, for rmm.example.net, ALPN http/1.1; decrypted
3-6: TLS 1.3, TLS_AES_128_GCM_SHA256, for rmm.example.net; not decrypted, the key log holds no keys for it (client random 3000000000000000…, 4000000000000000…, 5000000000000000… and 1 more)
7: TLS 1.2, TLS_AES_128_GCM_SHA256, no server name, resumed; decrypted, renegotiated 2 times
8: TLS, for evil\\x1b[2J; not decrypted, the key log holds no keys for it
9: TLS 1.3, TLS_AES_128_GCM_SHA256, for rmm.example.net; nothing in it to decrypt
`);
    expect([...connectionList('table', [one], OPTIONS, '0.1.0')].join('')).not.toContain('TLS');
  });

  it('are valid JSON of the schema lasthop/connections@1', () => {
    const read = JSON.parse([...connectionList('json', [one, one], OPTIONS, '0.1.0')].join(''));
    expect(read.schema).toBe('lasthop/connections@1');
    expect(read.connections).toEqual([one, one]);
  });

  it('have as many cells in CSV as heads', () => {
    const [head, row] = [...connectionList('csv', [one], OPTIONS, '0.1.0')];
    expect(row.split(',')).toHaveLength(head.split(',').length);
  });
});
