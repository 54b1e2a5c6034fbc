/**
 * Faults in wire data, as data: whoever reads octets returns these, and never throws for what a capture holds.
 * In: every reader (capture, packet, tcp, http, websocket). Out: quality, trust and reasons of a verdict.
 */

export interface Issue {
  /** Stable, kebab-case: `pcap-truncated-record`, `tcp-header-short`, … */
  readonly code: string;
  /** One plain sentence for an operator. */
  readonly text: string;
  /** Packet number in its file, from 1; null where the fault is not a packet's. */
  readonly packet: number | null;
  /** Octet offset in the (decompressed) file where the faulty structure starts; null where not known. */
  readonly offset: number | null;
  /** Octets that the structure needs and that were there, and the field that said so. */
  readonly required: number | null;
  readonly had: number | null;
  readonly field: string | null;
}

/** Keeps the first `limit` issues of each code and counts the rest: memory stays bounded on a file full of faults. */
export class IssueLog {
  readonly issues: Issue[] = [];
  readonly counts = new Map<string, number>();

  constructor(private readonly limit = 8) {}

  add(code: string, text: string, where: Partial<Omit<Issue, 'code' | 'text'>> = {}): void {
    const seen = (this.counts.get(code) ?? 0) + 1;
    this.counts.set(code, seen);
    if (seen > this.limit) return;
    this.issues.push({ code, text, packet: null, offset: null, required: null, had: null, field: null, ...where });
  }
}

/**
 * One line for each kind of fault: the first one's words and place, and how many more there are. Without a full stop, so that it can stand
 * in a list. `placed` is false where packet numbers would be ambiguous.
 */
export function inWords(issues: readonly Issue[], counts: ReadonlyMap<string, number>, placed = true): string[] {
  const lines: string[] = [];
  const said = new Set<string>();
  for (const { code, text, packet, offset } of issues) {
    if (said.has(code)) continue;
    said.add(code);
    const more = (counts.get(code) ?? 1) - 1;
    const place = [
      placed && packet !== null ? `packet ${packet}` : '',
      placed && offset !== null ? `octet ${offset}` : '',
      more > 0 ? `and ${more} more` : '',
    ].filter((part) => part !== '');
    lines.push(text.replace(/\.$/, '') + (place.length > 0 ? ` (${place.join(', ')})` : ''));
  }
  return lines;
}
