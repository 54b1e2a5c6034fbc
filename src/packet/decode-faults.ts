/**
 * How a packet that cannot be decoded is put on record: malformed, or only cut by the capture. The two must not be confused, since
 * what a capture cut off is a limit and never a fault of the network.
 * In: decode.ts. Out: issues, and the result code to return.
 */

import { linkTypeName } from '../capture/link-type.js';
import { PacketRecord } from '../capture/packet-record.js';
import { IssueLog } from '../evidence/issue.js';
import { Decoded } from './decode-result.js';

export abstract class DecodeFaults {
  /** The packet at hand. */
  protected record: PacketRecord = new PacketRecord();

  constructor(readonly issues = new IssueLog()) {}

  protected unsupportedLink(): number {
    const name = linkTypeName(this.record.linkType);
    this.issues.add(
      'unsupported-link-type',
      `Packets of link type ${name} are not decoded: capture on an Ethernet, loopback or 'any' interface instead (tcpdump -i any).`,
      { packet: this.record.number, field: 'link type' },
    );
    return Decoded.unsupportedLink;
  }

  protected malformed(code: string, text: string, field: string, required: number, had: number): number {
    this.issues.add(code, text, { packet: this.record.number, required, had, field });
    return Decoded.malformed;
  }

  protected cut(code: string, what: string, field: string, required: number, had: number): number {
    // The frame itself may have been too short, or only its captured part.
    const wasCut = this.record.end - this.record.start < this.record.wireLength;
    const why = wasCut ? 'is cut off by the snapshot length: capture with tcpdump -s 0' : 'is not all there';
    this.issues.add(code, `${what} ${why}.`, { packet: this.record.number, required, had, field });
    return wasCut ? Decoded.cut : Decoded.malformed;
  }
}
