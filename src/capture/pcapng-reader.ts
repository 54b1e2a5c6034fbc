/**
 * pcapng captures: what is in the blocks (draft-ietf-opsawg-pcapng, section 4).
 * In: whole blocks from pcapng-framing.ts. Out: one reused PacketRecord a packet to the sink; interfaces, their drop counters and
 * secrets for the summary.
 */

import type { CaptureInterface } from './capture-reader.js';
import { MAXIMUM_CAPTURED_OCTETS, maximumCapturedOctets } from './link-type.js';
import { Direction } from './packet-record.js';
import { Block, FixedOctets } from './pcapng-block.js';
import { InterfaceClock, resolutionDigits, resolutionName } from './pcapng-clock.js';
import { MAXIMUM_BLOCK_OCTETS, PcapngFraming } from './pcapng-framing.js';
import { OptionCursor } from './pcapng-options.js';

const MAXIMUM_SECRETS_OCTETS = MAXIMUM_BLOCK_OCTETS;
const MAXIMUM_INTERFACES = 65536;

interface Interface {
  readonly listed: CaptureInterface;
  readonly clock: InterfaceClock;
  readonly linkType: number;
  readonly snapLength: number;
  readonly maximumOctets: number;
  /** Of its last packet, and of the last packet before its last report of drops; NaN before the first. */
  lastNs: number;
  reportedNs: number;
}

export class PcapngReader extends PcapngFraming {
  private sectionInterfaces: Interface[] = [];
  private secretsOctets = 0;
  private readonly options = new OptionCursor();

  protected override readBody(type: number, at: number, bodyEnd: number): void {
    const view = this.view;
    if (type === Block.enhancedPacket) this.readPacket(at, bodyEnd, view.getUint32(at + 8, this.littleEndian), 0xffff);
    else if (type === Block.simplePacket) this.readSimplePacket(at, bodyEnd);
    else if (type === Block.obsoletePacket) {
      this.readPacket(
        at,
        bodyEnd,
        view.getUint16(at + 8, this.littleEndian),
        view.getUint16(at + 10, this.littleEndian),
      );
    } else if (type === Block.interfaceDescription) this.readInterface(at, bodyEnd);
    else if (type === Block.interfaceStatistics) this.readStatistics(at, bodyEnd);
    else if (type === Block.decryptionSecrets) this.readSecrets(at, bodyEnd);
    else this.readSection(at, bodyEnd);
  }

  private readSection(at: number, bodyEnd: number): void {
    this.sectionInterfaces = [];
    this.beginSection(this.offset);
    const major = this.view.getUint16(at + 12, this.littleEndian);
    const minor = this.view.getUint16(at + 14, this.littleEndian);
    if (major !== 1 || (minor !== 0 && minor !== 2)) {
      this.issue(
        'pcapng-version',
        `A section says that it is pcapng version ${major}.${minor}; it is read as 1.0.`,
        0,
        0,
        'major version',
      );
    }
    this.options.reset(this.view, this.littleEndian, at + FixedOctets.sectionHeader, bodyEnd);
    while (this.options.advance());
    this.checkOptions();
  }

  private readInterface(at: number, bodyEnd: number): void {
    const linkType = this.view.getUint16(at + 8, this.littleEndian);
    const snapLength = this.view.getUint32(at + 12, this.littleEndian);
    let name: string | null = null;
    let description: string | null = null;
    let resolution = 6;
    let offsetSeconds = 0n;
    const options = this.options;
    options.reset(this.view, this.littleEndian, at + FixedOctets.interfaceDescription, bodyEnd);
    while (options.advance()) {
      if (options.code === 2) name = options.text();
      else if (options.code === 3) description = options.text();
      else if (options.code === 9 && options.length >= 1) resolution = this.view.getUint8(options.at);
      else if (options.code === 14 && options.length >= 8) offsetSeconds = options.int64();
    }
    this.checkOptions();
    if (this.sectionInterfaces.length >= MAXIMUM_INTERFACES) {
      this.stop(
        'pcapng-too-many-interfaces',
        `A section describes more than ${MAXIMUM_INTERFACES} interfaces.`,
        0,
        MAXIMUM_INTERFACES,
        'Interface Description Block',
      );
      return;
    }
    if (resolutionDigits(resolution) === 9) this.timeDigits = 9;
    const listed = this.list({
      name,
      description,
      linkType,
      snapLength,
      tsResolution: resolutionName(resolution),
      packets: 0,
      received: null,
      dropped: null,
      droppedByOs: null,
    });
    const clock = new InterfaceClock(resolution, offsetSeconds);
    if (this.epochSeconds !== null) clock.setEpoch(this.epochSeconds);
    this.sectionInterfaces.push({
      listed,
      clock,
      linkType,
      snapLength,
      maximumOctets: maximumCapturedOctets(linkType),
      lastNs: Number.NaN,
      reportedNs: Number.NaN,
    });
  }

