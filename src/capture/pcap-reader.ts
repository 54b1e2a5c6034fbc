/**
 * Classic capture files: draft-ietf-opsawg-pcap, both byte orders, micro- and nanoseconds, and the "modified" variant
 * with longer record headers. In: octets in any cut. Out: one reused PacketRecord a packet to the sink.
 */

import { type CaptureInterface, CaptureReader } from './capture-reader.js';
import { maximumCapturedOctets } from './link-type.js';
import { Direction } from './packet-record.js';
import {
  FILE_HEADER_OCTETS,
  MODIFIED_RECORD_HEADER_OCTETS,
  mayBePcapHeader,
  type PcapHeader,
  RECORD_HEADER_OCTETS,
  readPcapHeader,
  recordLayout,
} from './pcap-format.js';

/** What a pcapng file begins with. */
const SECTION_HEADER = 0x0a0d0d0a;
/** Linux packet types of the modified record header, as in LINKTYPE_LINUX_SLL. */
const PACKET_OUTGOING = 4;

export class PcapReader extends CaptureReader {
  readonly format = 'pcap';

  private view: DataView = new DataView(new ArrayBuffer(0));
  private littleEndian = true;
  private headerRead = false;
  private nanosecondsPerUnit = 1000;
  private unitsPerSecond = 1e6;
  private recordHeaderOctets = RECORD_HEADER_OCTETS;
  private maximumOctets = 0;
  private lengthsSwapped: PcapHeader['lengthsSwapped'] = 'no';
  private captureInterface!: CaptureInterface;
  private packetsBeforeInterface = 0;
  private layoutSettled = false;

