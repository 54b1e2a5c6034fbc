/** Builds capture files octet by octet from the formats' specifications, for the reader's tests; nothing of src/ is used to write them. */

export class Octets {
  private readonly parts: number[] = [];

  constructor(private readonly littleEndian = true) {}

  get length(): number {
    return this.parts.length;
  }

  uint8(...values: number[]): this {
    this.parts.push(...values.map((value) => value & 0xff));
    return this;
  }

  uint16(value: number): this {
    return this.integer(BigInt(value), 2);
  }

  uint32(value: number): this {
    return this.integer(BigInt(value), 4);
  }

  uint64(value: bigint): this {
    return this.integer(value, 8);
  }

  bytes(values: Iterable<number>): this {
    for (const value of values) this.parts.push(value);
    return this;
  }

  pad(multiple: number): this {
    while (this.parts.length % multiple !== 0) this.parts.push(0);
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.parts);
  }

  private integer(value: bigint, length: number): this {
    const octets: number[] = [];
    for (let at = 0; at < length; at++) octets.push(Number((value >> BigInt(8 * at)) & 0xffn));
    if (!this.littleEndian) octets.reverse();
    this.parts.push(...octets);
    return this;
  }
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

export interface PcapPacket {
  seconds: number;
  /** Micro- or nanoseconds, as the file has them. */
  fraction: number;
  data: Uint8Array;
  originalLength?: number;
}

export interface PcapShape {
  littleEndian?: boolean;
  magic?: number;
  version?: [number, number];
  snapLength?: number;
  network?: number;
}

export function pcapHeader(shape: PcapShape = {}): Uint8Array {
  const [major, minor] = shape.version ?? [2, 4];
  return new Octets(shape.littleEndian ?? true)
    .uint32(shape.magic ?? 0xa1b2c3d4)
    .uint16(major)
    .uint16(minor)
    .uint32(0)
    .uint32(0)
    .uint32(shape.snapLength ?? 262144)
    .uint32(shape.network ?? 1)
    .done();
}

export function pcapRecord(packet: PcapPacket, littleEndian = true): Uint8Array {
  return new Octets(littleEndian)
    .uint32(packet.seconds)
    .uint32(packet.fraction)
    .uint32(packet.data.length)
    .uint32(packet.originalLength ?? packet.data.length)
    .bytes(packet.data)
    .done();
}

export function pcap(packets: PcapPacket[], shape: PcapShape = {}): Uint8Array {
  return concat(pcapHeader(shape), ...packets.map((packet) => pcapRecord(packet, shape.littleEndian ?? true)));
}

/** A whole pcapng block around a body, padded to 32 bits. */
export function block(type: number, body: Octets, littleEndian = true): Uint8Array {
  const content = body.pad(4).done();
  const length = content.length + 12;
  return new Octets(littleEndian).uint32(type).uint32(length).bytes(content).uint32(length).done();
}

export function option(code: number, value: Uint8Array, littleEndian = true): Uint8Array {
  return new Octets(littleEndian).uint16(code).uint16(value.length).bytes(value).pad(4).done();
}

export const endOfOptions = Uint8Array.of(0, 0, 0, 0);

export function sectionHeader(littleEndian = true, version: [number, number] = [1, 0]): Uint8Array {
  const body = new Octets(littleEndian).uint32(0x1a2b3c4d).uint16(version[0]).uint16(version[1]);
  return block(0x0a0d0d0a, body.uint64(0xffffffffffffffffn), littleEndian);
}

export interface InterfaceShape {
  littleEndian?: boolean;
  linkType?: number;
  snapLength?: number;
  resolution?: number;
  offsetSeconds?: bigint;
  name?: string;
}

export function interfaceDescription(shape: InterfaceShape = {}): Uint8Array {
  const le = shape.littleEndian ?? true;
  const body = new Octets(le)
    .uint16(shape.linkType ?? 1)
    .uint16(0)
    .uint32(shape.snapLength ?? 0);
  if (shape.name !== undefined) body.bytes(option(2, new TextEncoder().encode(shape.name), le));
  if (shape.resolution !== undefined) body.bytes(option(9, Uint8Array.of(shape.resolution), le));
  if (shape.offsetSeconds !== undefined) body.bytes(option(14, new Octets(le).uint64(shape.offsetSeconds).done(), le));
  return block(1, body.bytes(endOfOptions), le);
}

export interface EnhancedShape {
  littleEndian?: boolean;
  interfaceId?: number;
  ticks: bigint;
  data: Uint8Array;
  originalLength?: number;
  flags?: number;
  dropCount?: bigint;
}

export function enhancedPacket(shape: EnhancedShape): Uint8Array {
  const le = shape.littleEndian ?? true;
  const body = new Octets(le)
    .uint32(shape.interfaceId ?? 0)
    .uint32(Number(shape.ticks >> 32n))
    .uint32(Number(shape.ticks & 0xffffffffn))
    .uint32(shape.data.length)
    .uint32(shape.originalLength ?? shape.data.length)
    .bytes(shape.data)
    .pad(4);
  if (shape.flags !== undefined) body.bytes(option(2, new Octets(le).uint32(shape.flags).done(), le));
  if (shape.dropCount !== undefined) body.bytes(option(4, new Octets(le).uint64(shape.dropCount).done(), le));
  if (shape.flags !== undefined || shape.dropCount !== undefined) body.bytes(endOfOptions);
  return block(6, body, le);
}

export function simplePacket(data: Uint8Array, originalLength = data.length, littleEndian = true): Uint8Array {
  return block(3, new Octets(littleEndian).uint32(originalLength).bytes(data), littleEndian);
}

export function statistics(interfaceId: number, counters: Record<number, bigint>, littleEndian = true): Uint8Array {
  const body = new Octets(littleEndian).uint32(interfaceId).uint32(0).uint32(0);
  for (const [code, value] of Object.entries(counters)) {
    body.bytes(option(Number(code), new Octets(littleEndian).uint64(value).done(), littleEndian));
  }
  return block(5, body.bytes(endOfOptions), littleEndian);
}
