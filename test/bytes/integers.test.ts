import fc from 'fast-check';
import { expect, it } from 'vitest';
import { int32, uint16, uint16LittleEndian, uint32, uint32LittleEndian } from '../../src/bytes/integers.js';

it('reads what a DataView reads, at any offset', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 12 }), fc.nat(8), (bytes, at) => {
      fc.pre(at + 4 <= bytes.length);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      expect(uint16(bytes, at)).toBe(view.getUint16(at));
      expect(uint32(bytes, at)).toBe(view.getUint32(at));
      expect(int32(bytes, at)).toBe(view.getInt32(at));
      expect(uint16LittleEndian(bytes, at)).toBe(view.getUint16(at, true));
      expect(uint32LittleEndian(bytes, at)).toBe(view.getUint32(at, true));
    }),
  );
});
