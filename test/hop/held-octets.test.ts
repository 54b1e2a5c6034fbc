import { describe, expect, it } from 'vitest';
import { HeldOctets } from '../../src/hop/held-octets.js';

function replayed(held: HeldOctets): string[] {
  const told: string[] = [];
  held.replay({
    octets: (bytes, offset) => told.push(`${offset} ${Buffer.from(bytes).toString('latin1')}`),
    lost: (from, to, exact) => told.push(`${from}..${to} ${exact ? 'lost' : 'lost, uncertain'}`),
  });
  return told;
}

const octets = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

describe('octets that wait', () => {
  it('come back in order, as they were when they came', () => {
    const held = new HeldOctets(7);
    const bytes = octets('xGET y');
    held.add(bytes, 1, 5, 7);
    bytes.fill(0);
    held.add(octets('/ab'), 0, 3, 11);
    expect(replayed(held)).toEqual(['7 GET ', '11 /ab']);
  });

  it('tell of the holes between them, with what is certain of each', () => {
    const held = new HeldOctets(0);
    held.add(octets('ab'), 0, 2, 0);
    held.gap(10, true);
    held.add(octets('cd'), 0, 2, 10);
    held.gap(20, true);
    held.gap(25, false);
    held.gap(30, true);
    held.add(octets('ef'), 0, 2, 30);
    expect(replayed(held)).toEqual(['0 ab', '2..10 lost', '10 cd', '12..30 lost, uncertain', '30 ef']);
  });

  it('are missing where they are too many to keep, also before smaller ones that find room again', () => {
    const held = new HeldOctets(0);
    const large = Buffer.alloc(200_000, 0x61);
    held.add(large, 0, large.length, 0);
    held.add(large, 0, large.length, 200_000);
    held.add(octets('tail'), 0, 4, 400_000);
    const [first, ...rest] = replayed(held);
    expect(first).toHaveLength(200_002);
    expect(rest).toEqual(['200000..400000 lost', '400000 tail']);
  });

  it('are put before what follows them', () => {
    const held = new HeldOctets(0);
    held.add(octets('G'), 0, 1, 0);
    held.add(octets('E'), 0, 1, 1);
    expect(Buffer.from(held.followedBy(octets('-T /'), 1, 4)).toString('latin1')).toBe('GET /');
  });
});
