/**
 * A reader of captures that shares no code with lasthop: the second witness of these tests. It knows what the samples hold
 * (pcap, pcapng, gzip; Ethernet, VLAN, Linux cooked v2, VXLAN; IPv4, IPv6; TCP) and throws at anything else.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export interface TcpPacket {
  /** From 1 within the file, as Wireshark counts. */
  number: number;
  at: string;
  source: string;
  destination: string;
  seq: number;
  ack: number | null;
  syn: boolean;
  payload: Buffer;
  sacks: [number, number][];
}

interface Raw {
  number: number;
  linkType: number;
  at: string;
  octets: Buffer;
}

/** Every TCP packet of a file by its number; other packets are left out. */
export function tcpPackets(file: string): Map<number, TcpPacket> {
  let octets: Buffer = readFileSync(file);
  if (octets.readUInt16BE(0) === 0x1f8b) octets = gunzipSync(octets);
  const raws = octets.readUInt32BE(0) === 0x0a0d0d0a ? pcapng(octets) : pcap(octets);
  const found = new Map<number, TcpPacket>();
  for (const raw of raws) {
    const packet = tcp(raw);
    if (packet !== null) found.set(packet.number, packet);
  }
  return found;
}

function iso(seconds: number, fraction: number, digits: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(fraction).padStart(digits, '0')}Z`;
}

function* pcap(octets: Buffer): Generator<Raw> {
  const magic = octets.readUInt32LE(0);
  const digits = magic === 0xa1b23c4d ? 9 : 6;
  if (digits === 6 && magic !== 0xa1b2c3d4) throw new Error(`magic ${magic.toString(16)}`);
  const linkType = octets.readUInt32LE(20) & 0xffff;
  let number = 0;
  for (let at = 24; at < octets.length; ) {
    const length = octets.readUInt32LE(at + 8);
    const time = iso(octets.readUInt32LE(at), octets.readUInt32LE(at + 4), digits);
    yield { number: ++number, linkType, at: time, octets: octets.subarray(at + 16, at + 16 + length) };
    at += 16 + length;
  }
}

function* pcapng(octets: Buffer): Generator<Raw> {
  const interfaces: { linkType: number; digits: number }[] = [];
  let number = 0;
  for (let at = 0; at < octets.length; at += octets.readUInt32LE(at + 4)) {
    const type = octets.readUInt32LE(at);
    if (type === 1) {
      let digits = 6;
      const end = at + octets.readUInt32LE(at + 4) - 4;
      for (let o = at + 16; o + 4 <= end; o += 4 + ((octets.readUInt16LE(o + 2) + 3) & ~3)) {
        if (octets.readUInt16LE(o) === 9) digits = octets[o + 4];
      }
      interfaces.push({ linkType: octets.readUInt16LE(at + 8), digits });
    }
    if (type === 6) {
      const { linkType, digits } = interfaces[octets.readUInt32LE(at + 8)];
      const ticks = (BigInt(octets.readUInt32LE(at + 12)) << 32n) | BigInt(octets.readUInt32LE(at + 16));
      const unit = 10n ** BigInt(digits);
      const time = iso(Number(ticks / unit), Number(ticks % unit), digits);
      const length = octets.readUInt32LE(at + 20);
      yield { number: ++number, linkType, at: time, octets: octets.subarray(at + 28, at + 28 + length) };
    }
  }
}

function tcp({ number, linkType, at, octets }: Raw): TcpPacket | null {
  let type: number;
  let ip: Buffer;
  if (linkType === 1) {
    type = octets.readUInt16BE(12);
    ip = octets.subarray(14);
  } else if (linkType === 276) {
    type = octets.readUInt16BE(0);
    ip = octets.subarray(20);
  } else {
    throw new Error(`link type ${linkType}`);
  }
  while (type === 0x8100) {
    type = ip.readUInt16BE(2);
    ip = ip.subarray(4);
  }
  if (type === 0x0800) {
    if (ip[9] === 17 && ip.readUInt16BE(22) === 4789) return tcp({ number, linkType: 1, at, octets: ip.subarray(36) });
    if (ip[9] !== 6) return null;
    const total = ip.readUInt16BE(2) || ip.length;
    const header = (ip[0] & 15) * 4;
    const dotted = (o: number) => [...ip.subarray(o, o + 4)].join('.');
    return segment(number, at, dotted(12), dotted(16), ip.subarray(header, total));
  }
  if (type !== 0x86dd || ip[6] !== 6) return null;
  const colons = (o: number) => {
    const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((i) => ip.readUInt16BE(o + i).toString(16));
    return new URL(`http://[${groups.join(':')}]/`).hostname;
  };
  return segment(number, at, colons(8), colons(24), ip.subarray(40, 40 + ip.readUInt16BE(4)));
}

function segment(number: number, at: string, from: string, to: string, octets: Buffer): TcpPacket {
  const flags = octets[13];
  const header = (octets[12] >> 4) * 4;
  const sacks: [number, number][] = [];
  for (let o = 20; o < header && octets[o] !== 0; o += octets[o] === 1 ? 1 : octets[o + 1]) {
    if (octets[o] !== 5) continue;
    for (let block = o + 2; block < o + octets[o + 1]; block += 8) {
      sacks.push([octets.readUInt32BE(block), octets.readUInt32BE(block + 4)]);
    }
  }
  return {
    number,
    at,
    source: `${from}:${octets.readUInt16BE(0)}`,
    destination: `${to}:${octets.readUInt16BE(2)}`,
    seq: octets.readUInt32BE(4),
    ack: flags & 16 ? octets.readUInt32BE(8) : null,
    syn: (flags & 2) !== 0,
    payload: octets.subarray(header),
    sacks,
  };
}
