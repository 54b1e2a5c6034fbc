/**
 * Between which times a capture says that it dropped packets: pcapng's Interface Statistics Blocks count from the capture's beginning, so a
 * drop lies between the report that tells of it and the one before; epb_dropcount counts from the packet before.
 * In: pcapng-reader.ts. Out: the capture's summary. draft-ietf-opsawg-pcapng, sections 4.3 and 4.6.
 */

export interface DropTime {
  /** -Infinity: since the capture began. Infinity: to its end. */
  fromNs: number;
  toNs: number;
}

/** Beyond this the last one is made longer: a file cannot make the summary grow without limit. */
const MAX_TIMES = 1024;

export class DropTimes {
  readonly times: DropTime[] = [];

  add(fromNs: number, toNs: number): void {
    const last = this.times.at(-1);
    if (last !== undefined && (this.times.length >= MAX_TIMES || (fromNs <= last.toNs && toNs >= last.fromNs))) {
      last.fromNs = Math.min(last.fromNs, fromNs);
      last.toNs = Math.max(last.toNs, toNs);
    } else this.times.push({ fromNs, toNs });
  }
}
