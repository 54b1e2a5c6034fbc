/**
 * One agent's messages and the records of a TLS connection in the same capture, made up by hand: the same lengths in the same order. What
 * the times say decides whether they belong together.
 */
import { describe, expect, it } from 'vitest';
import { alignEncrypted } from '../../src/path/tls-align.js';
import { command, frame } from '../support/frames.js';
import { observe } from '../support/observe.js';
import { Talk, Tape } from '../support/tape.js';
import { webSocket } from '../support/web-socket-talk.js';

const COUNT = 20;
const sentMs = (i: number) => 1000 + 1500 * i;
const message = (i: number) => frame(command(`c-${i}`, `,"x":"${'y'.repeat((i * 37) % 101)}"`));

/** RFC 8446 section 5.2: header, as many octets, content type and tag; no two fragments begin alike. */
function record(plain: number, seed: number): Uint8Array {
  const fragment = plain + 1 + 16;
  const header = [23, 3, 3, fragment >> 8, fragment & 0xff];
  return Uint8Array.from(
    { length: 5 + fragment },
    (_, i) => header[i] ?? (Math.imul(seed * 977 + i + 1, 0x9e3779b1) >>> 13) & 0xff,
  );
}

/** Each message's record comes so many milliseconds after it, NaN for never. */
function protocolOf(delayMs: (i: number) => number, extra: (i: number) => boolean = () => false): string {
  const tape = new Tape();
  const outer = new Talk(tape, { client: '192.0.2.7', clientPort: 50_001, server: '10.0.0.1', serverPort: 8443 });
  outer.open(0);
  const inner = webSocket(tape, 10, { client: '10.0.0.1', clientPort: 40_001, server: '10.0.0.2', serverPort: 8080 });
  for (let i = 0; i < COUNT; i++) {
    inner.send(sentMs(i), 'server', message(i));
    if (!Number.isNaN(delayMs(i))) outer.send(sentMs(i) + delayMs(i), 'server', record(message(i).length, i));
    if (extra(i)) outer.send(sentMs(i) + 700, 'server', record(40, COUNT + i));
  }
  const { observation } = observe(tape);
  alignEncrypted([observation], [null]);
  return observation.connections.find((each) => each?.serverPort === 8443)?.protocol ?? 'none';
}

describe('an encrypted connection of the same lengths', () => {
  it('is the one whose records come with the messages', () => {
    expect(protocolOf(() => 1)).toBe('websocket');
  });

  it('may be a like agent’s where they come sooner or later, however many there are', () => {
    expect(protocolOf((i) => (i % 5 < 2 ? 1 : 120 + ((i * 83) % 270)))).toBe('tls');
  });

  it('may be another one where much is left over on both sides', () => {
    const fits = (i: number) => i < 7 || i > 12;
    expect(
      protocolOf(
        () => 1,
        (i) => i % 2 === 0,
      ),
    ).toBe('websocket');
    expect(protocolOf((i) => (fits(i) ? 1 : Number.NaN))).toBe('websocket');
    expect(
      protocolOf(
        (i) => (fits(i) ? 1 : Number.NaN),
        (i) => !fits(i) && i % 2 === 0,
      ),
    ).toBe('tls');
  });
});
