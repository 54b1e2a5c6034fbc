/**
 * What can be told of records without keys, against node:tls (OpenSSL) as the witness: what it was given to send is known, and the
 * bounds that the records' lengths leave must hold it. The same however the octets are cut.
 */
import { describe, expect, it } from 'vitest';
import { leastPlaintext, mostPlaintext, type RecordOverhead } from '../../src/tls/record-overhead.js';
import { RecordSizes } from '../../src/tls/record-sizes.js';
import { type Script, type TlsShape, type TlsWire, tlsWire } from '../support/tls-wire.js';

const HEADER = 5;

interface Sized {
  records: { direction: 0 | 1; length: number }[];
  overheads: RecordOverhead[];
  lost: [number, number, number][];
}

/** Fed in pieces of `step` octets; direction 0 is the client's. From chunk `first` on, as a capture that started late. */
function sizesOf(wire: TlsWire, step: number, first = 0): Sized {
  const sized: Sized = { records: [], overheads: [], lost: [] };
  const reader = new RecordSizes({
    sized: (direction, from, to) => sized.records.push({ direction, length: to - from - HEADER }),
    sizedPart: () => {},
    sizesLost: (direction, from, to) => sized.lost.push([direction, from, to]),
  });
  const offsets = [0, 0];
  for (const { from, bytes } of wire.chunks.slice(first)) {
    const direction = from === 'client' ? 0 : 1;
    for (let at = 0; at < bytes.length; at += step) {
      const end = Math.min(bytes.length, at + step);
      reader.read(direction, bytes, at, end, offsets[direction]);
      offsets[direction] += end - at;
    }
  }
  reader.finish();
  sized.overheads = reader.overheads();
  return sized;
}

const LENGTHS = [1, 6, 15, 16, 17, 131, 132, 1000, 3500, 6, 131];
const SCRIPT: Script = LENGTHS.flatMap(
  (length): Script => [
    ['server', 'x'.repeat(length)],
    ['client', 'y'.repeat(length + 3)],
  ],
);

