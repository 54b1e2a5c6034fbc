/**
 * What the pcap and the pcapng reader have in common: sans-IO, fed with octets in any cut, one reused record, the tally of
 * times, and where reading stopped and why.
 * In: octets from read-capture.ts. Out: packets to the sink, figures and issues to the capture's summary.
 */

import { IssueLog } from '../evidence/issue.js';
import { DropTimes } from './drop-times.js';
import { Epoch } from './epoch.js';
import { PacketRecord, type PacketSink } from './packet-record.js';
import type { SectionStart } from './sections.js';

export interface CaptureInterface {
  /** if_name of pcapng; null where the file has none. */
  name: string | null;
  /** if_description of pcapng. */
  description: string | null;
  linkType: number;
  /** 0: no limit, or not known. */
  snapLength: number;
  /** Ticks in a second as the file says it: `10^-6`, `2^-20`. */
  tsResolution: string;
  packets: number;
  /** Interface Statistics (isb_ifrecv, isb_ifdrop, isb_osdrop): null where the file does not say. */
  received: number | null;
  dropped: number | null;
  droppedByOs: number | null;
}

export interface CaptureSecrets {
  /** Secrets Type of a Decryption Secrets Block: 0x544c534b is a TLS key log. */
  type: number;
  bytes: Uint8Array;
}

export interface ReaderOptions {
  sink: PacketSink;
  /** Seconds since 1970 that `timeNs` counts from; without it, the second of the first packet. */
  epochSeconds?: number | null;
  /** Shared with captures that are read meanwhile. */
  epoch?: Epoch;
  issues?: IssueLog;
}

/** More interfaces than this are read but not listed: a file cannot make the summary grow without limit. */
const MAXIMUM_LISTED_INTERFACES = 1024;
const MAXIMUM_SECTIONS = 4096;

export abstract class CaptureReader {
  abstract readonly format: 'pcap' | 'pcapng';

  readonly issues: IssueLog;
  readonly interfaces: CaptureInterface[] = [];
  readonly secrets: CaptureSecrets[] = [];
  /** Where captures begin that were appended behind the first one's packets. */
  readonly sections: SectionStart[] = [];
  /** epb_dropcount, summed. */
  droppedBeforePackets = 0;
  /** When packets were dropped, as far as the file says. */
  readonly dropTimes = new DropTimes();

  epochSeconds: number | null;
  private readonly epoch: Epoch;
  /** Fractional digits that the file's times have. */
  timeDigits: 6 | 9 = 6;

  packets = 0;
  cutPackets = 0;
  /** Octets that the longest of them kept: the snapshot length, as far as it shows. */
  cutToOctets = 0;
  /** Packets with a time: a Simple Packet Block has none. */
  timedPackets = 0;
  firstTimeNs = 0;
  lastTimeNs = 0;
  minTimeNs = Infinity;
  maxTimeNs = -Infinity;
  /** Packets whose time is before that of the packet before them. */
  backwardsTimestamps = 0;
  /** The furthest that one of them is before it. */
  furthestBackNs = 0;

  /** Offset in the file of the first octet not consumed yet. */
  offset = 0;
  /** Octets that must be there, from that offset, before anything more can be read. */
  neededOctets = 0;
  /** The rest of the file cannot be read; an issue says why. */
  stopped = false;

  protected readonly record = new PacketRecord();
  protected readonly sink: PacketSink;

  constructor(options: ReaderOptions) {
    this.sink = options.sink;
    this.epoch = options.epoch ?? new Epoch();
    this.epochSeconds = options.epochSeconds ?? this.epoch.seconds;
    this.issues = options.issues ?? new IssueLog();
  }

  /** Consumes the whole records of `bytes[start..end)` and returns the position of the first octet that it did not consume. */
  abstract read(bytes: Uint8Array, start: number, end: number): number;

  /** The input has ended and `bytes[start..end)` is left over: says what is missing. */
  abstract finish(bytes: Uint8Array, start: number, end: number): void;

  /** The first packet tells what times count from, unless another capture's did. */
  protected settleEpoch(seconds: number): number {
    return this.epoch.settle(seconds);
  }

  /** Tells the sink what the times count from, in the record. */
  protected stampEpoch(): void {
    this.record.epochSeconds = this.epochSeconds ?? 0;
    this.record.timeDigits = this.timeDigits;
  }

  protected tallyTime(timeNs: number): void {
    if (this.timedPackets++ === 0) this.firstTimeNs = timeNs;
    else if (timeNs < this.lastTimeNs) this.wentBack(this.lastTimeNs - timeNs);
    this.lastTimeNs = timeNs;
    if (timeNs < this.minTimeNs) this.minTimeNs = timeNs;
    if (timeNs > this.maxTimeNs) this.maxTimeNs = timeNs;
  }

  protected cut(toOctets: number): void {
    this.cutPackets++;
    if (toOctets > this.cutToOctets) this.cutToOctets = toOctets;
  }

  private wentBack(byNs: number): void {
    this.backwardsTimestamps++;
    this.furthestBackNs = Math.max(this.furthestBackNs, byNs);
  }

  protected beginSection(offset: number): void {
    if (this.packets > 0 && this.sections.length < MAXIMUM_SECTIONS)
      this.sections.push({ offset, packetsBefore: this.packets });
  }

  protected list(captureInterface: CaptureInterface): CaptureInterface {
    if (this.interfaces.length < MAXIMUM_LISTED_INTERFACES) this.interfaces.push(captureInterface);
    return captureInterface;
  }
}
