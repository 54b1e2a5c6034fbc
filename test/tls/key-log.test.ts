import { describe, expect, it } from 'vitest';
import { KeyLog } from '../../src/tls/key-log.js';

const RANDOM = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);
const SECRET = '12'.repeat(32);
const MASTER = '34'.repeat(48);
const TEXT = `SERVER_TRAFFIC_SECRET_0 ${RANDOM} ${SECRET}\nCLIENT_RANDOM ${OTHER} ${MASTER}\n`;
const octets = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

function read(content: string | Uint8Array): KeyLog {
  const log = new KeyLog();
  log.add(typeof content === 'string' ? new TextEncoder().encode(content) : content);
  return log;
}

const found = (log: KeyLog) => [
  log.of(octets(RANDOM))?.get('SERVER_TRAFFIC_SECRET_0'),
  log.of(octets(OTHER))?.get('CLIENT_RANDOM'),
];
const RIGHT = [octets(SECRET), octets(MASTER)];

describe('a key log', () => {
  it.each([
    ['as it is written', TEXT],
    ['with Windows line ends', TEXT.replaceAll('\n', '\r\n')],
    ['without a last line end', TEXT.trimEnd()],
    ['indented, with tabs, in capitals', TEXT.replaceAll(' ', '\t ').replace(/^/gm, '  ').toUpperCase()],
    ['with a byte order mark', `\u{feff}${TEXT}`],
    ['in UTF-16, as PowerShell copies it', Uint8Array.from(Buffer.from(`\u{feff}${TEXT}`, 'utf16le'))],
    [
      'among comments, other labels and other text',
      `# a comment\n\nEXPORTER_SECRET ${RANDOM} ${SECRET}\nRSA 0123456789abcdef ${MASTER}\n[12:00] junk\n${TEXT}more\0junk`,
    ],
    [
      'among lines that were cut or damaged',
      `CLIENT_RANDOM ${OTHER}\nCLIENT_RANDOM ${OTHER} ${MASTER.slice(2)}\nCLIENT_RANDOM ${OTHER.slice(2)} ${MASTER}\nCLIENT_RANDOM ${OTHER} ${'zz'.repeat(48)}\nCLIENT_RANDOM ${OTHER} ${MASTER} x\n${TEXT}SERVER_TRAFFIC_SECRET_0 ${RANDOM} 12`,
    ],
  ])('is read %s', (_how, content) => {
    const log = read(content);
    expect(found(log)).toEqual(RIGHT);
    expect(log.size).toBe(2);
    expect(log.sizes).toEqual({ tls13: 1, tls12: 1 });
  });

  it('is read whole where it is larger than a piece', () => {
    const filler = `# ${'x'.repeat(61)}\n`.repeat((1 << 20) / 64);
    for (const shift of [0, 1, 63, 100]) {
      const log = read(`${'#'.repeat(shift)}\n${filler.slice(0, (1 << 20) - 90)}\n${TEXT}${filler}`);
      expect(found(log), `${shift}`).toEqual(RIGHT);
    }
  });

  it("is read as haproxy's log format writes it, with a master secret for TLS 1.3 too, and a sign for what there is none of", () => {
    const random = RANDOM.toUpperCase();
    const log = read(
      `CLIENT_EARLY_TRAFFIC_SECRET ${random} -\nCLIENT_TRAFFIC_SECRET_0 ${random} ${SECRET}\nSERVER_TRAFFIC_SECRET_0 ${random} ${SECRET}\nCLIENT_RANDOM ${random} ${MASTER.toUpperCase()}\n` +
        `CLIENT_EARLY_TRAFFIC_SECRET ${OTHER} -\nCLIENT_TRAFFIC_SECRET_0 ${OTHER} -\nCLIENT_RANDOM ${OTHER} ${MASTER}\n`,
    );
    expect(found(log)).toEqual(RIGHT);
    expect(log.of(octets(RANDOM))?.has('CLIENT_EARLY_TRAFFIC_SECRET')).toBe(false);
    expect(log.sizes).toEqual({ tls13: 1, tls12: 1 });
    expect([...log.masters()]).toEqual([[OTHER, octets(MASTER)]]);
  });

  it('takes no octets for secrets', () => {
    const log = read(Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7919) & 0xff));
    expect(log.size).toBe(0);
    expect(read('').size).toBe(0);
  });
});
