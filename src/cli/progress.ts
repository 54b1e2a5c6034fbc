/**
 * Progress and warnings on standard error. In: the engine's reports. Out: one line that is rewritten in place and erased
 * at the end, and only where a person is looking and there is something to wait for.
 */
import { printable } from '../report/printable.js';
import type { Progress } from './engine.js';
import type { OutputStream } from './process-face.js';

/** Smaller inputs are done before a line could be read. */
const WORTH_SHOWING_OCTETS = 20 * 1024 * 1024;
const BETWEEN_MS = 100;

export class Messages {
  private shown = false;
  private lastMs = 0;
  private readonly said = new Set<string>();

  constructor(
    private readonly stderr: OutputStream,
    private readonly now: () => number = Date.now,
  ) {}

  readonly progress = (progress: Progress): void => {
    const { octetsRead, octetsTotal } = progress;
    if (!this.stderr.isTTY || (octetsTotal ?? octetsRead) < WORTH_SHOWING_OCTETS) return;
    const now = this.now();
    if (now - this.lastMs < BETWEEN_MS) return;
    this.lastMs = now;
    const share =
      octetsTotal === null || octetsTotal === 0
        ? ''
        : ` ${Math.min(100, Math.floor((octetsRead / octetsTotal) * 100))}%`;
    const text = `${printable(progress.hop)} ${printable(progress.file)}: ${Math.floor(octetsRead / 1048576)} MiB${share}`;
    this.stderr.write(`\r\x1b[K${text.slice(0, Math.max(20, (this.stderr.columns ?? 80) - 1))}`);
    this.shown = true;
  };

  readonly warn = (text: string): void => this.once(`warning: ${text}`);

  /** The same line twice tells nothing new. */
  private once(text: string): void {
    if (this.said.has(text)) return;
    if (this.said.size < 1000) this.said.add(text);
    this.line(text);
  }

  line(text: string): void {
    this.erase();
    this.stderr.write(`lasthop: ${printable(text, true, 2000)}\n`);
  }

  erase(): void {
    if (this.shown) this.stderr.write('\r\x1b[K');
    this.shown = false;
  }
}
