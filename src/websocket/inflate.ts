/**
 * permessage-deflate, one direction: each message decompressed as it comes, with or without context takeover.
 * In: compressed payloads, unmasked. Out: plain ones, or null where the context is not known. RFC 7692 section 7.2.2.
 * Synchronous on Node's zlib: the window is handed over as a preset dictionary.
 */

import { constants, inflateRawSync } from 'node:zlib';

const WINDOW = 32 << 10;
/** A message that inflates to more is not believed. */
const MAX_INFLATED = 16 << 20;

export class MessageInflater {
  private window = new Uint8Array(0);
  /** Messages that could not be inflated, and the last reason. */
  failures = 0;
  lastFailure = '';

  constructor(private readonly noContextTakeover: boolean) {}

  inflate(compressed: Uint8Array): Uint8Array | null {
    const input = new Uint8Array(compressed.length + 4);
    input.set(compressed);
    input.set([0x00, 0x00, 0xff, 0xff], compressed.length);
    try {
      const plain = inflateRawSync(input, {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: MAX_INFLATED,
        ...(this.window.length > 0 ? { dictionary: this.window } : {}),
      });
      if (!this.noContextTakeover) this.remember(plain);
      return plain;
    } catch (error) {
      this.failures++;
      this.lastFailure = (error as Error).message;
      this.forget();
      return null;
    }
  }

  /** A message was missed: what later ones refer back to is unknown. They decode again once one stands by itself. */
  forget(): void {
    this.window = new Uint8Array(0);
  }

  private remember(plain: Uint8Array): void {
    if (plain.length >= WINDOW) {
      this.window = Uint8Array.from(plain.subarray(plain.length - WINDOW));
      return;
    }
    const old = this.window.subarray(Math.max(0, this.window.length + plain.length - WINDOW));
    const window = new Uint8Array(old.length + plain.length);
    window.set(old);
    window.set(plain, old.length);
    this.window = window;
  }
}
