/**
 * One WebSocket frame as `lasthop frames` lists it. In: the observer's stack. Out: report/.
 */
export interface FrameEvent {
  file: string;
  /** Packet that completed the frame, and the first that carried an octet of it. */
  packet: number;
  firstPacket: number;
  at: string;
  /** Index of the TCP connection in the capture, from 0. */
  connection: number;
  source: string;
  destination: string;
  from: 'server' | 'client' | 'unknown';
  /** text, binary, continuation, close, ping, pong, or opcode-N. */
  opcode: string;
  fin: boolean;
  rsv1: boolean;
  masked: boolean;
  /** The stream ended, or a gap came, before the frame was whole: `packet` is then the last that carried octets of it. */
  partial: boolean;
  /** Payload octets that the header announces. */
  length: number;
  /** Stream offsets of the frame, header included, counted from the first payload octet of the TCP connection seen. */
  startOffset: number;
  endOffset: number;
  /** Of the message that this frame completes, where it is a Text message and carries them. */
  type: string | null;
  id: string | null;
  closeCode: number | null;
  /** Decoded text, only with --show-payloads. */
  payload: string | null;
}

/** What one side of a connection said, in frames. */
export interface ListedDirection {
  text: number;
  binary: number;
  ping: number;
  pong: number;
  close: number;
  octets: number;
  /** TCP-ACKed by the other side and not in the capture. */
  missedOctets: number;
  /** Bits of evidence by which the frame boundary was found in mid-stream; null where the handshake told it. */
  foundByBits: number | null;
}

/** One TCP connection as `lasthop connections` lists it. */
export interface ConnectionSummary {
  connection: number;
  client: string;
  server: string;
  protocol: 'websocket' | 'http' | 'http2' | 'tls' | 'upgrade-refused' | 'other' | 'none';
  /** Of an encrypted connection; what was not seen is null, and null all of it where there is no TLS. */
  tlsVersion: string | null;
  cipherSuite: string | null;
  serverName: string | null;
  alpn: string | null;
  decrypted: boolean | null;
  /** Why it could not be decrypted. */
  unreadable: string | null;
  /** A session of an earlier connection was taken up again. */
  resumed: boolean | null;
  renegotiations: number | null;
  /** Of the ClientHello, in hexadecimal: by it a key log names its secrets. */
  clientRandom: string | null;
  agent: string | null;
  openedAt: string | null;
  closedAt: string | null;
  closedBy: 'fin' | 'rst' | null;
  handshake: 'seen' | 'missing';
  path: string | null;
  extensions: string | null;
  firstAt: string;
  lastAt: string;
  packets: number;
  fromServer: ListedDirection;
  fromClient: ListedDirection;
  pingsAnswered: number;
  retransmissions: number;
  closeCode: number | null;
}