  /** Enhanced Packet Block, and the obsolete Packet Block, whose layout differs only in its first word. */
  private readPacket(at: number, bodyEnd: number, interfaceId: number, drops: number): void {
    const view = this.view;
    const littleEndian = this.littleEndian;
    const captureInterface = this.sectionInterfaces[interfaceId];
    if (captureInterface === undefined) {
      this.stop(
        'pcapng-unknown-interface',
        `A packet names interface ${interfaceId}, and the section describes ${this.sectionInterfaces.length}.`,
        interfaceId + 1,
        this.sectionInterfaces.length,
        'interface ID',
      );
      return;
    }
    const capturedLength = view.getUint32(at + 20, littleEndian);
    const originalLength = view.getUint32(at + 24, littleEndian);
    const data = at + FixedOctets.packet;
    if (!this.checkCaptured(capturedLength, bodyEnd - data, captureInterface.maximumOctets)) return;
    const high = view.getUint32(at + 12, littleEndian);
    const low = view.getUint32(at + 16, littleEndian);
    if (this.epochSeconds === null) this.setEpoch(captureInterface.clock.seconds(high, low));
    if (this.timedPackets === 0) this.stampEpoch();

    const record = this.record;
    record.direction = Direction.unknown;
    const optionsStart = data + ((capturedLength + 3) & ~3);
    const droppedBefore = this.droppedBeforePackets;
    if (bodyEnd - optionsStart >= 4) this.readPacketOptions(optionsStart, bodyEnd);
    if (drops !== 0xffff) this.droppedBeforePackets += drops;
    record.timed = true;
    record.timeNs = captureInterface.clock.timeNs(high, low);
    if (this.droppedBeforePackets > droppedBefore)
      this.dropTimes.add(captureInterface.lastNs || Number.NEGATIVE_INFINITY, record.timeNs);
    captureInterface.lastNs = record.timeNs;
    this.tallyTime(record.timeNs);
    record.interfaceId = interfaceId;
    this.deliver(captureInterface, data, capturedLength, originalLength);
  }

  private readSimplePacket(at: number, bodyEnd: number): void {
    const captureInterface = this.sectionInterfaces[0];
    if (captureInterface === undefined) {
      this.stop(
        'pcapng-unknown-interface',
        'A Simple Packet Block stands in a section that describes no interface.',
        1,
        0,
        'interface ID',
      );
      return;
    }
    const originalLength = this.view.getUint32(at + 8, this.littleEndian);
    const data = at + FixedOctets.simplePacket;
    // The block does not say how much was captured: the interface's snapshot length does.
    const snapLength = captureInterface.snapLength;
    const capturedLength = snapLength === 0 ? originalLength : Math.min(originalLength, snapLength);
    if (!this.checkCaptured(capturedLength, bodyEnd - data, captureInterface.maximumOctets)) return;
    this.issue(
      'pcapng-no-time',
      'Simple Packet Blocks have no time: these packets take the time of the one before.',
      0,
      0,
      'Simple Packet Block',
    );
    const record = this.record;
    record.timed = false;
    record.timeNs = this.lastTimeNs;
    record.direction = Direction.unknown;
    record.interfaceId = 0;
    this.deliver(captureInterface, data, capturedLength, originalLength);
  }

  private deliver(captureInterface: Interface, data: number, capturedLength: number, originalLength: number): void {
    const record = this.record;
    record.number = ++this.packets;
    captureInterface.listed.packets++;
    record.start = data;
    record.end = data + capturedLength;
    if (capturedLength < originalLength) this.cut(capturedLength);
    record.wireLength = Math.max(originalLength, capturedLength);
    record.linkType = captureInterface.linkType;
    this.sink.packet(record);
  }

