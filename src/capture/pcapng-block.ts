/**
 * The blocks of pcapng that are read, and how long their fixed parts are (draft-ietf-opsawg-pcapng, section 4).
 * In: nothing. Out: numbers for pcapng-framing.ts and pcapng-reader.ts.
 */

export const Block = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  obsoletePacket: 2,
  simplePacket: 3,
  interfaceStatistics: 5,
  enhancedPacket: 6,
  decryptionSecrets: 10,
} as const;

/** Octets of each block before its packet data or options, block header included. */
export const FixedOctets = {
  sectionHeader: 24,
  interfaceDescription: 16,
  packet: 28,
  simplePacket: 12,
  interfaceStatistics: 20,
  decryptionSecrets: 16,
} as const;

/** 0 for blocks that are passed over. */
export function fixedOctets(type: number): number {
  switch (type) {
    case Block.enhancedPacket:
    case Block.obsoletePacket:
      return FixedOctets.packet;
    case Block.simplePacket:
      return FixedOctets.simplePacket;
    case Block.interfaceDescription:
      return FixedOctets.interfaceDescription;
    case Block.interfaceStatistics:
      return FixedOctets.interfaceStatistics;
    case Block.decryptionSecrets:
      return FixedOctets.decryptionSecrets;
    case Block.sectionHeader:
      return FixedOctets.sectionHeader;
    default:
      return 0;
  }
}