const SHAPES: [string, TlsShape][] = [
  ['TLS 1.3, AES-128-GCM', { version: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' }],
  ['TLS 1.3, ChaCha20', { version: 'TLSv1.3', ciphers: 'TLS_CHACHA20_POLY1305_SHA256' }],
  ['TLS 1.2, GCM', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }],
  ['TLS 1.2, ChaCha20', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' }],
  ['TLS 1.2, CBC, SHA-1', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }],
  ['TLS 1.2, CBC, SHA-256', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }],
  ['TLS 1.2, CBC, SHA-384', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384' }],
];

/** In TLS 1.3 close_notify looks like data: two octets, content type, tag. */
const CLOSE_NOTIFY = 2 + 17;

/** The records of the script stand at the end, before close_notify: what comes before is the handshake's. */
function told({ records }: Sized, direction: 0 | 1, { version }: TlsShape) {
  const own = records.filter((record) => record.direction === direction);
  if (version === 'TLSv1.3') expect(own.pop()?.length).toBe(CLOSE_NOTIFY);
  return own.slice(-LENGTHS.length);
}

describe.each(SHAPES)('%s', (_, shape) => {
  it('the bounds hold what was sent, and are as narrow as the suite allows', async () => {
    const wire = await tlsWire(shape, SCRIPT);
    const sized = sizesOf(wire, 1 << 20);
    expect(sized.overheads).toHaveLength(1);
    const [overhead] = sized.overheads;
    expect(overhead.name.replace(/^TLS_/, '')).toMatch(/AES|CHACHA/);
    for (const [direction, extra] of [
      [1, 0],
      [0, 3],
    ] as const)
      for (const [i, { length }] of told(sized, direction, shape).entries()) {
        const plaintext = LENGTHS[i] + extra;
        expect(leastPlaintext(overhead, length)).toBeLessThanOrEqual(plaintext);
        expect(mostPlaintext(overhead, length)).toBeGreaterThanOrEqual(plaintext);
        const width = mostPlaintext(overhead, length) - leastPlaintext(overhead, length);
        expect(width).toBeLessThanOrEqual(wire.cipher.includes('AES') && shape.ciphers?.includes('SHA') ? 15 : 0);
      }
  });

  it('the same records in pieces of any length', async () => {
    const wire = await tlsWire(shape, SCRIPT);
    const whole = sizesOf(wire, 1 << 20);
    for (const step of [1, 2, 3, 7, 100, 1460]) expect(sizesOf(wire, step), `${step}`).toEqual(whole);
  });

  it('where the capture starts later the overhead is among what is possible', async () => {
    const wire = await tlsWire(shape, SCRIPT);
    const [negotiated] = sizesOf(wire, 1 << 20).overheads;
    const firstOfScript = wire.chunks.length - 2 * LENGTHS.length - 2;
    const { overheads, records } = sizesOf(wire, 1 << 20, firstOfScript);
    expect(records.length).toBeGreaterThan(LENGTHS.length);
    expect(overheads).toContainEqual(expect.objectContaining({ fixed: negotiated.fixed, padding: negotiated.padding }));
    if (shape.ciphers?.includes('GCM-SHA384')) expect(overheads[0].fixed).toBe(24);
    else if (negotiated.padding > 0) expect(overheads[0].padding).toBe(16);
    else expect(overheads.map(({ padding }) => padding)).not.toContain(16);
  });
});

describe('what was not captured', () => {
  it('a hole within one record leaves its length; a hole over its end loses what is behind it, until records are found again', async () => {
    const wire = await tlsWire({ version: 'TLSv1.3' }, SCRIPT);
    const bytes = Buffer.concat(wire.chunks.filter(({ from }) => from === 'server').map((chunk) => chunk.bytes));
    const records: number[] = [];
    const lost: [number, number][] = [];
    const reader = () =>
      new RecordSizes({
        sized: (_direction, from, to) => records.push(to - from),
        sizedPart: () => {},
        sizesLost: (_direction, from, to) => lost.push([from, to]),
      });
    reader().read(1, bytes, 0, bytes.length, 0);
    const all = records.splice(0);
    // The record of 3500 octets, 17 more with tag and type, and its header.
    const size = 3500 + 17 + HEADER;
    const end = bytes.length - (CLOSE_NOTIFY + HEADER);
    const at = end - (6 + 17 + HEADER) - (131 + 17 + HEADER) - size;
    const inside = reader();
    inside.read(1, bytes, 0, at + 100, 0);
    inside.gap(1, at + 100, at + 2000);
    inside.read(1, bytes, at + 2000, bytes.length, at + 2000);
    expect(records.splice(0)).toEqual(all);
    const across = reader();
    across.read(1, bytes, 0, at + 100, 0);
    across.gap(1, at + 100, at + size + 10);
    across.read(1, bytes, at + size + 10, bytes.length, at + size + 10);
    across.finish();
    expect(records).toEqual([...all.slice(0, -3), ...all.slice(-2)]);
    expect(lost).toEqual([[at + size, end - (131 + 17 + HEADER)]]);
  });

  it('the last record in part says where it would have ended', async () => {
    const wire = await tlsWire({ version: 'TLSv1.3' }, [['server', 'x'.repeat(900)]]);
    const bytes = Buffer.concat(wire.chunks.filter(({ from }) => from === 'server').map((chunk) => chunk.bytes));
    const parts: [number, number][] = [];
    const reader = new RecordSizes({
      sized: () => {},
      sizedPart: (_, from, to) => parts.push([from, to]),
      sizesLost: () => {},
    });
    const end = bytes.length - (CLOSE_NOTIFY + HEADER);
    reader.read(1, bytes, 0, end - 300, 0);
    reader.finish();
    expect(parts).toEqual([[end - (900 + 17 + HEADER), end]]);
  });
});
