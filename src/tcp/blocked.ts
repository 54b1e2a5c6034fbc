/**
 * The times in which one direction could not move: octets sent and not TCP-ACKed, or the receiver's window closed.
 * In: half-stream.ts. Out: delivery/ by way of the observation: tells a hop that held a message back from TCP that did.
 */

export interface BlockedInterval {
  kind: 'unacked' | 'window-closed';
  fromNs: number;
  /** Infinity where it lasted to the end of what was seen. */
  toNs: number;
  /** The packet that was not TCP-ACKed, or the one that closed the window. */
  ref: number;
  /** The packet that ended it, 0 if none. */
  endRef: number;
}

/** Shorter waits are everyday: delayed ACKs, one retransmission. */
const WORTH_NOTING_NS = 1e9;
const MAX_INTERVALS = 512;
/** Most directions never waited: replaced by the first interval. */
export const NEVER_BLOCKED: BlockedInterval[] = [];

/** One kind of waiting with a beginning and an end. */
export class BlockedTimer {
  sinceNs = Number.NaN;
  private ref = 0;

  constructor(
    private readonly kind: BlockedInterval['kind'],
    private readonly of: { blocked: BlockedInterval[] },
  ) {}

  begin(timeNs: number, ref: number): void {
    if (Number.isNaN(this.sinceNs)) this.restart(timeNs, ref);
  }

  restart(timeNs: number, ref: number): void {
    this.sinceNs = timeNs;
    this.ref = ref;
  }

  end(timeNs: number, ref: number): void {
    if (timeNs - this.sinceNs >= WORTH_NOTING_NS && this.of.blocked.length < MAX_INTERVALS) this.note(timeNs, ref);
    this.sinceNs = Number.NaN;
  }

  /** It was no wait after all. */
  drop(): void {
    this.sinceNs = Number.NaN;
  }

  finish(): void {
    if (Number.isNaN(this.sinceNs)) return;
    this.note(Number.POSITIVE_INFINITY, 0);
    this.sinceNs = Number.NaN;
  }

  private note(toNs: number, endRef: number): void {
    if (this.of.blocked === NEVER_BLOCKED) this.of.blocked = [];
    this.of.blocked.push({ kind: this.kind, fromNs: this.sinceNs, toNs, ref: this.ref, endRef });
  }
}
