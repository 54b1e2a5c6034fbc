/** A TlsSession that is fed what each side wrote, and all that it said. Client is direction 0. */

import type { LostPlaintext } from '../../src/tls/facts.js';
import { KeyLog } from '../../src/tls/key-log.js';
import { TlsSession } from '../../src/tls/session.js';
import type { TlsWire, WireChunk } from './tls-wire.js';

export interface Heard {
  client: string;
  server: string;
  lost: (LostPlaintext & { direction: number })[];
  why: string | null;
  spans: [number, number, number, number][];
  session: TlsSession;
}

export type Feed = (bytes: Uint8Array) => Uint8Array[];

export interface HearOptions {
  keys?: string;
  /** Leaves out octets [from, to) of the server's stream, as a capture with a hole does. */
  drop?: [number, number];
  /** Chunks that the capture does not hold because it began later. */
  skip?: number;
  /** Of the packets of a chunk the capture keeps so many octets. */
  cutTo?: (chunk: WireChunk, i: number) => number;
  /** Chunks in the middle that the capture does not hold. */
  without?: (chunk: WireChunk, i: number) => boolean;
}

export function hear(wire: Pick<TlsWire, 'chunks' | 'keyLog'>, feed: Feed, options: HearOptions = {}): Heard {
  const keyLog = new KeyLog();
  keyLog.add(new TextEncoder().encode(options.keys ?? wire.keyLog));
  const heard: Partial<Heard> & { lost: Heard['lost'] } = { client: '', server: '', lost: [], why: null, spans: [] };
  const session = new TlsSession(
    keyLog,
    {
      plaintext: (direction, bytes, offset, wireFrom, wireTo) => {
        const text = new TextDecoder('latin1').decode(bytes);
        if (direction === 0) heard.client += text;
        else heard.server += text;
        heard.spans?.push([direction, offset, wireFrom, wireTo]);
      },
      unopened: () => {},
      unread: (direction, lost) => heard.lost.push({ direction, ...lost }),
      unreadable: (why) => {
        heard.why = why;
      },
    },
    () => 0,
  );
  const next = [0, 0];
  wire.chunks.forEach((chunk, i) => {
    const { from, bytes } = chunk;
    const direction = from === 'client' ? 0 : 1;
    if (options.without?.(chunk, i)) {
      session.gap(direction, next[direction], next[direction] + bytes.length);
      next[direction] += bytes.length;
      return;
    }
    const kept = options.cutTo?.(chunk, i) ?? bytes.length;
    if (kept < bytes.length) {
      const at = next[direction];
      next[direction] += bytes.length;
      session.read(direction, bytes, 0, kept, at);
      session.gap(direction, at + kept, next[direction], true);
      return;
    }
    for (const part of feed(bytes)) {
      const at = next[direction];
      next[direction] += part.length;
      if (options.skip !== undefined && i < options.skip) continue;
      const [dropFrom, dropTo] = direction === 1 ? (options.drop ?? [-1, -1]) : [-1, -1];
      const before = Math.max(0, Math.min(part.length, dropFrom - at));
      const after = Math.max(0, Math.min(part.length, dropTo - at));
      if (dropFrom < 0 || before === part.length || after === 0) session.read(direction, part, 0, part.length, at);
      else {
        if (before > 0) session.read(direction, part, 0, before, at);
        session.gap(direction, at + before, at + after);
        if (after < part.length) session.read(direction, part, after, part.length, at + after);
      }
    }
  });
  session.finish();
  return { ...(heard as Heard), session };
}

export const whole: Feed = (bytes) => [bytes];

export const cut =
  (size: number): Feed =>
  (bytes) => {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
    return parts;
  };
