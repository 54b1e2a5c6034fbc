import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findBoundary } from '../../src/websocket/frame-search.js';
import { command, frame, masked, ping } from '../support/frames.js';
import { hex, join, noise, octets } from '../support/octets.js';

const found = (bytes: Uint8Array, boundaries: number[] = [0], everywhere = true, mask: boolean | null = null) =>
  findBoundary(bytes, bytes.length, boundaries, { masked: mask }, everywhere);

const text = (id: string) => frame(command(id));

describe('findBoundary', () => {
  it('believes a text frame at a segment’s start that fills the segment', () => {
    expect(found(text('c-1'))).toBe(0);
    expect(found(masked(command('c-1')))).toBe(0);
  });

  it('finds the start after the rest of a frame whose beginning was not captured', () => {
    const rest = frame('{"type":"ConfigUpdate","interval":30}').subarray(9);
    const bytes = join(rest, text('c-1'), text('c-2'), ping(), text('c-3'));
    expect(found(bytes)).toBe(rest.length);
    expect(found(join(rest, masked(command('c-1')), masked(command('c-2')), masked(command('c-3'))))).toBe(rest.length);
  });

  it('looks there only when told to look everywhere', () => {
    const rest = frame('{"type":"ConfigUpdate","interval":30}').subarray(9);
    const bytes = join(rest, text('c-1'), text('c-2'), text('c-3'));
    expect(found(bytes, [0], false)).toBe(-1);
    expect(found(bytes, [0, rest.length], false)).toBe(rest.length);
  });

  it('believes a frame of which the end is still to come', () => {
    expect(found(frame(`{"type":"ConfigUpdate","pad":"${'x'.repeat(500)}"}`).subarray(0, 200))).toBe(0);
  });

  it('believes two Pings in segments of their own, and no lone one', () => {
    expect(found(ping())).toBe(-1);
    expect(found(ping('1234'))).toBe(-1);
    expect(found(masked('', { opcode: 10 }))).toBe(-1);
    expect(found(join(ping(), ping()), [0, 2])).toBe(0);
  });

  it('runs over what a snapshot length cut off of a payload, and not over a header', () => {
    // Compressed: their octets say nothing, but their lengths end where segments do.
    const compressed = () => masked(noise(100), { rsv1: true });
    const bytes = join(compressed(), compressed(), compressed());
    const each = bytes.length / 3;
    const starts = [0, each, 2 * each];
    const cutOff = starts.flatMap((start) => [start + 30, start + each]);
    const look = (unknown: number[]) => findBoundary(bytes, bytes.length, starts, { masked: null }, false, unknown);
    expect(look(cutOff)).toBe(0);
    expect(look([4, bytes.length])).toBe(-1);
    expect(look([30, each + 2, ...cutOff.slice(2)])).toBe(-1);
  });

  it('refuses a chain that changes between masked and not, or that contradicts the direction', () => {
    expect(found(join(text('c-1'), masked(command('c-2'))), [0], false)).toBe(-1);
    expect(found(text('c-1'), [0], true, true)).toBe(-1);
    expect(found(text('c-1'), [0], true, false)).toBe(0);
  });

  it('refuses what follows no rules of fragmentation', () => {
    const more = frame('{"a":', { fin: false });
    expect(found(join(more, frame('1}', { opcode: 0 })), [0], false)).toBe(0);
    expect(found(join(more, text('c-1')), [0], false)).toBe(-1);
  });

  it('refuses a Close with a code that cannot be', () => {
    const close = (code: string) => frame(hex(code), { opcode: 8 });
    expect(found(join(text('c-1'), close('03 e8')), [0], false)).toBe(0);
    expect(found(join(text('c-1'), close('00 10')), [0], false)).toBe(-1);
  });

  it('refuses text that holds control characters', () => {
    expect(found(frame(join(octets('{"a"'), Uint8Array.of(0, 1, 2), octets(':"bcdefghijklmnop"}'))), [0])).toBe(-1);
  });

  it('refuses plain text, JSON and HTTP', () => {
    const json = JSON.stringify({ list: Array.from({ length: 80 }, (_, i) => ({ id: `c-${i}`, cmd: 'hostname' })) });
    for (const plain of [json, 'GET /api/agents HTTP/1.1\r\nHost: example.com\r\n\r\n', 'lorem ipsum '.repeat(200)])
      expect(found(octets(plain), [0, 20, 100])).toBe(-1);
  });

  it('refuses random octets', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0x7fffffff }), fc.integer({ min: 0, max: 3000 }), (seed, length) => {
        expect(found(noise(length, seed), [0, 100, 1000])).toBe(-1);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses generated short octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(found(bytes, [0])).toBe(-1);
      }),
    );
  });

  it('refuses many zeros without looking through all of them from everywhere', () => {
    const since = performance.now();
    expect(found(new Uint8Array(128 << 10), [0])).toBe(-1);
    // Each position's chain to the end would be two thousand million frames.
    expect(performance.now() - since).toBeLessThan(4000);
  });

  it('refuses zeros, which pass for a chain of empty continuations', () => {
    expect(found(new Uint8Array(500), [0, 100, 200, 300, 400])).toBe(-1);
    expect(found(join(new Uint8Array(100), text('c-1'), text('c-2'), text('c-3')))).toBe(100);
  });
});
