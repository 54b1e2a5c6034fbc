import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress, formatEndpoint, parseAddress } from '../../src/packet/address.js';

describe('addresses', () => {
  it.each([
    ['10.0.0.1', [0, 0, 0xffff, 0x0a000001]],
    ['255.255.255.255', [0, 0, 0xffff, -1]],
    ['0.0.0.0', [0, 0, 0xffff, 0]],
    // RFC 5952, section 4: no leading zeros, `::` for the longest run, the first of equals, not for a single group, lower case.
    ['2001:db8::1', [0x20010db8, 0, 0, 1]],
    ['2001:0:0:1::1', [0x20010000, 0x00000001, 0, 1]],
    ['2001:db8::1:0:0:1', [0x20010db8, 0, 0x00010000, 1]],
    ['2001:db8:0:1:1:1:1:1', [0x20010db8, 0x00000001, 0x00010001, 0x00010001]],
    ['::', [0, 0, 0, 0]],
    ['::1', [0, 0, 0, 1]],
    ['fe80::', [0xfe800000 | 0, 0, 0, 0]],
    ['abcd:ef01:2345:6789:abcd:ef01:2345:6789', [0xabcdef01 | 0, 0x23456789, 0xabcdef01 | 0, 0x23456789]],
  ])('%s', (text, words) => {
    expect(formatAddress(words)).toBe(text);
    expect([...(parseAddress(text) ?? [])]).toEqual(words);
  });

  it('writes endpoints', () => {
    expect(formatEndpoint([0, 0, 0xffff, 0x7f000001], 3001)).toBe('127.0.0.1:3001');
    expect(formatEndpoint([0, 0, 0, 1], 443)).toBe('[::1]:443');
  });

  it('reads the other ways to write an address', () => {
    expect(formatAddress(parseAddress('2001:DB8:0:0:0:0:0:1') ?? [])).toBe('2001:db8::1');
    expect(formatAddress(parseAddress('::ffff:10.1.2.3') ?? [])).toBe('10.1.2.3');
    expect(formatAddress(parseAddress('64:ff9b::192.0.2.33') ?? [])).toBe('64:ff9b::c000:221');
  });

  it.each([
    '',
    '10.0.0',
    '10.0.0.256',
    '1::2::3',
    ':1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    'g::1',
    '10.0.0.1:443',
    '1:2:3:4:5:6:7::8::',
    'host',
  ])('refuses %j', (text) => {
    expect(parseAddress(text)).toBeNull();
  });

  it('writes what Node takes for an IPv6 address, and reads it back', () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.nat(0xffff));
    fc.assert(
      fc.property(group, group, group, group, (...words) => {
        const text = formatAddress(words);
        expect([...(parseAddress(text) ?? [])]).toEqual(words);
        if (text.includes(':')) expect(isIPv6(text)).toBe(true);
      }),
    );
  });

  it('takes for an address exactly what Node takes for one', () => {
    const part = fc.constantFrom('0', '1', 'ab', 'ffff', '12345', '', '1.2.3.4');
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 9 }), (parts) => {
        const text = parts.join(':');
        fc.pre(text.includes(':'));
        expect(parseAddress(text) !== null).toBe(isIPv6(text));
      }),
      { numRuns: 2000 },
    );
  });
});
