/**
 * The NSS key log: secrets by the ClientHello's random. In: octets of a file (cli/) or of a Decryption Secrets Block (capture/).
 * Out: session.ts looks up. RFC 9850; lines that are no secrets (comments, other labels) are passed over.
 */

export type TrafficLabel =
  | 'CLIENT_EARLY_TRAFFIC_SECRET'
  | 'CLIENT_HANDSHAKE_TRAFFIC_SECRET'
  | 'SERVER_HANDSHAKE_TRAFFIC_SECRET'
  | 'CLIENT_TRAFFIC_SECRET_0'
  | 'SERVER_TRAFFIC_SECRET_0';

/** TLS 1.2 and before: the master secret. TLS 1.3: one secret for each direction and part of the connection. */
export type Label = 'CLIENT_RANDOM' | TrafficLabel;

export type ClientSecrets = Map<Label, Uint8Array>;

const LABELS: ReadonlySet<string> = new Set<Label>([
  'CLIENT_RANDOM',
  'CLIENT_EARLY_TRAFFIC_SECRET',
  'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
  'SERVER_HANDSHAKE_TRAFFIC_SECRET',
  'CLIENT_TRAFFIC_SECRET_0',
  'SERVER_TRAFFIC_SECRET_0',
]);
/** A key log grows for as long as its writer runs; what no connection asks for is never looked at again. */
const MAX_CLIENTS = 1 << 20;
const LINE =
  /^(?:\xef\xbb\xbf)?[ \t]*([A-Z][A-Z_0-9]{3,40})[ \t]+([0-9a-fA-F]{64})[ \t]+([0-9a-fA-F]{64}|[0-9a-fA-F]{96})[ \t]*\r?$/gm;
const PIECE = 1 << 20;
/** About 40 ns each. */
const MAX_TRIALS = 1 << 26;

export class KeyLog {
  private readonly clients = new Map<string, ClientSecrets>();
  /** Randoms of connections that were found: what is left is worth trying where no ClientHello was captured. */
  private readonly claimed = new Set<string>();

  private trials = MAX_TRIALS;

  /** Trying keys takes time: false once an analysis has spent what it has for it. */
  spend(trials: number): boolean {
    if (this.trials < trials) return false;
    this.trials -= trials;
    return true;
  }

  get spent(): boolean {
    return this.trials < MAX_TRIALS / 64;
  }

  get size(): number {
    return this.clients.size;
  }

  /** Connections of TLS 1.3, and of TLS 1.2 and before, that it has keys for. */
  get sizes(): { tls13: number; tls12: number } {
    const sizes = { tls13: 0, tls12: 0 };
    for (const secrets of this.clients.values()) {
      if (secrets.has('SERVER_TRAFFIC_SECRET_0')) sizes.tls13++;
      else if (secrets.has('CLIENT_RANDOM')) sizes.tls12++;
    }
    return sizes;
  }

  add(content: Uint8Array): void {
    // What PowerShell's `>` copies is UTF-16.
    const bytes = content[0] === 0xff && content[1] === 0xfe ? everySecond(content) : content;
    // Piece by piece: a line that spans two is read with the second.
    const decoder = new TextDecoder('latin1');
    for (let at = 0; at < bytes.length; ) {
      let end = Math.min(bytes.length, at + PIECE);
      if (end < bytes.length) {
        const newline = bytes.lastIndexOf(0x0a, end - 1);
        if (newline > at) end = newline + 1;
      }
      this.addText(decoder.decode(bytes.subarray(at, end)));
      at = end;
    }
  }

  private addText(text: string): void {
    for (const [, label, random, secret] of text.matchAll(LINE)) {
      if (!LABELS.has(label)) continue;
      const client = random.toLowerCase();
      let secrets = this.clients.get(client);
      if (secrets === undefined) {
        if (this.clients.size >= MAX_CLIENTS) continue;
        secrets = new Map();
        this.clients.set(client, secrets);
      }
      secrets.set(label as Label, Uint8Array.from(Buffer.from(secret, 'hex')));
    }
  }

  of(clientRandom: Uint8Array): ClientSecrets | null {
    const client = Buffer.from(clientRandom).toString('hex');
    const secrets = this.clients.get(client);
    if (secrets === undefined) return null;
    this.claimed.add(client);
    return secrets;
  }

  /** Secrets of TLS 1.3 connections whose ClientHello was not seen so far, by random. */
  *unclaimed(): Generator<[string, ClientSecrets]> {
    for (const [client, secrets] of this.clients)
      if (!this.claimed.has(client) && secrets.has('SERVER_TRAFFIC_SECRET_0')) yield [client, secrets];
  }

  /** Master secrets of TLS 1.2 by the random of the client that wrote them down. */
  *masters(): Generator<[string, Uint8Array]> {
    for (const [client, secrets] of this.clients) {
      const master = secrets.get('CLIENT_RANDOM');
      // haproxy names one for TLS 1.3 as well, where it opens nothing.
      if (master !== undefined && !secrets.has('SERVER_TRAFFIC_SECRET_0')) yield [client, master];
    }
  }

  claim(client: string): void {
    this.claimed.add(client);
  }
}

/** Text of ASCII characters in UTF-16, little endian, as octets. */
function everySecond(bytes: Uint8Array): Uint8Array {
  const text = new Uint8Array((bytes.length - 2) >> 1);
  for (let i = 0; i < text.length; i++) text[i] = bytes[2 + 2 * i];
  return text;
}
