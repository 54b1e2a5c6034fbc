/** Builds packets octet by octet from the RFCs, for the decoder's tests; nothing of src/ is used to write them. */

import { PacketRecord } from '../../src/capture/packet-record.js';

type Octets = readonly number[];

export const u16 = (value: number): Octets => [(value >>> 8) & 0xff, value & 0xff];
export const u32 = (value: number): Octets => [...u16(value >>> 16), ...u16(value & 0xffff)];

export interface TcpShape {
  sourcePort?: number;
  destinationPort?: number;
  sequence?: number;
  acknowledgment?: number;
  flags?: number;
  window?: number;
  options?: Octets;
  payload?: Octets;
  /** In words of 32 bits, where it is to lie. */
  dataOffset?: number;
}

export function tcp(shape: TcpShape = {}): Octets {
  const options = shape.options ?? [];
  return [
    ...u16(shape.sourcePort ?? 40112),
    ...u16(shape.destinationPort ?? 3001),
    ...u32(shape.sequence ?? 0xdeadbeef),
    ...u32(shape.acknowledgment ?? 0x80000001),
    (shape.dataOffset ?? 5 + options.length / 4) << 4,
    shape.flags ?? 0x18,
    ...u16(shape.window ?? 502),
    ...u16(0),
    ...u16(0),
    ...options,
    ...(shape.payload ?? []),
  ];
}

export interface IpShape {
  protocol?: number;
  source?: Octets;
  destination?: Octets;
  /** Where it is to differ from the payload's. */
  length?: number;
  options?: Octets;
  identification?: number;
  /** Octets, and whether more follow: IPv4 only. */
  fragment?: { offset: number; more: boolean };
}

export function ipv4(payload: Octets, shape: IpShape = {}): Octets {
  const options = shape.options ?? [];
  const { offset, more } = shape.fragment ?? { offset: 0, more: false };
  return [
    0x40 | (5 + options.length / 4),
    0,
    ...u16(shape.length ?? 20 + options.length + payload.length),
    ...u16(shape.identification ?? 7),
    ...u16((shape.fragment === undefined ? 0x4000 : more ? 0x2000 : 0) | (offset / 8)),
    64,
    shape.protocol ?? 6,
    ...u16(0),
    ...(shape.source ?? [10, 0, 0, 1]),
    ...(shape.destination ?? [192, 168, 255, 254]),
    ...options,
    ...payload,
  ];
}

export const V6_SOURCE: Octets = [...u32(0x20010db8), ...u32(0), ...u32(0), ...u32(1)];
export const V6_DESTINATION: Octets = [...u32(0xfe800000), ...u32(0), ...u32(0x0a0b0c0d), ...u32(0xffffffff)];

export function ipv6(payload: Octets, shape: IpShape = {}): Octets {
  return [
    ...u32(0x60000000),
    ...u16(shape.length ?? payload.length),
    shape.protocol ?? 6,
    64,
    ...(shape.source ?? V6_SOURCE),
    ...(shape.destination ?? V6_DESTINATION),
    ...payload,
  ];
}

export function ipv6Fragment(
  payload: Octets,
  offset: number,
  more: boolean,
  identification = 9,
  nextHeader = 6,
): Octets {
  return ipv6([nextHeader, 0, ...u16(offset | (more ? 1 : 0)), ...u32(identification), ...payload], { protocol: 44 });
}

const MAC: Octets = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

export function ethernet(payload: Octets, ...etherTypes: number[]): Octets {
  const [first, ...rest] = etherTypes.length === 0 ? [0x0800] : etherTypes;
  // Each further type stands behind a tag.
  return [...MAC, ...u16(first), ...rest.flatMap((type) => [...u16(100), ...u16(type)]), ...payload];
}

export interface RecordShape {
  linkType?: number;
  wireLength?: number;
  number?: number;
  timeNs?: number;
  /** Captured octets, where the snapshot length cut the packet. */
  captured?: number;
}

/** Puts the frame in the middle of a larger buffer whose other octets would show if they were read. */
export function record(frame: Octets, shape: RecordShape = {}): PacketRecord {
  const captured = shape.captured ?? frame.length;
  const result = new PacketRecord();
  result.bytes = new Uint8Array(5 + captured + 64).fill(0xee);
  result.bytes.set(frame.slice(0, captured), 5);
  result.start = 5;
  result.end = 5 + captured;
  result.wireLength = shape.wireLength ?? frame.length;
  result.linkType = shape.linkType ?? 1;
  result.number = shape.number ?? 1;
  result.timeNs = shape.timeNs ?? 0;
  return result;
}
