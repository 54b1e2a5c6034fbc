/**
 * What the times of one analysis count from, in seconds since 1970. Captures that are read at the same time share one: the first packet of
 * whichever comes first settles it.
 */
export class Epoch {
  constructor(public seconds: number | null = null) {}

  /** The epoch: this second, unless it is known. */
  settle(seconds: number): number {
    this.seconds ??= seconds;
    return this.seconds;
  }
}
