/**
 * The one error that opening and reading an input may throw: the file cannot be read, or it is no capture. Whatever is
 * wrong later in a capture is an Issue, and what was read before it is kept.
 * In: recognise.ts, read-capture.ts. Out: cli/, which ends with exit status 3.
 */

import type { InputKind } from './recognise.js';

export class CaptureError extends Error {
  override readonly name = 'CaptureError';

  constructor(
    /** Stable, kebab-case: `file-not-found`, `empty-file`, `not-a-capture`, … */
    readonly code: string,
    /** As the operator gave it; `-` is standard input. */
    readonly file: string,
    /** Without the file's name, so that a caller can put it where it likes. */
    readonly detail: string,
    /** What the content turned out to be, where it was recognised. */
    readonly recognised: InputKind | null = null,
    /** Packets read before it, and the octet at which it happened. */
    readonly packet: number | null = null,
    readonly offset: number | null = null,
  ) {
    super(`${file}: ${detail}`);
  }
}