  private readPacketOptions(start: number, end: number): void {
    const options = this.options;
    options.reset(this.view, this.littleEndian, start, end);
    while (options.advance()) {
      if (options.code === 2 && options.length >= 4) this.record.direction = options.uint32() & 3;
      else if (options.code === 4 && options.length >= 8) this.droppedBeforePackets += options.counter64();
    }
    // 3 is reserved (section 4.3.1).
    if (this.record.direction === 3) this.record.direction = Direction.unknown;
    if (options.fault !== null) this.checkOptions();
  }

  private readStatistics(at: number, bodyEnd: number): void {
    const reported = this.sectionInterfaces[this.view.getUint32(at + 8, this.littleEndian)];
    const listed = reported?.listed;
    const before = (listed?.dropped ?? 0) + (listed?.droppedByOs ?? 0);
    const options = this.options;
    options.reset(this.view, this.littleEndian, at + FixedOctets.interfaceStatistics, bodyEnd);
    while (options.advance()) {
      if (options.length < 8 || listed === undefined) continue;
      // Counters run from the start of the capture: the latest block holds.
      if (options.code === 4) listed.received = options.counter64();
      else if (options.code === 5) listed.dropped = options.counter64();
      else if (options.code === 7) listed.droppedByOs = options.counter64();
    }
    this.checkOptions();
    if (reported === undefined) return;
    const dropped = (reported.listed.dropped ?? 0) + (reported.listed.droppedByOs ?? 0);
    // Blocks may be written in another order than that of their times: nothing is said of the time after the last packet.
    if (dropped !== before) this.dropTimes.add(reported.reportedNs || Number.NEGATIVE_INFINITY, this.lastReportNs());
    reported.reportedNs = this.timedPackets > 0 ? this.maxTimeNs : Number.NaN;
  }

  private lastReportNs(): number {
    return this.timedPackets > 0 ? this.maxTimeNs : Number.POSITIVE_INFINITY;
  }

  private readSecrets(at: number, bodyEnd: number): void {
    const type = this.view.getUint32(at + 8, this.littleEndian);
    const length = this.view.getUint32(at + 12, this.littleEndian);
    const start = at + FixedOctets.decryptionSecrets;
    if (length > bodyEnd - start) {
      this.issue(
        'pcapng-secrets-length',
        'A Decryption Secrets Block claims more octets than it has.',
        length,
        bodyEnd - start,
        'secrets length',
      );
      return;
    }
    if (this.secretsOctets + length > MAXIMUM_SECRETS_OCTETS) {
      this.issue(
        'pcapng-secrets-too-large',
        'The file holds more TLS secrets than are kept.',
        this.secretsOctets + length,
        MAXIMUM_SECRETS_OCTETS,
        'secrets length',
      );
      return;
    }
    this.secretsOctets += length;
    const bytes = this.record.bytes.slice(start, start + length);
    this.secrets.push({ type, bytes });
    this.sink.secrets?.(type, bytes);
  }

  private setEpoch(seconds: number): void {
    const epochSeconds = this.settleEpoch(seconds);
    this.epochSeconds = epochSeconds;
    for (const known of this.sectionInterfaces) known.clock.setEpoch(epochSeconds);
  }

  private checkCaptured(capturedLength: number, had: number, maximum: number): boolean {
    if (capturedLength <= had && (capturedLength <= MAXIMUM_CAPTURED_OCTETS || capturedLength <= maximum)) return true;
    const beyondBlock = capturedLength > had;
    this.stop(
      'pcapng-length-too-large',
      `A packet claims ${capturedLength} captured octets, more than ${beyondBlock ? 'its block holds' : 'any capture of this kind holds'}: the file is damaged here. Everything before it is used.`,
      capturedLength,
      beyondBlock ? had : maximum,
      'captured packet length',
    );
    return false;
  }

  private checkOptions(): void {
    const fault = this.options.fault;
    if (fault === null) return;
    this.issue(
      'pcapng-option-too-long',
      `Option ${fault.code} of a block claims more octets than the block has.`,
      fault.required,
      fault.had,
      'option length',
    );
  }
}
