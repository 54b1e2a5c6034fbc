/**
 * Packets of one capture that wait for those of others, in columns: their octets stay where the reader has them, in its buffer, which stands
 * still meanwhile. In: read-together.ts, from a reader. Out: the same PacketRecord, when their turn has come.
 */

import type { PacketRecord } from './packet-record.js';

const FIRST_PACKETS = 256;
/** Columns of whole numbers for each packet. */
const START = 0;
const END = 1;
const WIRE_LENGTH = 2;
const NUMBER = 3;
const LINK_TYPE = 4;
const INTERFACE = 5;
const FLAGS = 6;
const WIDTH = 7;
const TIMED = 4;

export class PacketQueue {
  private numbers = new Uint32Array(FIRST_PACKETS * WIDTH);
  private times = new Float64Array(FIRST_PACKETS);
  private count = 0;
  private next = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private epochSeconds = 0;
  private timeDigits: 6 | 9 = 6;

  get isEmpty(): boolean {
    return this.next === this.count;
  }

  /** Of the packet that is next. */
  get timeNs(): number {
    return this.times[this.next];
  }

  /** Seconds since 1970 that the times count from. */
  get epoch(): number {
    return this.epochSeconds;
  }

  add(record: PacketRecord): void {
    if (this.isEmpty) {
      this.count = 0;
      this.next = 0;
    }
    if (this.count === this.times.length) this.grow();
    const { numbers } = this;
    const at = this.count * WIDTH;
    numbers[at + START] = record.start;
    numbers[at + END] = record.end;
    numbers[at + WIRE_LENGTH] = record.wireLength;
    numbers[at + NUMBER] = record.number;
    numbers[at + LINK_TYPE] = record.linkType;
    numbers[at + INTERFACE] = record.interfaceId;
    numbers[at + FLAGS] = record.direction | (record.timed ? TIMED : 0);
    this.times[this.count++] = record.timeNs;
    this.bytes = record.bytes;
    this.epochSeconds = record.epochSeconds;
    this.timeDigits = record.timeDigits;
  }

  /** Takes the next packet out, into a record. */
  take(record: PacketRecord): void {
    const { numbers } = this;
    const at = this.next * WIDTH;
    record.bytes = this.bytes;
    record.start = numbers[at + START];
    record.end = numbers[at + END];
    record.wireLength = numbers[at + WIRE_LENGTH];
    record.number = numbers[at + NUMBER];
    record.linkType = numbers[at + LINK_TYPE];
    record.interfaceId = numbers[at + INTERFACE];
    record.direction = numbers[at + FLAGS] & 3;
    record.timed = (numbers[at + FLAGS] & TIMED) !== 0;
    record.timeNs = this.times[this.next++];
    record.epochSeconds = this.epochSeconds;
    record.timeDigits = this.timeDigits;
  }

  private grow(): void {
    const numbers = new Uint32Array(this.numbers.length * 2);
    numbers.set(this.numbers);
    this.numbers = numbers;
    const times = new Float64Array(this.times.length * 2);
    times.set(this.times);
    this.times = times;
  }
}
