/**
 * What a capture holds beside TCP, counted by kind: an operator who captured the outside of a tunnel, or another network altogether, is told
 * what is there instead. In: decode.ts, for each packet without TCP. Out: words for the reasons of a verdict and of `lasthop quality`.
 */

/** Kinds by number: IP protocols, UDP ports and EtherTypes each in a range of their own. */
const UDP = 0x10000;
const ETHER = 0x20000;
/** A scan of all ports must not make the tally grow without limit: what comes later is counted together. */
const MAXIMUM_KINDS = 256;
const REST = -1;
const MOST_NAMED = 3;

const NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'ICMP'],
  [2, 'IGMP'],
  [50, 'IPsec ESP'],
  [51, 'IPsec AH'],
  [58, 'ICMPv6'],
  [89, 'OSPF'],
  [103, 'PIM'],
  [108, 'IPComp'],
  [112, 'VRRP or CARP'],
  [115, 'L2TPv3'],
  [132, 'SCTP'],
  [240, 'pfsync'],
  [UDP + 53, 'DNS'],
  [UDP + 67, 'DHCP'],
  [UDP + 123, 'NTP'],
  [UDP + 443, 'QUIC (HTTP/3)'],
  [UDP + 500, 'IKE'],
  [UDP + 514, 'syslog'],
  [UDP + 1194, 'OpenVPN'],
  [UDP + 1900, 'SSDP'],
  [UDP + 4500, 'IPsec in UDP'],
  [UDP + 5353, 'mDNS'],
  [UDP + 51820, 'WireGuard'],
  [ETHER + 0x0806, 'ARP'],
  [ETHER + 0x88cc, 'LLDP'],
  [ETHER + 0x888e, 'EAPOL'],
  [ETHER + 0x88e5, 'MACsec (encrypted)'],
  [ETHER + 0x8863, 'PPPoE discovery'],
  [REST, 'other kinds'],
]);
/** A tunnel that nobody can look into: TCP may well be inside. */
const OPAQUE: ReadonlySet<number> = new Set([50, 108, 115, UDP + 1194, UDP + 4500, UDP + 51820, ETHER + 0x88e5]);

export class OtherTraffic {
  private readonly counts = new Map<number, number>();

  protocol(protocol: number): void {
    this.count(protocol);
  }

  /** By the port that has a name, else by the lower one: that is the service's, mostly. */
  udp(source: number, destination: number): void {
    const isNamed = (port: number) => NAMES.has(UDP + port);
    const port = isNamed(destination) ? destination : isNamed(source) ? source : Math.min(source, destination);
    this.count(UDP + port);
  }

  etherType(etherType: number): void {
    this.count(ETHER + etherType);
  }

  private count(kind: number): void {
    const isKnown = this.counts.has(kind) || this.counts.size < MAXIMUM_KINDS;
    const counted = isKnown ? kind : REST;
    this.counts.set(counted, (this.counts.get(counted) ?? 0) + 1);
  }

  /** `812 packets of WireGuard, 3 of ARP`, the most frequent first; null where there was nothing else. */
  inWords(): string | null {
    const kinds = [...this.counts].sort((a, b) => b[1] - a[1]);
    if (kinds.length === 0) return null;
    const named = kinds
      .slice(0, MOST_NAMED)
      .map(([kind, count], i) => `${count}${i > 0 ? '' : count === 1 ? ' packet' : ' packets'} of ${nameOf(kind)}`);
    const more = kinds.length - named.length;
    return `${named.join(', ')}${more > 0 ? ` and ${more} kind${more === 1 ? '' : 's'} more` : ''}`;
  }

  /** Whether any of it is a tunnel that may hide TCP. */
  get hidesTcp(): boolean {
    return [...this.counts.keys()].some((kind) => OPAQUE.has(kind));
  }
}

function nameOf(kind: number): string {
  const name = NAMES.get(kind);
  if (name !== undefined) return name;
  if (kind >= ETHER) return `EtherType 0x${(kind - ETHER).toString(16).padStart(4, '0')}`;
  return kind >= UDP ? `UDP port ${kind - UDP}` : `IP protocol ${kind}`;
}

/** What to say of a capture in which no TCP can be read. */
export function withoutTcp(others: OtherTraffic): string {
  const words = others.inWords();
  const what = words === null ? '' : `: ${words}`;
  const next = others.hidesTcp ? '; what a tunnel encrypts must be captured inside it, on its own interface' : '';
  return `no TCP packets that can be read${what}${next}`;
}