  read(bytes: Uint8Array, start: number, end: number): number {
    if (this.view.buffer !== bytes.buffer || this.view.byteOffset !== bytes.byteOffset) {
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const position = this.stopped ? start : this.readRecords(bytes, start, end);
    this.offset += position - start;
    return position;
  }

  private readRecords(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    if (!this.headerRead) {
      this.neededOctets = FILE_HEADER_OCTETS;
      if (end - at < FILE_HEADER_OCTETS) return at;
      this.readFileHeader(at, this.offset);
      at += FILE_HEADER_OCTETS;
    }
    const view = this.view;
    const record = this.record;
    const sink = this.sink;
    record.bytes = bytes;
    if (!this.layoutSettled) this.settleLayout(at, end, this.offset + at - start);

    while (end - at >= this.recordHeaderOctets) {
      const littleEndian = this.littleEndian;
      const seconds = view.getUint32(at, littleEndian);
      const fraction = view.getUint32(at + 4, littleEndian);
      let capturedLength = view.getUint32(at + 8, littleEndian);
      let originalLength = view.getUint32(at + 12, littleEndian);

      if (capturedLength === 0 && originalLength === 0) {
        if (seconds === 0 && fraction === 0) {
          this.deliverZeros(at, this.offset + at - start);
          at += this.recordHeaderOctets;
          continue;
        }
        // Either an empty record or the header of a capture that was appended to this one (`cat a.pcap b.pcap`).
        if (mayBePcapHeader(view, at, end - at)) {
          if (end - at < FILE_HEADER_OCTETS) {
            this.neededOctets = FILE_HEADER_OCTETS;
            return at;
          }
          this.appendedHeader(at, this.offset + at - start);
          at += FILE_HEADER_OCTETS;
          continue;
        }
      } else if (this.lengthsSwapped !== 'no' && (this.lengthsSwapped === 'yes' || capturedLength > originalLength)) {
        [capturedLength, originalLength] = [originalLength, capturedLength];
      }

      if (capturedLength > this.maximumOctets) {
        this.lengthTooLarge(capturedLength, at, this.offset + at - start);
        return at;
      }
      const frame = at + this.recordHeaderOctets;
      if (capturedLength > end - frame) {
        this.neededOctets = this.recordHeaderOctets + capturedLength;
        return at;
      }
      if (this.epochSeconds === null) this.epochSeconds = this.settleEpoch(seconds);
      if (this.packets === 0) this.stampEpoch();

      if (fraction >= this.unitsPerSecond) this.fractionTooLarge(fraction, this.offset + at - start);
      const timeNs = (seconds - this.epochSeconds) * 1e9 + fraction * this.nanosecondsPerUnit;
      record.number = ++this.packets;
      record.start = frame;
      record.end = frame + capturedLength;
      record.timeNs = timeNs;
      if (capturedLength < originalLength) this.cut(capturedLength);
      else if (capturedLength > originalLength) {
        this.lengthsContradict(capturedLength, originalLength, this.offset + at - start);
        originalLength = capturedLength;
      }
      record.wireLength = originalLength;
      if (this.recordHeaderOctets === MODIFIED_RECORD_HEADER_OCTETS) this.readModifiedHeader(bytes, at);
      this.tallyTime(timeNs);
      sink.packet(record);
      at = record.end;
    }
    this.neededOctets = this.recordHeaderOctets;
    return at;
  }

  finish(_bytes: Uint8Array, start: number, end: number): void {
    if (this.stopped || start === end) return;
    const had = end - start;
    if (!this.headerRead) {
      this.issues.add('pcap-truncated-header', 'The capture file ends within its own header.', {
        offset: 0,
        required: FILE_HEADER_OCTETS,
        had,
        field: 'file header',
      });
      return;
    }
    const inHeader = had < this.recordHeaderOctets;
    this.issues.add(
      'pcap-truncated-record',
      'The capture file ends within a packet: it was cut, or the capturing program was stopped while it wrote. Everything before it is used.',
      {
        packet: this.packets + 1,
        offset: this.offset,
        required: this.neededOctets,
        had,
        field: inHeader ? 'record header' : 'captured packet length',
      },
    );
  }

  private readFileHeader(at: number, offset: number): void {
    const header = readPcapHeader(this.view, at);
    const { nanoseconds, linkType, snapLength } = header;
    this.headerRead = true;
    this.littleEndian = header.littleEndian;
    this.nanosecondsPerUnit = nanoseconds ? 1 : 1000;
    this.unitsPerSecond = nanoseconds ? 1e9 : 1e6;
    if (nanoseconds) this.timeDigits = 9;
    this.recordHeaderOctets = header.recordHeaderOctets;
    this.lengthsSwapped = header.lengthsSwapped;
    if (header.major !== 2 || header.minor > 4) {
      const text = `The file says that it is pcap version ${header.major}.${header.minor}; it is read as 2.4.`;
      this.issues.add('pcap-version', text, { offset: offset + 4, field: 'major version' });
    }
    if (header.reservedBits) {
      const text = 'Reserved bits of the link type field are set; they are left out of account.';
      this.issues.add('pcap-reserved-bits', text, { offset: offset + 20, field: 'network' });
    }
    this.maximumOctets = maximumCapturedOctets(linkType);
    this.record.linkType = linkType;
    this.record.direction = Direction.unknown;
    this.captureInterface = this.list({
      name: null,
      description: null,
      linkType,
      snapLength,
      tsResolution: nanoseconds ? '10^-9' : '10^-6',
      packets: 0,
      received: null,
      dropped: null,
      droppedByOs: null,
    });
    this.packetsBeforeInterface = this.packets;
  }

  /** Once, before the first record is read: some old programs wrote longer record headers under the usual magic number. */
  private settleLayout(at: number, end: number, offset: number): void {
    if (end - at < this.recordHeaderOctets) return;
    const layout = recordLayout(this.view, at, end, this.littleEndian, this.recordHeaderOctets);
    this.layoutSettled = layout !== null || this.packets > 0;
    if (layout === null || layout.writer === null || this.packets > 0) return;
    this.recordHeaderOctets = layout.recordHeaderOctets;
    this.issues.add(
      'pcap-variant',
      `The records have headers of ${layout.recordHeaderOctets} octets, as ${layout.writer} wrote them, and are read so.`,
      { packet: 1, offset, field: 'record header' },
    );
  }

  /** Packets of each header's part, counted only when someone asks. */
  countInterfacePackets(): void {
    if (this.headerRead) this.captureInterface.packets = this.packets - this.packetsBeforeInterface;
  }

  private appendedHeader(at: number, offset: number): void {
    this.countInterfacePackets();
    this.beginSection(offset);
    this.issues.add(
      'pcap-appended',
      'Another capture file was appended to this one; both are read, one after the other.',
      {
        packet: this.packets + 1,
        offset,
        field: 'magic number',
      },
    );
    this.readFileHeader(at, offset);
    this.record.interfaceId++;
  }

  private readModifiedHeader(bytes: Uint8Array, at: number): void {
    const packetType = bytes[at + 22];
    // Programs that convert to this format leave the fields empty: without a protocol, 0 does not mean "to us".
    const inbound = packetType === 0 && (bytes[at + 20] !== 0 || bytes[at + 21] !== 0);
    this.record.direction =
      packetType === PACKET_OUTGOING ? Direction.outbound : inbound ? Direction.inbound : Direction.unknown;
  }

  /** Added to the seconds as it is, as other readers do. */
  private fractionTooLarge(fraction: number, offset: number): void {
    this.issues.add('pcap-fraction', "The fraction of a packet's time is a second or more: its time may be wrong.", {
      packet: this.packets + 1,
      offset: offset + 4,
      required: this.unitsPerSecond - 1,
      had: fraction,
      field: 'timestamp',
    });
  }

  private lengthTooLarge(capturedLength: number, at: number, offset: number): void {
    this.stopped = true;
    if (this.view.getUint32(at) === SECTION_HEADER) {
      const text =
        'A pcapng file was appended to this pcap file: only what stands before it is used. Pass them as two files.';
      this.issues.add('pcap-other-format', text, { packet: this.packets + 1, offset, field: 'record header' });
      return;
    }
    this.issues.add(
      'pcap-length-too-large',
      `A packet claims ${capturedLength} captured octets, more than any capture of this kind holds: the file is damaged here. Everything before it is used.`,
      {
        packet: this.packets + 1,
        offset,
        required: capturedLength,
        had: this.maximumOctets,
        field: 'captured packet length',
      },
    );
  }

  /**
   * Zeros where a packet must start: what a crash leaves of a file whose length was written before its content. They count as packets, so
   * that the numbers stay those of other readers, but 1970 is not taken for their time.
   */
  private deliverZeros(at: number, offset: number): void {
    const record = this.record;
    record.number = ++this.packets;
    this.issues.add(
      'pcap-zero-filled',
      'The file holds zeros where a packet must start: its content was never written.',
      {
        packet: record.number,
        offset,
        field: 'record header',
      },
    );
    record.start = at + this.recordHeaderOctets;
    record.end = record.start;
    record.wireLength = 0;
    record.timed = false;
    record.timeNs = this.lastTimeNs;
    this.sink.packet(record);
    record.timed = true;
  }

  private lengthsContradict(capturedLength: number, originalLength: number, offset: number): void {
    this.issues.add(
      'pcap-captured-exceeds-original',
      'A packet has more octets in the file than it is said to have had on the wire.',
      {
        packet: this.packets,
        offset,
        required: capturedLength,
        had: originalLength,
        field: 'original packet length',
      },
    );
  }
}
