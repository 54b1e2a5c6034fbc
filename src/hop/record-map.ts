/**
 * From offsets of a decrypted stream to the TCP octets of the records that carried them. In: connection-stack.ts adds each record's
 * plaintext. Out: whoever asks the ledger about a message. A message that begins or ends within a record needs all of the record: TCP
 * octets of a half record prove nothing. Bounded: what is answered for is dropped from the front.
 *
 *   plaintext   | 0 ........ 120 | 120 ... 4216 |          message [100, 200)
 *   TCP         | 900 ..... 1042 | 1300 .. 5418 |          -> [900, 5418)
 */

const MAX_RECORDS = 1 << 16;

export class RecordMap {
  /** Plaintext offsets are contiguous: a record ends where the next begins. */
  private plainFrom: number[] = [];
  private wireFrom: number[] = [];
  private wireTo: number[] = [];
  private head = 0;
  /** End of the plaintext so far. */
  next = 0;

  add(plainFrom: number, plainTo: number, wireFrom: number, wireTo: number): void {
    if (this.plainFrom.length - this.head >= MAX_RECORDS) this.head++;
    this.plainFrom.push(plainFrom);
    this.wireFrom.push(wireFrom);
    this.wireTo.push(wireTo);
    this.next = plainTo;
  }

  /** First TCP octet of the record that holds the octet at `offset`; Infinity for one that is still to come. */
  startOf(offset: number): number {
    const at = this.find(offset);
    return at < 0 ? Number.POSITIVE_INFINITY : this.wireFrom[at];
  }

  /** The TCP octet behind the record that holds the octet before `offset`; Infinity where that is still to come. */
  endOf(offset: number): number {
    const at = offset > this.next ? -1 : this.find(offset - 1);
    return at < 0 ? Number.POSITIVE_INFINITY : this.wireTo[at];
  }

  /** The TCP octet behind all of [.., offset) that has come. */
  endOfKnown(offset: number): number {
    return this.endOf(Math.min(offset, this.next));
  }

  /** Plaintext octets in records that end at or below this TCP octet; -Infinity for none. */
  coveredBy(wire: number): number {
    let covered = Number.NEGATIVE_INFINITY;
    for (let i = this.plainFrom.length - 1; i >= this.head; i--) {
      if (this.wireTo[i] > wire) continue;
      covered = i + 1 < this.plainFrom.length ? this.plainFrom[i + 1] : this.next;
      break;
    }
    return covered === Number.NEGATIVE_INFINITY && this.head < this.plainFrom.length
      ? this.plainFrom[this.head]
      : covered;
  }

  /** Drops records of which neither the plaintext from `needFrom` on nor the TCP octets from `wireFrom` on are asked for any more. */
  prune(needFrom: number, wireFrom: number): void {
    const last = this.plainFrom.length - 1;
    while (this.head < last && this.plainFrom[this.head + 1] <= needFrom && this.wireTo[this.head] <= wireFrom)
      this.head++;
    if (this.head < 256 || this.head * 2 < this.plainFrom.length) return;
    this.plainFrom = this.plainFrom.slice(this.head);
    this.wireFrom = this.wireFrom.slice(this.head);
    this.wireTo = this.wireTo.slice(this.head);
    this.head = 0;
  }

  /** Index of the record that holds the octet; the oldest one for what was dropped, -1 behind the end. */
  private find(offset: number): number {
    if (offset >= this.next || this.head === this.plainFrom.length) return -1;
    let low = this.head;
    let high = this.plainFrom.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.plainFrom[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
