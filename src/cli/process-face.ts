/**
 * The part of the process that main is given, so that tests can give it another. In: bin/. Out: all of cli/.
 */
import type { Writable } from 'node:stream';

export interface OutputStream extends Writable {
  isTTY?: boolean;
  columns?: number;
}

export interface ProcessFace {
  stdout: OutputStream;
  stderr: OutputStream;
  env: Record<string, string | undefined>;
  platform?: string;
  once?(event: 'SIGINT', listener: () => void): unknown;
  removeListener?(event: 'SIGINT', listener: () => void): unknown;
}
